"""How other tools are found, and what is said when they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.holding import nearest_rank_ms
from benchmarks.host import processor
from benchmarks.peers import NODE_MODULES, mountebank_command, version_in, wiremock_command
from benchmarks.processes import NotRunError


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, with a `java` and a `node`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("java", "node"):
        program(folder / name)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv(NODE_MODULES, str(tmp_path / "node_modules"))
    return folder


def program(file: Path) -> None:
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)


def test_wiremock_is_started_by_the_jar_of_its_package(programs: Path, tmp_path: Path) -> None:
    jar = tmp_path / "node_modules" / "wiremock" / "build" / "wiremock-standalone-3.13.2.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    assert wiremock_command() == [str(programs / "java"), "-jar", str(jar)]


def test_a_wiremock_on_path_is_started_by_its_jar_too_where_it_has_one(
    programs: Path, tmp_path: Path
) -> None:
    package = tmp_path / "lib" / "wiremock"
    (package / "build").mkdir(parents=True)
    program(package / "index.js")
    (programs / "wiremock").symlink_to(package / "index.js")
    assert wiremock_command() == [str(programs / "wiremock")]
    jar = package / "build" / "wiremock-standalone-3.13.2.jar"
    jar.touch()
    assert wiremock_command() == [str(programs / "java"), "-jar", str(jar)]


def test_mountebank_is_started_by_its_package_or_by_mb_on_path(programs: Path, tmp_path: Path) -> None:
    program(programs / "mb")
    assert mountebank_command() == [str(programs / "mb")]
    package = tmp_path / "node_modules" / "@mbtest" / "mountebank"
    package.mkdir(parents=True)
    assert mountebank_command() == [str(programs / "node"), str(package / "bin" / "mb")]


@pytest.mark.usefixtures("programs")
def test_what_is_not_installed_is_named_with_how_to_install_it() -> None:
    with pytest.raises(NotRunError, match="npm install wiremock"):
        wiremock_command()
    with pytest.raises(NotRunError, match="npm install @mbtest/mountebank"):
        mountebank_command()


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("nginx version: nginx/1.22.1", "1.22.1"),
        ("wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer", "4.1.0-3+b2"),
        ("openjdk 17.0.15 2025-04-15\nOpenJDK Runtime", "17.0.15"),
        ("v20.20.2", "20.20.2"),
        ("no number", ""),
    ],
)
def test_versions_are_found_in_what_programs_say(said: str, version: str) -> None:
    assert version_in(said) == version


def test_a_processor_is_named_with_its_model_and_whether_it_is_virtual() -> None:
    lines = [
        "cpu family\t: 6",
        "model\t\t: 207",
        "model name\t: Intel(R) Xeon(R)",
        "flags\t\t: fpu hypervisor",
    ]
    cpuinfo = "\n".join([*lines, "", "model\t\t: 1", ""])
    assert processor(cpuinfo) == "Intel(R) Xeon(R) (family 6, model 207), virtual machine"


def test_a_quantile_that_falls_among_the_unanswered_is_none() -> None:
    latencies_ns = [number * 1_000_000 for number in range(1, 100)]
    assert nearest_rank_ms(latencies_ns, asked=100, quantile=0.99) == 99.0
    assert nearest_rank_ms(latencies_ns, asked=100, quantile=0.5) == 50.0
    assert nearest_rank_ms(latencies_ns, asked=101, quantile=0.99) is None
