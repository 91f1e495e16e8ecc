"""Requests that a stub has the mock make, as they are written: those it passes on, and callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mockforge.model.headers import Headers
from mockforge.model.stub import Body, DelayDistribution

__all__ = ["CallbackDefinition", "ProxyDefinition", "RetryRule"]


@dataclass(frozen=True, slots=True)
class ProxyDefinition:
    """Where a stub passes its requests on to, and what is changed on the way.

    The path and query of a request, without `prefix_to_remove`, follow `base_url`. Of the request's fields
    those in `removed` are left out and those in `added` put in the place of their like.
    """

    base_url: str
    prefix_to_remove: str | None = None
    added: Headers = field(default_factory=Headers)
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryRule:
    """A callback that fails is made again up to `times` times, after a wait that doubles each time."""

    times: int
    wait_ms: float = 500.0


@dataclass(frozen=True, slots=True)
class CallbackDefinition:
    """A request that the mock makes by itself, `delay` after its answer.

    `url`, `headers` and `body` may be templates; `parameters` are what they may use beside the request.
    """

    url: str
    method: str = "GET"
    headers: Headers = field(default_factory=Headers)
    body: Body | None = None
    delay: DelayDistribution | None = None
    retry: RetryRule | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
