"""`/__admin/settings`: what delays every stub that says nothing itself."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockforge.delays.distributions import compile_distribution, law_of
from mockforge.errors import MockForgeError
from mockforge.server.admin.answers import AdminError, json_answer, object_body
from mockforge.server.admin.context import ADMIN_PREFIX, Admin
from mockforge.server.admin.store import GlobalDelay

__all__ = ["SettingRoutes", "apply_settings"]

_PATH = f"{ADMIN_PREFIX}/settings"


def apply_settings(admin: Admin, settings: Mapping[str, object]) -> None:
    """Put the settings in force; AdminError changes nothing."""
    delay = _delay(settings)
    try:
        admin.store.set_delay(delay)
    except MockForgeError as error:
        raise AdminError.of(error) from None
    admin.settings = settings


class SettingRoutes:
    """The handlers."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def routes(self) -> list[Route]:
        return [
            Route(_PATH, self.get, methods=["GET"]),
            Route(_PATH, self.replace, methods=["POST", "PUT"]),
            Route(f"{_PATH}/extended", self.extend, methods=["PATCH"]),
        ]

    async def get(self, request: Request) -> Response:
        return json_answer({"settings": self._admin.settings})

    async def replace(self, request: Request) -> Response:
        apply_settings(self._admin, await object_body(request))
        return json_answer({})

    async def extend(self, request: Request) -> Response:
        body = await object_body(request)
        added = body.get("extended", body)
        if not isinstance(added, dict):
            raise AdminError("Error parsing JSON", pointer="/extended", detail="a JSON object is wanted")
        before = self._admin.settings.get("extended")
        extended = {**(before if isinstance(before, dict) else {}), **added}
        self._admin.settings = {**self._admin.settings, "extended": extended}
        return json_answer({})


def _delay(settings: Mapping[str, object]) -> GlobalDelay:
    fixed, law = settings.get("fixedDelay"), settings.get("delayDistribution")
    if fixed is not None and (isinstance(fixed, bool) or not isinstance(fixed, int | float) or fixed < 0):
        detail = f"{fixed!r} is no number of milliseconds"
        raise AdminError("Error parsing JSON", pointer="/fixedDelay", detail=detail)
    if law is None:
        return GlobalDelay(fixed)
    if not isinstance(law, dict):
        detail = 'such as {"type": "uniform", "lower": 10, "upper": 20}'
        raise AdminError("Error parsing JSON", pointer="/delayDistribution", detail=detail)
    try:
        delay = law_of(law)
        compile_distribution(delay)
    except MockForgeError as error:
        raise AdminError("Error parsing JSON", pointer="/delayDistribution", detail=str(error)) from None
    return GlobalDelay(fixed, delay)
