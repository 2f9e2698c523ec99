"""The page served from this process, for a browser to look at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

import app

UNHURRIED = app.Options(per_minute=10_000)
"""For the tests of one module, which together ask more in a minute than one person may."""


@contextmanager
def serving(built: Any) -> Iterator[str]:
    """The address at which a built server answers."""
    listener = app.listen("127.0.0.1", 0, public=False)
    server = uvicorn.Server(uvicorn.Config(built, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    server.should_exit = server.force_exit = True
    thread.join(10)
