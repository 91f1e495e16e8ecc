"""What every page is made of: one file that needs nothing but itself, safe against the names in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from mockforge.report import figures
from mockforge.report.curves import Curve

__all__ = [
    "data_of_pictures",
    "drawn_curve",
    "drawn_numbers",
    "page_environment",
    "page_resources",
    "resource",
]

_DIGITS = 4


def page_environment() -> Environment:
    """Templates with the figures of `mockforge.report.figures`, typeset, and filters for names and prose."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update({name: _typeset(getattr(figures, name)) for name in figures.__all__})
    environment.filters.update(breakable=_breakable, unbroken=_unbroken, size=_size)
    return environment


def page_resources(*scripts: str) -> dict[str, Markup]:
    """The style, plotly and the scripts of a page, as its template names them."""
    plotly = files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")
    return {
        "style": Markup(resource("report.css")),
        "plotly": Markup(plotly),
        "script": Markup("\n".join(resource(name) for name in scripts)),
    }


def resource(name: str) -> str:
    """The text of a file that stands beside this module."""
    return files("mockforge.report").joinpath(name).read_text(encoding="utf-8")


def data_of_pictures(pictures: Any) -> Markup:
    """JSON that may stand inside a script element, whatever the names in it are."""
    text = json.dumps(pictures, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def drawn_curve(curve: Curve) -> dict[str, list[float | None]]:
    """A curve for a picture's data, with its bounds where any is known."""
    drawn = {"x": drawn_numbers(curve.x), "y": drawn_numbers(curve.y)}
    if np.isfinite(curve.low).any() or np.isfinite(curve.high).any():
        drawn |= {"low": drawn_numbers(curve.low), "high": drawn_numbers(curve.high)}
    return drawn


def drawn_numbers(values: NDArray[np.float64]) -> list[float | None]:
    """As many digits as a picture shows; what is not finite is a gap."""
    return [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in values]


def _typeset(figure: Callable[[float], str]) -> Callable[[float], str]:
    """The same figure with a true minus sign, and a space that does not break."""
    return lambda value: figure(value).replace("-", "−").replace(" ", "\u00a0")


def _unbroken(prose: str) -> str:
    """Figures stay with their units at the end of a line, and have true minus signs."""
    return re.sub(r"(?<=\d) (?=ms\b|s\b|%)", "\u00a0", re.sub(r"(?<= )-(?=\d)", "−", prose))


def _breakable(name: str) -> Markup:
    """An operation's name that may break before a slash, but not after its method."""
    method, slash, path = name.partition(" /")
    if not slash:
        return Markup.escape(name)
    return Markup("{}\u00a0/").format(method) + Markup("<wbr>/").join(path.split("/"))


def _size(share: float) -> str:
    """How much a deviation asks to be looked at; no verdict."""
    size = abs(share)
    return "strong" if size >= 0.15 else "clear" if size >= 0.05 else "slight"
