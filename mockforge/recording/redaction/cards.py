"""Payment card numbers: 13 to 19 digits, as they are printed, of a known issuer, that pass the Luhn test."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mockforge.recording.redaction.pseudonyms import Pseudonyms, passes_luhn

__all__ = ["DIGIT_RUN", "card_numbers", "is_card_number", "pseudonym_of_card"]

#: Digits in one, or in groups as they are printed; no part of a word, of a decimal fraction or of a UUID.
DIGIT_RUN = re.compile(
    r"(?<![^\W_])(?<![0-9]\.)(?:[0-9]{13,19}|[0-9]{3,7}(?:[ -][0-9]{3,7}){2,})(?![^\W_])", re.ASCII
)

#: Prefixes and lengths, after the issuers' published ranges: Visa, Mastercard (two), American Express, Diners
#: (two), JCB, Discover (two), UnionPay, Maestro (two), Mir.
_ISSUED = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"
    r"|5[1-5][0-9]{14}"
    r"|(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|3[47][0-9]{13}"
    r"|3(?:0[0-59]|[689][0-9])[0-9]{11,16}"
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12,15}"
    r"|(?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12,15}"
    r"|62[0-9]{14,17}"
    r"|(?:50|5[6-8])[0-9]{14,17}"
    r"|(?:6304|6390|67[0-9]{2})[0-9]{12,15}"
    r"|220[0-4][0-9]{12,15}",
    re.ASCII,
)
_SEPARATORS = re.compile(r"[ -]")
_WHOLE = re.compile(r"(?=(?:[ -]?[0-9]){13,19}\Z)[0-9]+(?:[ -][0-9]{3,7})*", re.ASCII)
_MOST_GROUPS = 6


def is_card_number(text: str) -> bool:
    """Whether the whole text is one card number, with or without separators."""
    if not _WHOLE.fullmatch(text):
        return False
    digits = _SEPARATORS.sub("", text)
    return bool(_ISSUED.fullmatch(digits)) and passes_luhn(digits)


def card_numbers(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where in `text[start:end]` card numbers stand.

    Other groups of digits may stand right before and after one, as in `4111 1111 1111 1111 12 2030`.
    """
    for run in DIGIT_RUN.finditer(text, start, end):
        begins = [run.start()]
        ends = []
        for separator in _SEPARATORS.finditer(text, run.start(), run.end()):
            begins.append(separator.end())
            ends.append(separator.start())
        ends.append(run.end())
        done = run.start()
        for group, begin in enumerate(begins):
            if begin >= done and (last := _longest_from(text, begin, ends[group : group + _MOST_GROUPS])):
                yield begin, last
                done = last


def _longest_from(text: str, begin: int, ends: list[int]) -> int | None:
    """The end of the longest card number that begins there; `ends` are those of the groups from there on."""
    for last in reversed(ends):
        if is_card_number(text[begin:last]):
            return last
    return None


def pseudonym_of_card(text: str, pseudonyms: Pseudonyms) -> str:
    """The pseudonym of a card number, with the separators where they were."""
    digits = iter(pseudonyms.card(_SEPARATORS.sub("", text)))
    return "".join(next(digits) if each.isdigit() else each for each in text)
