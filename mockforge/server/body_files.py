"""Bodies that are read from disk while they are sent, and refused where they are no longer what they were.

Reading is blocking, a slice of 256 KiB at a time: what the system has cached takes some 30 µs, a cold disk as
long as the disk does.
"""

from __future__ import annotations

import os
from contextlib import suppress

from mockforge.model.sending import BodyFile

__all__ = ["BodyFileError", "FileSource"]


class BodyFileError(Exception):
    """A body file is gone, or another than when the stubs were read."""


class FileSource:
    """An open body file. `close` may be called at any time, and must be."""

    __slots__ = ("_fd", "_file")

    def __init__(self, file: BodyFile) -> None:
        self._file = file
        self._fd: int | None = None
        try:
            self._fd = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            now = os.fstat(self._fd)
        except OSError as error:
            self.close()
            raise BodyFileError(f"body file {file.path} cannot be read: {error.strerror}") from None
        if (now.st_size, now.st_dev, now.st_ino, now.st_mtime_ns) != (
            file.size,
            file.device,
            file.inode,
            file.modified_ns,
        ):
            self.close()
            raise BodyFileError(f"body file {file.path} has changed since the stubs were read")

    @property
    def size(self) -> int:
        return self._file.size

    def read(self, count: int) -> bytes:
        """Exactly so many bytes more; BodyFileError where they are not there."""
        parts = []
        while count:
            assert self._fd is not None
            try:
                data = os.read(self._fd, count)
            except OSError as error:
                raise BodyFileError(f"body file {self._file.path} cannot be read: {error.strerror}") from None
            if not data:
                raise BodyFileError(f"body file {self._file.path} became shorter while it was sent")
            parts.append(data)
            count -= len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        if self._fd is not None:
            with suppress(OSError):
                os.close(self._fd)
            self._fd = None
