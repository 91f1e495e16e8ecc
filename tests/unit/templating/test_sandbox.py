"""Templates that would take all memory or all time, or that reach for what is not theirs."""

from __future__ import annotations

from random import Random

import pytest

from mockforge.model.request import RequestView
from mockforge.model.stub import Body
from mockforge.state.memory import ServiceMemory
from mockforge.templating.budget import LONGEST_TEXT, MOST_STEPS
from mockforge.templating.failure import TemplateFailure
from mockforge.templating.jinja import compile_body_template
from mockforge.templating.request import TemplateRequest

BODY = b'{"n": 1000000000, "s": "x", "list": [1, 2]}'
REQUEST = TemplateRequest(RequestView("POST", "/", body=BODY), {}, ServiceMemory(Random(1)))

TURNS = "more than 10,000 turns and calls"
HUGE = "a value of more than 1,048,576 characters or elements"
SIZE = "a size above 10,000"
BITS = "a number of more than 4,096 bits"
FORMAT = "a format with a width of its own arguments, or above 9,999"
GROWS = "{%% set ns = namespace(x=%s) %%}{%% for i in range(60) %%}{%% set ns.x = %s %%}{%% endfor %%}"
MACRO = "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}"


def render(source: str) -> str:
    return compile_body_template(Body("body", source))(REQUEST).decode()


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        ("{% for i in range(100000) %}x{% endfor %}", TURNS),
        ("{% for i in range(100000) if false %}x{% endfor %}", TURNS),
        ("{% for i in range(999) %}{% for j in range(999) if false %}{% endfor %}{% endfor %}", TURNS),
        (MACRO, TURNS),
        ("{{ range(100000) | map('upper') | list | length }}", TURNS),
        ("{% for i in range(9000) %}" + "x" * 1000 + "{% endfor %}", "more than 1,048,576 characters"),
        ("{% for i in range(2000) %}{{ 'x' * 1000 }}{% endfor %}", "more than 1,048,576 characters"),
        (
            "{% set y %}{% for i in range(9000) %}" + "x" * 1000 + "{% endfor %}{% endset %}",
            "more than 1,048,576 characters",
        ),
        (
            "{{ range(9000) | map('center', 9000) | list | length }}",
            "more than 8,388,608 characters on the way",
        ),
        ("{{ 'x' * request.json.n }}", HUGE),
        ("{{ request.json.n * [1] }}", HUGE),
        (GROWS % ("'xx'", "ns.x ~ ns.x"), HUGE),
        (GROWS % ("'xx'", "ns.x + ns.x"), HUGE),
        (GROWS % ("[1]", "ns.x + ns.x"), HUGE),
        (GROWS % ("3", "ns.x * ns.x"), BITS),
        ("{{ 2 ** request.json.n }}", BITS),
        ("{{ 'x' | center(request.json.n) }}", SIZE),
        ("{{ 'x'.center(request.json.n) }}", SIZE),
        ("{{ 'x'.zfill(request.json.n) }}", SIZE),
        ("{{ '\t'.expandtabs(tabsize=request.json.n) }}", SIZE),
        ("{{ 'x' | indent('x' * 20000) }}", SIZE),
        ("{{ [] | slice(request.json.n) | list }}", SIZE),
        ("{{ [1] | batch(request.json.n, 'x') | list }}", SIZE),
        ("{{ 1 | round(-request.json.n) }}", SIZE),
        ("{{ request.json | tojson(indent=request.json.n) }}", SIZE),
        ("{{ '%1000000000d' | format(1) }}", FORMAT),
        ("{{ '%*d' | format(1000000000, 1) }}", FORMAT),
        ("{{ '%.1000000000f' % 1.0 }}", FORMAT),
        ("{{ ('a' * 2000) | replace('a', 'b' * 2000) }}", HUGE),
        ("{{ ('a' * 2000).replace('a', 'b' * 2000) }}", HUGE),
        ("{{ range(2000) | join('b' * 2000) }}", HUGE),
        ("{{ ('b' * 2000).join(['a'] * 2000) }}", HUGE),
        ("{{ [[1], [2]] | sum(start=[]) }}", "only numbers can be summed"),
        ("{{ range(1000000000) | list }}", "Range too big"),
        ("{{ regex_find('a' * 50 ~ '!', '^(a|aa)+$') }}", "regex timed out"),
        ("{{ random_string(request.json.n) }}", "a length is from 0 to 10,000"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "recursion"),
        ("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "recursion"),
    ],
)
def test_what_would_take_too_much_is_a_failure(source: str, limit: str) -> None:
    with pytest.raises(TemplateFailure, match=limit):
        render(source)


@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__.__mro__",
        "(1).__class__",
        "(1).to_bytes(1000000000)",
        "'{:1000000000}'.format(1)",
        "('{0.__class__}' | attr('format'))(1)",
        "'x'.translate({120: 'y'})",
        "''.join.__self__.__class__",
        "request.json.list.append(1)",
        "request.json.update({'n': 1})",
        "cycler.__init__.__globals__",
        "request.json.get.__globals__",
        "namespace.__init__.__globals__['os']",
        "[request][0].memory.reset()",
        "[request][0].view",
        "(request | attr('remembering'))(1)",
        "([request] | map(attribute='memory') | first).random",
    ],
)
def test_what_is_not_a_templates_own_is_out_of_its_reach(expression: str) -> None:
    with pytest.raises(TemplateFailure, match=r"unsafe|undefined|not safely callable|no attribute"):
        render(f"{{{{ {expression} }}}}")


def test_what_is_just_within_the_limits_is_rendered() -> None:
    assert len(render(f"{{% for i in range({MOST_STEPS - 2}) %}}x{{% endfor %}}")) == MOST_STEPS - 2
    assert len(render(f"{{{{ 'x' * {LONGEST_TEXT} }}}}")) == LONGEST_TEXT


def test_each_rendering_has_a_budget_of_its_own() -> None:
    template = compile_body_template(Body("body", "{% for i in range(9000) %}x{% endfor %}"))
    assert [len(template(REQUEST)) for _ in range(3)] == [9_000] * 3


def test_a_loop_writes_what_its_filter_and_its_recursion_let_through() -> None:
    assert render("{% for i in range(6) if i is odd %}{{ i }},{% endfor %}") == "1,3,5,"
    tree = "{% for x in [[1, [2]]] recursive %}{{ loop(x) if x is sequence else x }}{% endfor %}"
    assert render(tree) == "12"
