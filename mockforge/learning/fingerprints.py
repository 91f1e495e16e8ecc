"""Which stub files are still as `learn` wrote them: a fingerprint of the file stands in its last lines.

    metadata:
      learned: 3f9a1c2b4d5e6f70

It covers the text before it, comments included, and the files under `__files/` that the stub names. A file
whose fingerprint does not fit has been edited by somebody, and is theirs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mockforge.model.stub import Stub
from mockforge.stubfiles.from_model import written_stub
from mockforge.stubfiles.variants import write_rows
from mockforge.stubfiles.yaml_dump import dump_yaml

__all__ = ["is_untouched", "stamped"]

_STAMP = re.compile(r"metadata:\n  learned: ([0-9a-f]{16})\n")
_BODY_FILE = re.compile(r"^ +(?:file|bodyFileName): (\S+)$", re.MULTILINE)


def stamped(stub: Stub, comment: Sequence[str]) -> Stub:
    """The stub with the fingerprint of the file that it will stand in, under `comment`."""
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment)
    text = head + dump_yaml(written_stub(replace(stub, metadata={})))
    return replace(stub, metadata={"learned": _fingerprint(text, _files_of(stub))})


def is_untouched(text: str, files: Mapping[str, bytes]) -> bool:
    """Whether a stub file is as it was learned; `files` holds the content of those under `__files/`."""
    stamp = _STAMP.search(text)
    if stamp is None or stamp.end() != len(text):
        return False
    before = text[: stamp.start()]
    named = {name: files.get(name, b"") for name in _BODY_FILE.findall(before)}
    return stamp[1] == _fingerprint(before, named)


def body_files(text: str) -> list[str]:
    """The names of the files under `__files/` that a learned stub file refers to."""
    return _BODY_FILE.findall(text)


def _files_of(stub: Stub) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for response in stub.responses:
        if response.body is not None and response.body.kind == "bodyFileName":
            files[str(response.body.value)] = response.body.content()
        if response.variants is not None:
            files[response.variants.file_name] = write_rows(response.variants)
    return files


def _fingerprint(text: str, files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256(text.encode())
    for name, content in sorted(files.items()):
        whole.update(f"\0{name}\0".encode() + hashlib.sha256(content).digest())
    return whole.hexdigest()[:16]
