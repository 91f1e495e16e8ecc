"""Pauses are kept short while a replay runs, and the process is left as it was."""

from __future__ import annotations

import gc
import sys

import pytest

from mockforge.process import quiet, room_for_connections


def test_the_interpreter_is_left_as_it_was() -> None:
    before = sys.getswitchinterval(), gc.get_freeze_count()
    with quiet():
        assert sys.getswitchinterval() < before[0]
        assert gc.get_freeze_count() > before[1]
    assert (sys.getswitchinterval(), gc.get_freeze_count()) == before


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    limits = [(256, 1024)]
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda which, pair: limits.append(pair))
    assert room_for_connections(100) == 100
    assert limits == [(256, 1024)]
    assert room_for_connections(4096) == 1024 - 64
    assert limits[-1] == (1024, 1024)
