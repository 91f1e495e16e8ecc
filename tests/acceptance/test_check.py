"""`mockforge check` as a user runs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from mockforge.engine import Engine, compile_service
from mockforge.model.request import RequestView
from mockforge.stubfiles.reader import read_service

PAGE = Path(__file__).parents[2] / "docs" / "stub-files.md"


def check(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mockforge", "check", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        check=False,
    )


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    """The folder that the documentation shows."""
    for name, content in re.findall(r"^```\w+ (\S+)\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.M):
        file = tmp_path / "stubs" / "orders" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    return Path("stubs/orders")


def test_valid_stubs_are_counted(tmp_path: Path, stubs: Path) -> None:
    done = check(stubs, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "stubs/orders: 4 stubs, 1 with variants (2 rows), valid\n",
        "",
    )


def test_the_documented_folder_can_be_served(tmp_path: Path, stubs: Path) -> None:
    compiled = compile_service(read_service(tmp_path / stubs))
    names = ["get-order", "new-order", "quote", "search as JSON"]
    assert [stub.name for stub in compiled.service.stubs] == names


def test_the_documented_matchers_and_templates_do_what_the_page_says(tmp_path: Path, stubs: Path) -> None:
    engine = Engine(compile_service(read_service(tmp_path / stubs)), Random(1))
    order = {
        "items": [{"sku": 'b"17', "count": 1}, {"sku": "c", "count": 4}],
        "customer": {"country": "AT"},
        "currency": "EUR",
        "express": False,
    }

    def post(target: str, body: object) -> tuple[int, bytes]:
        response = engine.decide(RequestView("POST", target, (), json.dumps(body).encode()), 0).response
        return response.status, response.body

    assert post("/orders", order) == (201, b'{"sku":"b\\"17","state":"accepted"}')
    for wrong in ({"items": [{"count": 0}]}, {"customer": {"country": "FR"}}, {"express": True}):
        assert post("/orders", {**order, **wrong})[0] == 404
    status, quote = post("/orders/17/quote", order)
    assert (status, json.loads(quote)) == (
        200,
        {"id": "17", "units": 5, "express": False, "lines": ['b"17', "c"]},
    )
    status, failure = post("/orders/17/quote", {})
    assert status == 500
    assert b"request.json.items | sum" in failure


def test_every_problem_is_a_line_and_the_exit_code_is_2(tmp_path: Path, stubs: Path) -> None:
    (tmp_path / stubs / "mappings" / "bad.json").write_text(
        '{"name": "bad",\n"request": {"urlPaht": "/a"},\n"response": {"status": 2000}}'
    )
    with (tmp_path / stubs / "__files" / "get-order.jsonl").open("a") as rows:
        rows.write('{"status": 404}\n')
    done = check(stubs, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "mockforge: stubs/orders/mappings/bad.json:2: stub 'bad': request.urlPaht: "
        "unknown key 'urlPaht', did you mean 'urlPath'?",
        "mockforge: stubs/orders/mappings/bad.json:3: stub 'bad': response.status: "
        "must be at most 599, not 2000",
        "mockforge: stubs/orders/__files/get-order.jsonl:3: stub 'get-order': when: path.id is missing "
        "(a row gives every parameter that by names)",
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["no"], "no: no such file or folder (give a stub file, or a folder with"),
        (["."], ".: no stub file in this folder (give a stub file, or"),
        ([], "there is no mockforge.yaml here (give stubs, such as mockforge check stubs/orders"),
    ],
)
def test_a_path_without_stubs_is_one_clear_line(tmp_path: Path, arguments: list[str], problem: str) -> None:
    done = check(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"mockforge: {problem}")
    assert len(done.stderr.splitlines()) == 1


def test_the_schema_is_printed(tmp_path: Path) -> None:
    done = check("--schema", cwd=tmp_path)
    schema = json.loads(done.stdout)
    assert done.returncode == 0
    assert schema["title"] == "MockForge stub file"
    assert [each["$ref"] for each in schema["anyOf"]] == ["#/$defs/FileForm", "#/$defs/StubForm"]
