"""Templates that choose a body's file, read files, or give the status."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest

from mockforge.engine import Decision, Engine, compile_service
from mockforge.model.request import RequestView
from mockforge.stubfiles.folder import STREAMED_FROM
from mockforge.stubfiles.from_model import written_stub

CHOSEN = """
name: price
request: GET /prices/{sku}
response:
  bodyFileName: "prices/{{ request.path.sku }}.json"
  transformers: [jinja]
"""


def engine(folder: Any) -> Engine:
    return Engine(compile_service(folder.read()), Random(1))


def get(made: Engine, target: str) -> Decision:
    return made.decide(RequestView("GET", target), 0)


def test_a_request_chooses_the_file(folder: Any) -> None:
    folder.put("a.yaml", CHOSEN)
    folder.put("__files/prices/tea.json", '{"plain": 1}')
    folder.put("__files/prices/rum.json", '{"sku": "{{ request.path.sku }}"}')
    folder.put("__files/prices/bin.json", b"\xff\x00")
    made = engine(folder)
    assert get(made, "/prices/tea").response.body == b'{"plain": 1}'
    assert get(made, "/prices/rum").response.body == b'{"sku": "rum"}'
    assert get(made, "/prices/bin").response.body == b"\xff\x00"


def test_a_file_that_is_edited_is_the_new_one(folder: Any) -> None:
    folder.put("a.yaml", CHOSEN)
    folder.put("__files/prices/tea.json", "one")
    made = engine(folder)
    assert get(made, "/prices/tea").response.body == b"one"
    folder.put("__files/prices/tea.json", "another")
    assert get(made, "/prices/tea").response.body == b"another"


@pytest.mark.parametrize(
    "sku", ["none", "..%2F..%2Fa", "%2Fetc%2Fpasswd", "..%2F..%2F..%2Fetc%2Fpasswd", "%00"]
)
def test_a_file_that_is_not_there_or_outside_is_a_500_that_names_it(folder: Any, sku: str) -> None:
    folder.put("a.yaml", CHOSEN.replace("prices/{{ request.path.sku }}.json", "{{ request.path.sku }}"))
    folder.put("__files/tea.json", "{}")
    failed = get(engine(folder), f"/prices/{sku}").response
    assert failed.status == 500
    assert failed.body.decode().startswith("stub 'price': bodyFileName: there is no file ")


def test_a_link_does_not_lead_out_of_the_folder(folder: Any, tmp_path: Any) -> None:
    (tmp_path / "secret").write_text("secret")
    folder.put("a.yaml", CHOSEN)
    folder.put("__files/prices/tea.json", "{}")
    (folder.path / "__files/prices/out.json").symlink_to(tmp_path / "secret")
    assert get(engine(folder), "/prices/out").response.status == 500


def test_a_large_file_is_streamed_from_disk(folder: Any) -> None:
    folder.put("a.yaml", CHOSEN)
    folder.put("__files/prices/all.json", b"x" * STREAMED_FROM)
    decision = get(engine(folder), "/prices/all")
    assert (decision.response.body, decision.response.body_length) == (b"", STREAMED_FROM)
    assert decision.sending is not None
    assert decision.sending.file is not None
    assert decision.sending.file.path.endswith("all.json")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "no file under __files/ has a name that this template could give"),
        ("{{ nothing }}", "the file 'prices/tea.json': template asks for 'nothing', which is not known"),
    ],
)
def test_what_no_request_could_get_is_refused_at_load(folder: Any, content: str | None, problem: str) -> None:
    if content is not None:
        folder.put("__files/prices/tea.json", content)
    folder.put("__files/other.json", "{{ nothing }}")
    assert folder.problem(CHOSEN).startswith(f"a.yaml:5: stub 'price': response.bodyFileName: {problem}")


def test_a_file_name_with_markup_and_no_transformers_says_what_would_work(folder: Any) -> None:
    problem = folder.problem(CHOSEN.replace("  transformers: [jinja]\n", ""))
    assert problem.endswith("one that is a template needs transformers: [jinja])")


def test_a_template_reads_files(folder: Any) -> None:
    folder.put("__files/a.json", '{"n": 3}')
    folder.put(
        "a.yaml",
        "name: x\nresponse: {body: \"{{ (file('a.json') | parse_json).n }}\", transformers: [jinja]}",
    )
    assert get(engine(folder), "/").response.body == b"3"


def test_a_file_that_a_template_names_must_be_there(folder: Any) -> None:
    problem = folder.problem("name: x\nresponse: {body: \"{{ 'a.json' | file }}\", transformers: [jinja]}")
    assert "response.body: template reads the file 'a.json', which is not under __files/" in problem


def test_a_file_that_is_only_known_when_it_is_asked_for_may_be_missing(folder: Any) -> None:
    folder.put("a.yaml", 'name: x\nresponse: {body: "{{ file(request.query.f) }}", transformers: [jinja]}')
    failed = get(engine(folder), "/?f=../a.yaml").response
    assert (failed.status, failed.failure) == (
        500,
        "stub 'x': {{ file(request.query.f) }}: there is no file '../a.yaml' under __files/",
    )


def test_a_file_too_large_for_a_value_is_refused(folder: Any) -> None:
    folder.put("__files/a", b"x" * STREAMED_FROM + b"x")
    folder.put("a.yaml", "name: x\nresponse: {body: \"{{ file('a') }}\", transformers: [jinja]}")
    assert "the file 'a' has more than 1,048,576 bytes" in str(get(engine(folder), "/").response.failure)


STATUS = "name: x\nresponse: {status: '{{ request.query.s }}', transformers: [jinja]}"


@pytest.mark.parametrize(("asked", "given"), [("404", 404), ("200", 200), ("599", 599), ("%20201%20", 201)])
def test_the_status_may_be_a_template(folder: Any, asked: str, given: int) -> None:
    folder.put("a.yaml", STATUS)
    assert get(engine(folder), f"/?s={asked}").response.status == given


@pytest.mark.parametrize("asked", ["", "199", "600", "ok", "2000", "%D9%A3%D9%A3%D9%A3", "-20"])
def test_a_status_that_is_none_is_a_500_that_says_so(folder: Any, asked: str) -> None:
    folder.put("a.yaml", STATUS)
    failed = get(engine(folder), f"/?s={asked}").response
    assert failed.status == 500
    assert re.fullmatch(r"stub 'x': status: '.*' is none from 200 to 599\n", failed.body.decode())


def test_a_status_that_is_missing_names_its_expression(folder: Any) -> None:
    folder.put("a.yaml", STATUS)
    failed = get(engine(folder), "/").response
    assert failed.body == b"stub 'x': status: {{ request.query.s }}: is not in this request\n"


def test_a_status_template_needs_transformers(folder: Any) -> None:
    problem = folder.problem(STATUS.replace(", transformers: [jinja]", ""))
    assert "response: status '{{ request.query.s }}' is a template (add transformers: [jinja])" in problem


def test_a_status_template_that_asks_for_nothing_known_is_refused_at_its_place(folder: Any) -> None:
    problem = folder.problem(STATUS.replace("request.query.s", "nothing"))
    assert "response.status: template asks for 'nothing', which is not known" in problem


def test_what_is_written_again_reads_the_same(folder: Any) -> None:
    folder.put("__files/prices/tea.json", "{}")
    stub = folder.stub(CHOSEN.replace("response:\n", "response:\n  status: '{{ request.query.s }}'\n"))
    written = written_stub(stub)["response"]
    assert isinstance(written, dict)
    assert written["status"] == "{{ request.query.s }}"
    assert written["bodyFileName"] == "prices/{{ request.path.sku }}.json"


CALLBACK = """
name: x
request: POST /orders
serveEventListeners:
  - name: webhook
    parameters: {url: "http://127.0.0.1:9001/", bodyFileName: hook.json, shop: north}
"""


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"{{ parameters.shop }} {{ request.count }}", b"north 1"),
        (b"plain", b"plain"),
        (b"\xff{{", b"\xff{{"),
    ],
)
def test_a_callbacks_body_may_be_in_a_file(folder: Any, content: bytes, sent: bytes) -> None:
    folder.put("__files/hook.json", content)
    folder.put("a.yaml", CALLBACK)
    (planned,) = engine(folder).decide(RequestView("POST", "/orders"), 0).callbacks
    assert planned.callback.request_for(planned.request).body == sent


def test_a_callbacks_file_that_is_not_there_is_refused_at_its_place(folder: Any) -> None:
    problem = folder.problem(CALLBACK)
    assert problem.startswith(
        "a.yaml:6: stub 'x': serveEventListeners[0].parameters.bodyFileName: no such file: "
    )
