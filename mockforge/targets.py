"""Targets: read the address of a backend from the command line, and see that HTTP answers there.

What is found wrong here would otherwise fail every request of a run, one by one.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mockforge.errors import TargetError, UsageError

__all__ = ["CHECK_TIMEOUT_S", "Target", "UpstreamTls", "check_target", "parse_target"]

#: How long a target may take to accept the check's connection and to answer it, in seconds.
CHECK_TIMEOUT_S = 10.0

_PORTS = {"http": 80, "https": 443}
_EXAMPLE = "give it as http://HOST:PORT, for example http://127.0.0.1:9000"
_STATUS_LINE = re.compile(rb"HTTP/\d\.\d \d{3}")


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go: `prefix` is put before each request's path, and never ends in a slash."""

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @property
    def authority(self) -> str:
        """The `Host` field's value: the host, with its port unless that is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme and authority, as in `http://127.0.0.1:9000`."""
        return f"{self.scheme}://{self.authority}"

    @property
    def tls(self) -> bool:
        return self.scheme == "https"

    def __str__(self) -> str:
        return self.origin + self.prefix


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """How to speak TLS with a target.

    * `insecure`: take any certificate, of any name.
    * `ca`: a PEM file of the authorities to trust, in place of the machine's.
    * `certificate`, `key`: what to prove the caller's own identity with; without a `key`, the
      certificate's file holds that too.
    """

    insecure: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """The context that connections are made with. Raises UsageError where a file cannot be used."""
        if self.key is not None and self.certificate is None:
            raise UsageError(f"the key {self.key} has no certificate", hint="give the certificate's file too")
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"TLS cannot trust {self.ca}: {_why(error)}", hint="give a PEM file of certificates"
            ) from error
        # What passes is HTTP/1.1, whatever else the target would speak.
        context.set_alpn_protocols(["http/1.1"])
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate is not None:
            try:
                context.load_cert_chain(self.certificate, self.key)
            except (OSError, ssl.SSLError) as error:
                files = f"{self.certificate}" if self.key is None else f"{self.certificate} and {self.key}"
                raise UsageError(
                    f"TLS cannot use {files}: {_why(error)}", hint="PEM files of one certificate and its key"
                ) from error
        return context


def _why(error: OSError) -> str:
    return str(getattr(error, "reason", None) or error.strerror or error)


def parse_target(url: str) -> Target:
    """The target that `url` names.

    Raises UsageError where it has no scheme, another than http(s), no host, an impossible port, or parts
    that a target cannot have (a query, a fragment, credentials).
    """
    if any(character.isspace() or not character.isprintable() for character in url):
        raise _refused(url, "has a blank or a control character in it")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refused(url, f"is not an address: {error}") from error
    if parts.scheme not in _PORTS or not parts.netloc:
        raise _refused(url, "does not begin with http:// or https://")
    if parts.username is not None:
        raise _refused(url, "has credentials in it")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise _refused(url, "has a query or a fragment, which a target cannot have")
    if not parts.hostname:
        raise _refused(url, "names no host")
    if port == 0:
        raise _refused(url, "has port 0, which nothing can listen on")
    return Target(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], parts.path.rstrip("/"))


def _refused(url: str, why: str) -> UsageError:
    return UsageError(f"the target {url!r} {why}", hint=_EXAMPLE)


async def check_target(
    target: Target, timeout_s: float = CHECK_TIMEOUT_S, tls: UpstreamTls | None = None
) -> None:
    """Connect once and see that the answer is HTTP, whatever its status.

    The request is `OPTIONS *`, which speaks to the server and to none of its resources (RFC 9110 §9.3.7).
    Raises TargetError where nothing listens, nothing answers in `timeout_s`, or the answer is not HTTP, and
    UsageError where a file that `tls` names cannot be used.
    """
    where = str(target)
    context = (tls or UpstreamTls()).context() if target.tls else None
    try:
        async with asyncio.timeout(timeout_s):
            first_line = await _first_line(target, context)
    except TimeoutError as error:
        raise TargetError(f"the target gave no answer in {timeout_s:g} s", where=where) from error
    except OSError as error:
        what, hint = _told(error)
        raise TargetError(what, where=where, hint=hint) from error
    if not _STATUS_LINE.match(first_line):
        said = repr(first_line[:40].decode("latin-1")) if first_line else "nothing"
        raise TargetError(
            f"the target does not speak HTTP: it answered {said}",
            where=where,
            hint="check the port" if target.tls else "check the port, or try https://",
        )


async def _first_line(target: Target, context: ssl.SSLContext | None) -> bytes:
    """What the target says up to its first line's end, or all it says when that is less."""
    reader, writer = await asyncio.open_connection(target.host, target.port, ssl=context)
    try:
        ask = f"OPTIONS * HTTP/1.1\r\nHost: {target.authority}\r\nConnection: close\r\n\r\n"
        writer.write(ask.encode("latin-1"))
        return await reader.readline()
    except ValueError:  # a line beyond the reader's limit is no status line
        return await reader.read(40)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _told(error: OSError) -> tuple[str, str]:
    """What went wrong, and what would work."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the target's certificate is not trusted: {error.verify_message}",
            "check the host name, or name the authority to trust",
        )
    if isinstance(error, ssl.SSLError):
        return f"the target does not speak TLS: {error.reason}", "check the port, or try http://"
    if isinstance(error, socket.gaierror):
        return "the target's host name is not known", "check its spelling"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens at the target", "start it, or check the port"
    if error.errno is None:  # a host name with several addresses, each of which failed in its own way
        return "no address of the target accepts connections", "start it, or check the port"
    return f"the target cannot be reached: {error.strerror or error}", "check the address"
