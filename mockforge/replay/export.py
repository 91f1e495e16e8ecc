"""The same workload for other load tools: the requests, their order, and the schedule's rate by the second.

An exporter is a function of an `Exported` that gives the files to write, by name. These tools pace by a rate
and not by single due times: within a second their requests are spread as they spread them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson

from mockforge.replay.load import Load
from mockforge.replay.wire import fields_for, target_for

__all__ = ["EXPORTERS", "Exported", "Exporter", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """`seconds` in each of which `rate` requests are due."""

    rate: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Exported:
    """A load, and the name of the file that it is exported to."""

    load: Load
    name: str

    def steps(self) -> list[Step]:
        """The schedule, second by second, equal seconds together."""
        return [Step(rate, sum(1 for _ in group)) for rate, group in groupby(self.load.schedule.per_second())]

    def requests(self) -> Iterator[dict[str, Any]]:
        """The distinct requests, as JSON has them; a body is base64. What a tool sets itself is left out."""
        for request, name in zip(self.load.workload.requests, self.load.workload.names(), strict=True):
            moved = self.load.mold.rewriting.moved(request)
            given = self.load.mold.rewriting.with_given_fields(moved)
            fields = [
                [field, value]
                for field, value in fields_for(given, self.load.mold.host)
                if field.lower() not in ("content-length", "transfer-encoding", "trailer", "te")
            ]
            yield {
                "method": request.method,
                "url": self.load.mold.target.origin + target_for(moved.target, self.load.mold.target),
                "fields": fields,
                "body": base64.b64encode(moved.body).decode(),
                "name": name,
            }

    def document(self) -> str:
        """The requests and their order, as the file that lies beside a script."""
        order = self.load.workload.which.tolist()
        document = {"requests": list(self.requests()), "order": order}
        return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE).decode()

    @property
    def beside(self) -> str:
        """The name of that file."""
        return f"{self.name}.requests.json"


Exporter = Callable[[Exported], dict[str, str]]

_K6 = """\
// {source}, replayed by k6: k6 run {name}
// Each second has as many requests as the replay's. They start at once when they are due, whatever the
// answers do; k6 counts those that found no free VU as dropped_iterations.
import http from 'k6/http';
import encoding from 'k6/encoding';
import exec from 'k6/execution';
import {{ SharedArray }} from 'k6/data';

const recorded = new SharedArray('recorded', () => [JSON.parse(open('./{beside}'))])[0];

export const options = {{
  discardResponseBodies: true,
  scenarios: {{
    replay: {{
      executor: 'ramping-arrival-rate',
      startRate: {start},
      timeUnit: '1s',
      preAllocatedVUs: {vus},
      maxVUs: {most},
      stages: [
{stages}
      ],
    }},
  }},
}};

const prepared = recorded.requests.map((one) => {{
  const headers = {{}};
  for (const [name, value] of one.fields) {{
    headers[name] = name in headers ? `${{headers[name]}}, ${{value}}` : value;
  }}
  return {{
    method: one.method,
    url: one.url,
    body: one.body ? encoding.b64decode(one.body) : null,
    params: {{ headers, redirects: 0, timeout: '{timeout}s', tags: {{ name: one.name }} }},
  }};
}});

export default function () {{
  const place = recorded.order[exec.scenario.iterationInTest % recorded.order.length];
  const {{ method, url, body, params }} = prepared[place];
  http.request(method, url, body, params);
}}
"""


def _k6(export: Exported) -> dict[str, str]:
    steps = export.steps()
    stages = []
    for step in steps:
        # A stage goes evenly from the rate before it: one of no length makes a step of it.
        stages.append(f"        {{ target: {step.rate}, duration: '0s' }},")
        stages.append(f"        {{ target: {step.rate}, duration: '{step.seconds}s' }},")
    script = _K6.format(
        source=export.load.source.name,
        name=export.name,
        beside=export.beside,
        start=steps[0].rate,
        vus=min(export.load.cap, max(step.rate for step in steps)),
        most=export.load.cap,
        timeout=f"{export.load.timeout_s:g}",
        stages="\n".join(stages),
    )
    return {export.name: script, export.beside: export.document()}


_LOCUST = '''\
"""{source}, replayed by Locust: locust -f {name} --headless

Every second has as many requests as the replay's, spread evenly, and each is sent when it is due by the next
user that is free: of {users} users, so that as many may be under way at once. Run it in one process.
"""

import base64
import itertools
import json
import time
from pathlib import Path

import gevent
from locust import FastHttpUser, LoadTestShape, constant, task

USERS = {users}
#: Requests a second, and for how many seconds.
STEPS = {steps}

recorded = json.loads(Path(__file__).with_name({beside!r}).read_text())
requests = recorded["requests"]
turns = itertools.cycle(recorded["order"])


def due_times():
    second = 0
    for rate, seconds in STEPS:
        for _ in range(seconds):
            yield from (second + place / rate for place in range(rate))
            second += 1


due = due_times()
started = None


class Replay(FastHttpUser):
    host = {host!r}
    wait_time = constant(0)
    network_timeout = connection_timeout = {timeout}

    @task
    def send(self):
        global started
        due_s = next(due, None)
        if due_s is None:
            gevent.sleep(1)
            return
        started = started or time.monotonic()
        gevent.sleep(max(0, started + due_s - time.monotonic()))
        one = requests[next(turns)]
        self.client.request(
            one["method"],
            one["url"],
            name=one["name"],
            headers=[tuple(field) for field in one["fields"]],
            data=base64.b64decode(one["body"]) or None,
            allow_redirects=False,
        )


class Recorded(LoadTestShape):
    def tick(self):
        lasts = sum(seconds for _, seconds in STEPS)
        if started is not None and time.monotonic() - started > lasts + 1:
            return None
        return USERS, USERS
'''


def _locust(export: Exported) -> dict[str, str]:
    steps = [(step.rate, step.seconds) for step in export.steps()]
    script = _LOCUST.format(
        source=export.load.source.name,
        name=export.name,
        users=min(export.load.cap, max(rate for rate, _ in steps)),
        steps=steps,
        beside=export.beside,
        host=str(export.load.target),
        timeout=f"{export.load.timeout_s:g}",
    )
    return {export.name: script, export.beside: export.document()}


def _vegeta(export: Exported) -> dict[str, str]:
    requests = []
    for one in export.requests():
        fields: dict[str, list[str]] = {}
        for name, value in one["fields"]:
            fields.setdefault(name, []).append(value)
        target = {"method": one["method"], "url": one["url"], "header": fields}
        if one["body"]:
            target["body"] = one["body"]
        requests.append(orjson.dumps(target).decode())
    lines = [requests[place] for place in export.load.workload.which.tolist()]
    load, seconds = export.load, _span_s(export)
    script = f"""\
#!/bin/sh
# {load.source.name}, replayed by vegeta at the schedule's mean rate.
# Its command keeps one rate, so that the gaps and the ramps of the replay are not in it.
vegeta attack -format=json -targets={export.name} -rate={load.schedule.count}/{seconds}s \\
  -duration={seconds}s -timeout={load.timeout_s:g}s -redirects=-1 -max-workers={load.cap} |
  vegeta report
"""
    return {export.name: "\n".join(lines) + "\n", f"{export.name}.sh": script}


def _span_s(export: Exported) -> int:
    """The schedule's length in whole seconds, one at least."""
    return max(1, round(export.load.schedule.span_ns / 1e9))


#: Load tools by the name that `--export` takes.
EXPORTERS: dict[str, Exporter] = {"k6": _k6, "locust": _locust, "vegeta": _vegeta}
