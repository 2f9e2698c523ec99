"""What the browser may load and run: a Content-Security-Policy and its companions.

Gradio's page starts with inline scripts and compiles its templates at run time, so scripts need
a nonce and `unsafe-eval`. Inline event handlers, foreign hosts, frames and plug-ins stay shut, so
that markup which slipped past the escaping could still run or load nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Edit = Callable[[bytes, Mapping[str, str]], bytes]
"""A page and the headers of the request for it -> the page as it is sent."""

POLICY = (
    "default-src 'self'; "
    "script-src 'self' 'unsafe-eval' 'nonce-{nonce}'; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; "
    "font-src 'self'; "
    "connect-src 'self'; "
    "worker-src 'self'; "
    "media-src 'none'; "
    "object-src 'none'; "
    "frame-src 'none'; "
    "frame-ancestors 'self'; "
    "base-uri 'self'; "
    "form-action 'self'"
)


MOST_BYTES = 4_000_000
"""What a browser may send at once; a long conversation is a few hundred thousand."""


class Guard:
    """ASGI middleware that sets the policy on every response and the nonce in every page.

    A request that sends too much is refused, whether it says so beforehand or not; paths that
    begin with `unlimited` see to that themselves.

    Only whole HTML pages are held back to be changed; streams pass through as they come.
    """

    def __init__(
        self, app: App, edit: Edit = lambda page, headers: page, unlimited: str = ""
    ) -> None:
        self._app = app
        self._edit = edit
        self._unlimited = unlimited

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A compressed page could not be given its nonce; what else is compressed is little.
        scope["headers"] = [h for h in scope["headers"] if h[0].lower() != b"accept-encoding"]
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        outgoing = _Outgoing(send, lambda page: self._edit(page, headers))
        if self._unlimited and scope["path"].startswith(self._unlimited):
            await self._app(scope, receive, outgoing.send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        # Compared as text first: int() refuses absurdly long numbers.
        digits = length.lstrip(b"0") or b"0"
        if not length.isdigit() or len(digits) > len(str(MOST_BYTES)) or int(digits) > MOST_BYTES:
            await outgoing.refuse()
            return
        await self._app(scope, _Counted(receive).receive, outgoing.send)


class _Counted:
    """What comes in, cut off once it is too much."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._bytes = 0

    async def receive(self) -> Event:
        event = await self._receive()
        self._bytes += len(event.get("body", b""))
        return event if self._bytes <= MOST_BYTES else {"type": "http.disconnect"}


class _Outgoing:
    def __init__(self, send: Send, edit: Callable[[bytes], bytes]) -> None:
        self._send = send
        self._edit = edit
        self._nonce = secrets.token_urlsafe(16)
        self._start: Event | None = None
        self._page = bytearray()

    async def send(self, event: Event) -> None:
        if event["type"] == "http.response.start":
            event["headers"] = self._headers(event.get("headers", []))
            if _is_page(event["headers"]):
                self._start = event
                return
        elif event["type"] == "http.response.body" and self._start is not None:
            self._page += event.get("body", b"")
            if not event.get("more_body", False):
                await self._send_page(self._start)
            return
        await self._send(event)

    async def refuse(self) -> None:
        kind = [(b"content-type", b"text/plain; charset=utf-8")]
        await self.send({"type": "http.response.start", "status": 413, "headers": kind})
        said = f"More than {MOST_BYTES:,} bytes can't be sent at once.".encode()
        await self.send({"type": "http.response.body", "body": said})

    def _headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [
            *headers,
            (b"content-security-policy", POLICY.format(nonce=self._nonce).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        ]

    async def _send_page(self, start: Event) -> None:
        # The page's own text is escaped JSON without "<", so every "<script" is the template's.
        nonce = f'<script nonce="{self._nonce}"'.encode()
        page = self._edit(bytes(self._page)).replace(b"<script", nonce)
        kept = [h for h in start["headers"] if h[0].lower() != b"content-length"]
        start["headers"] = [*kept, (b"content-length", str(len(page)).encode())]
        self._start = None
        await self._send(start)
        await self._send({"type": "http.response.body", "body": page})


def _is_page(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(k.lower() == b"content-type" and v.startswith(b"text/html") for k, v in headers)
