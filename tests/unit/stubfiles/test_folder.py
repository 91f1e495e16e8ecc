from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockforge.stubfiles.folder import is_confined


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "..", "", "a\x00b", "a\nb"])
@pytest.mark.parametrize("key", ["bodyFileName: {}", "variants: {{file: {}}}"])
def test_a_file_name_cannot_lead_out_of_files(folder: Any, name: str, key: str) -> None:
    assert not is_confined(name)
    quoted = '"' + name.encode("unicode_escape").decode() + '"'
    problem = folder.problem(f"name: x\nresponse: {{{key.format(quoted)}}}")
    assert "leads out of __files/ (name a file under " in problem


def test_a_symbolic_link_cannot_lead_out_of_files(folder: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    folder.put("__files/inside.txt", "hello")
    (folder.path / "__files" / "out").symlink_to(tmp_path / "secret")
    (folder.path / "__files" / "in").symlink_to("inside.txt")
    problem = folder.problem("name: x\nresponse: {bodyFileName: out}")
    assert problem == (
        "a.yaml:2: stub 'x': response.bodyFileName: 'out' leads out of __files/ by a symbolic link "
        "(copy the file there)"
    )
    assert folder.stub("response: {bodyFileName: in}").responses[0].body.data == b"hello"


def test_files_may_itself_be_a_symbolic_link(folder: Any, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.txt").write_text("hello")
    (folder.path / "__files").symlink_to(tmp_path / "elsewhere")
    assert folder.stub("response: {bodyFileName: a.txt}").responses[0].body.data == b"hello"


def test_a_folder_is_no_body(folder: Any) -> None:
    folder.put("__files/a/b.txt", "hello")
    assert "no such file: " in folder.problem("response: {bodyFileName: a}")
