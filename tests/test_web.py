"""Addresses: what is fetched, how politely, and what is refused, private addresses above all."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import made
import pytest

from assistant.documents.adding import Adding
from assistant.documents.extracted import Unreadable
from assistant.documents.library import Library
from assistant.documents.reading import DocumentReader
from assistant.documents.web import Address, Web, is_public

Page = Callable[[BaseHTTPRequestHandler], None]


def reply(code: int = 200, body: bytes = b"", kind: str = "text/html", **headers: str) -> Page:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in {"Content-Type": kind, **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def endless(handler: BaseHTTPRequestHandler) -> None:
    reply()(handler)
    for _ in range(500):
        handler.wfile.write(b"<p>And so on.</p>")
        time.sleep(0.02)


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """Headers that never end."""
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
    for at in range(500):
        handler.wfile.write(b"X-%d: and so on\r\n" % at)
        handler.wfile.flush()
        time.sleep(0.1)


PAGES: dict[str, Page] = {
    "/page": reply(body=made.HTML.encode()),
    "/report": reply(body=made.pdf([made.FERRY]), kind="application/pdf"),
    "/moved": reply(302, Location="/page"),
    "/forever": reply(302, Location="/forever"),
    "/out": reply(302, Location="http://inner.example:{port}/page"),
    "/file": reply(302, Location="file:///etc/passwd"),
    "/lies": reply(body=b"\x89PNG\r\n\x1a\n" + b"\0" * 50),
    "/picture": reply(body=b"x", kind="image/png"),
    "/404": reply(404),
    "/500": reply(500),
    "/large": reply(body=b"A text. " * 20_000, kind="text/plain"),
    "/packed": reply(body=b"\x1f\x8b garbage", **{"Content-Encoding": "gzip"}),
    "/private/page": reply(body=made.HTML.encode()),
    "/endless": endless,
    "/dripping": dripping,
    "/robots.txt": reply(body=b"User-agent: *\nDisallow: /private/\n", kind="text/plain"),
}


class Site(BaseHTTPRequestHandler):
    asked: list[tuple[str, str, str]]

    def do_GET(self) -> None:
        headers = self.headers
        self.asked.append((self.path, headers.get("Host", ""), headers.get("User-Agent", "")))
        with suppress(OSError):  # whoever asked has heard enough
            PAGES.get(self.path, reply(404))(self)

    def send_header(self, keyword: str, value: str) -> None:
        port = self.server.server_address[1]
        super().send_header(keyword, value.replace("{port}", str(port)))

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def site() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()


@pytest.fixture
def asked(site: ThreadingHTTPServer) -> list[tuple[str, str, str]]:
    Site.asked = []
    return Site.asked


NAMES = {
    "site.example": ["127.0.0.1"],
    "inner.example": ["10.0.0.7"],
    "both.example": ["127.0.0.1", "169.254.169.254"],
}


def look_up(host: str, port: int) -> list[str]:
    if host not in NAMES:
        raise OSError("no such host")
    return NAMES[host]


def is_site(address: Address) -> bool:
    """The site of the tests plays the public internet."""
    return address == ipaddress.ip_address("127.0.0.1")


@pytest.fixture
def web() -> Web:
    return Web(is_site, look_up, most_seconds=1.0, most_bytes=100_000)


def at(site: ThreadingHTTPServer, path: str, host: str = "site.example") -> str:
    return f"http://{host}:{site.server_address[1]}{path}"


def test_a_page_is_fetched_politely(
    site: ThreadingHTTPServer, web: Web, asked: list[tuple[str, str, str]]
) -> None:
    given = web.fetch(at(site, "/page"))
    assert given.raw == made.HTML.encode()
    assert (given.name, given.url) == ("page.html", at(site, "/page"))
    assert [path for path, _, _ in asked] == ["/robots.txt", "/page"]
    for _, host, agent in asked:
        assert host == f"site.example:{site.server_address[1]}"
        assert agent.startswith("ots-assistant/")


def test_a_redirect_is_followed_and_the_last_address_kept(
    site: ThreadingHTTPServer, web: Web, asked: list[tuple[str, str, str]]
) -> None:
    given = web.fetch(at(site, "/moved"))
    assert (given.origin, given.url) == (at(site, "/moved"), at(site, "/page"))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/forever", "it redirects more than 5 times"),
        ("/out", "inner.example is at 10.0.0.7, which is not on the public internet"),
        ("/file", "'file:/etc/passwd' is no address"),
        ("/picture", "it is of the type image/png"),
        ("/404", "it answers 404 Not Found"),
        ("/500", "it answers 500 Internal Server Error"),
        ("/large", "it has more than 100,000 bytes"),
        ("/endless", "it took longer than 1 s to fetch"),
        ("/dripping", "it took longer than 1 s to fetch"),
        ("/packed", "it can't be reached: "),
        ("/private/page", "the robots.txt of site.example asks programs to stay away from it"),
    ],
)
def test_what_is_refused(
    site: ThreadingHTTPServer,
    web: Web,
    asked: list[tuple[str, str, str]],
    path: str,
    reason: str,
) -> None:
    with pytest.raises(Unreadable) as caught:
        web.fetch(at(site, path))
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


def test_a_site_that_is_out_of_order_is_left_alone(
    site: ThreadingHTTPServer,
    web: Web,
    asked: list[tuple[str, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(PAGES, "/robots.txt", reply(503))
    with pytest.raises(Unreadable, match="503"):
        web.fetch(at(site, "/page"))
    monkeypatch.setitem(PAGES, "/robots.txt", reply(404))
    assert web.fetch(at(site, "/page")).raw


@pytest.mark.parametrize("host", ["inner.example", "both.example", "nowhere.example"])
def test_hosts_that_are_not_for_anyone(
    site: ThreadingHTTPServer, web: Web, asked: list[tuple[str, str, str]], host: str
) -> None:
    with pytest.raises(Unreadable, match=host):
        web.fetch(at(site, "/page", host))
    assert not asked


def test_a_name_that_is_looked_up_again_does_not_lead_elsewhere(
    site: ThreadingHTTPServer, asked: list[tuple[str, str, str]]
) -> None:
    """DNS rebinding: the first answer is checked, and the connection goes there."""
    answers = iter([["127.0.0.1"], ["10.0.0.7"]])
    web = Web(is_site, lambda host, port: next(answers))
    with pytest.raises(Unreadable, match=r"10\.0\.0\.7"):
        web.fetch(at(site, "/page"))
    assert [path for path, _, _ in asked] == ["/robots.txt"]


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://2130706433/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        "http://10.1.2.3/",
        "http://192.168.1.1/",
        "http://172.16.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://[64:ff9b::7f00:1]/",
        "http://224.0.0.1/",
    ],
)
def test_private_addresses(address: str) -> None:
    with pytest.raises(Unreadable, match="not on the public internet"):
        Web().fetch(address)


def test_public_addresses() -> None:
    for address in ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"):
        assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://user:secret@site.example/", "a name and a password"),
        ("http://", "is no address"),
        ("http://site.example:99999999/", "no port 99999999"),
    ],
)
def test_addresses_that_are_none(web: Web, address: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        web.fetch(address)


def test_an_address_in_the_library(
    site: ThreadingHTTPServer, web: Web, asked: list[tuple[str, str, str]], tmp_path: object
) -> None:
    library = Library(tmp_path / "library")  # type: ignore[operator]
    with DocumentReader() as reader:
        adding = Adding(library, reader, {}, web.fetch)
        addresses = [at(site, path) for path in ("/moved", "/report", "/lies", "/404")]
        told = list(adding.add(addresses))
        assert [one.what for one in told] == ["added", "added", "refused", "refused"]
        assert told[2].reason == "it is a picture (PNG)"
        page = library.documents()[told[0].doc_id]
        assert (page.origin, page.url) == (at(site, "/moved"), at(site, "/page"))
        assert page.publisher == "Harbour News"
        assert library.documents()[told[1].doc_id].publisher == "site.example"
        assert [one.what for one in adding.update()] == ["unchanged"] * 2
