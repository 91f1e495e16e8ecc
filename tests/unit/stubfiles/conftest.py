"""A folder of stub files to fill and to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from mockforge.errors import StubFileError
from mockforge.model.service import Service
from mockforge.model.stub import Stub
from mockforge.stubfiles.reader import read_service


@dataclass(frozen=True)
class StubFolder:
    """Problems come with the folder's own path cut off: they begin with the file's name in it."""

    path: Path

    def put(self, name: str, content: str | bytes) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def read(self) -> Service:
        return read_service(self.path)

    def stub(self, written: str, name: str = "a.yaml") -> Stub:
        """The one stub of a file."""
        (stub,) = read_service(self.put(name, written)).stubs
        return stub

    def problems(self, written: str | bytes | None = None, name: str = "a.yaml") -> list[str]:
        if written is not None:
            self.put(name, written)
        with pytest.raises(StubFileError) as caught:
            self.read()
        return [line.removeprefix(f"{self.path}/") for line in caught.value.problems]

    def problem(self, written: str | bytes, name: str = "a.yaml") -> str:
        """The only problem of a file."""
        (problem,) = self.problems(written, name)
        return problem


@pytest.fixture
def folder(tmp_path: Path) -> StubFolder:
    path = tmp_path / "orders"
    path.mkdir()
    return StubFolder(path)
