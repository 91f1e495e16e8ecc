"""What `mockforge record` is told: which backends, where to, how much, and what is secret."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mockforge.cli.recordings_redact import redactor_for
from mockforge.errors import UsageError
from mockforge.project.reader import Project, ProjectService
from mockforge.recording.bounds import Bounds
from mockforge.recording.redaction import RedactionRules, Redactor, rules_from_file
from mockforge.targets import Target, parse_target

__all__ = ["Kept", "Tapped", "kept", "size_of", "tapped", "tapped_services"]

WhenFull = Literal["stop", "drop-bodies"]

_NAMED = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)=(?P<url>https?://.+)")
_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kKMGT]?)i?B?")
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True, slots=True)
class Tapped:
    """One backend, the port that its callers come to, and the recording that it gets."""

    target: Target
    port: int
    path: Path


@dataclass(frozen=True, slots=True)
class Kept:
    """What holds for a whole run: how large recordings may grow, and what is secret in them."""

    bounds: Bounds | None
    rules: RedactionRules | None
    redacted: bool

    def redactor(self, recording: Path) -> Redactor | None:
        """A redactor for one recording, with the key beside it; None where redaction is off."""
        return redactor_for(recording, self.rules, None) if self.redacted else None


def tapped(targets: Sequence[str], port: int, into: Path | None) -> list[Tapped]:
    """The backends of the `--target` options: one URL, or several `NAME=URL@PORT`.

    Raises UsageError where one cannot be read, or names and ports are not their own.
    """
    if not targets:
        raise UsageError("no backend to record", hint="--target http://127.0.0.1:9000")
    if len(targets) == 1 and not _NAMED.fullmatch(targets[0]):
        target = parse_target(targets[0])
        return [Tapped(target, port, into or _default_path(target))]
    several = [_named(text, port if len(targets) == 1 else None) for text in targets]
    names, ports = [name for name, _, _ in several], [str(at) for _, _, at in several]
    for what, values in (("name", names), ("port", ports)):
        repeated = {value for value in values if values.count(value) > 1 and value != "0"}
        if repeated:
            raise UsageError(
                f"the {what} {repeated.pop()} stands twice", hint=f"each --target has a {what} of its own"
            )
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = into or Path("recordings")
    if len(several) == 1 and into is not None:
        return [Tapped(several[0][1], several[0][2], into)]
    return [Tapped(target, at, folder / f"{name}-{stamp}.mfrec") for name, target, at in several]


def tapped_services(services: Sequence[ProjectService], into: Path | None) -> list[Tapped]:
    """The backends of a project's services, each on the port that its mock is served on.

    Raises UsageError for a service without a backend, or that shares its port.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    ports: dict[int, str] = {}
    backends = []
    for service in services:
        if service.upstream is None:
            raise UsageError(
                f"{service.name} has no upstream to record", hint="say it in the project, or --only others"
            )
        other = ports.setdefault(service.port, service.name) if service.port else service.name
        if other != service.name:
            raise UsageError(
                f"{service.name} and {other} share port {service.port}, and a recording takes a port each",
                hint=f"one after the other: --only {service.name}",
            )
        path = (into or Path("recordings")) / f"{service.name}-{stamp}.mfrec"
        backends.append(Tapped(parse_target(service.upstream), service.port, path))
    return backends


def _named(text: str, port: int | None) -> tuple[str, Target, int]:
    """Name, target and port of `NAME=URL@PORT`; the last may be left to `port`."""
    found = _NAMED.fullmatch(text)
    url, at = (found["url"], None) if found else ("", None)
    if found and "@" in url and (last := url.rpartition("@"))[2].isdigit():
        url, at = last[0], int(last[2])
    if not found or (at is None and port is None):
        raise UsageError(
            f"--target {text} cannot be read among several",
            hint="such as orders=http://127.0.0.1:9000@8080 payments=http://127.0.0.1:9001@8081",
        )
    return found["name"], parse_target(url), port or 0 if at is None else at


def _default_path(target: Target) -> Path:
    name = f"{target.host}-{target.port}".replace(":", "_")
    return Path("recordings", f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.mfrec")


def size_of(text: str) -> int:
    """Bytes of `500MB`, `2G` or `1048576`; raises UsageError for what is no size."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is not a size", hint="such as 500MB or 2GB")
    return int(float(found["number"]) * _UNITS[found["unit"].upper()])


def kept(
    rules: Path | None, project: Project | None, *, off: bool, most: str | None, when_full: WhenFull
) -> Kept:
    """What is kept: within a bound, by the rules of the file, else the project's, else the defaults.

    Raises UsageError where the two options exclude each other, or the bound or the rules cannot be had.
    """
    if off and rules is not None:
        raise UsageError(f"--no-redact and --redact {rules} exclude each other", hint="give one of the two")
    own = None if project is None else project.redaction
    bounds = None if most is None else Bounds(size_of(most), when_full)
    return Kept(bounds, own if rules is None else rules_from_file(rules), redacted=not off)
