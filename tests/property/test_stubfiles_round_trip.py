"""What is written is read back as it was, and written again to the same bytes."""

from __future__ import annotations

import base64
import re
import string
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockforge.delays.faults import FAULTS
from mockforge.model.forwarding import CallbackDefinition, ProxyDefinition, RetryRule
from mockforge.model.headers import Headers
from mockforge.model.sending import (
    Dribble,
    EventStream,
    FaultDefinition,
    SendingDefinition,
    ServerSentEvent,
)
from mockforge.model.service import Service
from mockforge.model.stub import (
    BasicCredentials,
    Body,
    DelayDistribution,
    MethodSet,
    MultipartPattern,
    RequestPattern,
    ResponseDefinition,
    ScenarioStep,
    Stub,
    UrlPattern,
    ValuePattern,
    Variant,
    Variants,
)
from mockforge.stubfiles.reader import read_service
from mockforge.stubfiles.writer import write_service

Draw = Callable[[st.SearchStrategy[Any]], Any]

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
#: What YAML may take for something else than a string.
TRICKY = st.sampled_from(
    ["no", "on", "~", "null", "true", "True", "1", "1.10", "1e3", ".5", "007", "2024-01-01", "<<", "="]
) | st.sampled_from(
    [
        "",
        "a: b",
        "# x",
        "- a",
        "a\n",
        "\na",
        " a\n b\n",
        "a\r\nb",
        "a \nb",
        "\ta\n",
        "\x85",
        "\u2028",
        "\ufeff",
    ]
)
TEXT = ANY_TEXT | TRICKY
WORD = st.text(string.ascii_letters + string.digits, min_size=1, max_size=6)
NAME = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Cn", "Co"]), max_size=20
).filter(lambda text: bool(text.strip()) and text.isprintable())
METHOD = st.sampled_from(["GET", "POST", "ANY", "PURGE"])
HEADER_VALUE = st.text(
    st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=12
) | st.sampled_from(["1", "no", "1.0", "", "a, b"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def headers() -> st.SearchStrategy[Headers]:
    named = st.dictionaries(WORD, st.lists(HEADER_VALUE, min_size=1, max_size=2), max_size=3)
    return named.map(lambda made: Headers(tuple((name, value) for name in made for value in made[name])))


def value_pattern() -> st.SearchStrategy[ValuePattern]:
    case = st.fixed_dictionaries({}, optional={"caseInsensitive": st.booleans()})
    return st.one_of(
        st.builds(ValuePattern, st.just("equalTo"), TEXT, case),
        st.builds(ValuePattern, st.sampled_from(["contains", "doesNotContain"]), TEXT),
        st.builds(
            ValuePattern, st.sampled_from(["matches", "doesNotMatch"]), st.sampled_from(["a.*", "[0-9]+"])
        ),
        st.just(ValuePattern("absent", True)),
    )


def composed_pattern() -> st.SearchStrategy[ValuePattern]:
    """Matchers that hold others, and those with options of their own."""
    inner = value_pattern().map(lambda value: {value.operator: value.operand, **value.options})
    lists = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        st.builds(ValuePattern, st.sampled_from(["and", "or"]), lists),
        st.builds(ValuePattern, st.just("not"), inner),
        st.builds(ValuePattern, st.just("lessThanNumber"), st.floats(-1e6, 1e6)),
        st.just(ValuePattern("before", "now", {"expectedOffset": -3, "expectedOffsetUnit": "days"})),
        st.just(ValuePattern("matchesXPath", "//p:a", {"xPathNamespaces": {"p": "urn:x"}})),
        st.just(ValuePattern("matchesXPath", {"expression": "//a", "equalTo": "1"})),
        st.just(ValuePattern("equalToXml", "<a/>", {"exemptedComparisons": ["TEXT_VALUE"]})),
        st.just(ValuePattern("matchesJsonSchema", {"type": "object"}, {"schemaVersion": "V7"})),
        st.just(ValuePattern("equalToGraphql", {"query": "{ a }", "variables": {"b": 1}})),
    )


def multi_pattern() -> st.SearchStrategy[ValuePattern]:
    inner = composed_pattern().map(lambda value: {value.operator: value.operand, **value.options})
    lists = st.lists(inner, min_size=1, max_size=2)
    return composed_pattern() | st.builds(ValuePattern, st.sampled_from(["hasExactly", "includes"]), lists)


def multipart_pattern() -> st.SearchStrategy[MultipartPattern]:
    return st.builds(
        MultipartPattern,
        st.sampled_from(["ANY", "ALL"]),
        st.none() | TEXT,
        st.none() | TEXT,
        value_patterns(WORD),
        st.lists(composed_pattern(), max_size=2).map(tuple),
    )


def methods() -> st.SearchStrategy[MethodSet]:
    names = st.lists(METHOD, min_size=2, max_size=3).map(tuple)
    return st.builds(MethodSet, names, st.booleans())


def scenario() -> st.SearchStrategy[ScenarioStep]:
    return st.builds(ScenarioStep, NAME, st.none() | TEXT, st.none() | TEXT)


def value_patterns(names: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[tuple[str, ValuePattern], ...]]:
    return st.dictionaries(names, value_pattern(), max_size=2).map(lambda made: tuple(made.items()))


def json_pattern() -> st.SearchStrategy[ValuePattern]:
    options = st.fixed_dictionaries(
        {}, optional={"ignoreArrayOrder": st.booleans(), "ignoreExtraElements": st.booleans()}
    ).map(lambda made: dict(sorted(made.items())))
    written_out = JSON.filter(lambda value: value is not None and not isinstance(value, str))
    as_text = st.builds(lambda value: orjson.dumps(value).decode(), JSON)
    return st.builds(ValuePattern, st.just("equalToJson"), written_out | as_text, options)


def body_pattern() -> st.SearchStrategy[ValuePattern]:
    expression = st.sampled_from(["$", "$.a['b c'][0]", "$..a", "$.a[?(@.n > 1 && @.s == 'x')]"])
    beside = (value_pattern() | json_pattern()).map(
        lambda value: {value.operator: value.operand, **value.options}
    )
    with_matcher = st.builds(lambda path, pattern: {"expression": path, **pattern}, expression, beside)
    path = st.builds(ValuePattern, st.just("matchesJsonPath"), expression | with_matcher)
    return st.one_of(value_pattern(), json_pattern(), path)


@st.composite
def url_pattern(draw: Draw) -> UrlPattern | None:
    kind = draw(st.sampled_from(["url", "urlPattern", "urlPath", "urlPathPattern", "urlPathTemplate", None]))
    path = "/" + "/".join(draw(st.lists(WORD | st.sampled_from(["{x", "ü", "1"]), max_size=3)))
    if kind is None:
        return None
    if kind == "urlPathTemplate":
        names = draw(st.lists(st.sampled_from(["id", "item_id", "x2"]), unique=True, max_size=2))
        path = path.replace("{x", "x") + "".join(f"/{{{name}}}" for name in names)
    if kind == "url":
        path += draw(st.sampled_from(["", "?page=2", "?a={id}"]))
    return UrlPattern(kind, path.replace("{x", "x") if kind.endswith("Pattern") else path)


def inline_body() -> st.SearchStrategy[Body]:
    return st.one_of(
        st.builds(Body, st.just("body"), TEXT),
        st.builds(Body, st.just("jsonBody"), JSON),
        st.builds(
            Body, st.just("base64Body"), st.binary(max_size=20).map(lambda b: base64.b64encode(b).decode())
        ),
    )


def template() -> st.SearchStrategy[Body]:
    text = st.sampled_from(
        ["{{ request.path.id }}", "{% if request.json %}\n{{ request.body }}\n{% endif %}", ""]
    )
    return st.builds(Body, st.just("body"), text) | st.builds(
        Body,
        st.just("jsonBody"),
        st.fixed_dictionaries({"a": st.lists(text), "{{ request.url }}": st.just(1)}),
    )


def delay() -> st.SearchStrategy[DelayDistribution]:
    ms = st.floats(0.001, 10_000)
    rising = st.dictionaries(st.sampled_from([0.0, 50.0, 99.9, 100.0]), ms, min_size=1).map(
        lambda points: dict(zip(sorted(points), sorted(points.values()), strict=True))
    )
    return st.one_of(
        st.builds(lambda value: DelayDistribution("fixed", {"milliseconds": value}), ms | st.integers(0, 99)),
        st.builds(lambda low, up: DelayDistribution("percentiles", {"p50": low, "p99.9": low + up}), ms, ms),
        st.builds(
            lambda weight, mean: DelayDistribution(
                "mixture",
                {
                    "components": [
                        {"weight": weight, "type": "exponential", "mean": mean},
                        {"weight": 1, "p50": "12ms", "p99": "1.5s"},
                    ]
                },
            ),
            ms,
            ms,
        ),
        st.builds(lambda points: DelayDistribution("quantiles", {"unit": "ms", "points": points}), rising),
    )


def stream() -> st.SearchStrategy[EventStream]:
    one_line = TEXT.filter(lambda text: not set(text) & set("\r\n\0"))
    event = st.builds(
        ServerSentEvent,
        data=JSON,
        event=st.none() | one_line,
        id=st.none() | one_line,
        retry_ms=st.none() | st.integers(0, 99_999),
        comment=TEXT,
        delay_ms=st.floats(0.001, 1e6),
    )
    events = st.lists(event, min_size=1, max_size=2).map(tuple)
    return st.builds(EventStream, events, st.none() | st.integers(1, 9), st.booleans())


def fault() -> st.SearchStrategy[FaultDefinition]:
    told = {"afterBytes": st.none() | st.integers(0, 999), "duration": st.none() | st.floats(0, 1e6)}
    return st.sampled_from(sorted(FAULTS)).flatmap(
        lambda kind: st.builds(
            FaultDefinition,
            st.just(kind),
            st.floats(0, 1),
            *(told[key] if key in FAULTS[kind].takes else st.none() for key in ("afterBytes", "duration")),
        )
    )


@st.composite
def sending(draw: Draw, *, with_stream: bool) -> SendingDefinition:
    if with_stream:
        return SendingDefinition(events=draw(stream()), fault=draw(st.none() | fault()))
    pace = draw(st.sampled_from(["dribble", "bandwidth", "body_time", None]))
    made = {
        "dribble": st.builds(Dribble, st.integers(1, 99), st.floats(0, 1e6)),
        "bandwidth": st.floats(1, 1e12),
        "body_time": delay(),
    }
    paced = {pace: draw(made[pace])} if pace else {}
    written_fault = draw(st.none() | fault()) if pace else draw(fault())
    return SendingDefinition(**paced, fault=written_fault)


@st.composite
def variants(draw: Draw, url: UrlPattern | None, file_name: str) -> Variants:
    template = url.value if url is not None and url.kind == "urlPathTemplate" else ""
    known = [f"path.{part[1:-1]}" for part in template.split("/") if part.startswith("{")]
    by = tuple(draw(st.lists(st.sampled_from([*known, "query.page", "body"]), unique=True, max_size=2)))
    row = st.builds(
        Variant,
        when=st.tuples(*(TEXT for _ in by)),
        status=st.none() | st.integers(200, 599),
        headers=headers(),
        body=st.none() | inline_body(),
    )
    return Variants(file_name, by, tuple(draw(st.lists(row, min_size=1, max_size=3))))


def proxy() -> st.SearchStrategy[ProxyDefinition]:
    return st.builds(
        ProxyDefinition,
        base_url=st.sampled_from(["http://127.0.0.1:9000", "https://real.example.com/v1"]),
        prefix_to_remove=st.none() | st.just("/api"),
        added=headers(),
        removed=st.lists(WORD, max_size=2).map(tuple),
    )


def callback() -> st.SearchStrategy[CallbackDefinition]:
    return st.builds(
        CallbackDefinition,
        url=st.sampled_from(["http://127.0.0.1:9000/a?b=c", "{{ request.url }}"]),
        method=st.sampled_from(["GET", "POST"]),
        headers=headers(),
        body=st.none() | inline_body(),
        delay=st.none() | delay(),
        retry=st.none() | st.builds(RetryRule, st.integers(1, 9), st.floats(0, 1e6)),
    )


@st.composite
def response(draw: Draw, url: UrlPattern | None, file_name: str, share: float | None) -> ResponseDefinition:
    if draw(st.booleans()):
        return ResponseDefinition(
            headers=draw(headers()),
            proxy=draw(proxy()),
            fixed_delay_ms=draw(st.none() | st.floats(0, 1e6)),
            share=share,
        )
    in_file = st.binary(max_size=20).map(lambda data: Body("bodyFileName", f"{file_name}.bin", data))
    transformers = draw(st.sampled_from([(), ("jinja",)]))
    if not transformers and draw(st.integers(0, 9)) == 0:
        return ResponseDefinition(sending=draw(sending(with_stream=True)), share=share)
    templated = draw(st.sampled_from([None, "{{ request.query.status }}"])) if transformers else None
    return ResponseDefinition(
        status=200 if templated else draw(st.integers(200, 599)),
        status_template=templated,
        headers=Headers() if transformers else draw(headers()),
        body=draw(template() if transformers else st.none() | inline_body() | in_file),
        variants=None if transformers else draw(st.none() | variants(url, f"{file_name}.jsonl")),
        transformers=transformers,
        fixed_delay_ms=draw(st.none() | st.floats(0, 1e6)),
        delay=draw(st.none() | delay()),
        sending=draw(st.none() | sending(with_stream=False)),
        share=share,
    )


@st.composite
def stub(draw: Draw, number: int, name: str) -> Stub:
    several, url = draw(st.none() | methods()), draw(url_pattern())
    names = re.findall(r"\{(\w+)\}", url.value) if url is not None and url.kind == "urlPathTemplate" else []
    request = RequestPattern(
        method="ANY" if several else draw(METHOD),
        methods=several,
        url=url,
        path=draw(
            st.lists(composed_pattern(), max_size=len(names)).map(
                lambda made: tuple(zip(names, made, strict=False))
            )
        ),
        cookies=draw(value_patterns(TEXT)),
        form=draw(st.dictionaries(TEXT, multi_pattern(), max_size=1).map(lambda made: tuple(made.items()))),
        multipart=tuple(draw(st.lists(multipart_pattern(), max_size=1))),
        basic_auth=draw(st.none() | st.builds(BasicCredentials, TEXT, TEXT)),
        scheme=draw(st.sampled_from([None, "http", "https"])),
        host=draw(st.none() | value_pattern()),
        port=draw(st.none() | st.integers(1, 65_535)),
        client_ip=draw(st.none() | composed_pattern()),
        query=draw(value_patterns(TEXT)),
        headers=draw(value_patterns(WORD)),
        body=tuple(draw(st.lists(body_pattern(), max_size=2))),
    )
    shares = draw(st.sampled_from([[None], [1.0], [0.25, 0.75], [0.3333, 0.3333, 0.3333]]))
    return Stub(
        name=name,
        request=request,
        responses=tuple(
            draw(response(request.url, f"folder/{number}.{index}", share))
            for index, share in enumerate(shares)
        ),
        priority=draw(st.integers(1, 9)),
        scenario=draw(st.none() | scenario()),
        id=draw(st.none() | NAME),
        metadata=draw(st.dictionaries(TEXT, JSON, max_size=2)),
        callbacks=tuple(draw(st.lists(callback(), max_size=2))),
    )


@st.composite
def services(draw: Draw) -> Service:
    names = draw(st.lists(NAME, unique=True, max_size=3))
    stubs = tuple(draw(stub(number, name)) for number, name in enumerate(names))
    return Service(draw(NAME), stubs, draw(st.none() | st.just("https://orders.example.com/v1")))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(services())
def test_what_is_written_is_read_back_and_written_to_the_same_bytes(service: Service) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        first, second = Path(scratch) / "first", Path(scratch) / "second"
        write_service(service, first)
        read = read_service(first)
        assert read == service
        write_service(read, second)
        assert content(first) == content(second)


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
