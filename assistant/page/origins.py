"""Whose requests are answered: those to a name of this page's own, and posted from it.

A foreign page can make a browser send requests here, and a foreign name can be made to lead here
(DNS rebinding). Neither may change or read anything.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from assistant.page.guard import App, Receive, Scope, Send

_SAFE = ("GET", "HEAD", "OPTIONS")


class OwnOrigin:
    """ASGI middleware that refuses foreign host names and what other sites post.

    An address in numbers is always one's own: no foreign name leads to it. Programs send no
    `Origin`, and are let pass.
    """

    def __init__(self, app: App, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = {name.lower() for name in ("localhost", socket.gethostname(), *names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await refusal(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_own(_hostname(host)):
            told = (
                f"This page is not served as {host[:80]!r}. To mend it: python app.py --name NAME"
            )
            return PlainTextResponse(told, 421)
        if scope.get("method") not in _SAFE and not _same_site(headers, host):
            return PlainTextResponse("This page takes nothing from other sites.", 403)
        return None

    def _is_own(self, name: str) -> bool:
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _same_site(headers: Headers, host: str) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() == host.lower()
    return headers.get("sec-fetch-site", "none") in ("none", "same-origin")


def _hostname(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""
