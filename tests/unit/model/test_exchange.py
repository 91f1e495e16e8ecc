"""An exchange failed where its caller got an error."""

from __future__ import annotations

import pytest

from mockforge.model.exchange import Exchange, Request, Response


@pytest.mark.parametrize(
    ("response", "error", "failed"),
    [
        (Response(200), None, False),
        (Response(304), None, False),
        (Response(399), None, False),
        (Response(400), None, True),
        (Response(404), None, True),
        (Response(503), None, True),
        (Response(200), "body: connection reset", True),
        (None, "connect: refused", True),
        (None, None, True),
    ],
)
def test_no_complete_answer_and_status_400_and_above_are_failures(
    response: Response | None, error: str | None, failed: bool
) -> None:
    assert Exchange(0, 0, Request("GET", "/"), response, 1, error=error).failed is failed
