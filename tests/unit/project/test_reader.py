"""A project's file is read in full, or every problem is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockforge.errors import StubFileError, UsageError
from mockforge.project.reader import Project, ProjectService, find_project, read_project

ORDERS = "services: [{name: orders, port: 8081}]\n"


def project(folder: Path, text: str) -> Project:
    (folder / "mockforge.yaml").write_text(text)
    return read_project(folder / "mockforge.yaml")


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(StubFileError) as refused:
        project(folder, text)
    return [line.removeprefix(f"{folder}/mockforge.yaml") for line in refused.value.problems]


def test_a_service_has_its_stubs_in_a_folder_of_its_name_beside_the_file(tmp_path: Path) -> None:
    read = project(tmp_path, ORDERS)
    assert read.services == (ProjectService("orders", 8081, tmp_path / "stubs" / "orders"),)
    assert (read.tolerances, read.redaction) == ((), None)


def test_all_keys_of_a_service_are_read(tmp_path: Path) -> None:
    written = "{name: o.1, port: 0, host: '*.Orders.local', stubs: s, upstream: 'http://a:1', seed: 7}"
    (service,) = project(tmp_path, f"services: [{written}]").services
    assert service == ProjectService("o.1", 0, tmp_path / "s", "*.orders.local", "http://a:1", 7)


def test_every_problem_is_told_with_its_line_and_what_would_work(tmp_path: Path) -> None:
    text = """
services:
  - name: or ders
    port: 8081
    stub: x
  - port: 99999
tolerance: 1
"""
    assert problems(tmp_path, text) == [
        ":3: services[0].name: 'or ders' is not a service's name (letters, digits, . _ and -)",
        ":5: services[0].stub: unknown key 'stub', did you mean 'stubs'?",
        ":6: services[1].name: is missing (such as {name: orders, port: 8081, stubs: stubs/orders})",
        ":6: services[1].port: must be at most 65535, not 99999",
        ":7: tolerance: unknown key 'tolerance', did you mean 'tolerances'?",
    ]


def test_callers_of_a_port_can_be_told_apart(tmp_path: Path) -> None:
    text = """
services:
  - {name: orders, port: 8081}
  - {name: payments, port: 8081, host: payments.local}
  - {name: stock, port: 8081, host: Payments.local}
  - {name: orders, port: 0}
  - {name: more, port: 0}
"""
    assert problems(tmp_path, text) == [
        ":5: services[2].port: port 8081 is that of payments too "
        "(give it a port of its own, or a host: of its own)",
        ":6: services[3].name: orders stands twice, first at "
        f"{tmp_path}/mockforge.yaml:3 (names must differ)",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "tolerances: {p95: 10%, GET /orders/{id}: {p99: 0.25}}",
        "tolerances: ['p95=10%', 'GET /orders/{id}: p99=0.25']",
    ],
)
def test_tolerances_are_what_compare_takes(tmp_path: Path, text: str) -> None:
    read = project(tmp_path, ORDERS + text.replace("GET /orders/{id}: {", "'GET /orders/{id}': {"))
    assert read.tolerances == ("p95=10%", "GET /orders/{id}: p99=0.25")


def test_a_tolerance_that_cannot_be_is_refused_at_its_line(tmp_path: Path) -> None:
    first, second = problems(tmp_path, f"{ORDERS}tolerances:\n  p95: 10%\n  p9x: 3%\n  gap: wide\n")
    assert first.startswith(":4: tolerances.p9x: tolerance 'p9x=3%': no metric p9x (did you mean p9")
    assert second.startswith(":5: tolerances.gap: tolerance 'gap=wide'")
    (only,) = problems(tmp_path, f"{ORDERS}tolerances: 10%\n")
    assert only == ":2: tolerances: must be a mapping or a list, not '10%'"


def test_redaction_is_rules_or_their_file(tmp_path: Path) -> None:
    rules = project(tmp_path, f"{ORDERS}redaction: {{headers: [X-Sig]}}").redaction
    assert rules is not None
    assert rules.headers == ("X-Sig",)
    (tmp_path / "r.yaml").write_text("headers: [X-Other]")
    rules = project(tmp_path, f"{ORDERS}redaction: r.yaml").redaction
    assert rules is not None
    assert rules.headers == ("X-Other",)
    assert problems(tmp_path, f"{ORDERS}redaction:\n  heders: [X]\n") == [
        ":3: redaction.heders: unknown key 'heders', did you mean 'headers'?"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ": is empty"),
        ("[1]", ": holds a list, not a project"),
        ("services: []", ":1: services: the list is empty"),
        ("{", ":2: is not YAML"),
    ],
)
def test_what_is_no_project_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert problems(tmp_path, text)[0].startswith(said)


def test_a_file_that_is_missing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StubFileError, match=r"none.yaml: cannot be read: No such file"):
        read_project(tmp_path / "none.yaml")


def test_the_project_of_the_working_directory_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_project(None) is None
    project(tmp_path, ORDERS)
    found = find_project(None)
    assert found is not None
    assert [each.name for each in found.only(("orders",))] == ["orders"]
    with pytest.raises(UsageError, match=r"has no service 'order'.*known: orders"):
        found.only(("order",))
