"""The shape of the package, as docs/architecture.md draws it, held by its own imports and sizes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "mockforge"

#: Lower layers first. A part may import parts of lower layers, and those of its own layer where
#: `WITHIN_LAYER` says so.
LAYERS = [
    {"errors", "clock", "process", "sockets", "targets"},
    {"model"},
    {"stats"},
    {"matching", "templating", "delays", "forwarding", "stubfiles"},
    {"state"},
    {"compiling", "engine", "recording", "learning"},
    {"proxy", "server", "replay", "report", "interop"},
    {"project"},
    {"cli", "testing", "__main__"},
]
WITHIN_LAYER = {
    ("engine", "compiling"),
    ("sockets", "errors"),
    ("targets", "errors"),
    ("forwarding", "delays"),
    ("forwarding", "templating"),
    ("stubfiles", "delays"),
    ("templating", "matching"),
    ("stubfiles", "forwarding"),
    ("stubfiles", "matching"),
    ("stubfiles", "templating"),
    ("__main__", "cli"),
}
EVERYWHERE = {"__init__"}

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
MOST_PARAMETERS = 7
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "core", "base", "manager", "misc"}

MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = [*MODULES, *sorted((ROOT / "examples").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def part_of(module: str) -> str:
    """The part (`server`, `engine`) that a dotted name below `mockforge` belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


def layer_of(part: str) -> int:
    for number, parts in enumerate(LAYERS):
        if part in parts:
            return number
    raise AssertionError(f"{part} stands in no layer: enter it in LAYERS")


def imported_by(tree: ast.AST) -> Iterator[str]:
    """Every module of ours that is imported anywhere, lazily and under TYPE_CHECKING included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("mockforge"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "mockforge":
                yield from (f"mockforge.{alias.name}" for alias in node.names)
            elif node.module and node.module.startswith("mockforge."):
                yield node.module


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if own in EVERYWHERE:
        return
    for module in imported_by(parse(path)):
        part = part_of(module)
        if part in {own, "__version__"}:
            continue
        below = layer_of(part) < layer_of(own)
        assert below or (own, part) in WITHIN_LAYER, f"{own} may not import {part} ({module})"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_functions_are_short_and_take_few_parameters(path: Path) -> None:
    for node in ast.walk(parse(path)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"
        parameters = len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs)
        is_command = path.parent.name == "cli" and any(default for default in node.args.defaults)
        assert parameters <= MOST_PARAMETERS or is_command, f"{node.name} takes {parameters} parameters"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_is_for_and_what_it_offers(path: Path) -> None:
    tree = parse(path)
    assert ast.get_docstring(tree), "a module begins with what it is for"
    if path.name == "__main__.py" or (path.name == "__init__.py" and len(tree.body) == 1):
        return
    offered = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
    ]
    assert len(offered) == 1, "a module has one __all__"
    bound = {name for node in tree.body for name in bound_by(node)}
    assert set(offered[0]) <= bound, f"__all__ names what is not there: {set(offered[0]) - bound}"
    assert len(offered[0]) == len(set(offered[0]))


def bound_by(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (
            name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)
        )
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.ImportFrom | ast.Import):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.If | ast.Try):
        inner = [*node.body, *node.orelse, *(part for h in getattr(node, "handlers", []) for part in h.body)]
        for part in inner:
            yield from bound_by(part)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_names_say_what_a_module_is(path: Path) -> None:
    assert path.stem not in FORBIDDEN_NAMES
    assert path.parent.name not in FORBIDDEN_NAMES


def test_the_core_touches_no_socket_clock_file_or_global_random_source() -> None:
    core = ["engine.py", *(f"{part}/*.py" for part in ("matching", "delays", "state", "model", "stats"))]
    forbidden = {"socket", "time", "asyncio", "os", "pathlib", "secrets", "uvicorn", "starlette", "aiohttp"}
    for pattern in core:
        for path in PACKAGE.glob(pattern):
            tree = parse(path)
            imported = {
                name.split(".")[0]
                for node in ast.walk(tree)
                for name in (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
            }
            assert not imported & forbidden, f"{name_of(path)} imports {imported & forbidden}"
