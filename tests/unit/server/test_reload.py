"""Edits to stub files are taken while the service runs, or refused without harm."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from mockforge.engine import CompiledService, Engine
from mockforge.errors import StubFileError
from mockforge.model.request import RequestView
from mockforge.server import reload
from mockforge.server.reload import follow_edits, load, load_first

STUB = "name: {name}\nrequest: GET /orders\nresponse: {{body: {body}}}\n"


@pytest.fixture(autouse=True)
def _no_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "_EVERY_S", 0)


def write(file: Path, text: str) -> None:
    """In one step, as careful editors do: a follower that never rests would see a half-written file."""
    unseen = file.parent.parent / f"{file.name}.new"
    unseen.write_text(text)
    unseen.replace(file)


class Follower:
    """A service that follows its files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = Engine(load(path), Random(1))
        self.told: list[str] = []
        self.refused: StubFileError | None = None
        self._heard = asyncio.Event()

    def take(self, compiled: CompiledService) -> None:
        if self.refused is not None:
            raise self.refused
        self.engine.replace(compiled)

    def tell(self, line: str) -> None:
        self.told.append(line)
        self._heard.set()

    async def after(self, edit: Callable[[], object]) -> list[str]:
        """Make an edit; what is told about it."""
        self.told.clear()
        self._heard.clear()
        edit()
        await self._heard.wait()
        return list(self.told)

    def answer(self, target: str = "/orders") -> str:
        return self.engine.decide(RequestView("GET", target), 0).response.body.decode()


def follow(path: Path, steps: Callable[[Follower], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run `steps`, a coroutine function, beside a follower that has seen the files as they are."""
    looked = asyncio.Event()
    signature = reload._signature

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def looking(at: Path) -> reload.Signature:
            seen = signature(at)
            loop.call_soon_threadsafe(looked.set)
            return seen

        monkeypatch.setattr(reload, "_signature", looking)
        follower = Follower(path)
        task = asyncio.create_task(follow_edits(path, follower.take, follower.tell))
        await looked.wait()
        try:
            await steps(follower)  # type: ignore[misc]
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    write(stubs / "orders.yaml", STUB.format(name="orders", body="first"))
    return stubs


def test_an_edited_file_is_picked_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(follower: Follower) -> None:
        assert follower.answer() == "first"
        edited = STUB.format(name="orders", body="the second")
        assert await follower.after(lambda: write(folder / "orders.yaml", edited)) == ["edit taken: 1 stubs"]
        assert follower.answer() == "the second"

    follow(folder, steps, monkeypatch)


def test_files_that_come_and_go_are_picked_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(follower: Follower) -> None:
        more = folder / "more.yaml"
        text = STUB.format(name="more", body="more").replace("/orders", "/more")
        assert await follower.after(lambda: write(more, text)) == ["edit taken: 2 stubs"]
        assert follower.answer("/more") == "more"
        assert await follower.after(more.unlink) == ["edit taken: 1 stubs"]
        assert "No stub matches" in follower.answer("/more")

    follow(folder, steps, monkeypatch)


def test_a_bad_edit_keeps_the_service_and_tells_why_and_a_mended_one_is_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(follower: Follower) -> None:
        file = folder / "orders.yaml"
        bad = STUB.format(name="orders", body="bad") + "respond: {}\n"
        (told,) = await follower.after(lambda: write(file, bad))
        assert told.startswith(f"edit not taken: {file}:4: ")
        assert "'respond'" in told
        assert follower.answer() == "first"
        mended = STUB.format(name="orders", body="mended")
        assert await follower.after(lambda: write(file, mended)) == ["edit taken: 1 stubs"]
        assert follower.answer() == "mended"

    follow(folder, steps, monkeypatch)


def test_every_problem_of_an_edit_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(follower: Follower) -> None:
        bad = "name: orders\nrequest: {method: get}\nresponse: {status: 99}\n"
        told = await follower.after(lambda: write(folder / "orders.yaml", bad))
        assert len(told) == 2
        assert all(line.startswith("edit not taken: ") for line in told)

    follow(folder, steps, monkeypatch)


def test_files_that_vanish_altogether_change_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(follower: Follower) -> None:
        (told,) = await follower.after((folder / "orders.yaml").unlink)
        assert told.startswith("edit not taken: ")
        assert follower.answer() == "first"

    follow(folder, steps, monkeypatch)


def test_a_single_file_can_be_followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "orders.yaml"

    async def steps(follower: Follower) -> None:
        edited = STUB.format(name="orders", body="the second")
        assert await follower.after(lambda: write(file, edited)) == ["edit taken: 1 stubs"]
        assert follower.answer() == "the second"

    follow(file, steps, monkeypatch)


def test_files_that_cannot_be_served_are_refused_with_every_problem(folder: Path) -> None:
    for name in ("a", "b"):
        write(folder / f"{name}.yaml", STUB.format(name=name, body=name) + "oops: 1\n")
    with pytest.raises(StubFileError) as refused:
        load(folder)
    assert len(refused.value.problems) == 2


def test_the_signature_changes_with_size_and_time_and_not_otherwise(folder: Path) -> None:
    before = reload._signature(folder)
    assert reload._signature(folder) == before
    write(folder / "orders.yaml", STUB.format(name="orders", body="the second"))
    resized = reload._signature(folder)
    assert resized != before
    os.utime(folder / "orders.yaml", ns=(1, 1))
    assert reload._signature(folder) != resized


def test_an_edit_that_is_not_taken_is_told_and_the_next_one_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "orders.yaml", STUB.format(name="orders", body="one"))

    async def steps(follower: Follower) -> None:
        follower.refused = StubFileError("does not go with what the API added")
        told = await follower.after(
            lambda: write(folder / "orders.yaml", STUB.format(name="orders", body="two"))
        )
        assert told == ["edit not taken: does not go with what the API added"]
        follower.refused = None
        await follower.after(lambda: write(folder / "orders.yaml", STUB.format(name="orders", body="three")))
        assert follower.answer() == "three"

    follow(folder, steps, monkeypatch)


def test_an_empty_folder_is_a_service_without_stubs(tmp_path: Path) -> None:
    folder = tmp_path / "orders"
    (folder / "mappings").mkdir(parents=True)
    (folder / "__files").mkdir()
    (folder / "__files" / "a.txt").write_text("a")
    assert (load_first(folder).service.name, load_first(folder).service.stubs) == ("orders", ())
    with pytest.raises(StubFileError, match="no stub file"):
        load(folder)
    (folder / "notes.txt").write_text("not a stub")
    with pytest.raises(StubFileError, match="no stub file"):
        load_first(folder)
