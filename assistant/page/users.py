"""Who may log in: a file with a line `name:hash` for each user, and with `:sources` after it for
one who may add sources and take them out.

Hashes are scrypt, written as `scrypt$n$r$p$salt$key` with salt and key in hexadecimal.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path

from assistant.errors import SettingsError, StorageError
from assistant.page.rate import Rate

ADD = "ots-assistant user FILE NAME"
SHORTEST = 8
_COST = (2**14, 8, 1)
_LINE = re.compile(
    r"(?P<name>[\w.@-]{1,64}):(?P<hash>scrypt\$\d{1,7}\$\d{1,2}\$\d{1,2}\$[0-9a-f]{32}\$[0-9a-f]{64})"
    r"(?P<sources>:sources)?"
)
_TRIES = 10
"""Wrong passwords that one name may have in a minute."""


class Users:
    """Checks names and passwords; a name that is none takes as long as one that is."""

    def __init__(self, hashes: Mapping[str, str], editors: Collection[str] = ()) -> None:
        self.editors = frozenset(editors)
        """Those who may change the sources."""
        self._hashes = dict(hashes)
        self._nobody = hash_password(secrets.token_hex())
        self._tries = Rate(_TRIES)

    def __call__(self, name: str, password: str) -> bool:
        if self._tries.wait(name[:64]):
            return False
        known = self._hashes.get(name)
        matches = _matches(password, known or self._nobody)
        return known is not None and matches


def load_users(path: Path) -> Users:
    """The users of a file. Raises `SettingsError` naming the line that is wrong."""
    hashes: dict[str, str] = {}
    editors: set[str] = set()
    for number, line in enumerate(_lines(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise SettingsError(f"{path}:{number}: this is no line 'name:hash'.", ADD)
        hashes[match["name"]] = match["hash"]
        if match["sources"]:
            editors.add(match["name"])
    if not hashes:
        raise SettingsError(f"The file {path} names no user.", ADD)
    return Users(hashes, editors)


def add_user(path: Path, name: str, password: str, sources: bool = False) -> None:
    """Add a user to a file that only its owner may read, or give one another password.

    `sources` is whether they may add sources and take them out.
    """
    if not re.fullmatch(r"[\w.@-]{1,64}", name):
        raise SettingsError(
            f"The name {name!r} can't be used.", "use up to 64 letters, digits, '.', '_', '@', '-'"
        )
    if len(password) < SHORTEST:
        raise SettingsError(
            f"The password has {len(password)} characters.", f"use at least {SHORTEST}"
        )
    kept = _lines(path) if path.exists() else []
    kept = [line for line in kept if not line.startswith(f"{name}:")]
    text = "\n".join([*kept, f"{name}:{hash_password(password)}{':sources' * sources}"]) + "\n"
    draft = path.with_name(f"{path.name}.new")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except OSError as fault:
        raise StorageError(
            f"The file {path} can't be written: {fault.strerror}.", "choose another place for it"
        ) from None


def hash_password(password: str) -> str:
    salt = secrets.token_bytes(16)
    return "$".join(["scrypt", *map(str, _COST), salt.hex(), _key(password, salt, *_COST).hex()])


def _matches(password: str, known: str) -> bool:
    _, n, r, p, salt, key = known.split("$")
    found = _key(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, bytes.fromhex(key))


def _key(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    given = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(given, salt=salt, n=n, r=r, p=p, maxmem=2**27, dklen=32)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise SettingsError(f"The users file {path} can't be read: {reason}.", ADD) from None
