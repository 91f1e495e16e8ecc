"""Recorded answers held against what an OpenAPI description says of them.

It is a report: stubs are learned as the backend answered, whatever its description promised.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonschema
import orjson
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4, DRAFT202012

from mockforge.learning.answers import decoded
from mockforge.learning.openapi import ApiDescription, pointer
from mockforge.model.exchange import Response
from mockforge.model.operation import Operation

__all__ = ["AnswerCheck"]

_ROOT = "urn:mockforge:description"
#: So many different answers of an operation are validated, none with a longer body.
_MOST_VALIDATED, _LONGEST_BODY = 300, 1_000_000
#: So many operations and kinds of breach are named; the others are counted.
_MOST_NAMED, _MOST_KINDS = 5, 3
_LONGEST_SHOWN, _SHOWN_OF_VALUE = 120, 40
_INDEX = re.compile(r"\[\d+\]")
_HEAD, _BODILESS = "HEAD", frozenset({204, 205, 304})


@dataclass(slots=True)
class _Judged:
    """What was found out about one operation's answers."""

    answers: int = 0
    broken: int = 0
    #: By kind of breach: how often, and the first one in words.
    kinds: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    #: By answer: what kind of breach it is, None for none.
    known: dict[tuple[int, bytes], str | None] = field(default_factory=dict)
    unread: int = 0


class AnswerCheck:
    """Takes in answers, one at a time, and tells which are not as described."""

    def __init__(self, api: ApiDescription) -> None:
        self._api = api
        self._judged: dict[Operation, _Judged] = defaultdict(_Judged)
        old = not str(api.document.get("openapi", "")).startswith("3.1")
        self._validator: Any = jsonschema.Draft4Validator if old else jsonschema.Draft202012Validator
        specification: Any = DRAFT4 if old else DRAFT202012
        document = _nullable(api.document) if old else api.document
        root: Resource[Any] = specification.create_resource(document)
        self._registry: Registry[Any] = Registry().with_resource(_ROOT, root)
        self._resolver = self._registry.resolver(_ROOT)

    def add(self, operation: Operation, response: Response) -> None:
        """Take in one answer."""
        judged = self._judged[operation]
        judged.answers += 1
        if not self._api.covers(operation):
            return
        if response.omitted or len(response.body) > _LONGEST_BODY:
            judged.unread += 1
            return
        media = (response.headers.get("content-type") or "").partition(";")[0].strip().lower()
        key = response.status, hashlib.sha256(media.encode() + b"\0" + response.body).digest()
        if key not in judged.known:
            if len(judged.known) >= _MOST_VALIDATED:
                judged.unread += 1
                return
            judged.known[key] = self._breach(operation, response, media, judged)
        kind = judged.known[key]
        if kind is not None:
            judged.broken += 1
            judged.kinds[kind] += 1

    def _breach(self, operation: Operation, response: Response, media: str, judged: _Judged) -> str | None:
        """The kind of an answer's breach, with the first of its kind remembered."""
        try:
            found = self._found(operation, response, media)
        except Exception as error:  # a description can be wrong in any way
            found = "schema", f"its description cannot be used: {' '.join(str(error).split())}"
        if found is None:
            return None
        kind, shown = found
        judged.examples.setdefault(
            kind, shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
        )
        return kind

    def _found(self, operation: Operation, response: Response, media: str) -> tuple[str, str] | None:
        place = f"{self._api.places[operation]}/responses"
        described = self._at(place)
        name = _named(described, str(response.status))
        if name is None:
            return f"status {response.status}", f"status {response.status} is not described"
        place, answer = self._followed(f"{place}/{pointer(name)}")
        if operation.method == _HEAD or response.status in _BODILESS:
            return None
        if "content" in answer:
            content = _media(answer["content"], media)
            if content is None:
                known = ", ".join(answer["content"]) or "nothing"
                return "content type", f"the content type {media or 'none'} is not described, {known} is"
            place = f"{place}/content/{pointer(content)}"
            answer = self._at(place)
        if "schema" not in answer or not _is_json(media):
            return None
        return self._invalid(f"{place}/schema", decoded(response)[1])

    def _invalid(self, place: str, body: bytes) -> tuple[str, str] | None:
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as failure:
            return "JSON", f"the body is not JSON: {failure}"
        validator = self._validator({"$ref": f"{_ROOT}#{place}"}, registry=self._registry)
        wrong = best_match(validator.iter_errors(value))
        if wrong is None:
            return None
        message = wrong.message
        if len(message) > _LONGEST_SHOWN:  # it begins with the whole value
            given = orjson.dumps(wrong.instance).decode()
            message = (
                f"{given[:_SHOWN_OF_VALUE]}… is not as `{wrong.validator}: {wrong.validator_value}` says"
            )
        return f"{_INDEX.sub('[*]', wrong.json_path)} {wrong.validator}", f"{wrong.json_path}: {message}"

    def _at(self, place: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._resolver.lookup(f"#{place}").contents
        return found

    def _followed(self, place: str) -> tuple[str, Mapping[str, Any]]:
        """Where a `$ref` in a place of its own leads, and what is there."""
        found = self._at(place)
        while isinstance(found.get("$ref"), str):
            place = str(found["$ref"]).removeprefix("#")
            found = self._at(place)
        return place, found

    def remarks(self) -> Iterator[str]:
        """What was never recorded, and what is not as described, for people."""
        unseen = [each.name for each in sorted(self._api.names) if each not in self._judged]
        if unseen:
            shown = ", ".join(unseen[:_MOST_NAMED])
            more = f" and {len(unseen) - _MOST_NAMED:,} more" if len(unseen) > _MOST_NAMED else ""
            all_of_them = f"{len(unseen):,} of {len(self._api.names):,} operations"
            yield f"OpenAPI: {all_of_them} were never recorded: {shown}{more}"
        for operation, judged in self._judged.items():
            if judged.broken:
                yield f"OpenAPI: {self._api.name_of(operation)}: {_told(judged)}"


def _told(judged: _Judged) -> str:
    kinds = judged.kinds.most_common()
    shown = "; ".join(f"{judged.examples[kind]} ({times:,})" for kind, times in kinds[:_MOST_KINDS])
    more = f"; and {len(kinds) - _MOST_KINDS:,} more kinds" if len(kinds) > _MOST_KINDS else ""
    unread = f"; {judged.unread:,} were not looked at" if judged.unread else ""
    return f"{judged.broken:,} of {judged.answers:,} answers are not as described: {shown}{more}{unread}"


def _named(described: Mapping[str, Any], status: str) -> str | None:
    """The key of a status among those described: itself, its hundreds, or `default`."""
    names = {str(name).upper(): str(name) for name in described}
    return next((names[each] for each in (status, f"{status[0]}XX", "DEFAULT") if each in names), None)


def _media(content: Mapping[str, Any], media: str) -> str | None:
    """The key of a content type among those described, the most precise one."""
    names = {str(name).partition(";")[0].strip().lower(): str(name) for name in content}
    wanted = (media, f"{media.partition('/')[0]}/*", "*/*")
    return next((names[each] for each in wanted if each in names), None)


def _is_json(media: str) -> bool:
    return media == "application/json" or media.endswith("+json")


def _nullable(value: Any) -> Any:
    """A description before 3.1 with its `nullable: true` as JSON Schema says it."""
    if isinstance(value, list):
        return [_nullable(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    made = {str(key): _nullable(each) for key, each in value.items()}
    if value.get("nullable") is True or value.get("x-nullable") is True:
        return {"anyOf": [made, {"type": "null"}]}
    return made
