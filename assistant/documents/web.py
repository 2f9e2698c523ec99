"""Addresses of the web -> the bytes of a document, politely, and from the public internet only.

A name is looked up once for each request and the connection goes to the very address that was
checked: a server of names that answers otherwise the second time changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.robotparser import RobotFileParser

import httpx

from assistant.documents.extracted import MOST_BYTES, Unreadable
from assistant.documents.gather import Given

AGENT = "ots-assistant"
_HEADERS = {
    "user-agent": f"{AGENT}/0.1 (reads single documents that a person asks for)",
    "accept": "text/html, application/pdf, text/plain, */*;q=0.5",
}
_CLIENT: dict[str, Any] = {
    "headers": _HEADERS,
    "timeout": httpx.Timeout(15.0, connect=10.0),
    # Proxies of the environment stay out: they would look names up themselves.
    "trust_env": False,
    # Two names may have one address: each request has a connection that was checked for its name.
    "limits": httpx.Limits(max_keepalive_connections=0),
}
_MOST_SECONDS = 60.0
_MOST_REDIRECTS = 5
_MOST_ROBOTS = 500_000
_TYPES = (
    "text/",
    "application/pdf",
    "application/xhtml+xml",
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument",
    "message/rfc822",
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system knows them; one may be written as a number, too."""
    with suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    with suppress(OSError):
        return [str(ipaddress.IPv4Address(socket.inet_aton(host)))]
    return [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: Address) -> bool:
    """Whether an address is anyone's to ask: not this machine, its network or its cloud."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.sixtofour or address.teredo:
            return False
    return address.is_global and not address.is_multicast


class _Deadline:
    """Cuts the connection in use off in time: a time-out of its own would start with every byte."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *fault: object) -> None:
        self._timer.cancel()

    def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Hear from httpx of each step; those that connect return a stream with a socket."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.over:
                self._end()

    def _end(self) -> None:
        self.over = True
        if self._socket is not None:
            with suppress(OSError):  # it has ended by itself
                self._socket.shutdown(socket.SHUT_RDWR)


class Web:
    """Fetches documents. What may be asked, and how names are looked up, can be put in."""

    def __init__(
        self,
        allowed: Callable[[Address], bool] = is_public,
        resolve: Resolve = resolve,
        most_seconds: float = _MOST_SECONDS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._most_seconds = most_seconds
        self._most_bytes = most_bytes
        self._too_slow = f"it took longer than {most_seconds:g} s to fetch"

    def fetch(self, address: str) -> Given:
        """The document at an address. Raises `Unreadable` with the reason."""
        deadline = _Deadline(self._most_seconds)
        try:
            with deadline, httpx.Client(**_CLIENT) as client:
                return self._fetch(client, address, deadline)
        except httpx.InvalidURL as fault:
            raise Unreadable(f"it is no address: {fault}") from None
        except httpx.TimeoutException:
            raise Unreadable("it does not answer in time") from None
        except httpx.HTTPError as fault:
            if deadline.over:
                raise Unreadable(self._too_slow) from None
            told = " ".join(str(fault).split())[:120] or type(fault).__name__
            raise Unreadable(f"it can't be reached: {told}") from None

    def _fetch(self, client: httpx.Client, address: str, deadline: _Deadline) -> Given:
        url = httpx.URL(address)
        for _ in range(_MOST_REDIRECTS + 1):
            _require_address(url)
            self._require_welcome(client, url, deadline)
            response, body = self._get(client, url, deadline, self._most_bytes)
            if response.is_redirect:
                url = url.join(response.headers["location"])
            elif response.status_code != httpx.codes.OK:
                raise Unreadable(f"it answers {response.status_code} {response.reason_phrase}")
            else:
                return Given(address, _name(url, response), body, str(url))
        raise Unreadable(f"it redirects more than {_MOST_REDIRECTS} times")

    def _get(
        self, client: httpx.Client, url: httpx.URL, deadline: _Deadline, most: int
    ) -> tuple[httpx.Response, bytes]:
        """One request, to the address that was checked; the body only where it is wanted."""
        checked = self._address(url)
        headers = {"host": url.netloc.decode("ascii")}
        extensions = {"sni_hostname": url.raw_host.decode("ascii"), "trace": deadline.note}
        at = url.copy_with(host=checked)
        body = bytearray()
        with client.stream("GET", at, headers=headers, extensions=extensions) as response:
            if response.status_code != httpx.codes.OK:
                return response, b""
            kind = response.headers.get("content-type", "").strip().lower()
            if kind and not kind.startswith(_TYPES):
                raise Unreadable(f"it is of the type {kind[:80]}")
            for chunk in response.iter_bytes(65_536):
                body += chunk
                if len(body) > most:
                    raise Unreadable(f"it has more than {most:,} bytes")
        if deadline.over:  # a body without a length ends where the connection does
            raise Unreadable(self._too_slow)
        return response, bytes(body)

    def _address(self, url: httpx.URL) -> str:
        """The checked address of a host. Raises `Unreadable` where one of them is not allowed."""
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = [
                ipaddress.ip_address(one.split("%")[0])
                for one in self._resolve(url.raw_host.decode("ascii"), port)
            ]
        except (OSError, UnicodeError):
            raise Unreadable(f"there is no host called {url.host[:80]}") from None
        for one in found:
            if not self._allowed(one):
                raise Unreadable(
                    f"{url.host[:80]} is at {one}, which is not on the public internet"
                )
        return str(found[0])

    def _require_welcome(self, client: httpx.Client, url: httpx.URL, deadline: _Deadline) -> None:
        """Raise where a site's robots.txt asks programs to stay away from a page."""
        response, body = self._get(client, url.join("/robots.txt"), deadline, _MOST_ROBOTS)
        if response.is_server_error:
            raise Unreadable(
                f"{url.host[:80]} answers {response.status_code} for its robots.txt: try later"
            )
        # Without one, or with one that has moved, all are welcome.
        rules = RobotFileParser()
        rules.parse(body.decode("utf-8", "replace").splitlines())
        if not rules.can_fetch(AGENT, str(url)):
            raise Unreadable(
                f"the robots.txt of {url.host[:80]} asks programs to stay away from it"
            )


def _require_address(url: httpx.URL) -> None:
    if url.scheme not in ("http", "https") or not url.host:
        raise Unreadable(f"'{str(url)[:80]}' is no address that starts with http or https")
    if (url.port or 0) > 65_535:
        raise Unreadable(f"there is no port {url.port}")
    if url.userinfo:
        raise Unreadable("it has a name and a password in it")


def _name(url: httpx.URL, response: httpx.Response) -> str:
    """What the document is called, with the ending of its format where the server tells it."""
    name = unquote(urlsplit(str(url)).path).rstrip("/").rpartition("/")[2] or url.host
    kind = response.headers.get("content-type", "").lower()
    html = kind.startswith(("text/html", "application/xhtml+xml"))
    return f"{name}.html" if html and not name.lower().endswith((".html", ".htm")) else name
