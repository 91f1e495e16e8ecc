"""The command line of `mockforge record`, an option a line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = [
    "AdminPort",
    "Authorities",
    "CallerCertificate",
    "CallerKey",
    "ClientCertificate",
    "ClientKey",
    "Forward",
    "Host",
    "HostField",
    "Insecure",
    "KeepBody",
    "Most",
    "NoRedaction",
    "Out",
    "Port",
    "Rules",
    "Silence",
    "Targets",
    "WhenFull",
]

Targets = Annotated[
    list[str] | None,
    typer.Option(
        metavar="URL", help="The backend to record; or several, each NAME=URL@PORT with its own port."
    ),
]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        show_default="recordings/HOST-PORT-TIME.mfrec",
        help="The recording to write, which must not exist yet; with several targets, a folder.",
    ),
]
HostField = Annotated[
    str,
    typer.Option(
        metavar="target|keep|VALUE", help="The Host field that the backend gets; by default its own."
    ),
]
Silence = Annotated[
    float | None,
    typer.Option(
        metavar="S", min=0.001, help="Answer 504 after so long a silence of the backend; default: never."
    ),
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Take any certificate of the backend.")]
Authorities = Annotated[
    Path | None, typer.Option(metavar="PEM", help="Authorities to trust in place of the machine's.")
]
ClientCertificate = Annotated[
    Path | None, typer.Option(metavar="PEM", help="Certificate to show to the backend.")
]
ClientKey = Annotated[Path | None, typer.Option(metavar="PEM", help="Its private key.")]
CallerCertificate = Annotated[
    Path | None, typer.Option(metavar="PEM", help="Speak HTTPS with callers, with this certificate.")
]
CallerKey = Annotated[Path | None, typer.Option(metavar="PEM", help="Its private key.")]
KeepBody = Annotated[
    str, typer.Option(metavar="SIZE", help="Larger bodies pass too, but only their size is kept.")
]
Most = Annotated[
    str | None, typer.Option(metavar="SIZE", help="Most that the recording may take, such as 2GB.")
]
WhenFull = Annotated[
    Literal["stop", "drop-bodies"],
    typer.Option(help="What happens then: nothing more is kept, or times and heads alone are."),
]
Rules = Annotated[Path | None, typer.Option(metavar="YAML", help="Rules of redaction beside the defaults.")]
NoRedaction = Annotated[bool, typer.Option("--no-redact", help="Keep everything as it is, secrets too.")]
AdminPort = Annotated[
    int | None, typer.Option(metavar="PORT", help="Port for POST /__admin/markers; 0 takes a free one.")
]
Forward = Annotated[
    bool,
    typer.Option(
        "--forward-proxy",
        help="Be a forward proxy, for callers that can only be given HTTPS_PROXY; needs mitmproxy.",
    ),
]
