"""Everything that MockForge refuses, as one tree; each error is one line and knows its exit code.

    MockForgeError            2   a user can mend it: wrong file, wrong address, wrong value
    ├── UsageError            2   the command line asks for something that cannot be
    ├── StubFileError         2   a stub file says something that cannot be served
    ├── RecordingError        2   a recording is missing, torn, of another kind or cannot be written
    ├── TargetError           2   the target does not answer, or not in HTTP
    ├── AddressError          2   an address cannot be listened on
    └── ComparisonError       2   two runs cannot be compared

Exit codes: 0 within tolerance (or done), 1 outside tolerance, 2 usage and input, 3 inconclusive.
"""

from __future__ import annotations

__all__ = [
    "EXIT_INCONCLUSIVE",
    "EXIT_OK",
    "EXIT_OUTSIDE",
    "EXIT_USAGE",
    "AddressError",
    "ComparisonError",
    "MockForgeError",
    "RecordingError",
    "StubFileError",
    "TargetError",
    "UsageError",
]

EXIT_OK = 0
EXIT_OUTSIDE = 1
EXIT_USAGE = 2
EXIT_INCONCLUSIVE = 3


class MockForgeError(Exception):
    """One line for a person: what is wrong, where, and what would work.

    `what` names the failure and the value that caused it; `where` is a file, line or address;
    `hint` says what would work.
    """

    exit_code = EXIT_USAGE

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(what)

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line} ({self.hint})" if self.hint else line


class UsageError(MockForgeError):
    """The command line asks for something that cannot be."""


class StubFileError(MockForgeError):
    """A stub file says something that cannot be served. `problems` lists every one found, a line each."""

    def __init__(
        self, what: str, *, where: str | None = None, hint: str | None = None, problems: tuple[str, ...] = ()
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.problems = problems


class RecordingError(MockForgeError):
    """A recording is missing, torn, of another kind, or cannot be written."""


class TargetError(MockForgeError):
    """The target does not answer, or does not answer in HTTP."""


class AddressError(MockForgeError):
    """An address cannot be listened on: in use, not permitted, not of this machine."""


class ComparisonError(MockForgeError):
    """Two runs cannot be compared: nothing in common, or nothing in them."""
