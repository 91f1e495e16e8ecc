"""The pseudonym of a value that is secret as a whole, by what the value is.

The same value has the same pseudonym whichever rule found it: a token in a header is the same in a body.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from mockforge.recording.redaction.cards import is_card_number, pseudonym_of_card
from mockforge.recording.redaction.jwt import JWT, pseudonym_of_jwt
from mockforge.recording.redaction.pseudonyms import Pseudonyms

__all__ = ["ACCESS_KEY", "EMAIL", "PRIVATE_KEY", "Secrets"]

#: An address, its `@` also percent-encoded; `icon@2x.png` is a file's name.
EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+(?:@|%40)(?!\dx\.)(?:[\w-]+\.)+[^\W\d_]{2,63}")
ACCESS_KEY = re.compile(r"(?<![^\W_])(?:AKIA|ASIA)[A-Z0-9]{16}(?![^\W_])", re.ASCII)
#: A PEM block (RFC 7468), also one that is cut off, or has its line ends written as in JSON.
PRIVATE_KEY = re.compile(
    r"(-----BEGIN ([A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?)-----)"
    r"((?:[^-]|-(?!----))*(?=-----END \2-----)|[A-Za-z0-9+/=\s\\]*)(-----END \2-----)?"
)

#: Schemes (RFC 9110 §11.1) that are taken for one wherever a secret begins with them.
_SCHEMES = frozenset({"aws4-hmac-sha256", "basic", "bearer", "digest", "dpop", "negotiate"})
_WITH_SCHEME = re.compile(r"([A-Za-z][\w+.-]*)( +)(\S.*)", re.ASCII | re.DOTALL)
_ONLY_LETTERS = re.compile(r"[A-Za-z-]+")
_PARAMETERS = re.compile(r'([\w-]+)(\s*=\s*)("[^"]*"|[^\s,"]*)', re.ASCII)
_PARAMETER_LIST = re.compile(rf"(?:{_PARAMETERS.pattern})(?:\s*,\s*(?:{_PARAMETERS.pattern}))*\s*", re.ASCII)
#: Parameters of credentials that are not secret.
_OPEN_PARAMETERS = frozenset(
    {"algorithm", "charset", "nc", "oauth_signature_method", "oauth_version", "qop", "realm", "signedheaders"}
    | {"uri", "userhash"}
)


class Secrets:
    """Gives each secret value its pseudonym."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms

    def of(self, value: str) -> str:
        """The pseudonym of a text; one that is a pseudonym already stays, and so does an empty one."""
        scheme = _WITH_SCHEME.fullmatch(value)
        if scheme and scheme[1].lower() in _SCHEMES:
            return f"{scheme[1]}{scheme[2]}{self._credentials(scheme[1].lower(), scheme[3])}"
        by_look = self._by_look(value)
        return self._pseudonyms.opaque(value) if by_look is None else by_look

    def _by_look(self, value: str) -> str | None:
        if JWT.fullmatch(value):
            return self.jwt(value)
        if EMAIL.fullmatch(value):
            return self.email(value)
        if is_card_number(value):
            return self.card(value)
        if ACCESS_KEY.fullmatch(value):
            return self.access_key(value)
        block = PRIVATE_KEY.fullmatch(value.strip())
        return value.replace(block[0], self.private_key(block)) if block else None

    def authorization(self, value: str) -> str:
        """The pseudonym of what `Authorization` holds: a word of letters before it is a scheme, too."""
        scheme = _WITH_SCHEME.fullmatch(value)
        if scheme and _ONLY_LETTERS.fullmatch(scheme[1]):
            return f"{scheme[1]}{scheme[2]}{self._credentials(scheme[1].lower(), scheme[3])}"
        return self.of(value)

    def number(self, digits: str) -> str:
        """The pseudonym of a number as JSON writes it."""
        return self.card(digits) if is_card_number(digits) else self._pseudonyms.number(digits)

    def jwt(self, token: str) -> str | None:
        """The pseudonym of a JSON Web Token; None if it is none."""
        return pseudonym_of_jwt(token, self.of, self._card_as_number)

    def card(self, number: str) -> str:
        """The pseudonym of a card number, separators kept."""
        return pseudonym_of_card(number, self._pseudonyms)

    def email(self, address: str) -> str:
        """The pseudonym of an e-mail address."""
        return self._pseudonyms.email(address)

    def access_key(self, key_id: str) -> str:
        """The pseudonym of an AWS access key id."""
        return self._pseudonyms.access_key(key_id)

    def private_key(self, block: re.Match[str]) -> str:
        """The pseudonym of a block that PRIVATE_KEY found."""
        return f"{block[1]}{self._pseudonyms.key_block(block[3])}{block[4] or ''}"

    def _credentials(self, scheme: str, value: str) -> str:
        if self._pseudonyms.opaque(value) == value:
            return value
        if scheme == "basic" and (pair := self._basic(value)):
            return pair
        if _PARAMETER_LIST.fullmatch(value):
            return _PARAMETERS.sub(self._parameter, value)
        return self.of(value)

    def _basic(self, value: str) -> str | None:
        """User and password (RFC 7617) each by itself; None where the value is no such pair."""
        try:
            decoded = base64.b64decode(value, validate=True)
        except ValueError:
            return None
        user, colon, password = decoded.decode("utf-8", "surrogateescape").partition(":")
        if not colon:
            return None
        pair = f"{self.of(user)}:{self.of(password)}".encode("utf-8", "surrogateescape")
        return value if pair == decoded else base64.b64encode(pair).decode()

    def _parameter(self, found: re.Match[str]) -> str:
        name, equals, written = found.groups()
        if name.lower() in _OPEN_PARAMETERS:
            return found[0]
        quote = '"' if written.startswith('"') else ""
        value = written.strip('"')
        # An AWS credential is a key id and its scope, which is a date, a region and a service.
        key_id, slash, scope = value.partition("/") if name.lower() == "credential" else (value, "", "")
        return f"{name}{equals}{quote}{self.of(key_id)}{slash}{scope}{quote}"

    def _card_as_number(self, value: Any) -> Any:
        if isinstance(value, int) and is_card_number(str(value)):
            return int(self.card(str(value)))
        return value
