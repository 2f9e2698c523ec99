"""Prompt states of the local model on disk: what it has read, so that it is not read again.

llama.cpp writes them and does not check what it restores, so each has its checksum beside it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

KEPT = 6
"""States kept on disk, about 30 MB each."""


def keep(state: Path) -> None:
    """Write a state's checksum beside it, last, and drop the oldest states."""
    try:
        _checksum(state).write_text(_digest(state))
        by_age = sorted(state.parent.glob("*.bin"), key=lambda path: -path.stat().st_mtime)
        for old in by_age[KEPT:]:
            old.unlink(missing_ok=True)
            _checksum(old).unlink(missing_ok=True)
    except OSError:
        return  # a full disk: a state without its checksum is not used, and read anew


def intact(state: Path) -> bool:
    try:
        return _checksum(state).read_text() == _digest(state)
    except (OSError, UnicodeDecodeError):
        return False


def _checksum(state: Path) -> Path:
    return state.with_suffix(".sha256")


def _digest(state: Path) -> str:
    return hashlib.sha256(state.read_bytes()).hexdigest()
