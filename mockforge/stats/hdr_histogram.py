"""HdrHistogram's compressed form, version 2: the counts of values to so many significant digits.

A histogram's slots double in width from bucket to bucket. The compressed form is base64 of a cookie, a length
and zlib data; in them are a cookie, the length, the histogram's settings and the counts of the slots as
ZigZag LEB128, a negative number standing for so many empty slots.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["decode"]

_COMPRESSED = 0x1C849304
_PLAIN = 0x1C849303
_KIND = 0xFFFFFF0F
_OUTER = struct.Struct(">ii")
_INNER = struct.Struct(">iiiiqqd")
_LAST_BYTE_SHIFT = 56


def decode(text: bytes) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The values, rising, each the middle of its slot, and their counts; both of shape (n,).

    Raises ValueError where the text is no histogram.
    """
    try:
        raw = base64.b64decode(text, validate=True)
        cookie, size = _OUTER.unpack_from(raw)
        data = zlib.decompress(raw[_OUTER.size : _OUTER.size + size])
        inner, payload, _, digits, lowest, _, ratio = _INNER.unpack_from(data)
    except (binascii.Error, struct.error, zlib.error) as error:
        raise ValueError(f"it is no compressed histogram: {error}") from error
    if cookie & _KIND != _COMPRESSED or inner & _KIND != _PLAIN:
        raise ValueError("it is no compressed histogram of version 2")
    slots, counts = _counts(data[_INNER.size : _INNER.size + payload])
    return _middles(slots, digits, lowest) * (ratio or 1.0), counts


def _counts(payload: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The slots that are not empty, and their counts."""
    slots, counts = [], []
    slot = at = 0
    while at < len(payload):
        number, at = _zigzag(payload, at)
        if number < 0:
            slot -= number
            continue
        if number:
            slots.append(slot)
            counts.append(number)
        slot += 1
    return np.array(slots, dtype=np.int64), np.array(counts, dtype=np.int64)


def _zigzag(payload: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where the next begins: seven bits a byte, a ninth byte has eight."""
    value = shift = 0
    while True:
        if at >= len(payload):
            raise ValueError("its counts are cut")
        byte = payload[at]
        at += 1
        if shift == _LAST_BYTE_SHIFT:
            value |= byte << shift
            break
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    return (value >> 1) ^ -(value & 1), at


def _middles(slots: NDArray[np.int64], digits: int, lowest: int) -> NDArray[np.float64]:
    half_bits = max(math.ceil(math.log2(2 * 10**digits)), 1) - 1
    half = 1 << half_bits
    unit_bits = int(math.log2(max(lowest, 1)))
    bucket = (slots >> half_bits) - 1
    within = (slots & (half - 1)) + half
    first = bucket < 0
    within = np.where(first, within - half, within)
    width = np.left_shift(1, np.where(first, 0, bucket) + unit_bits)
    return np.asarray(within * width + (width >> 1), dtype=np.float64)
