"""Where the page listens, and who may reach it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import re
import socket
import sys
import threading
import warnings
import webbrowser
from collections.abc import Mapping
from typing import Any

import uvicorn

from assistant.errors import SettingsError
from assistant.langchain_chat import is_loopback

HOST, PORT = "127.0.0.1", "7860"
_HIGHEST = 65535


def place(host: str | None, port: str | None, environ: Mapping[str, str]) -> tuple[str, int]:
    """Where to listen: what the options say, else Gradio's own variables, else the defaults."""
    option = "--port" if port is not None else "GRADIO_SERVER_PORT"
    text = port if port is not None else environ.get("GRADIO_SERVER_PORT") or PORT
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > _HIGHEST:
        raise SettingsError(
            f"{option} is '{text}', which is no port.", f"give a whole number up to {_HIGHEST}"
        )
    name = host if host is not None else environ.get("GRADIO_SERVER_NAME") or HOST
    return name, int(text)


def listen(host: str, port: int, public: bool, login: bool = False) -> socket.socket:
    """A listening socket, or the reason why there is none."""
    if not is_loopback(host) and not public and not login:
        raise SettingsError(
            f"The address {host} can be reached by others, and this page has no login.",
            "leave --host and GRADIO_SERVER_NAME out, give --users FILE, or add "
            "--public-without-login if you want that",
        )
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # From here on a browser that comes before the server is up waits instead of being refused.
        listener.listen(128)
    except (OSError, UnicodeError) as fault:
        other = f"python app.py --port {port + 1 if port < _HIGHEST else PORT}"
        taken = getattr(fault, "errno", None) in (errno.EADDRINUSE, errno.EACCES)
        raise SettingsError(
            f"The page can't be opened at {host}, port {port}: {_reason(fault)}.",
            other if taken else "correct --host or GRADIO_SERVER_NAME",
        ) from None
    return listener


def _reason(fault: Exception) -> str:
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror[0].lower() + fault.strerror[1:]
    return str(fault).rstrip(".")


def serve(server: Any, listener: socket.socket, open_browser: bool) -> None:
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    print(f"The page is at {address}  (Ctrl-C ends it)", flush=True)
    if open_browser:
        threading.Timer(1, webbrowser.open, [address]).start()
    config = uvicorn.Config(server, log_level="warning", timeout_graceful_shutdown=2)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    # A second Ctrl-C lands here, or one that comes before uvicorn is up; the first is uvicorn's.
    warnings.filterwarnings("ignore", "coroutine 'Server.serve' was never awaited")
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _is_news(record: logging.LogRecord) -> bool:
    """Not the end of a page that a browser still had open: Ctrl-C cuts it off, as it should."""
    cut_off = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cut_off and "timeout graceful shutdown exceeded" not in record.getMessage()


def has_display() -> bool:
    """Whether a browser could open a window; without one, text browsers would take the terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
