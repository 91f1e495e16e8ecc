"""The admin API under `/__admin`, on WireMock's paths and in WireMock's JSON."""

from __future__ import annotations

from mockforge.server.admin.context import ADMIN_PREFIX, Admin, AdminOptions
from mockforge.server.admin.routing import admin_app

__all__ = ["ADMIN_PREFIX", "Admin", "AdminOptions", "admin_app"]
