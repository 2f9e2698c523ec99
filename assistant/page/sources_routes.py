"""How a browser adds sources, takes them out and edits them: routes beside Gradio's own.

A file comes as the body of its request, for it may be larger than what Gradio takes. Each answer
is `{"what": …, "name": …, "id": …, "reason": …}`, which script.js puts into words.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from assistant.documents.adding import Outcome
from assistant.documents.extracted import MOST_BYTES
from assistant.documents.formats import too_large
from assistant.errors import AssistantError
from assistant.page.rate import Rate
from assistant.page.rights import Rights

PATH = "/sources/"
NO_RIGHT = "You may not change the sources here."
PER_MINUTE = 60
"""Changes that one person may make in a minute."""
_MOST_JSON = 20_000


class Changing(Protocol):
    """What the routes need of the assistant in use."""

    def take_file(self, person: str, name: str, raw: bytes) -> Outcome: ...

    def take_address(self, address: str) -> Outcome: ...

    def remove(self, doc_id: str) -> Outcome: ...

    def restore(self, doc_id: str) -> Outcome: ...

    def edit(self, doc_id: str, changes: dict[str, str]) -> Outcome: ...


class _Refusal(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def open_routes(
    server: FastAPI,
    sources: Changing,
    rights: Rights,
    user_of: Callable[[Request], str | None],
) -> None:
    """Add the routes to a server, before Gradio takes all that is left."""
    router, rate = APIRouter(prefix=PATH.rstrip("/")), Rate(PER_MINUTE)

    def person(request: Request) -> str:
        """Who asks, unless they may not."""
        user = user_of(request)
        if not rights.may_change(user, request.headers):
            raise _Refusal(403, NO_RIGHT)
        who = f"user {user}" if user else "here"
        if wait := rate.wait(who):
            raise _Refusal(429, f"too many changes within a minute: wait {wait:.0f} s")
        return who

    @router.post("/file")
    async def take_file(request: Request, name: str) -> JSONResponse:
        who = person(request)
        raw = await _body(request, MOST_BYTES)
        return await _done(sources.take_file, who, name[:300], raw)

    @router.post("/{act}")
    async def change(request: Request, act: str) -> JSONResponse:
        person(request)
        said = _said(await _body(request, _MOST_JSON))
        return await _done(*_asked_for(sources, act, said))

    async def refuse(_: Request, fault: Exception) -> JSONResponse:
        code = fault.code if isinstance(fault, _Refusal) else 422
        return JSONResponse({"what": "refused", "reason": str(fault)}, code)

    server.include_router(router)
    server.add_exception_handler(_Refusal, refuse)
    server.add_exception_handler(AssistantError, refuse)


def _asked_for(sources: Changing, act: str, said: dict[str, Any]) -> tuple[Any, ...]:
    """The method that an act stands for, with what it is called with."""
    doc_id = str(said.get("id", ""))
    if act == "address":
        return sources.take_address, str(said.get("address", "")).strip()
    if act == "remove":
        return sources.remove, doc_id
    if act == "restore":
        return sources.restore, doc_id
    if act == "edit":
        names = ("title", "publisher", "published")
        return sources.edit, doc_id, {name: str(said[name]) for name in names if name in said}
    raise _Refusal(404, f"there is no way to {act[:40]} a source")


async def _done(work: Callable[..., Outcome], *given: Any) -> JSONResponse:
    """What became of a source; the work is done in a thread, while others ask."""
    outcome = asdict(await run_in_threadpool(work, *given))
    return JSONResponse(outcome | {"id": outcome.pop("doc_id")})


async def _body(request: Request, most: int) -> bytes:
    """The body of a request, given up as soon as it is too large."""
    told = request.headers.get("content-length", "")
    if told.isdigit() and len(told) < 20 and int(told) > most:
        raise _Refusal(413, too_large(int(told)))
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _Refusal(413, f"it has more than {most:,} bytes")
    return bytes(body)


def _said(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise _Refusal(400, "the request is no JSON object")
    return said
