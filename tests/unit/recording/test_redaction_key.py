"""The project's key: made once, for its owner only, and the same for all."""

from __future__ import annotations

import hashlib
import stat
import threading
from pathlib import Path

import pytest

from mockforge.errors import UsageError
from mockforge.recording.redaction import fingerprint, key_from_hex, load_or_create_key


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / ".mockforge" / "redaction.key"
    key = load_or_create_key(path)
    assert len(key) == 32
    assert load_or_create_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(each.name for each in path.parent.iterdir()) == [".gitignore", "redaction.key"]
    assert (path.parent / ".gitignore").read_text() == "*\n"


def test_in_a_folder_of_other_things_only_the_key_is_made(tmp_path: Path) -> None:
    load_or_create_key(tmp_path / "redaction.key")
    assert [each.name for each in tmp_path.iterdir()] == ["redaction.key"]


def test_two_keys_are_different(tmp_path: Path) -> None:
    assert load_or_create_key(tmp_path / "a") != load_or_create_key(tmp_path / "b")


def test_programs_that_start_together_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / ".mockforge" / "redaction.key"
    together = threading.Barrier(8)
    keys: list[bytes] = []

    def start() -> None:
        together.wait()
        keys.append(load_or_create_key(path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_the_file_holds_what_the_environment_may_hold(tmp_path: Path) -> None:
    key = load_or_create_key(tmp_path / "key")
    assert key_from_hex((tmp_path / "key").read_text(), "MOCKFORGE_REDACTION_KEY") == key


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "00" * 31, "00" * 33])
def test_what_is_no_key_is_refused_without_showing_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(UsageError, match="the redaction key is not 64 hexadecimal digits") as by_text:
        key_from_hex(text, "HERE")
    with pytest.raises(UsageError, match="the redaction key is not 64 hexadecimal digits") as by_file:
        load_or_create_key(tmp_path / "key")
    assert not text or text not in f"{by_text.value} {by_file.value}"


def test_a_key_of_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff" * 32)
    with pytest.raises(UsageError, match="is not 64 hexadecimal digits"):
        load_or_create_key(tmp_path / "key")


def test_a_place_where_no_key_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be read or made: .*MOCKFORGE_REDACTION_KEY"):
        load_or_create_key(tmp_path / "file" / "redaction.key")


def test_the_fingerprint_is_short_and_of_the_key() -> None:
    assert fingerprint(bytes(32)) == hashlib.sha256(bytes(32)).hexdigest()[:8]
