"""Jinja's immutable sandbox, in which every rendering also has its `Rendering` budget.

The tree of a template is rewritten before it is compiled: each turn of a loop, macro or block counts, and `~`
becomes a filter that can be bounded. Operators, filters and methods that could make something huge out of
something small are tested before they run. Nothing runs when a template is compiled.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

from jinja2 import StrictUndefined, Template, Undefined, nodes
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from mockforge.templating.budget import RENDERING, LimitError, check_size
from mockforge.templating.functions.table import FUNCTIONS
from mockforge.templating.request import TemplateRequest
from mockforge.templating.written import json_of, text_of

__all__ = ["CRLF", "CRLF_EXPRESSIONS", "LF", "LF_EXPRESSIONS", "Sandbox"]

#: What is random without a seed, or takes more than its text's length in time.
_REMOVED = {"random", "pprint", "striptags", "urlize"}
#: Filters and methods whose arguments say how large the result becomes.
_SIZED = {"batch", "center", "expandtabs", "indent", "ljust", "rjust", "round", "slice", "tojson"}
_SIZED |= {"truncate", "wordwrap", "zfill"}
_WIDEST = 10_000
#: Methods of texts that have a bounded filter in their stead, or that templates have no use for.
_HIDDEN = {"encode", "escape", "format", "format_map", "maketrans", "striptags", "translate", "unescape"}
_WIDE_FORMAT = re.compile(r"%[^a-zA-Z%]*(\*|\d{5})")
_MOST_BITS = 4_096
#: So many characters made at every step that a rendering may take are within its budget, uncounted.
_SMALL = 256
#: Functions that need no asking whether they may be called.
_OWN = frozenset(FUNCTIONS.values())
#: Filters that the rewritten tree calls; no template can write their names.
_TURN, _CONCATENATED = "(turn)", "(concatenated)"
_SIZED_TYPES = (str, list, tuple)
_PARTS = frozenset(TemplateRequest.PARTS)


def _counted_text(value: object) -> str:
    text = text_of(value)
    RENDERING.get().write(len(text))
    return text


class _Absent(StrictUndefined):
    """A member that a mapping lacks and whose name is a method's too (`items`): undefined, but to a call."""

    __slots__ = ("method",)
    method: Callable[..., object]
    unsafe_callable = alters_data = False  # what the sandbox asks before it calls

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.method(*args, **kwargs)


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment of templates; `finalize` makes a value's text."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, newline_sequence: Any, finalize: Callable[[object], str]) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
            newline_sequence=newline_sequence,
            finalize=finalize,
            optimized=False,
        )
        del self.globals["lipsum"]
        for name in _REMOVED:
            del self.filters[name]
        self.filters = {
            **{name: _counted(name, function) for name, function in FUNCTIONS.items()},
            **{name: _counted(name, filter_) for name, filter_ in self.filters.items()},
            "tojson": _counted("tojson", _to_json),
            _TURN: _turn,
            _CONCATENATED: _counted(_CONCATENATED, _concatenated),
        }
        self.globals.update(FUNCTIONS)
        self._unbound = vars(Context(self, dict(self.globals), None, {}))

    def template(self, source: str) -> Template:
        """A whole template, bounded."""
        return self.from_string(_bounded(self.parse(source)))

    def expressions(self, sources: Sequence[str]) -> Callable[[dict[str, Any]], Iterator[str]]:
        """Expressions, bounded, as one function from the names that they use to their texts, in order."""
        # In parentheses, for `{{ a, b }}` is an expression too.
        trees = [Parser(self, f"({source})", state="variable").parse_expression() for source in sources]
        outputs: list[nodes.Node] = [nodes.Output([tree], lineno=1) for tree in trees]
        run = self.from_string(_bounded(nodes.Template(outputs, lineno=1))).root_render_func

        def texts_of(names: dict[str, Any]) -> Iterator[str]:
            # Without the sets and copies that Jinja makes for each context, and expressions have no use for.
            context = object.__new__(Context)
            context.__dict__.update(self._unbound)
            context.vars = names
            return run(context)

        return texts_of

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A mapping's members come before its methods: `request.json.items` is the request's own."""
        if type(obj) is TemplateRequest and attribute in _PARTS:
            return getattr(obj, attribute)
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        if not isinstance(obj, Mapping):
            return super().getattr(obj, attribute)
        if attribute in obj:
            return obj[attribute]
        found = super().getattr(obj, attribute)
        if isinstance(found, Undefined):
            return found
        absent = _Absent(obj=obj, name=attribute)
        absent.method = found
        return absent

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Brackets never lead to a method of a mapping."""
        if not isinstance(obj, Mapping):
            return super().getitem(obj, argument)
        return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """A request has only its parts, texts only the methods that are bounded, and numbers none."""
        if isinstance(obj, TemplateRequest):
            return attr in _PARTS
        if isinstance(obj, int | float) or (isinstance(obj, str) and attr in _HIDDEN):
            return False
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """No method `format`: its widths cannot be told beforehand; there is a filter."""

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """The operators that can make something huge of something small."""
        if type(left) is int and type(right) is int and operator != "**":
            return _made(self.binop_table[operator](left, right))
        _check_operands(operator, left, right)
        return _made(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as in Jinja
        """A call that counts, of a method whose result cannot be huge."""
        RENDERING.get().step()
        if type(__obj) is FunctionType and __obj in _OWN:
            return _made(__obj(*args, **kwargs))
        text = getattr(__obj, "__self__", None)
        if isinstance(text, str):
            _check_method(text, __obj.__name__, args, kwargs)
        return _made(super().call(__context, __obj, *args, **kwargs))


def _to_json(value: Any) -> str:
    """A value as JSON."""
    return json_of(value)


def _turn(size: int) -> bool:
    """A turn of a loop, macro or block, which writes so many characters of its own."""
    rendering = RENDERING.get()
    rendering.step()
    rendering.write(size)
    return True


def _concatenated(*values: Any) -> str:
    """What `~` does."""
    return "".join(map(str, values))


def _counted(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, as a call that counts."""

    @functools.wraps(filter_)
    def counted(*args: Any, **kwargs: Any) -> Any:
        RENDERING.get().step()
        if name in _SIZED:
            _check_sizes(args[1:], kwargs)
        elif name in _CHECKED:
            args = _CHECKED[name](args, kwargs)
        return _made(filter_(*args, **kwargs))

    return counted


def _made(value: Any) -> Any:
    if type(value) is str and len(value) <= _SMALL:
        return value
    if isinstance(value, _SIZED_TYPES):
        RENDERING.get().make(len(value))
    elif isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise LimitError(f"a number of more than {_MOST_BITS:,} bits")
    return value


def _check_operands(operator: str, left: Any, right: Any) -> None:
    if operator == "*":
        for value, times in ((left, right), (right, left)):
            if isinstance(value, _SIZED_TYPES) and isinstance(times, int):
                check_size(len(value) * times)
    elif operator == "+" and isinstance(left, _SIZED_TYPES) and isinstance(right, _SIZED_TYPES):
        check_size(len(left) + len(right))
    elif operator == "**" and isinstance(left, int) and isinstance(right, int):
        if left.bit_length() * right > _MOST_BITS:
            raise LimitError(f"a number of more than {_MOST_BITS:,} bits")
    elif operator == "%" and isinstance(left, str):
        _check_format(left)


def _check_format(text: str) -> None:
    if _WIDE_FORMAT.search(text):
        raise LimitError("a format with a width of its own arguments, or above 9,999")


def _check_sizes(args: Iterable[Any], kwargs: Mapping[str, Any]) -> None:
    for value in (*args, *kwargs.values()):
        size = len(value) if isinstance(value, str) else value
        if isinstance(size, int) and abs(size) > _WIDEST:
            raise LimitError(f"a size above {_WIDEST:,}")


def _check_method(text: str, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    if name in _SIZED:
        _check_sizes(args, kwargs)
    elif name == "replace":
        _check_replace(text, *args[:2])
    elif name == "join" and args and isinstance(args[0], list | tuple):
        check_size(len(text) * len(args[0]))


def _check_replace(text: Any, old: Any = "", new: Any = "") -> None:
    check_size(len(str(text)) + str(text).count(str(old)) * len(str(new)))


def _replace(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    _check_replace(args[1], *args[2:4], **{key: kwargs[key] for key in ("old", "new") if key in kwargs})
    return args


def _join(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    values = list(args[1])
    glue = kwargs.get("d", args[2] if len(args) > 2 else "")
    check_size(len(values) * len(str(glue)) + sum(len(each) for each in values if isinstance(each, str)))
    return (args[0], values, *args[2:])


def _format(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    _check_format(str(args[0]))
    return args


def _sum(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    start = kwargs.get("start", args[3] if len(args) > 3 else 0)
    if not isinstance(start, int | float):
        raise TypeError("only numbers can be summed")
    return args


#: By filter, a test of its arguments, which may also put others in their place.
_CHECKED: Mapping[str, Callable[[tuple[Any, ...], Mapping[str, Any]], tuple[Any, ...]]] = {
    "format": _format,
    "join": _join,
    "replace": _replace,
    "sum": _sum,
}


def _bounded(tree: nodes.Template) -> nodes.Template:
    bounded: nodes.Template = _Bounding().visit(tree)
    return bounded


class _Bounding(NodeTransformer):
    """Has each turn of a template counted."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's visitor looks for it
        self.generic_visit(node)
        if node.test is not None:
            node.test = nodes.And(_turn_of(0, node.lineno), node.test, lineno=node.lineno)
        return self._counted(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._counted(node)

    visit_CallBlock = visit_Block = visit_Macro  # noqa: N815

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        first, *others = node.nodes
        return nodes.Filter(first, _CONCATENATED, others, [], None, None, lineno=node.lineno)

    def _counted(self, node: Any) -> nodes.Node:
        size = sum(len(each.data) for part in node.body for each in part.find_all(nodes.TemplateData))
        node.body.insert(0, nodes.ExprStmt(_turn_of(size, node.lineno), lineno=node.lineno))
        counted: nodes.Node = node
        return counted


def _turn_of(size: int, line: int) -> nodes.Filter:
    return nodes.Filter(nodes.Const(size, lineno=line), _TURN, [], [], None, None, lineno=line)


#: The environments of templates: whole ones count what they write, of expressions others do. Jinja makes all
#: line breaks of a template alike, so that those with the longer one have environments of their own.
LF, CRLF = Sandbox("\n", _counted_text), Sandbox("\r\n", _counted_text)
LF_EXPRESSIONS, CRLF_EXPRESSIONS = Sandbox("\n", text_of), Sandbox("\r\n", text_of)
