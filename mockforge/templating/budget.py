"""What one rendering may use, so that no template holds up the other connections.

Turns of loops and calls, and characters made, are counted; processor time is looked at every few steps. What
goes beyond a limit ends the rendering with a `LimitError`.
"""

from __future__ import annotations

from contextvars import ContextVar
from time import thread_time_ns
from typing import Final

from mockforge.templating.memory import Memory
from mockforge.templating.scope import FileContents

__all__ = [
    "LONGEST_NS",
    "LONGEST_TEXT",
    "MOST_CHARACTERS",
    "MOST_STEPS",
    "RENDERING",
    "LimitError",
    "Rendering",
    "check_size",
]

#: Turns of loops, calls and filters of one rendering.
MOST_STEPS: Final = 10_000
#: Characters of one value, and of all that is written.
LONGEST_TEXT: Final = 1_048_576
#: Characters and elements of everything made on the way there.
MOST_CHARACTERS: Final = 8 * LONGEST_TEXT
#: Processor time of one rendering, as far as it is seen between two steps.
LONGEST_NS: Final = 100_000_000

_LOOK_EVERY: Final = 16


class LimitError(Exception):
    """A template asked for more than a rendering may use."""


class Rendering:
    """The rendering that is under way: what it has used, and what functions may ask beside the request."""

    __slots__ = ("_ends_ns", "files", "made", "memory", "steps", "written")

    def __init__(self, memory: Memory, files: FileContents | None = None) -> None:
        self.memory = memory
        self.files = files
        self.steps = self.made = self.written = 0
        self._ends_ns = 0

    def step(self) -> None:
        """A turn of a loop, a call or a filter."""
        self.steps += 1
        if self.steps % _LOOK_EVERY:
            return
        if self.steps > MOST_STEPS:
            raise LimitError(f"more than {MOST_STEPS:,} turns and calls")
        now_ns = thread_time_ns()
        if not self._ends_ns:
            self._ends_ns = now_ns + LONGEST_NS
        elif now_ns > self._ends_ns:
            raise LimitError(f"more than {LONGEST_NS // 1_000_000} ms")

    def make(self, size: int) -> None:
        """A text or list of this size was made on the way."""
        check_size(size)
        self.made += size
        if self.made > MOST_CHARACTERS:
            raise LimitError(f"more than {MOST_CHARACTERS:,} characters on the way")

    def write(self, size: int) -> None:
        """So much was written."""
        self.written += size
        if self.written > LONGEST_TEXT:
            raise LimitError(f"more than {LONGEST_TEXT:,} characters")


#: Rendering is synchronous: whoever begins one sets it here, and sandbox and helpers look it up.
RENDERING: ContextVar[Rendering] = ContextVar("RENDERING")


def check_size(size: int) -> None:
    """LimitError where one value would be larger than any may be."""
    if size > LONGEST_TEXT:
        raise LimitError(f"a value of more than {LONGEST_TEXT:,} characters or elements")
