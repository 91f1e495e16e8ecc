"""What the admin API answers: JSON, and WireMock's shape of an error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from mockforge.errors import MockForgeError, StubFileError

__all__ = ["AdminError", "as_uuid", "flag", "gently", "json_answer", "json_body", "number", "object_body"]

#: After so many items the loop has its turn, so that a long answer does not make the mock late.
_AT_ONCE = 50

Item = TypeVar("Item")
Made = TypeVar("Made")


class AdminError(Exception):
    """A request that the admin API refuses, with a status and WireMock's list of errors."""

    def __init__(
        self,
        title: str,
        status: int = 422,
        *,
        code: int = 10,
        pointer: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        error: dict[str, object] = {"code": code}
        if pointer is not None:
            error["source"] = {"pointer": pointer}
        error["title"] = title
        if detail is not None:
            error["detail"] = detail
        self.errors = [error]

    @classmethod
    def of(cls, error: MockForgeError, status: int = 422) -> AdminError:
        """What the product itself refused: one error a problem."""
        problems = error.problems if isinstance(error, StubFileError) else ()
        refused = cls(str(error), status)
        refused.errors = [{"code": 10, "title": problem} for problem in problems] or refused.errors
        return refused

    def joined(self, others: Iterable[AdminError]) -> AdminError:
        """This problem and others as one."""
        for other in others:
            self.errors += other.errors
        return self

    def answer(self) -> Response:
        return json_answer({"errors": self.errors}, self.status)


def json_answer(value: object, status: int = 200) -> Response:
    """A JSON answer."""
    content = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    return Response(content, status, media_type="application/json")


async def json_body(request: Request) -> object:
    """The request's JSON; `{}` where there is none; raises AdminError where it is no JSON."""
    body = await request.body()
    if not body.strip():
        return {}
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise AdminError("Error parsing JSON", 422, detail=str(error)) from None


async def object_body(request: Request) -> dict[str, object]:
    """The request's JSON object."""
    value = await json_body(request)
    if not isinstance(value, dict):
        raise AdminError("Error parsing JSON", 422, detail="a JSON object is wanted")
    return value


def as_uuid(text: str, title: str = "{} is not a valid UUID") -> str:
    """The UUID in its usual spelling; raises AdminError (400) where the text is none."""
    try:
        return str(UUID(text))
    except ValueError:
        raise AdminError(title.format(text), 400) from None


def number(request: Request, name: str) -> int | None:
    """A query parameter that counts from 0; None where it is not given."""
    text = request.query_params.get(name)
    if text is None or text == "":
        return None
    if not text.isdecimal():
        raise AdminError(f"{text} is not a valid {name}", 400, pointer=name)
    return int(text)


def flag(request: Request, name: str) -> bool:
    """A query parameter that is true or left out."""
    return request.query_params.get(name, "").lower() == "true"


async def gently(items: Iterable[Item], make: Callable[[Item], Made]) -> list[Made]:
    """What `make` makes of every item, with turns for others in between."""
    made: list[Made] = []
    for item in items:
        made.append(make(item))
        if len(made) % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return made
