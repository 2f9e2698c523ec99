"""Refuses every connection and name look-up beyond this machine, and notes it.

Importing it sets the guard up for the process. `sitecustomize.py` beside it does so in every
Python that finds this folder on its PYTHONPATH; those note what they tried in the file that
NETWORK_GUARD_LOG names. Only Python's own sockets are seen: native code needs the test that cuts
the network off altogether (`test_offline.py`).
"""

from __future__ import annotations

import ipaddress
import os
import sys
from typing import Any

LOG = "NETWORK_GUARD_LOG"
attempts: list[str] = []
_CALLS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
}
"""Audit event -> which of its arguments is the host or the address."""


def _is_here(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host in ("", "localhost", "0.0.0.0", "::"):
        return True  # none and all addresses: what a server binds to
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _CALLS:
        return
    target = arguments[_CALLS[event]]
    if event in ("socket.connect", "socket.sendto"):
        if not isinstance(target, tuple):
            return  # a Unix socket
        target = target[0]
    if _is_here(target):
        return
    attempts.append(f"{event} {target}")
    if path := os.environ.get(LOG):
        with open(path, "a", encoding="utf-8") as log:
            log.write(f"{event} {target} by {sys.argv[:3]}\n")
    raise PermissionError(f"{event} to {target}: tests stay on this machine")


sys.addaudithook(_watch)
