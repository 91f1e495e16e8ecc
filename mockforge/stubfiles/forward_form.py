"""The keys of a response that an upstream gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from mockforge.model.forwarding import ProxyDefinition
from mockforge.stubfiles.headers import grouped, ungrouped
from mockforge.stubfiles.mapping import Form
from mockforge.stubfiles.problems import RefusedError
from mockforge.stubfiles.values import HeaderName, HeaderValues, Url
from mockforge.stubfiles.written import Text

__all__ = [
    "AddedFields",
    "ProxyBase",
    "ProxyPrefix",
    "RemovedFields",
    "check_proxy",
    "to_proxy",
    "written_proxy",
]

ProxyBase = Annotated[Text, Field(description="The upstream that answers, such as http://127.0.0.1:9000.")]
ProxyPrefix = Annotated[Url, Field(description="What the upstream's paths do not begin with.")]
AddedFields = Annotated[
    dict[HeaderName, HeaderValues], Field(description="Sent upstream in place of the caller's own.")
]
RemovedFields = Annotated[list[HeaderName], Field(description="Fields of the caller's that do not go on.")]

_BASE = "proxyBaseUrl"
_PREFIX = "proxyUrlPrefixToRemove"
_ADDED = "additionalProxyRequestHeaders"
_REMOVED = "removeProxyRequestHeaders"


def check_proxy(form: Form, bodies: tuple[str, ...]) -> None:
    """RefusedError where keys of passing on go with no upstream, or an upstream with a body."""
    if not form.written((_BASE,)):
        for key in form.written((_PREFIX, _ADDED, _REMOVED)):
            raise RefusedError(f"{key} goes with {_BASE}")
        return
    for key in form.written(bodies):
        raise RefusedError(f"{key} and {_BASE} exclude one another", "the upstream gives the body")


def to_proxy(form: Form) -> ProxyDefinition | None:
    """What is written, where anything is."""
    written: Mapping[str, Any] = form.written((_BASE, _PREFIX, _ADDED, _REMOVED))
    if _BASE not in written:
        return None
    added: Mapping[str, Sequence[str]] = written.get(_ADDED, {})
    return ProxyDefinition(
        written[_BASE], written.get(_PREFIX), ungrouped(added), tuple(written.get(_REMOVED, ()))
    )


def written_proxy(proxy: ProxyDefinition) -> dict[str, object]:
    """The keys that say it."""
    written: dict[str, object] = {_BASE: proxy.base_url}
    if proxy.prefix_to_remove is not None:
        written[_PREFIX] = proxy.prefix_to_remove
    if proxy.added:
        written[_ADDED] = grouped(proxy.added)
    if proxy.removed:
        written[_REMOVED] = list(proxy.removed)
    return written
