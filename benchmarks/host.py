"""The machine and the programs that a result was measured with."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.peers import mountebank_command, version_in, wiremock_command
from benchmarks.processes import NotRunError, kibibytes

__all__ = ["machine", "processor", "software"]

_PACKAGES = ("uvicorn", "httptools", "uvloop")


def machine() -> tuple[tuple[str, str], ...]:
    """Processor, memory and system, as names and values."""
    cores = len(os.sched_getaffinity(0))
    memory = kibibytes(_text("/proc/meminfo"), "MemTotal") / 1024**2
    return (
        ("processor", f"{processor(_text('/proc/cpuinfo'))}, {cores} cores"),
        ("memory", f"{memory:.0f} GiB"),
        ("system", f"{_distribution()}, Linux {platform.release()}, {platform.machine()}"),
    )


def processor(cpuinfo: str) -> str:
    """The processor's name and, since some names say little, its family and model numbers."""
    found: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    name = found.get("model name", platform.machine())
    if "cpu family" in found and "model" in found:
        name += f" (family {found['cpu family']}, model {found['model']})"
    return name + (", virtual machine" if "hypervisor" in found.get("flags", "").split() else "")


def software() -> tuple[tuple[str, str], ...]:
    """Programs and their versions, as names and values; what is not installed is left out."""
    python = f"{platform.python_version()} ({', '.join(f'{name} {_package(name)}' for name in _PACKAGES)})"
    found = [
        ("MockForge", _package("mockforge-server")),
        ("Python", python),
        ("wrk", _said(["wrk", "-v"])),
        ("nginx", _said(["nginx", "-v"])),
    ]
    for name, command in (("WireMock", wiremock_command), ("mountebank", mountebank_command)):
        try:
            start = command()
        except NotRunError:
            continue
        runtime = Path(start[0]).name
        by = f" on {runtime} {_said([start[0], '--version'])}" if len(start) > 1 else ""
        found.append((name, _said([*start, "--version"]) + by))
    return tuple((name, value) for name, value in found if value)


def _said(command: Sequence[str]) -> str:
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return version_in(done.stdout + done.stderr)


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"


def _text(file: str) -> str:
    try:
        return Path(file).read_text()
    except OSError:
        return ""
