"""Pseudonyms: what stands in a secret's place.

A pseudonym is made from HMAC-SHA256 (RFC 2104) over the secret under the project's key. So equal secrets have
equal pseudonyms wherever they stand, and without the key nobody finds the secret by trying values.

It looks like what it replaces: hexadecimal digits stay hexadecimal, a UUID stays a UUID, a card number keeps
its length and passes the Luhn test. And it is recognised: its last characters are a check, an HMAC of the
others, so that redacting twice is redacting once. A real value passes the check of its shape by chance, and
is left, once in 2³³ or less often; a number or a card number, which has few digits, once in a million (a
card number of less than 16 digits: in 100,000).
"""

from __future__ import annotations

import hmac
import re
import string
from dataclasses import dataclass

__all__ = ["Pseudonyms", "passes_luhn"]

_LONGEST = 1024
_HEX = re.compile(r"[0-9a-f]{8,}|[0-9A-F]{8,}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_EMAIL = re.compile(r"u-[0-9a-f]{16}@example\.invalid", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
#: White space, and line ends as JSON writes them.
_BETWEEN_LINES = re.compile(r"\\[rn]|\s")
#: The digits of JSON numbers: all programs hold 15 of them exactly.
_NUMBER_LENGTH = 15
_CARD_CHECK = {13: 5, 14: 5, 15: 5}
_WIDEST_CARD_CHECK = 6


def _table(alphabet: str) -> bytes:
    """Bytes to characters of `alphabet`, for `bytes.translate`."""
    return bytes(ord(alphabet[number % len(alphabet)]) for number in range(256))


@dataclass(frozen=True, slots=True)
class _Shape:
    """An alphabet, the alphabet of the first character, by which shapes are told apart, and lengths.

    `check` is the number of last characters that check the others.
    """

    first: bytes
    rest: bytes
    check: int
    shortest: int


_DECIMAL = _Shape(_table(string.digits), _table(string.digits), 10, 24)
_NUMBER = _Shape(_table("123456789"), _table(string.digits), 6, _NUMBER_LENGTH)
_LOWER_HEX = _Shape(_table("abcdef"), _table("0123456789abcdef"), 10, 24)
_UPPER_HEX = _Shape(_table("ABCDEF"), _table("0123456789ABCDEF"), 10, 24)
_WORD = _Shape(
    _table(string.ascii_letters[6:26] + string.ascii_letters[32:]),
    _table(string.ascii_letters + string.digits),
    6,
    20,
)
_ACCESS_KEY = _Shape(_table(string.ascii_uppercase), _table(string.ascii_uppercase + "234567"), 7, 16)


class Pseudonyms:
    """Pseudonyms under one key; each method leaves a pseudonym of its own kind and key as it is."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def opaque(self, value: str) -> str:
        """For a secret without a form of its own: digits, hexadecimal, a UUID or letters and digits.

        As long as the secret, but no shorter than 20 characters, which keeps pseudonyms apart, and no longer
        than 1,024.
        """
        if not value:
            return value
        if _UUID.fullmatch(value):
            return self._uuid(value)
        bare = value.rstrip("=")
        padding = value[len(bare) :] if len(value) - len(bare) <= 2 and len(bare) >= _WORD.shortest else ""
        body = value[: len(value) - len(padding)]
        shape = _shape_of(body)
        if self._is_made(shape, body):
            return value
        length = min(max(len(body), shape.shortest), _LONGEST)
        return self._make(shape, "secret", value, length) + padding

    def number(self, digits: str) -> str:
        """For a number that is secret itself: a whole number of 15 digits."""
        if self._is_made(_NUMBER, digits) and len(digits) == _NUMBER_LENGTH:
            return digits
        return self._make(_NUMBER, "number", digits, _NUMBER_LENGTH)

    def email(self, address: str) -> str:
        """For an e-mail address, in whatever case it is written."""
        if _EMAIL.fullmatch(address):
            return address
        return f"u-{self._stream('email', address.lower(), 8).hex()}@example.invalid"

    def card(self, digits: str) -> str:
        """For the digits of a payment card: the first one stays, and the Luhn test is passed."""
        check = _CARD_CHECK.get(len(digits), _WIDEST_CARD_CHECK)
        if digits[:-1] == self._checked(digits[: -1 - check], check) and passes_luhn(digits):
            return digits
        free = len(digits) - 2 - check
        body = digits[0] + self._stream("card", digits, free).translate(_DECIMAL.rest).decode()
        made = self._checked(body, check)
        return next(made + last for last in string.digits if passes_luhn(made + last))

    def access_key(self, key_id: str) -> str:
        """For an access key id as AWS has them: four letters that say its kind, which stay, and 16 others."""
        kind, own = key_id[:4], key_id[4:]
        return key_id if self._is_made(_ACCESS_KEY, own) else kind + self._make(_ACCESS_KEY, kind, own, 16)

    def key_block(self, content: str) -> str:
        """For the lines of a private key: one line of base64, with the line ends that they have."""
        bare = _BETWEEN_LINES.sub("", content)
        if not bare or (len(bare) == 64 and self._is_made(_WORD, bare)):
            return content
        line_end = next((each for each in ("\r\n", "\n", "\\r\\n", "\\n") if each in content), " ")
        return line_end + self._make(_WORD, "private key", bare, 64) + line_end

    def _uuid(self, value: str) -> str:
        """Version and variant, the digits 13 and 17, stay."""
        digits = value.replace("-", "")
        shape = _UPPER_HEX if digits.upper() == digits else _LOWER_HEX
        if self._is_made(shape, digits[:12] + digits[13:16] + digits[17:]):
            return value
        made = self._make(shape, "uuid", value.lower(), 30)
        whole = made[:12] + digits[12] + made[12:15] + digits[16] + made[15:]
        return "-".join((whole[:8], whole[8:12], whole[12:16], whole[16:20], whole[20:]))

    def _make(self, shape: _Shape, kind: str, value: str, length: int) -> str:
        stream = self._stream(kind, value, length - shape.check)
        body = stream[:1].translate(shape.first) + stream[1:].translate(shape.rest)
        return (body + self._stream("check", body.decode(), shape.check).translate(shape.rest)).decode()

    def _is_made(self, shape: _Shape, text: str) -> bool:
        """Whether `text` is a pseudonym of that shape."""
        if not shape.shortest <= len(text) <= _LONGEST or not text.isascii():
            return False
        if ord(text[0]) not in shape.first:
            return False
        check = self._stream("check", text[: -shape.check], shape.check).translate(shape.rest)
        return text[-shape.check :] == check.decode()

    def _checked(self, body: str, check: int) -> str:
        return body + self._stream("check card", body, check).translate(_DECIMAL.rest).decode()

    def _stream(self, kind: str, value: str, length: int) -> bytes:
        """`length` bytes that only the key, the kind and the value determine."""
        message = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        stream = hmac.digest(self._key, message, "sha256")
        while len(stream) < length:
            stream += hmac.digest(self._key, stream[-32:] + message, "sha256")
        return stream[:length]


def _shape_of(value: str) -> _Shape:
    if _DIGITS.fullmatch(value):
        return _DECIMAL
    if _HEX.fullmatch(value):
        return _UPPER_HEX if value.upper() == value else _LOWER_HEX
    return _WORD


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


_DOUBLED = [sum(divmod(2 * digit, 10)) for digit in range(10)]
