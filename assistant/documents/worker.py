"""The process that reads documents: whatever a hostile one does, it does it here.

Each message is a line of JSON; a request's `bytes` follow it as they are.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any

from assistant.documents.extracted import Unreadable
from assistant.documents.formats import extract

MEMORY = 1_500_000_000
"""Bytes that reading one document may take, beyond what the program itself does."""


def main() -> None:
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What a library prints is no reply.
    os.dup2(2, 1)
    _limit_memory()
    while line := requests.readline():
        asked = json.loads(line)
        reply = _answer(requests.read(asked["bytes"]), asked["name"])
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def _answer(raw: bytes, name: str) -> dict[str, Any]:
    try:
        return asdict(extract(raw, name))
    except Unreadable as fault:
        return {"unreadable": str(fault)}
    except MemoryError:
        return {"unreadable": f"it takes more than {MEMORY:,} bytes of memory to read"}
    except RecursionError:
        return {"unreadable": "it is nested too deeply"}
    # A library that fails on a document must not end the batch; the kind of fault is told.
    except Exception as fault:
        told = " ".join(str(fault).split())[:120]
        return {"unreadable": f"it is damaged ({type(fault).__name__}: {told})"}


def _limit_memory() -> None:
    if sys.platform != "linux":
        return  # elsewhere the limit is not kept, or there is none
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:
        taken = int(file.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = taken + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
