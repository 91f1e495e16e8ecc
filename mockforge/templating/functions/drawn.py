"""What is drawn from the service's seeded generator."""

from __future__ import annotations

import functools
import importlib
import string
from collections.abc import Sequence
from random import Random
from typing import Any

from mockforge.templating.budget import RENDERING

__all__ = [
    "fake",
    "random_bool",
    "random_choice",
    "random_float",
    "random_hex",
    "random_int",
    "random_string",
    "shuffled",
    "uuid",
]

_ALPHABETS = {
    "alphanumeric": string.ascii_letters + string.digits,
    "alphabetic": string.ascii_letters,
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
    "hex": string.digits + "abcdef",
    "printable": string.ascii_letters + string.digits + string.punctuation,
}
_LONGEST = 10_000
#: The bits of a UUID that are drawn, and those that say its version and variant (RFC 9562 §5.4).
_UNVERSIONED = (1 << 128) - 1 & ~(0xF << 76 | 0x3 << 62)
_VERSION_4 = 0x4 << 76 | 0x2 << 62


def _random() -> Random:
    return RENDERING.get().memory.random


def random_int(low: int = 0, high: int = 100) -> int:
    """A whole number from `low` to `high`, both included."""
    return _random().randint(low, high)


def random_float(low: float = 0.0, high: float = 1.0, digits: int | None = None) -> float:
    """A number from `low` to `high`, rounded to `digits` where they are given."""
    drawn = _random().uniform(low, high)
    return drawn if digits is None else round(drawn, min(digits, 17))


def random_bool(probability: float = 0.5) -> bool:
    """True with this probability."""
    return _random().random() < probability


def random_choice(values: Sequence[Any]) -> Any:
    """One of a list's elements."""
    return _random().choice(values)


def shuffled(values: Sequence[Any]) -> list[Any]:
    """A list's elements in a drawn order."""
    return _random().sample(values, len(values))


def random_string(length: int = 16, alphabet: str = "alphanumeric") -> str:
    """Letters of an alphabet: `alphanumeric`, `alphabetic`, `lower`, `upper`, `numeric`, `hex`, `printable`,
    or the letters themselves.
    """
    if not 0 <= length <= _LONGEST:
        raise ValueError(f"a length is from 0 to {_LONGEST:,}")
    return "".join(_random().choices(_ALPHABETS.get(alphabet, alphabet), k=length))


def random_hex(length: int = 32) -> str:
    """Hexadecimal digits."""
    return random_string(length, "hex")


def uuid() -> str:
    """A UUID of version 4."""
    drawn = _random().getrandbits(128) & _UNVERSIONED | _VERSION_4
    digits = f"{drawn:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def fake(kind: str, *args: Any, locale: str = "en_US", **options: Any) -> Any:
    """Made-up data, by a provider of Faker: `fake('name')`, `fake('address', locale='de_DE')`."""
    provider = getattr(_faker(locale), kind, None) if kind.isidentifier() and kind[0] != "_" else None
    if kind in _NO_PROVIDERS or not callable(provider):
        raise ValueError(f"{kind!r} is no provider of Faker")
    _faker(locale).random = _random()
    drawn = provider(*args, **options)
    return drawn if isinstance(drawn, str | int | float | bool | list | dict | None) else str(drawn)


#: Methods of Faker that make no data, or that make as much as they are asked for.
_NO_PROVIDERS = frozenset({
    "add_provider", "binary", "csv", "del_arguments", "dsv", "enum", "format", "get_arguments",
    "get_formatter", "get_providers", "image", "json_bytes", "parse", "provider", "psv", "pystr",
    "seed", "seed_instance", "seed_locale", "set_arguments", "set_formatter", "tar", "tsv", "xml",
    "zip",
})  # fmt: skip


@functools.lru_cache(maxsize=16)
def _faker(locale: str) -> Any:
    try:
        faker = importlib.import_module("faker")
    except ImportError:
        raise ValueError("fake data needs Faker: pip install 'mockforge-server[fake]'") from None
    try:
        return faker.Factory.create(locale)
    except AttributeError:
        raise ValueError(f"{locale!r} is no locale of Faker") from None
