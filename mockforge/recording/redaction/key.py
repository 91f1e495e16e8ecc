"""The project's key, that pseudonyms are made with: a file that only its owner can read."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from mockforge.errors import UsageError

__all__ = ["KEY_BYTES", "OWN_FOLDER", "fingerprint", "key_from_hex", "load_or_create_key"]

KEY_BYTES = 32

#: The folder that holds nothing but what is not to be shared.
OWN_FOLDER = ".mockforge"


def fingerprint(key: bytes) -> str:
    """Eight hexadecimal digits that tell keys apart and say nothing else of them."""
    return hashlib.sha256(key).hexdigest()[:8]


def key_from_hex(text: str, where: str) -> bytes:
    """The key that is written as 64 hexadecimal digits; UsageError, with `where`, when it is not."""
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError(
            f"the redaction key is not {2 * KEY_BYTES} hexadecimal digits",
            where=where,
            hint="make one with: openssl rand -hex 32",
        )
    return key


def load_or_create_key(path: Path) -> bytes:
    """The key in the file, 32 bytes; a new one is made where there is no file, readable by its owner only.

    Of several programs that make it at the same time one wins, and all get its key. A folder `.mockforge`
    that it is made in is kept out of git. UsageError where the file cannot be read or made, or holds no key.
    """
    try:
        if not path.exists():
            _create(path)
        text = path.read_text("ascii")
    except OSError as error:
        raise UsageError(
            f"the redaction key cannot be read or made: {error.strerror}",
            where=str(path),
            hint="name another place for it, or set MOCKFORGE_REDACTION_KEY to 64 hexadecimal digits",
        ) from error
    except UnicodeDecodeError:
        text = ""
    return key_from_hex(text, str(path))


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.name == OWN_FOLDER:
        (path.parent / ".gitignore").write_text("*\n")
    # mkstemp makes files of mode 0600; the link fails where somebody was faster, and then theirs is the key.
    descriptor, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
