"""A fingerprint tells a stub file that somebody edited from one that nobody touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockforge.learning.fingerprints import body_files, is_untouched
from mockforge.learning.learn import Learned
from mockforge.stubfiles.reader import read_service
from mockforge.stubfiles.writer import write_service
from tests.unit.learning.made import exchange, learn


def written(folder: Path) -> tuple[Learned, str, dict[str, bytes]]:
    """A learned stub with variants and one with a long body, written; the first one's file and all bodies."""
    learned = learn(
        [
            *(exchange(f"GET /orders/{number}", {"v": number**3}) for number in range(5)),
            exchange("GET /page", b"x" * 3_000, headers={"Content-Type": "text/plain"}),
        ]
    )
    write_service(learned.service, folder, comments=learned.comments)
    bodies = {path.name: path.read_bytes() for path in (folder / "__files").iterdir()}
    return learned, (folder / "mappings" / "get-orders-id.yaml").read_text(), bodies


def test_files_that_were_just_written_are_untouched_and_read_back(tmp_path: Path) -> None:
    learned, _, bodies = written(tmp_path / "shop")
    texts = [path.read_text() for path in (tmp_path / "shop" / "mappings").iterdir()]
    assert all(is_untouched(text, bodies) for text in texts)
    assert {name for text in texts for name in body_files(text)} == bodies.keys()
    assert read_service(tmp_path / "shop").stubs == learned.service.stubs


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("status: 200", "status: 201"),
        ("# learned from", "# checked by hand; learned from"),
        ("name: GET", "# mine\nname: GET"),
        ("metadata:", "priority: 3\nmetadata:"),
        ("  learned:", "  owner: me\n  learned:"),
    ],
)
def test_any_edit_shows_even_of_a_comment(tmp_path: Path, old: str, new: str) -> None:
    _, text, bodies = written(tmp_path / "shop")
    assert old in text
    assert not is_untouched(text.replace(old, new, 1), bodies)
    assert not is_untouched(text + "# mine\n", bodies)


def test_an_edited_or_missing_body_shows(tmp_path: Path) -> None:
    _, text, bodies = written(tmp_path / "shop")
    (name,) = body_files(text)
    assert not is_untouched(text, {**bodies, name: bodies[name] + b"\n"})
    assert not is_untouched(text, {})


def test_a_file_by_hand_has_none() -> None:
    assert not is_untouched("name: a\nrequest: GET /a\n", {})
