"""The redactor: an exchange in, the same exchange without its secrets out."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import replace
from typing import TypeVar

from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.redaction.bodies import Bodies
from mockforge.recording.redaction.codings import UndecodableError
from mockforge.recording.redaction.edits import Finding
from mockforge.recording.redaction.fields import Fields
from mockforge.recording.redaction.json_text import JsonTexts
from mockforge.recording.redaction.key import fingerprint
from mockforge.recording.redaction.media import media_of
from mockforge.recording.redaction.pseudonyms import Pseudonyms
from mockforge.recording.redaction.report import OTHER_PLACES, RedactionReport
from mockforge.recording.redaction.rules import RedactionRules
from mockforge.recording.redaction.screen import JsonScreen
from mockforge.recording.redaction.secret_values import Secrets
from mockforge.recording.redaction.targets import Targets
from mockforge.recording.redaction.text import Texts

__all__ = ["Redactor"]

_MOST_PLACES = 1000
_MOST_TARGETS = 8192
_MEDIA = functools.lru_cache(maxsize=256)(media_of)

Message = TypeVar("Message", Request, Response)


class Redactor:
    """Replaces what is secret by pseudonyms under `key`, after `rules`, and counts what it replaced.

    It belongs to one thread; only `report` may be called from another one.
    """

    def __init__(self, rules: RedactionRules, key: bytes) -> None:
        self._off = rules.off
        self._key = fingerprint(key)
        secrets = Secrets(Pseudonyms(key))
        names = rules.secret_parameters()
        self._texts = Texts(names, secrets, rules.own_finders(secrets), rules.default_finders(secrets))
        jsons = JsonTexts(names, rules.json_paths, secrets, self._texts)
        self._targets = Targets(names, secrets, self._texts, jsons)
        self._fields = Fields(rules, secrets, self._texts, self._targets)
        self._bodies = Bodies(JsonScreen(rules, names), self._targets, jsons, self._texts)
        self._known_targets: dict[str, tuple[str, list[Finding]]] = {}
        self._counts: Counter[Finding] = Counter()
        self._dropped: Counter[str] = Counter()
        self._exchanges = 0
        self._changed = 0

    def redact(self, exchange: Exchange) -> Exchange:
        """The exchange without its secrets; the same object where it has none.

        A body that cannot be decoded is left out, and counts as `omitted`: nobody can say what is in it.
        """
        if self._off:
            return exchange
        self._exchanges += 1
        found: list[Finding] = []
        request = self._request(exchange.request, found)
        response = exchange.response and self._response(exchange.response, found)
        error = self._optional(exchange.error, "error", found)
        operation = self._optional(exchange.operation, "operation", found)
        if found:
            self._count(found)
        if request is exchange.request and response is exchange.response and not found:
            return exchange
        self._changed += 1
        return replace(exchange, request=request, response=response, error=error, operation=operation)

    def report(self) -> RedactionReport:
        """What was replaced up to now."""
        return RedactionReport(
            self._key, self._exchanges, self._changed, dict(self._counts), dict(self._dropped), self._off
        )

    def _request(self, request: Request, found: list[Finding]) -> Request:
        target = self._target(request.target, found)
        new = self._message(request, found)
        return new if target == request.target else replace(new, target=target)

    def _response(self, response: Response, found: list[Finding]) -> Response:
        new = self._message(response, found)
        reason = self._texts.redacted(response.reason, "reason", found) if response.reason else ""
        return new if reason == response.reason else replace(new, reason=reason)

    def _message(self, message: Message, found: list[Finding]) -> Message:
        headers = self._fields.redact(message.headers, found)
        trailers = self._fields.redact(message.trailers, found)
        body, omitted = message.body, message.omitted
        if body:
            content_type, content_encoding = _body_fields(message.headers)
            try:
                body = self._bodies.redact(body, _MEDIA(content_type, content_encoding), found)
            except UndecodableError as error:
                self._dropped[str(error)] += 1
                body, omitted = b"", omitted + len(body)
        if body is message.body and headers is message.headers and trailers is message.trailers:
            return message
        if body and len(body) != len(message.body):
            headers = _with_length_grown(headers, len(body) - len(message.body))
        return replace(message, headers=headers, trailers=trailers, body=body, omitted=omitted)

    def _target(self, target: str, found: list[Finding]) -> str:
        known = self._known_targets.get(target)
        if known is None:
            here: list[Finding] = []
            known = (self._targets.url(target, "path", "query", here), here)
            if len(self._known_targets) >= _MOST_TARGETS:
                self._known_targets.clear()
            self._known_targets[target] = known
        found += known[1]
        return known[0]

    def _optional(self, text: str | None, place: str, found: list[Finding]) -> str | None:
        return self._texts.redacted(text, place, found) if text else text

    def _count(self, found: list[Finding]) -> None:
        for finding in found:
            if finding in self._counts or len(self._counts) < _MOST_PLACES:
                self._counts[finding] += 1
            else:
                self._counts[Finding(finding.rule, OTHER_PLACES)] += 1


def _body_fields(headers: Headers) -> tuple[str, str]:
    """The values of Content-Type and Content-Encoding; empty where there is none."""
    content_type = content_encoding = ""
    for name, value in headers.pairs:
        length = len(name)
        if length == 12 and name.lower() == "content-type":
            content_type = content_type or value
        elif length == 16 and name.lower() == "content-encoding":
            content_encoding = f"{content_encoding},{value}" if content_encoding else value
    return content_type, content_encoding


def _with_length_grown(headers: Headers, by: int) -> Headers:
    """The fields with a Content-Length that is larger by so many bytes."""
    return Headers(
        tuple(
            (name, str(int(value) + by))
            if name.lower() == "content-length" and value.isdigit()
            else (name, value)
            for name, value in headers.pairs
        )
    )
