"""Where the files of a service lie: `mappings/`, `__files/`, and stub files beside them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from mockforge.errors import StubFileError
from mockforge.model.sending import BodyFile
from mockforge.model.stub import Body
from mockforge.stubfiles.problems import RefusedError, brief
from mockforge.templating.jinja import is_template

__all__ = ["BODIES", "MAPPINGS", "STREAMED_FROM", "Bodies", "Layout", "is_confined"]

#: WireMock's names of the two folders.
BODIES = "__files"
MAPPINGS = "mappings"

#: Body files of so many bytes and more are read from disk for each answer, a slice at a time.
STREAMED_FROM = 1024 * 1024

#: Bytes of files that templates read which stay in memory.
_MOST_KEPT = 64 * 1024 * 1024

_SUFFIXES = {".yaml", ".yml", ".json"}
_EXPECTED = "give a stub file, or a folder with *.yaml or *.json in it or in its mappings/"


@dataclass(frozen=True, slots=True)
class Bodies:
    """The folder that body files and variants lie in, and that no file name leads out of."""

    root: Path

    def find(self, name: str) -> Path:
        """The file of that name; RefusedError where it is missing or outside the folder."""
        if not is_confined(name):
            raise RefusedError(f"{brief(name)} leads out of {BODIES}/", f"name a file under {self.root}")
        path = self.root / name
        if not path.is_file():
            hint = f"file names count from {self.root}"
            if is_template(name):
                hint += "; one that is a template needs transformers: [jinja]"
            raise RefusedError(f"no such file: {path}", hint)
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise RefusedError(
                f"{brief(name)} leads out of {BODIES}/ by a symbolic link", "copy the file there"
            )
        return path

    def load(self, name: str, *, held: bool = False) -> Body:
        """The body in the file of that name; a large one is not read, unless it must be `held`."""
        path = self.find(name)
        stat = path.stat()
        if held or stat.st_size < STREAMED_FROM:
            return Body("bodyFileName", name, path.read_bytes())
        with path.open("rb"):  # what cannot be read is refused now
            file = _body_file(path, stat)
        return Body("bodyFileName", name, file=file)

    def contents(self) -> Mapping[str, bytes | BodyFile]:
        """The folder's files, each read when it is first asked for."""
        return _Contents(self)


class _Contents(Mapping[str, bytes | BodyFile]):
    """What is in the files, the same object as long as a file does not change; a large one is not read.

    KeyError for what is not there, cannot be read, or lies outside the folder.
    """

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._kept: dict[str, tuple[int, int, bytes]] = {}
        self._size = 0

    def __getitem__(self, name: str) -> bytes | BodyFile:
        try:
            path = self._bodies.find(name)
            stat = path.stat()
            if stat.st_size >= STREAMED_FROM:
                return _body_file(path, stat)
            kept = self._kept.get(name)
            if kept is not None and kept[:2] == (stat.st_mtime_ns, stat.st_size):
                return kept[2]
            return self._keep(name, stat.st_mtime_ns, path.read_bytes())
        except (RefusedError, OSError) as error:
            raise KeyError(name) from error

    def _keep(self, name: str, modified_ns: int, content: bytes) -> bytes:
        if self._size + len(content) > _MOST_KEPT:
            self._kept.clear()
            self._size = 0
        self._kept[name] = modified_ns, len(content), content
        self._size += len(content)
        return content

    def __iter__(self) -> Iterator[str]:
        root = self._bodies.root
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            with contextlib.suppress(RefusedError):
                self._bodies.find(name)
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _body_file(path: Path, stat: os.stat_result) -> BodyFile:
    real = str(path.resolve())
    return BodyFile(real, stat.st_size, stat.st_dev, stat.st_ino, stat.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Layout:
    """The stub files of a service in the order in which they are read, and its name for want of another."""

    path: Path
    name: str
    files: tuple[Path, ...]
    bodies: Bodies

    @classmethod
    def find(cls, path: Path) -> Layout:
        """What lies at `path`, a file or a folder; StubFileError where no stub file does."""
        try:
            return cls._of_file(path) if path.is_file() else cls._of_folder(path)
        except OSError as error:
            raise StubFileError(f"cannot be read: {error.strerror}", where=str(path)) from None

    @classmethod
    def _of_file(cls, path: Path) -> Layout:
        return cls(path, path.stem, (path,), Bodies(path.parent / BODIES))

    @classmethod
    def _of_folder(cls, path: Path) -> Layout:
        if not path.is_dir():
            raise StubFileError("no such file or folder", where=str(path), hint=_EXPECTED)
        own = [file for file in path.iterdir() if _is_stub_file(file)]
        mapped = [file for file in (path / MAPPINGS).rglob("*") if _is_stub_file(file)]
        if not own and not mapped:
            raise StubFileError("no stub file in this folder", where=str(path), hint=_EXPECTED)
        files = (*sorted(own, key=_order), *sorted(mapped, key=_order))
        return cls(path, path.resolve().name, files, Bodies(path / BODIES))


def is_confined(name: str) -> bool:
    """Whether a file name stays in the folder that it counts from."""
    parts = PurePath(name).parts
    return bool(parts) and name.isprintable() and not PurePath(name).is_absolute() and ".." not in parts


def _is_stub_file(file: Path) -> bool:
    return file.suffix.lower() in _SUFFIXES and not file.name.startswith(".") and file.is_file()


def _order(file: Path) -> tuple[tuple[str, ...], str, str]:
    """By folder, then by name without its ending: `get-orders.yaml` goes before `get-orders-id.yaml`."""
    return file.parent.parts, file.stem, file.suffix
