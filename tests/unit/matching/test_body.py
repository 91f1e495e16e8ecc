"""What holds for every matcher of a body: a new one enters `CASES` and is held to all of it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.errors import StubFileError
from mockforge.matching.body import BodyMatcher, compile_body
from mockforge.matching.values import MISMATCH
from mockforge.model.request import RequestView
from mockforge.model.stub import ValuePattern

Case = tuple[ValuePattern, list[bytes], list[bytes]]

#: A document that orjson still reads, and deeper than it writes; and one that it does not read.
DEEP = b"[" * 1000 + b"]" * 1000
TOO_DEEP = b"[" * 100_000 + b"]" * 100_000


def text(operator: str, operand: object, **options: object) -> ValuePattern:
    return ValuePattern(operator, operand, options)


def json(operand: object, **options: object) -> ValuePattern:
    return ValuePattern("equalToJson", operand, options)


def path(expression: str, **beside: object) -> ValuePattern:
    return ValuePattern("matchesJsonPath", {"expression": expression, **beside} if beside else expression)


#: Pattern, bodies that match, bodies that do not. An empty body is an absent one.
CASES: list[Case] = [
    (text("equalTo", "héllo"), ["héllo".encode()], [b"", b"h\xe9llo", b"hello"]),
    (text("equalTo", "A", caseInsensitive=True), [b"a"], [b"b"]),
    (text("contains", "b.d"), [b"ab.d"], [b"", b"abxd"]),
    (text("doesNotContain", "x"), [b"", b"a"], [b"x"]),
    (text("matches", "a.*c"), [b"a\nc"], [b"", b"abcd"]),
    (text("doesNotMatch", "a.*c"), [b"", b"abcd"], [b"ac"]),
    (text("absent", True), [b""], [b" ", b"null"]),
    (json('{"a": 1}'), [b'{"a":1}', b' {"a" : 1.0}'], [b"", b"{", b"[]", b'{"a":2}', b'{"a":1,"b":2}']),
    (json({"a": [1, {"b": None}]}), [b'{"a":[1,{"b":null}]}'], [b'{"a":[{"b":null},1]}', b'{"a":[1,{}]}']),
    (json([1, 2, 2], ignoreArrayOrder=True), [b"[2,1,2]"], [b"[1,2,1]", b"[1,2]", b"[1,2,2,2]"]),
    (json({"a": [1]}, ignoreExtraElements=True), [b'{"b":0,"a":[1,2]}'], [b'{"a":[2,1]}', b'{"b":[1]}']),
    (json(True), [b"true"], [b"1", b'"true"', b"false"]),
    (json(1), [b"1"], [b"true", b'"1"']),
    (json([0, False]), [b"[0,false]"], [b"[false,0]", b"[0,0]"]),
    (json('"text"'), [b'"text"'], [b"text"]),
    (json("null"), [b"null"], [b"", b"0", b"false"]),
    (path("$.a"), [b'{"a":0}', b'{"a":false}', b'{"a":""}'], [b"", b"{", b'{"a":null}', b'{"a":[]}', b"[]"]),
    (path("$.a[0]"), [b'{"a":[{"b":1}]}'], [b'{"a":"text"}', b'{"a":[]}', b'{"a":{"0":1}}']),
    (path("$..sku"), [b'[{"x":{"sku":null}}]'], [b"[]", b'{"skus":1}']),
    (path("$.a[?(@.n > 1)]"), [b'{"a":[{"n":null},{"n":"x"},{"n":2}]}'], [b'{"a":[{"n":1}]}', b'{"a":3}']),
    (path("$[?(@.n =~ '^b-')]"), [b'[{"n":"b-1"}]'], [b'[{"n":1},{"n":"xb-"}]']),
    (path("$.a - 1"), [b'{"a":2}'], [b'{"a":{}}', b'{"a":"x"}']),
    (path("$.a", equalTo="5"), [b'{"a":5}', b'{"a":"5"}', b'{"a":[4,5]}'], [b'{"a":55}', b"{", b'{"b":5}']),
    (path("$.a", equalTo="X", caseInsensitive=True), [b'{"a":"x"}'], [b'{"a":"y"}']),
    (path("$.a", equalTo='{"b":true}'), [b'{"a":{"b": true}}'], [b'{"a":{}}']),
    (path("$.a", absent=True), [b"{}", b'{"a":null}', b'{"a":[]}', b"[]"], [b"", b"{", b'{"a":0}']),
    (path("$.a", doesNotContain="x"), [b'{"a":"y"}'], [b'{"a":"x"}', b"{}", b"{", b""]),
    (path("$..a", matches="[0-9]+"), [b'[{"a":"x"},{"a":17}]'], [b'{"a":"x"}', b"[]"]),
    (path("$.a", equalToJson={"b": 1}, ignoreExtraElements=True), [b'{"a":{"b":1,"c":2}}'], [b"{}", b"{"]),
    (path("$..a", equalToJson="[1, 2]"), [b'[{"a":1},{"a":2}]'], [b'{"a":[1,2]}', b"{", b"[]"]),
]
CASES += [
    (text("binaryEqualTo", "AP8="), [b"\x00\xff"], [b"", b"\x00", b"AP8="]),
    (text("and", [{"contains": "a"}, {"doesNotContain": "b"}]), [b"a"], [b"", b"ab"]),
    (text("or", [{"equalTo": "a"}, {"absent": True}]), [b"", b"a"], [b"b"]),
    (text("not", {"contains": "a"}), [b"", b"b"], [b"a"]),
    (json({"a": "${json-unit.ignore}", "b": 1}), [b'{"a":[],"b":1}'], [b'{"b":1}', b'{"a":0,"b":2}']),
    (json({"a": "${json-unit.any-string}"}), [b'{"a":""}'], [b'{"a":1}', b'{"a":null}']),
    (json({"a": "#{json-unit.any-number}"}), [b'{"a":1.5}'], [b'{"a":"1"}', b'{"a":true}']),
    (json({"a": "${json-unit.any-boolean}"}), [b'{"a":false}'], [b'{"a":0}']),
    (json({"a": "${json-unit.regex}b-[0-9]+"}), [b'{"a":"b-17"}'], [b'{"a":"b-"}', b'{"a":17}']),
    (path("$.a", greaterThanNumber=5), [b'{"a":6}', b'{"a":[1,7]}'], [b'{"a":5}', b'{"a":"x"}', b"{}"]),
]
IDS = [f"{pattern.operator} {pattern.operand}" for pattern, _, _ in CASES]
compiled = [
    pytest.param(compile_body(pattern), yes, no, id=name)
    for (pattern, yes, no), name in zip(CASES, IDS, strict=True)
]


AS_JSON = ("equalToJson", "matchesJsonPath")


def posted(body: bytes) -> RequestView:
    return RequestView("POST", "/", body=body)


@pytest.mark.parametrize(("matcher", "yes", "no"), compiled)
def test_it_matches_what_it_should_and_nothing_else(
    matcher: BodyMatcher, yes: list[bytes], no: list[bytes]
) -> None:
    assert [body for body in yes if not matcher.matches(posted(body))] == []
    assert [body for body in no if matcher.matches(posted(body))] == []


@pytest.mark.parametrize(("matcher", "yes", "no"), compiled)
def test_the_distance_is_zero_for_a_match_and_only_then(
    matcher: BodyMatcher, yes: list[bytes], no: list[bytes]
) -> None:
    assert {matcher.distance(posted(body)) for body in yes} == {0.0}
    assert all(0 < matcher.distance(posted(body)) <= MISMATCH for body in no)


@pytest.mark.parametrize("pattern", [case[0] for case in CASES], ids=IDS)
@pytest.mark.parametrize("body", [DEEP, TOO_DEEP, b'{"a":' + DEEP + b"}", b'{"a":"\xff"}', b"\x00"])
def test_no_body_makes_a_matcher_fail(pattern: ValuePattern, body: bytes) -> None:
    matcher = compile_body(pattern)
    assert matcher.matches(posted(body)) == (matcher.distance(posted(body)) == 0)


@pytest.mark.parametrize("pattern", [case[0] for case in CASES if case[0].operator in AS_JSON])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"{'a': 5}", b"NaN", TOO_DEEP])
def test_a_body_that_is_not_json_never_matches_as_json(pattern: ValuePattern, body: bytes) -> None:
    assert not compile_body(pattern).matches(posted(body))


@given(
    st.sampled_from([case[0] for case in CASES]),
    st.binary(max_size=8)
    | st.recursive(
        st.none() | st.booleans() | st.integers(0, 5) | st.sampled_from(["x", "5"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
        max_leaves=6,
    ).map(orjson.dumps),
)
def test_verdict_and_distance_agree_on_any_body(pattern: ValuePattern, body: bytes) -> None:
    matcher = compile_body(pattern)
    distance = matcher.distance(posted(body))
    assert 0 <= distance <= MISMATCH
    assert matcher.matches(posted(body)) == (distance == 0)


def test_an_object_is_as_far_off_as_its_wrong_members() -> None:
    matcher = compile_body(json({"a": 1, "b": 2, "c": 3, "d": 4}))
    bodies: list[dict[str, Any]] = [{}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2, "c": 3, "d": 5}]
    distances = [matcher.distance(posted(orjson.dumps(body))) for body in bodies]
    assert distances == [1, 0.75, 0.25, 0.25]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (json("{a: 1}"), r"'\{a: 1\}' is not JSON: "),
        (json({1, 2}), "the wanted value cannot be JSON: "),
        (json({"a": "${json-unit.any-strin}"}), "placeholder .* not known"),
        (path("$.a["), r"JSONPath '\$\.a\[' does not parse"),
        (
            ValuePattern("matchesJsonPath", {"expression": "$.a", "caseInsensitive": True}),
            "needs one matcher",
        ),
        (path("$.a", equalToJson="{"), "is not JSON"),
        (text("matches", "("), "does not parse"),
        (text("equals", "a"), r"'equals' is not known \(known: equalTo, .*matchesXPath"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused(pattern: ValuePattern, message: str) -> None:
    with pytest.raises(StubFileError, match=message):
        compile_body(pattern)
