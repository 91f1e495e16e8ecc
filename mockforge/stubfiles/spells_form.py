"""The written form of slow spells: when the whole service is slow, and by how much."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from mockforge.model.service import SlowSpells
from mockforge.stubfiles.mapping import Form
from mockforge.stubfiles.problems import RefusedError, brief
from mockforge.stubfiles.written import Spelled

__all__ = ["SlowSpellsForm", "to_slow_spells"]

_Seconds = Annotated[float, Field(gt=0, le=864_000, allow_inf_nan=False), Spelled]
_Percentile = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False), Spelled]


class SlowSpellsForm(Form):
    """Times in which everything behind the service is slow together, and the calm between them."""

    example: ClassVar[str | None] = (
        "such as {durationsSeconds: [2, 1.5], gapsSeconds: [28, 31], share: 0.06, levels: {0: 70, 100: 100}}"
    )

    durations_seconds: list[_Seconds] = Field(description="How long each spell lasts; in random order.")
    gaps_seconds: list[_Seconds] = Field(description="How long the calm between spells lasts.")
    share: Annotated[float, Field(gt=0, lt=1), Spelled] = Field(
        description="The part of all answers that is in spells."
    )
    levels: dict[str, _Percentile] = Field(
        description="Percentiles of the answers in spells, and which percentiles of all answers these are."
    )

    @field_validator("durations_seconds", "gaps_seconds")
    @classmethod
    def _some(cls, times: list[float]) -> list[float]:
        if not times:
            raise RefusedError("is empty", "one or more lengths in seconds")
        return times

    @field_validator("levels")
    @classmethod
    def _rising(cls, levels: dict[str, float]) -> dict[str, float]:
        table = sorted((_percentile(key), level) for key, level in levels.items())
        if len(table) < 2 or table[0][0] != 0 or table[-1][0] != 100:
            raise RefusedError("must go from 0 to 100", "such as levels: {0: 70, 50: 97, 100: 100}")
        for (_, before), (at, level) in pairwise(table):
            if level < before:
                raise RefusedError(f"falls at {at:g}: {level:g} after {before:g}", "levels must rise")
        return levels


def to_slow_spells(form: SlowSpellsForm) -> SlowSpells:
    """The spells that are written."""
    return SlowSpells(
        durations_s=tuple(form.durations_seconds),
        gaps_s=tuple(form.gaps_seconds),
        levels=tuple(sorted((float(key), level) for key, level in form.levels.items())),
        share=form.share,
    )


def _percentile(key: str) -> float:
    try:
        level = float(key)
    except ValueError:
        level = -1.0
    if not 0 <= level <= 100:
        raise RefusedError(f"{brief(key)} is not a percentile", "keys go from 0 to 100")
    return level
