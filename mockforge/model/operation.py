"""An operation: the low-cardinality key that samples are grouped by."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Operation", "is_parameter"]


def is_parameter(segment: str) -> bool:
    """Whether a segment of a path template stands for any value: `{id}`."""
    return segment.startswith("{") and segment.endswith("}")


@dataclass(frozen=True, slots=True, order=True)
class Operation:
    """`METHOD /path/template`; the template's `{name}` segments match one path segment each."""

    method: str
    template: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the path parameters, in order."""
        return tuple(part[1:-1] for part in self.template.split("/") if is_parameter(part))
