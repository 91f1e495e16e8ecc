"""The admin API is open on the loopback address alone, unless somebody says otherwise."""

from __future__ import annotations

import pytest

from mockforge.cli.admin_access import check_admin_access
from mockforge.errors import UsageError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST"])
def test_on_loopback_nothing_is_wanted(host: str) -> None:
    check_admin_access(host, None, False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "mock.example.com", ""])
def test_elsewhere_a_token_is_wanted_or_a_word(host: str) -> None:
    with pytest.raises(UsageError, match="--admin-token, or --admin-open"):
        check_admin_access(host, None, False)
    check_admin_access(host, "example-token", False)
    check_admin_access(host, None, True)


@pytest.mark.parametrize("token", ["", "  ", "ünsafe"])
def test_a_token_that_no_header_can_hold_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="empty or not ASCII"):
        check_admin_access("127.0.0.1", token, False)
