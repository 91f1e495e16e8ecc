from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpath_ng.ext.parser import parse

from mockforge.errors import StubFileError
from mockforge.matching.jsonpath import compile_jsonpath

DOCUMENT: Any = {
    "items": [{"sku": "b-17", "n": 2}, {"sku": "c-1", "n": 0}],
    "c d": {"é": 1},
    "name": "text",
    "none": None,
}
NAMES = ["a", "b", "items", "c d", "a-b", "x_1", "é"]

documents = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "ab"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=12,
)
steps = st.one_of(
    st.sampled_from([name for name in NAMES if name.replace("-", "_").isidentifier() and name.isascii()]).map(
        ".{}".format
    ),
    st.sampled_from(NAMES).map("['{}']".format),
    st.sampled_from(NAMES).map('["{}"]'.format),
    st.integers(0, 2).map("[{}]".format),
)


@given(st.lists(steps, max_size=4).map(lambda parts: "$" + "".join(parts)), documents)
def test_a_direct_look_up_finds_what_jsonpath_ng_finds(expression: str, document: Any) -> None:
    path = compile_jsonpath(expression)
    assert path.definite
    assert path.find(document) == [found.value for found in parse(expression).find(document)]


@pytest.mark.parametrize(
    ("expression", "values", "definite"),
    [
        ("$", [DOCUMENT], True),
        ("$.items[1].sku", ["c-1"], True),
        ("$['c d'][\"é\"]", [1], True),
        ("$.items[-1].sku", ["c-1"], True),
        ("$.items[2]", [], True),
        ("$.name[0]", [], True),
        ("$.none", [None], True),
        ("$.none.more", [], True),
        ("$.items[*].sku", ["b-17", "c-1"], False),
        ("$..n", [2, 0], False),
        ("$.items[?(@.n > 0)].sku", ["b-17"], False),
        ("$.items[?(@.n > 0 || @.sku == 'c-1')].n", [2, 0], False),
        ("$.items[?(@.sku =~ '^c')].n", [0], False),
        ("$.items[0:1].n", [2], False),
        ("$['name','none']", ["text", None], False),
        ("$.items[?(@.sku == c-1)].n", [0], False),
        ("$.items[99999999999999999999]", [], True),
    ],
)
def test_it_finds_the_values_of_a_document(expression: str, values: list[Any], definite: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = compile_jsonpath(expression)
    assert path.find(DOCUMENT) == values
    assert path.definite == definite


@pytest.mark.parametrize(
    "expression",
    ["", "$.", "$[", "x y", "$.a.reverse()", "$.a[?(@.n =~ '(')]", "$.`split(a)`", "(" * 9999, "$..a" * 9999],
)
def test_what_does_not_parse_is_refused_in_one_line(expression: str) -> None:
    with pytest.raises(StubFileError, match=r"^JSONPath .* does not parse: ") as caught:
        compile_jsonpath(expression)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("expression", ["$..x", "$[*][*]", "$..[?(@.a > 1)]", "$.a + $.b", "$.`len`"])
@pytest.mark.parametrize("document", [None, 5, "text", [[]], {"a": "x", "b": 1}])
def test_an_expression_that_does_not_fit_a_document_finds_nothing_or_something_but_never_fails(
    expression: str, document: Any
) -> None:
    assert isinstance(compile_jsonpath(expression).find(document), list)


def test_a_document_too_deep_to_search_holds_nothing() -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    assert compile_jsonpath("$..x").find(deep) == []
