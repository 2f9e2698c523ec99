"""Paths, folders and globs -> the bytes of each document, or why there are none."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.documents.extracted import MOST_BYTES, Unreadable
from assistant.documents.formats import too_large

_MAGIC = "*?["


@dataclass(frozen=True, slots=True)
class Given:
    """A document as it was given."""

    origin: str
    name: str
    """What it is called, for its format and its title."""
    raw: bytes
    url: str = ""
    """The address that the bytes came from in the end, after all redirects."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that could not be had or read, and why."""

    name: str
    reason: str


def is_address(target: str) -> bool:
    return target.lower().startswith(("http://", "https://"))


def paths(target: str) -> Iterator[Path | Refused]:
    """The files that a path, a folder or a glob stands for, in order; hidden ones stay out."""
    path = Path(target).expanduser()
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as fault:
        # A name may have a star in it; only one that is no file is taken for a glob.
        found = sorted(glob.glob(str(path), recursive=True)) if _is_glob(target) else []
        for one in found:
            yield from paths(glob.escape(one) if _is_glob(one) else one)
        if not found:
            reason = "nothing has such a name" if _is_glob(target) else _reason(fault)
            yield Refused(target, reason)
        return
    if stat.S_ISDIR(mode):
        yield from _within(path.absolute())
    else:
        yield path.absolute()


def read_path(path: Path) -> Given:
    """The bytes of a file. Raises `Unreadable`, without reading one that is too large."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe would wait
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise Unreadable("it is no regular file")
            if about.st_size > MOST_BYTES:
                raise Unreadable(too_large(about.st_size))
            raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as fault:
        if isinstance(fault, Unreadable):
            raise
        raise Unreadable(_reason(fault)) from None
    return Given(str(path), path.name, raw)


def _within(folder: Path) -> Iterator[Path | Refused]:
    """Every file of a folder and of those in it; a link may not lead out of it."""
    root = os.path.realpath(folder)
    faults: list[OSError] = []
    for at, folders, files in os.walk(folder, onerror=faults.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(at) / name
            if name.startswith("."):
                continue
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
                yield Refused(str(path), "it is a link that leads out of the folder")
            else:
                yield path
    for fault in faults:
        yield Refused(str(fault.filename), _reason(fault))


def _is_glob(target: str) -> bool:
    return any(sign in target for sign in _MAGIC)


def _reason(fault: Exception) -> str:
    said = getattr(fault, "strerror", None) or str(fault)
    return f"{said[:1].lower()}{said[1:]}"
