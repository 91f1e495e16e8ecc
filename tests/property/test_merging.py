"""`learn --into` over whatever people do to a folder of stubs: nothing that somebody did is lost."""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mockforge.cli.learn_into import learn_into
from mockforge.errors import StubFileError
from mockforge.learning.learn import Learned
from mockforge.stubfiles.reader import read_service
from mockforge.stubfiles.writer import write_service
from tests.unit.learning.made import exchange, learn

#: Changes the files of a folder; the number picks which.
Edit = Callable[[Path, int], None]


@functools.cache
def shop(answered: int, *paths: str) -> Learned:
    several = [exchange(f"GET {path}/{n}", {"v": answered * n**3}) for path in paths for n in range(5)]
    return learn([*several, *(exchange("GET /health", {"up": answered}) for _ in range(3))])


def files_of(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def picked(root: Path, pattern: str, number: int) -> Path | None:
    found = sorted(path for path in root.glob(pattern) if path.is_file())
    return found[number % len(found)] if found else None


def changes_text(root: Path, number: int) -> None:
    if path := picked(root, "mappings/*.yaml", number):
        path.write_text(path.read_text().replace("status: 200", f"status: {201 + number % 9}"))


def adds_a_remark(root: Path, number: int) -> None:
    if path := picked(root, "mappings/*.yaml", number):
        path.write_text(f"# mine, {number}\n{path.read_text()}")


def puts_a_key_first(root: Path, number: int) -> None:
    if path := picked(root, "mappings/*.yaml", number):
        lines = path.read_text().splitlines(keepends=True)
        priority = [line for line in lines if line.startswith("priority:")] or ["priority: 3\n"]
        path.write_text("".join([*priority, *(line for line in lines if line not in priority)]))


def renames_the_stub(root: Path, number: int) -> None:
    if path := picked(root, "mappings/*.yaml", number):
        path.write_text(path.read_text().replace("name: GET", f"name: mine {number} GET", 1))


def deletes_a_stub(root: Path, number: int) -> None:
    if path := picked(root, "mappings/*.yaml", number):
        text = path.read_text()
        path.unlink()
        for body in (root / "__files").glob("*"):
            if body.name in text:
                body.unlink()


def moves_a_stub(root: Path, number: int) -> None:
    if path := picked(root, "mappings/*.yaml", number):
        path.rename(path.with_name(f"moved-{path.name}"))


def adds_a_stub(root: Path, number: int) -> None:
    (root / "mappings" / f"own-{number}.yaml").write_text(f"name: own {number}\nrequest: GET /own/{number}\n")


def takes_the_name_of_a_file(root: Path, number: int) -> None:
    path = root / "mappings" / ("get-c-id.yaml" if number % 2 else "get-a-id-2.yaml")
    path.write_text(f"name: own file {number}\nrequest: GET /own/file/{number}\n")


def edits_a_body(root: Path, number: int) -> None:
    if path := picked(root, "__files/*", number):
        path.write_bytes(path.read_bytes().replace(b'"v":', b'"w":'))


def adds_a_stub_with_a_body(root: Path, number: int) -> None:
    (root / "__files").mkdir(exist_ok=True)
    name = ("get-c-id.success.jsonl", "own.txt")[number % 2]
    (root / "__files" / name).write_text(f"mine {number}")
    own = f"name: with a body {number}\nrequest: GET /body/{number}\nresponse: {{bodyFileName: {name}}}\n"
    (root / "mappings" / f"with-body-{number}.yaml").write_text(own)


def edits_the_service(root: Path, number: int) -> None:
    with (root / "service.yaml").open("a") as file:
        file.write(f"# mine, {number}\n")


def puts_stubs_together(root: Path, number: int) -> None:
    found = sorted((root / "mappings").glob("get-*.yaml"))[:2]
    if len(found) == 2:
        texts = [path.read_text() for path in found]
        indented = ["  - " + text.replace("\n", "\n    ").rstrip() + "\n" for text in texts]
        (root / "mappings" / f"both-{number}.yaml").write_text("mappings:\n" + "".join(indented))
        for path in found:
            path.unlink()


EDITS: tuple[Edit, ...] = (
    changes_text,
    adds_a_remark,
    puts_a_key_first,
    renames_the_stub,
    deletes_a_stub,
    moves_a_stub,
    adds_a_stub,
    takes_the_name_of_a_file,
    edits_a_body,
    adds_a_stub_with_a_body,
    edits_the_service,
    puts_stubs_together,
)


def edited(learned: Mapping[str, bytes], now: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files that hold what learn did not write."""
    return {path: content for path, content in now.items() if content not in learned.values()}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 30)), min_size=1, max_size=5))
def test_no_edit_is_lost_and_the_same_again_changes_nothing(edits: list[tuple[Edit, int]]) -> None:
    first, second = shop(1, "/a", "/b"), shop(2, "/a", "/b", "/c")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "shop"
        write_service(first.service, root, comments=first.comments)
        written = files_of(root)
        for edit, number in edits:
            edit(root, number)
        before = files_of(root)
        try:
            read_service(root)
        except StubFileError:
            return  # such a folder is refused, and not merged into
        learn_into(second, root)
        after = files_of(root)
        own = edited(written, before)
        assert {path: after.get(path) for path in own} == own
        read_service(root)
        learn_into(second, root)
        assert files_of(root) == after
        shutil.rmtree(root / "learned", ignore_errors=True)
        read_service(root)
