"""Reads documents in a process of its own, which has so much time and memory and no more."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from types import TracebackType
from typing import IO

from assistant.documents.extracted import MOST_BYTES, Extracted, Unreadable
from assistant.documents.formats import too_large

TIMEOUT_S = 60.0
_START = "import sys; sys.path[:] = {path!r}; from assistant.documents.worker import main; main()"


class DocumentReader:
    """Reads one document after another; a context manager. The process starts with the first."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> DocumentReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, raw: bytes, name: str) -> Extracted:
        """The text of a document called `name`. Raises `Unreadable` with the reason."""
        if len(raw) > MOST_BYTES:
            raise Unreadable(too_large(len(raw)))
        with self._lock:
            return self._read(raw, name)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _read(self, raw: bytes, name: str) -> Extracted:
        process = self._process = self._process or _start()
        over = threading.Event()

        def stop() -> None:
            over.set()
            process.kill()

        timer = threading.Timer(self._timeout_s, stop)
        timer.start()
        try:
            line = _exchange(process, raw, name)
        except BaseException:
            self.close()  # Ctrl-C: what the process would still say is no answer to the next
            raise
        finally:
            timer.cancel()
        if not line.endswith(b"\n"):
            self.close()
            if over.is_set():
                raise Unreadable(f"it took longer than {self._timeout_s:g} s to read")
            raise Unreadable("it is damaged: the program that reads it broke off")
        reply = json.loads(line)
        if "unreadable" in reply:
            raise Unreadable(reply["unreadable"])
        return Extracted(**(reply | {"pages": tuple(reply["pages"])}))


def _start() -> subprocess.Popen[bytes]:
    code = _START.format(path=sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _exchange(process: subprocess.Popen[bytes], raw: bytes, name: str) -> bytes:
    """One request and its reply, which is not a whole line where the process ended meanwhile."""
    assert process.stdin is not None and process.stdout is not None
    try:
        _send(process.stdin, raw, name)
    except BrokenPipeError:
        return b""
    return process.stdout.readline()


def _send(to: IO[bytes], raw: bytes, name: str) -> None:
    to.write(json.dumps({"name": name, "bytes": len(raw)}).encode() + b"\n")
    to.write(raw)
    to.flush()
