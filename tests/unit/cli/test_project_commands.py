"""What commands make of a project before anything is started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mockforge.cli.check import check
from mockforge.cli.project_options import tolerances_of
from mockforge.cli.record import record
from mockforge.cli.serve import serve
from mockforge.cli.serving import Serving, ServingOptions
from mockforge.errors import StubFileError, UsageError
from mockforge.project.reader import ProjectService


def project(folder: Path, text: str) -> Path:
    (folder / "mockforge.yaml").write_text(text)
    return folder / "mockforge.yaml"


def test_check_and_serve_tell_every_problem_of_every_service(tmp_path: Path) -> None:
    file = project(tmp_path, "services: [{name: a, port: 1}, {name: b, port: 2}]")
    for name in ("a", "b"):
        (tmp_path / "stubs" / name).mkdir(parents=True)
        (tmp_path / "stubs" / name / "x.yaml").write_text("request: GET /x\nresponse: {statu: 200}")
    for command in (check, serve):
        with pytest.raises(StubFileError) as refused:
            command(project=file)
        assert [line.split(": ", 1)[0] for line in refused.value.problems] == [
            f"{tmp_path}/stubs/{name}/x.yaml:2" for name in ("a", "b")
        ]


def test_check_says_what_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stubs" / "a").mkdir(parents=True)
    (tmp_path / "stubs" / "a" / "x.yaml").write_text("request: GET /x\nresponse: {}")
    check(project=project(tmp_path, "services: [{name: a, port: 1}, {name: b, port: 2, stubs: stubs/a}]"))
    said = capsys.readouterr().out
    assert "mockforge.yaml: 2 services, valid" in said
    assert said.count("1 stub, valid") == 1


def test_a_backend_that_cannot_be_recorded_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="orders has no upstream to record"):
        record(project=project(tmp_path, "services: [{name: orders, port: 8081}]"))
    hosts = ", ".join(
        f"{{name: {name}, port: 8081, host: {name}.local, upstream: 'http://{name}'}}" for name in "ab"
    )
    with pytest.raises(UsageError, match=r"b and a share port 8081.*--only b"):
        record(project=project(tmp_path, f"services: [{hosts}]"))


@pytest.mark.parametrize("command", [serve, check])
def test_where_there_is_no_project_it_is_said_what_to_give(
    command: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"there is no mockforge.yaml here \(give stubs, such as"):
        command()


def test_a_project_and_what_it_says_exclude_each_other(tmp_path: Path) -> None:
    file = project(tmp_path, "services: [{name: a, port: 1}]")
    with pytest.raises(UsageError, match="exclude each other"):
        serve(tmp_path, project=file)
    with pytest.raises(UsageError, match="--port 8080 goes with stubs"):
        serve(port=8080, project=file)
    with pytest.raises(UsageError, match="has no service 'b'"):
        serve(project=file, only=["b"])
    with pytest.raises(UsageError, match="--only goes with a project"):
        record(["http://127.0.0.1:1"], only=["a"])


def test_tolerances_of_the_command_line_go_before_the_projects(tmp_path: Path) -> None:
    text = "services: [{name: a, port: 1}]\ntolerances: {p95: 10%, p99: 30%}\ntoleranceFloorMilliseconds: 4"
    file = project(tmp_path, text)
    tolerances = tolerances_of(file, ["p95=20%"], None)
    assert (tolerances.of("x", "p95"), tolerances.of("x", "p99")) == (0.2, 0.3)
    assert (tolerances.floor_ms, tolerances_of(file, [], 2).floor_ms) == (4, 2)


def test_the_draws_of_a_service_are_its_own_whichever_others_are_served(tmp_path: Path) -> None:
    entries = [ProjectService(name, 0, tmp_path) for name in ("a", "b")]

    def seeds(*served: ProjectService, seed: int | None = 5) -> dict[str, int]:
        serving = Serving(ServingOptions(seed=seed))
        serving.read(served)
        for port in serving.listen():
            port.sock.close()
        return {each.name: each.seed for each in serving.listed}

    both = seeds(*entries)
    assert both["a"] != both["b"]
    assert seeds(entries[1]) == {"b": both["b"]}
    assert seeds(ProjectService("", 0, tmp_path)) == {tmp_path.name: 5}
    own = ProjectService("a", 0, tmp_path, seed=9)
    assert (seeds(own), seeds(own, seed=None)) == ({"a": both["a"]}, {"a": 9})
