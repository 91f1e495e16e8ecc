"""What a service remembers between requests, and the files beside its stubs."""

from __future__ import annotations

from mockforge.templating.budget import LONGEST_TEXT, RENDERING, LimitError

__all__ = ["counter", "file", "state"]


def state(scenario: str, *key: str | int) -> str:
    """The state that a scenario is in; of one with a `scenarioKey`, that of the resource of this key."""
    return RENDERING.get().memory.state(scenario, tuple(map(str, key)))


def counter(name: str, start: int = 1) -> int:
    """A number that goes up by one with each call, from `start` on; every name has its own."""
    return RENDERING.get().memory.next_number(str(name), start)


def file(name: str) -> str:
    """The text of a file under `__files/`."""
    files = RENDERING.get().files
    try:
        content = None if files is None else files[name]
    except KeyError:
        content = None
    if content is None:
        raise ValueError(f"there is no file {name!r} under __files/")
    if not isinstance(content, bytes) or len(content) > LONGEST_TEXT:
        raise LimitError(f"the file {name!r} has more than {LONGEST_TEXT:,} bytes")
    return content.decode()
