"""An OpenAI-compatible server on 127.0.0.1 that behaves, or misbehaves, as it is told.

It passes for llama.cpp's as well: whatever else is asked of that, it says a prompt of no words.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "right-key"
REPLY = "The signing took place in Bishkek, Kyrgyzstan."


class OpenAIServer(ThreadingHTTPServer):
    """`mode` is one of: good, deaf, dies, endless, fails, empty, html, busy, no_logprobs,
    refuses_logprobs."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mode = "good"
        self.reply = REPLY
        self.logprobs = {"Yes": -0.2, " no": -2.0, "Maybe": -3.0}
        self.asked: list[dict[str, Any]] = []
        self.over = threading.Event()
        """Ends the silence of a deaf server."""

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: OpenAIServer

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests quiet."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        mode, is_chat = self.server.mode, self.path.endswith("/chat/completions")
        if is_chat:
            self.server.asked.append(asked)
        if mode == "deaf":
            self.server.over.wait(10)
            self.close_connection = True
        elif self.headers["Authorization"] != f"Bearer {KEY}":
            self._send(401, {"error": {"message": "Incorrect API key provided: wro*****"}})
        elif mode == "busy":
            self._send(503, {"error": {"message": "The server\nis overloaded"}})
        elif mode == "html":
            self._send(200, "<html>Sign in to the hotel's network</html>")
        elif not is_chat:
            self._send(200, {"prompt": ""})
        elif mode == "refuses_logprobs" and asked.get("logprobs"):
            self._send(400, {"error": {"message": "logprobs is not supported"}})
        elif asked.get("stream"):
            self._stream(mode)
        else:
            self._send(200, self._whole(mode))

    def _whole(self, mode: str) -> dict[str, Any]:
        choice: dict[str, Any] = {
            "index": 0,
            "finish_reason": "length",
            "message": {"role": "assistant", "content": "Yes"},
        }
        if mode != "no_logprobs":
            top = [{"token": t, "logprob": p, "bytes": []} for t, p in self.server.logprobs.items()]
            choice["logprobs"] = {
                "content": [{"token": "Yes", "logprob": -0.2, "bytes": [], "top_logprobs": top}]
            }
        return {"id": "1", "object": "chat.completion", "created": 1, "model": "m",
                "choices": [choice]}  # fmt: skip

    def _stream(self, mode: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        words = [] if mode == "empty" else self.server.reply.split(" ")
        for place, word in enumerate(words):
            if mode == "dies" and place == 3:
                self.close_connection = True
                return  # without the chunk that ends the reply
            if mode == "fails" and place == 3:
                self._chunk(b'data: {"error": {"message": "out of memory"}}\n\n')
                break
            self._event({"content": word if place == 0 else f" {word}"})
        self._event({}, "stop")
        if mode != "endless":
            self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, delta: dict[str, str], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                 "choices": [choice]}  # fmt: skip
        self._chunk(f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _send(self, status: int, content: dict[str, Any] | str) -> None:
        body = content if isinstance(content, str) else json.dumps(content)
        kind = "text/html" if isinstance(content, str) else "application/json"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


@contextmanager
def openai_server() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
