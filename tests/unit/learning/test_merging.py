"""A new recording into a folder that people have edited: nothing that somebody wrote is lost."""

from __future__ import annotations

from pathlib import Path

from mockforge.learning.learn import Learned
from mockforge.learning.merging import Folder, Merge, merge
from mockforge.stubfiles.writer import write_service
from tests.unit.learning.made import exchange, learn


def shop(answered: int, *paths: str) -> Learned:
    return learn([exchange(f"GET {path}/{n}", {"v": answered * n**3}) for path in paths for n in range(5)])


def folder_of(learned: Learned, root: Path) -> Folder:
    write_service(learned.service, root, comments=learned.comments)
    files = {
        each.relative_to(root).as_posix(): each.read_bytes() for each in root.rglob("*") if each.is_file()
    }
    names = [stub.name for stub in learned.service.stubs]
    mappings = sorted(path for path in files if path.startswith("mappings/"))
    requests = {stub.name: stub.request for stub in learned.service.stubs}
    return Folder(files, {path: (name,) for path, name in zip(mappings, names, strict=True)}, requests)


def edited(folder: Folder, path: str, old: str, new: str) -> Folder:
    changed = folder.files[path].decode().replace(old, new).encode()
    assert changed != folder.files[path]
    return Folder({**folder.files, path: changed}, folder.stubs)


def verdicts(merged: Merge) -> dict[str, str]:
    return {verdict.stub: verdict.what for verdict in merged.verdicts}


def test_untouched_stubs_are_updated_and_edited_ones_kept(tmp_path: Path) -> None:
    before = edited(
        folder_of(shop(1, "/a", "/b"), tmp_path / "one"),
        "mappings/get-a-id.yaml",
        "# learned",
        "# mine; learned",
    )
    merged = merge(before, folder_of(shop(2, "/a", "/b", "/c"), tmp_path / "two"))
    assert verdicts(merged) == {"GET /a/{id}": "kept", "GET /b/{id}": "updated", "GET /c/{id}": "new"}
    assert "mappings/get-a-id.yaml" not in merged.writes
    assert "__files/get-a-id.success.jsonl" not in merged.writes
    assert b'"v":128' in merged.writes["__files/get-b-id.success.jsonl"]
    assert {"mappings/get-c-id.yaml", "__files/get-c-id.success.jsonl"} <= merged.writes.keys()
    assert {
        "learned/mappings/get-a-id.yaml",
        "learned/__files/get-a-id.success.jsonl",
    } <= merged.writes.keys()
    assert not merged.removes


def test_an_edited_body_is_an_edit(tmp_path: Path) -> None:
    before = edited(
        folder_of(shop(1, "/a"), tmp_path / "one"), "__files/get-a-id.success.jsonl", '"v":8', '"v":9'
    )
    assert verdicts(merge(before, folder_of(shop(2, "/a"), tmp_path / "two"))) == {"GET /a/{id}": "kept"}


def test_the_same_recording_again_changes_nothing(tmp_path: Path) -> None:
    before = folder_of(shop(1, "/a", "/b"), tmp_path / "one")
    merged = merge(before, folder_of(shop(1, "/a", "/b"), tmp_path / "two"))
    assert set(verdicts(merged).values()) == {"unchanged"}
    assert not merged.writes


def test_what_this_recording_lacks_stays(tmp_path: Path) -> None:
    before = folder_of(shop(1, "/a", "/b"), tmp_path / "one")
    merged = merge(before, folder_of(shop(1, "/b"), tmp_path / "two"))
    assert verdicts(merged) == {"GET /a/{id}": "gone", "GET /b/{id}": "unchanged"}
    assert not merged.writes
    assert not merged.removes


def test_a_stub_by_hand_of_the_same_name_is_kept_whatever_its_file(tmp_path: Path) -> None:
    before = Folder(
        {"service.yaml": b"service: {name: shop}\n", "all.yaml": b"mappings: []\n"},
        {"all.yaml": ("GET /a/{id}", "mine")},
    )
    merged = merge(before, folder_of(shop(1, "/a"), tmp_path / "two"))
    assert verdicts(merged) == {"GET /a/{id}": "kept"}
    assert set(merged.writes) == {"learned/mappings/get-a-id.yaml", "learned/__files/get-a-id.success.jsonl"}


def test_a_new_stub_takes_no_others_file_nor_its_bodies(tmp_path: Path) -> None:
    mine = b"name: mine\nresponse: {bodyFileName: get-a-id.success.jsonl}\n"
    before = Folder(
        {"mappings/get-a-id.yaml": mine, "__files/get-a-id.success.jsonl": b"mine"},
        {"mappings/get-a-id.yaml": ("mine",)},
    )
    merged = merge(before, folder_of(shop(1, "/a"), tmp_path / "two"))
    assert verdicts(merged) == {"GET /a/{id}": "kept"}
    assert not {"mappings/get-a-id.yaml", "__files/get-a-id.success.jsonl"} & merged.writes.keys()


def test_bodies_that_no_stub_names_any_more_go_and_so_does_what_lay_aside(tmp_path: Path) -> None:
    before = folder_of(shop(1, "/a"), tmp_path / "one")
    before = Folder({**before.files, "learned/mappings/old.yaml": b"old"}, before.stubs)
    static = learn([exchange(f"GET /a/{n}", {"v": 1}) for n in range(5)])
    merged = merge(before, folder_of(static, tmp_path / "two"))
    assert verdicts(merged) == {"GET /a/{id}": "updated"}
    assert merged.removes == {"__files/get-a-id.success.jsonl", "learned/mappings/old.yaml"}


def test_a_stub_that_somebody_renamed_does_not_come_again(tmp_path: Path) -> None:
    before = folder_of(shop(1, "/a"), tmp_path / "one")
    (path,) = before.stubs
    mine = before.files[path].replace(b"name: GET /a/{id}", b"name: an article")
    renamed = Folder(
        {**before.files, path: mine}, {path: ("an article",)}, {"an article": before.requests["GET /a/{id}"]}
    )
    merged = merge(renamed, folder_of(shop(2, "/a"), tmp_path / "two"))
    (verdict,) = merged.verdicts
    assert (verdict.what, verdict.stub) == ("kept", "GET /a/{id}")
    assert verdict.note == f"it is 'an article' here; what was learned is learned/{path}"
    assert all(name.startswith("learned/") for name in merged.writes)
