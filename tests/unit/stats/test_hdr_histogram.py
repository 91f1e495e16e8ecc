"""HdrHistogram's compressed form gives back the values, to its digits."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from mockforge.stats.hdr_histogram import decode
from tests.unit.report.readers.writers import hdr_histogram

#: 1, 2, 3, 1000, 2047, 2048, 5000, 123456 and 87654321, each once, as HdrHistogram_py 0.10.8 encodes them
#: (1 to 3,600,000,000,000, three digits).
PUBLISHED = b"HISTFAAAADZ4nJNpmSzMwMAgygABzFCaEch0M9ixgMH+A1SAiYnpOD/TagEmpoPCTKe9mO5OY2QCANrECWE="


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_values_come_back_to_their_digits(digits: int) -> None:
    written = [0, 1, 17, 999, 1_000, 2_047, 2_048, 123_456, 987_654_321, 987_654_321]
    values, counts = decode(hdr_histogram(written, digits))
    assert np.repeat(values, counts) == pytest.approx(sorted(written), rel=10**-digits)
    assert counts.sum() == len(written)


def test_what_another_program_encoded_is_read() -> None:
    values, counts = decode(PUBLISHED)
    assert counts.tolist() == [1] * 9
    assert values == pytest.approx([1, 2, 3, 1_000, 2_047, 2_048, 5_000, 123_456, 87_654_321], rel=1e-3)


@pytest.mark.parametrize(
    "text",
    [b"", b"not base64!", b"AAAA", base64.b64encode(b"\x1c\x84\x93\x14\0\0\0\x04abcd"), PUBLISHED[:-8]],
)
def test_what_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"no compressed histogram|cut"):
        decode(text)
