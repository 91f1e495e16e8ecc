"""What a client wants recorded: WireMock's record spec, read from its JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mockforge.errors import MockForgeError
from mockforge.matching.request import RequestMatcher
from mockforge.server.admin.answers import AdminError
from mockforge.server.admin.incoming import matcher_of
from mockforge.targets import Target, parse_target

__all__ = ["BodyPatternSpec", "RecordSpec", "Thresholds", "read_record_spec"]

_TITLE = "Error parsing JSON"
_KEYS = frozenset(
    {
        "targetBaseUrl",
        "filters",
        "captureHeaders",
        "extractBodyCriteria",
        "outputFormat",
        "persist",
        "repeatsAsScenarios",
        "transformers",
        "transformerParameters",
        "requestBodyPattern",
    }
)
_FILTERS_OF_OURS = ("filters", "ids", "allowNonProxied")
_MATCHERS = ("auto", "equalTo", "equalToJson", "equalToXml")
_SIZE = re.compile(r"\s*(\d+)\s*(|b|bytes|kb|mb|gb)\s*", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "bytes": 1, "kb": 1_024, "mb": 1_024**2, "gb": 1_024**3}


@dataclass(frozen=True, slots=True)
class BodyPatternSpec:
    """How a request's body is to be matched."""

    matcher: str = "auto"
    ignore_array_order: bool = True
    ignore_extra_elements: bool = True
    case_insensitive: bool = False


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Bodies of answers above so many bytes go into files; None leaves all of a kind where they are."""

    text: int | None = None
    binary: int | None = None


@dataclass(frozen=True, slots=True)
class RecordSpec:
    """Which events become stubs, and how. `persist` is None where the client does not say."""

    target: Target | None = None
    filters: RequestMatcher | None = None
    ids: frozenset[str] | None = None
    allow_non_proxied: bool = False
    #: Names of the headers to match, each with whether their case counts not.
    captured: tuple[tuple[str, bool], ...] = ()
    body_pattern: BodyPatternSpec = BodyPatternSpec()
    thresholds: Thresholds = Thresholds()
    persist: bool | None = None
    as_scenarios: bool = True
    only_ids: bool = False


def read_record_spec(written: Mapping[str, object]) -> RecordSpec:
    """The spec of a client's JSON; AdminError with the first fault."""
    given = {key: value for key, value in written.items() if value is not None}
    for key in given:
        if key not in _KEYS:
            raise _refused(key, f"unknown key; known: {', '.join(sorted(_KEYS))}")
    if given.get("transformers"):
        raise _refused("transformers", "this mock has no transformers of recorded stubs")
    filters = _object(given, "filters")
    pattern = {key: value for key, value in filters.items() if key not in _FILTERS_OF_OURS}
    pattern.update(_object(filters, "filters"))
    ids = filters.get("ids")
    return RecordSpec(
        target=_target(given.get("targetBaseUrl")),
        filters=matcher_of(pattern) if pattern else None,
        ids=frozenset(str(each).lower() for each in ids) if isinstance(ids, list) else None,
        allow_non_proxied=_flag(filters, "allowNonProxied", default=False),
        captured=_captured(_object(given, "captureHeaders")),
        body_pattern=_body_pattern(_object(given, "requestBodyPattern")),
        thresholds=_thresholds(_object(given, "extractBodyCriteria")),
        persist=_flag(given, "persist", default=True) if "persist" in given else None,
        as_scenarios=_flag(given, "repeatsAsScenarios", default=True),
        only_ids=_one_of(given, "outputFormat", ("full", "ids"), "full") == "ids",
    )


def _refused(key: str, detail: str) -> AdminError:
    return AdminError(_TITLE, pointer=f"/{key}", detail=detail)


def _target(url: object) -> Target | None:
    if url is None or url == "":
        return None
    try:
        return parse_target(str(url))
    except MockForgeError as error:
        raise _refused("targetBaseUrl", str(error)) from None


def _object(given: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = given.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _refused(key, "a JSON object is wanted")
    return value


def _flag(given: Mapping[str, object], key: str, *, default: bool) -> bool:
    """A truth value, which clients write as a string too."""
    value = given.get(key, default)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise _refused(key, f"{value!r} is neither true nor false")
    return value


def _one_of(given: Mapping[str, object], key: str, known: tuple[str, ...], default: str) -> str:
    value = str(given.get(key, default))
    found = next((each for each in known if each.lower() == value.lower()), None)
    if found is None:
        raise _refused(key, f"{value!r} is none of {', '.join(known)}")
    return found


def _captured(written: Mapping[str, object]) -> tuple[tuple[str, bool], ...]:
    options = {name: _object(written, name) for name in written}
    return tuple((name, _flag(each, "caseInsensitive", default=False)) for name, each in options.items())


def _body_pattern(written: Mapping[str, object]) -> BodyPatternSpec:
    return BodyPatternSpec(
        _one_of(written, "matcher", _MATCHERS, "auto"),
        _flag(written, "ignoreArrayOrder", default=True),
        _flag(written, "ignoreExtraElements", default=True),
        _flag(written, "caseInsensitive", default=False),
    )


def _thresholds(written: Mapping[str, object]) -> Thresholds:
    return Thresholds(_size(written, "textSizeThreshold"), _size(written, "binarySizeThreshold"))


def _size(written: Mapping[str, object], key: str) -> int | None:
    value = written.get(key)
    if value is None:
        return None
    found = _SIZE.fullmatch(str(value))
    if found is None:
        raise _refused(f"extractBodyCriteria/{key}", f"{value!r} is not a size, such as 10240 or 2 kb")
    return int(found[1]) * _UNITS[found[2].lower()]
