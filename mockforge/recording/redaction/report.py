"""What a redactor found: how often each rule replaced something, and where; nothing of what was there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from mockforge.recording.redaction.edits import Finding

__all__ = ["OTHER_PLACES", "RedactionReport"]

#: Where findings are counted once a report knows more places than anyone reads.
OTHER_PLACES = "other places"
_SHOWN_PLACES = 3


@dataclass(frozen=True, slots=True)
class RedactionReport:
    """Counts of one run, or of several with one key.

    `counts` says how often each rule replaced something at each place, `dropped` why bodies were left out.
    `exchanges` were looked at, `changed` of them were not stored as they were. `key` is the fingerprint
    of the key. `off` is whether redaction was switched off.
    """

    key: str
    exchanges: int = 0
    changed: int = 0
    counts: Mapping[Finding, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    off: bool = False

    @property
    def replaced(self) -> int:
        """Replacements in all."""
        return sum(self.counts.values())

    def to_json(self) -> str:
        """For the notes of a recording; `from_json` reads it."""
        rules: dict[str, dict[str, int]] = {}
        for (rule, place), count in sorted(self.counts.items()):
            rules.setdefault(rule, {})[place] = count
        written = {
            "key": self.key,
            "off": self.off,
            "exchanges": self.exchanges,
            "changed": self.changed,
            "rules": rules,
            "dropped": dict(sorted(self.dropped.items())),
        }
        return orjson.dumps(written).decode()

    @classmethod
    def from_json(cls, text: str) -> RedactionReport:
        """The inverse of `to_json`; ValueError where the text is none of its."""
        try:
            written: dict[str, Any] = orjson.loads(text)
            counts = {
                Finding(rule, place): int(count)
                for rule, places in written["rules"].items()
                for place, count in places.items()
            }
            dropped = {str(why): int(count) for why, count in written["dropped"].items()}
            return cls(
                str(written["key"]),
                int(written["exchanges"]),
                int(written["changed"]),
                counts,
                dropped,
                bool(written["off"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"no redaction report: {error}") from error

    def __add__(self, other: RedactionReport) -> RedactionReport:
        """Both together; the fingerprints of two keys stand side by side."""
        return RedactionReport(
            "+".join(dict.fromkeys([*self.key.split("+"), *other.key.split("+")])),
            self.exchanges + other.exchanges,
            self.changed + other.changed,
            Counter(self.counts) + Counter(other.counts),
            Counter(self.dropped) + Counter(other.dropped),
            self.off or other.off,
        )

    def lines(self) -> list[str]:
        """For a person: a line in all, one for each rule, the busiest first, and one for dropped bodies."""
        if self.off:
            return ["redaction is off: secrets are stored as they are"]
        times = "time" if self.replaced == 1 else "times"
        lines = [
            f"replaced {self.replaced:,} {times} in {self.changed:,} of {self.exchanges:,} exchanges"
            f" (key {self.key})"
        ]
        rules: dict[str, list[tuple[int, str]]] = {}
        for (rule, place), count in self.counts.items():
            rules.setdefault(rule, []).append((count, place))
        by_total = sorted(rules.items(), key=lambda each: (-sum(count for count, _ in each[1]), each[0]))
        lines += [_line(rule, places) for rule, places in by_total]
        lines += [f"dropped {count:,} bodies: {why}" for why, count in sorted(self.dropped.items())]
        return lines


def _line(rule: str, places: Iterable[tuple[int, str]]) -> str:
    busiest = sorted(places, key=lambda each: (-each[0], each[1]))
    shown = ", ".join(f"{place} ({count:,})" for count, place in busiest[:_SHOWN_PLACES])
    more = len(busiest) - _SHOWN_PLACES
    total = sum(count for count, _ in busiest)
    return f"{rule}: {total:,} in {shown}" + (f" and {more} more places" if more > 0 else "")
