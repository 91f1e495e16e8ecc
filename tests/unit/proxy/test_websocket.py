"""Frame lengths, whatever the reads."""

from __future__ import annotations

import pytest

from mockforge.proxy.websocket import FrameLengths
from tests.unit.proxy.harness import websocket_frame

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 3]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("step", [1, 2, 13, 4096, 10**6])
def test_every_frame_is_told_once_with_the_length_of_its_payload(masked: bool, step: int) -> None:
    data = b"".join(websocket_frame(bytes(size), masked=masked) for size in SIZES)
    frames = FrameLengths()
    told = [size for at in range(0, len(data), step) for size in frames.feed(data[at : at + step])]
    assert told == SIZES


def test_a_frame_is_told_when_its_last_byte_is_there() -> None:
    frames = FrameLengths()
    assert frames.feed(websocket_frame(b"abc")[:-1]) == []
    assert frames.feed(b"c") == [3]
