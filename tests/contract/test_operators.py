"""What holds for every value matcher: a new one enters `CASES` and is held to all of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.errors import StubFileError
from mockforge.matching.operators import OPERATORS, compile_value
from mockforge.matching.values import MISMATCH, ValueMatcher
from mockforge.model.stub import ValuePattern

Operand = object
Options = Mapping[str, object]

#: By operator: operand, options, values that match, values that do not. None is an absent value.
CASES: Mapping[str, list[tuple[Operand, Options, list[str | None], list[str | None]]]] = {
    "equalTo": [
        ("Abc", {}, ["Abc"], [None, "", "abc", "Abc ", "xyz"]),
        ("", {}, [""], [None, " "]),
        (5, {}, ["5"], ["5.0", None]),
        ("Straße", {"caseInsensitive": True}, ["straße", "STRASSE"], [None, "Strase", ""]),
        ("a", {"caseInsensitive": False}, ["a"], ["A", None]),
    ],
    "contains": [("b.d", {}, ["b.d", "ab.de"], [None, "", "bxd", "B.D"])],
    "doesNotContain": [("b.d", {}, [None, "", "bxd"], ["b.d", "ab.de"])],
    "matches": [("a.*c", {}, ["ac", "abc", "a\nc"], [None, "", "abcd", "xabc", "a.*d"])],
    "doesNotMatch": [("a.*c", {}, [None, "", "abcd"], ["ac", "a\nc"])],
    "absent": [(True, {}, [None], ["", "true", "anything"])],
    "binaryEqualTo": [("YWI=", {}, ["ab"], [None, "", "YWI="])],
    "and": [([{"contains": "a"}, {"matches": ".b"}], {}, ["ab"], [None, "", "cb", "abc"])],
    "or": [
        ([{"equalTo": "a"}, {"equalTo": "bc"}], {}, ["a", "bc"], [None, "", "b", "abc"]),
        ([{"absent": True}, {"contains": "x"}], {}, [None, "xx"], ["", "y"]),
    ],
    "not": [
        ({"equalTo": "a"}, {}, [None, "", "b"], ["a"]),
        ({"equalTo": "a", "caseInsensitive": True}, {}, ["b"], ["a", "A"]),
    ],
    "equalToNumber": [(5, {}, ["5", "5.0", " 5e0"], [None, "", "x", "5.1", "nan", "1_0"])],
    "greaterThanNumber": [(5, {}, ["5.1", "1e9"], [None, "5", "-6", "x"])],
    "greaterThanEqualNumber": [("5", {}, ["5", "6"], [None, "4.9"])],
    "lessThanNumber": [(-1.5, {}, ["-2"], [None, "-1.5", "0"])],
    "lessThanEqualNumber": [(0, {}, ["0", "-1"], [None, "1"])],
    "before": [
        (
            "2021-06-14T12:00:00Z",
            {},
            ["2021-06-14T11:59:59Z", "2021-06-14T13:30:00+02:00", "Mon, 14 Jun 2021 11:00:00 GMT"],
            [None, "", "2021-06-14T12:00:00Z", "2021-06-14T11:30:00-02:00", "2021-13-45", "soon"],
        ),
        ("2021-06-14", {"actualFormat": "dd/MM/yyyy"}, ["01/06/2021"], [None, "14/06/2021", "2021-06-01"]),
        ("2021-06-14T00:00:00Z", {"actualFormat": "unix"}, ["0"], [None, "1700000000", "x", "9" * 30]),
        ("now", {}, ["2001-01-01"], ["9000-01-01"]),
        ("now +1 days", {}, ["2001-01-01T00:00:00Z"], ["9000-01-01T00:00:00Z"]),
    ],
    "after": [
        ("2021-06-14T12:00:00", {}, ["2021-06-14T12:00:01", "2021-06-15"], [None, "2021-06-14T12:00:00"]),
        ("-15 days", {}, ["9000-01-01"], ["Tue Jun  1 01:01:01 2021"]),
    ],
    "equalToDateTime": [
        ("2021-06-24T13:40:27+01:00", {}, ["2021-06-24T12:40:27Z"], [None, "2021-06-24T13:40:27Z"]),
        (
            "2021-02-14T05:06:07",
            {"truncateExpected": "last day of month", "truncateActual": "first hour of day"},
            ["2021-02-28T23:00:00"],
            ["2021-02-27T00:00:00", None],
        ),
        (
            "2021-01-31",
            {"expectedOffset": 1, "expectedOffsetUnit": "months"},
            ["2021-02-28"],
            ["2021-03-03", None],
        ),
    ],
    "equalToJson": [
        ({"a": [1, 2]}, {"ignoreArrayOrder": True}, ['{"a": [2, 1]}'], [None, "", "{", '{"a": [2]}']),
    ],
    "matchesJsonPath": [
        ("$.a", {}, ['{"a": 1}'], [None, "", "{", "{}"]),
        ({"expression": "$.a", "equalTo": "x"}, {}, ['{"a": "x"}'], [None, '{"a": "y"}', "{}"]),
    ],
    "matchesJsonSchema": [
        ({"type": "string", "minLength": 2}, {}, ['"ab"', "ab", "12"], [None, "", '"a"', "{}"]),
        ('{"type": "integer"}', {"schemaVersion": "V4"}, ["5"], [None, "5.5", "x"]),
        ({"properties": {"a": {"pattern": "^b"}}}, {}, ['{"a": "bc"}'], ['{"a": "c"}']),
        ({"$ref": "https://example.com/schema.json"}, {}, [], ["{}", "1", None]),
        ({"type": "no such type"}, {}, [], ["{}", "x", None]),
    ],
    "equalToXml": [
        (
            "<a x='1'><b/><c>t</c></a>",
            {},
            ["<a x='1'><c> t </c><b></b></a>", "<!-- c --><a x='1'><b/>\n<c>t</c></a>"],
            [None, "", "<a", "<a><b/><c>t</c></a>", "<a x='1'><b/><c>u</c></a>", "<a x='1'><b/></a>"],
        ),
        (
            "<a>${xmlunit.isNumber}</a>",
            {"enablePlaceholders": True},
            ["<a>17.5</a>"],
            ["<a>x</a>", "<a/>", None],
        ),
        ("<a>1</a>", {"exemptedComparisons": ["TEXT_VALUE"]}, ["<a>2</a>"], ["<b>1</b>"]),
        (
            "<p:a xmlns:p='urn:x'/>",
            {"namespaceAwareness": "STRICT"},
            ["<q:a xmlns:q='urn:x'/>", "<a xmlns='urn:x'/>"],
            ["<p:a xmlns:p='urn:y'/>", "<a/>"],
        ),
    ],
    "matchesXPath": [
        ("//b[@id='1']", {}, ["<a><b id='1'/></a>"], [None, "", "<a", "<a><b/></a>"]),
        ({"expression": "//b/text()", "equalTo": "x"}, {}, ["<a><b>y</b><b>x</b></a>"], ["<a><b>y</b></a>"]),
        ("//p:b", {"xPathNamespaces": {"p": "urn:x"}}, ["<b xmlns='urn:x'/>"], ["<b/>"]),
        ("count(//b) > 1", {}, ["<a><b/><b/></a>"], ["<a><b/></a>"]),
    ],
    "equalToGraphql": [
        (
            "{ hero { name } }",
            {},
            ['{"query": "query {\\n hero {name}}"}'],
            [None, "{ hero { name } }", "{}"],
        ),
        (
            {"query": "query H($id: ID) { hero(id: $id) { name } }", "variables": {"id": 7}},
            {},
            ['{"query": "query H($id:ID){hero(id:$id){name}}", "variables": {"id": 7}}'],
            ['{"query": "query H($id:ID){hero(id:$id){name}}", "variables": {"id": 8}}', '{"query": "{"}'],
        ),
    ],
}
compiled = [
    pytest.param(compile_value(ValuePattern(operator, operand, options)), yes, no, id=f"{operator} {operand}")
    for operator, cases in CASES.items()
    for operand, options, yes, no in cases
]


def test_every_operator_has_cases_here() -> None:
    assert set(CASES) == set(OPERATORS)


@pytest.mark.parametrize(("matcher", "yes", "no"), compiled)
def test_it_matches_what_it_should_and_nothing_else(
    matcher: ValueMatcher, yes: list[str | None], no: list[str | None]
) -> None:
    assert [value for value in yes if not matcher.matches(value)] == []
    assert [value for value in no if matcher.matches(value)] == []


@pytest.mark.parametrize(("matcher", "yes", "no"), compiled)
def test_the_distance_is_zero_for_a_match_and_only_then(
    matcher: ValueMatcher, yes: list[str | None], no: list[str | None]
) -> None:
    assert [value for value in yes if matcher.distance(value) != 0.0] == []
    assert all(0 < matcher.distance(value) <= MISMATCH for value in no)


@given(
    st.sampled_from([name for name in CASES if name != "absent"]),
    st.text("ab.*", max_size=4),
    st.none() | st.text("ab.*AB", max_size=5),
    st.booleans(),
)
def test_verdict_and_distance_agree_on_any_operand_and_value(
    operator: str, operand: str, value: str | None, folded: bool
) -> None:
    try:
        matcher = compile_value(ValuePattern(operator, operand, {"caseInsensitive": folded}))
    except StubFileError:
        return
    distance = matcher.distance(value)
    assert 0 <= distance <= MISMATCH
    assert matcher.matches(value) == (distance == 0)


#: What callers may send to a matcher to make it fail, hang or fetch.
BOMB = "<!DOCTYPE a [<!ENTITY x 'xx'><!ENTITY y '&x;&x;'>]><a>&y;</a>"
OUTSIDE = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"
HOSTILE = [
    "[" * 10_000 + "]" * 10_000,
    "[" * 900 + "]" * 900,
    '{"a":' * 10_000 + "1" + "}" * 10_000,
    "<a>" * 10_000 + "</a>" * 10_000,
    '{"query": "' + "{a" * 5_000 + "}" * 5_000 + '"}',
    BOMB,
    OUTSIDE,
    "9" * 5_000,
    "1e999999999",
    "\x00\ud800",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
]


@pytest.mark.parametrize(("matcher", "yes", "no"), compiled)
def test_no_value_makes_it_fail(matcher: ValueMatcher, yes: list[str | None], no: list[str | None]) -> None:
    for value in HOSTILE:
        assert matcher.matches(value) == (matcher.distance(value) == 0)


@pytest.mark.parametrize("operator", ["matches", "doesNotMatch"])
def test_an_expression_that_does_not_parse_is_refused_with_its_text(operator: str) -> None:
    with pytest.raises(StubFileError, match=r"'a\(b' does not parse"):
        compile_value(ValuePattern(operator, "a(b"))


def test_an_unknown_operator_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(StubFileError, match=r"'equals' is not known \(known: equalTo, .*absent"):
        compile_value(ValuePattern("equals", "a"))
