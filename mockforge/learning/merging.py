"""A newly learned service into a folder that people have edited: nothing that somebody did is lost.

Files that `learn` wrote and nobody touched (their fingerprints fit) are replaced. All others stay as they
are, to the byte; what was learned in their place goes into `learned/`, which is not served. A stub is known
by its name, or by its request where somebody renamed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from mockforge.learning.fingerprints import body_files, is_untouched
from mockforge.model.stub import RequestPattern
from mockforge.stubfiles.folder import BODIES, MAPPINGS

__all__ = ["ASIDE", "Folder", "Merge", "Verdict", "merge"]

#: The folder, within the service's own, for what was learned in the place of edited stubs.
ASIDE = "learned"
_SERVICE = "service.yaml"


@dataclass(frozen=True, slots=True)
class Folder:
    """A service's files by their path in its folder, the names of the stubs in each stub file, and what
    each stub asks for.
    """

    files: Mapping[str, bytes]
    stubs: Mapping[str, tuple[str, ...]]
    requests: Mapping[str, RequestPattern] = field(default_factory=dict)

    @property
    def bodies(self) -> dict[str, bytes]:
        """The files under `__files/`, by the names that stubs call them."""
        prefix = f"{BODIES}/"
        return {
            path.removeprefix(prefix): data for path, data in self.files.items() if path.startswith(prefix)
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one stub: `kept`, `updated`, `unchanged`, `new` or `gone`; `note` says more."""

    what: str
    stub: str
    note: str


@dataclass(slots=True)
class Merge:
    """Files to write and to remove, by their path in the service's folder, and a verdict for each stub."""

    writes: dict[str, bytes] = field(default_factory=dict)
    removes: set[str] = field(default_factory=set)
    verdicts: list[Verdict] = field(default_factory=list)


def merge(existing: Folder, learned: Folder) -> Merge:
    """What to do so that `existing` holds what was learned. Every file of `learned` has one stub."""
    return _Merging(existing, learned).run()


class _Merging:
    """One merge under way."""

    def __init__(self, existing: Folder, learned: Folder) -> None:
        self._existing = existing
        self._learned = learned
        self._merge = Merge(removes={path for path in existing.files if path.startswith(f"{ASIDE}/")})
        self._file_of = {name: path for path, names in existing.stubs.items() for name in names}
        self._names = {name for names in learned.stubs.values() for name in names}
        bodies = existing.bodies
        self._untouched = {
            path
            for path, names in existing.stubs.items()
            if len(names) == 1 and is_untouched(existing.files[path].decode(), bodies)
        }

    def run(self) -> Merge:
        if not any(PurePosixPath(path).name == _SERVICE for path in self._existing.files):
            self._merge.writes[_SERVICE] = self._learned.files[_SERVICE]
        for path, (name,) in sorted(self._learned.stubs.items()):
            self._take(path, name)
        for path in sorted(self._untouched):
            (name,) = self._existing.stubs[path]
            if name not in self._names:
                self._say("gone", name, f"not in this recording; {path} is left as it was")
        self._drop_orphans()
        self._merge.verdicts.sort(key=lambda verdict: verdict.stub)
        return self._merge

    def _take(self, path: str, name: str) -> None:
        """Find the place of one learned stub."""
        present = self._file_of.get(name)
        if present is not None and present not in self._untouched:
            self._put_aside(path)
            self._say("kept", name, f"{present} was edited; what was learned is {ASIDE}/{path}")
            return
        renamed = self._renamed(name) if present is None else None
        if renamed is not None:
            self._put_aside(path)
            self._say("kept", name, f"it is {renamed!r} here; what was learned is {ASIDE}/{path}")
            return
        target = present or self._free(path)
        if self._clashes(path, target):
            self._put_aside(path)
            self._say("kept", name, f"its bodies are another stub's; what was learned is {ASIDE}/{path}")
            return
        files = {target: self._learned.files[path], **dict(self._bodies(path))}
        same = all(self._existing.files.get(file) == content for file, content in files.items())
        self._merge.writes |= {} if same else files
        self._say("unchanged" if same else "updated" if present else "new", name, target)

    def _renamed(self, name: str) -> str | None:
        """The stub, by a name that was not learned, that asks for what the learned one does."""
        wanted = self._learned.requests.get(name)
        return next(
            (
                other
                for other, request in self._existing.requests.items()
                if request == wanted and other not in self._names
            ),
            None,
        )

    def _bodies(self, path: str) -> Iterator[tuple[str, bytes]]:
        for name in body_files(self._learned.files[path].decode()):
            yield f"{BODIES}/{name}", self._learned.files[f"{BODIES}/{name}"]

    def _put_aside(self, path: str) -> None:
        files = {path: self._learned.files[path], **dict(self._bodies(path))}
        for file, content in files.items():
            self._merge.writes[f"{ASIDE}/{file}"] = content
            self._merge.removes.discard(f"{ASIDE}/{file}")

    def _free(self, path: str) -> str:
        """The path, or one like it that nothing has."""
        free, number = path, 2
        while free in self._existing.files or free in self._merge.writes:
            stem = PurePosixPath(path).stem
            free, number = f"{MAPPINGS}/{stem}-{number}.yaml", number + 1
        return free

    def _clashes(self, path: str, target: str) -> bool:
        """Whether a body would replace one that another stub's file names."""
        others = b"".join(self._existing.files[file] for file in self._existing.stubs if file != target)
        return any(
            self._existing.files.get(file, content) != content and PurePosixPath(file).name.encode() in others
            for file, content in self._bodies(path)
        )

    def _drop_orphans(self) -> None:
        """Remove bodies of replaced stubs that nothing names any more."""
        replaced = [path for path in self._untouched if path in self._merge.writes]
        kept = b"".join(
            self._merge.writes.get(path, content)
            for path, content in self._existing.files.items()
            if path in self._existing.stubs
        )
        for path in replaced:
            for name in body_files(self._existing.files[path].decode()):
                if name.encode() not in kept and f"{BODIES}/{name}" in self._existing.files:
                    self._merge.removes.add(f"{BODIES}/{name}")

    def _say(self, what: str, stub: str, note: str) -> None:
        self._merge.verdicts.append(Verdict(what, stub, note))
