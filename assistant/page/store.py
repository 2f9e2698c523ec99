"""Kept conversations and the verdicts on their answers, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from assistant.errors import StorageError
from assistant.page.conversation import Turn, Verdict, messages, turn_from_dict

FILE = "page.sqlite3"
LISTED = 500
"""How many conversations are listed; older ones stay in the file."""
_VERSION = 1
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS conversations (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL,
        begun REAL NOT NULL, changed REAL NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS by_owner ON conversations (owner, changed)",
    # One row for a turn: two windows that go on with one conversation each add their own.
    """CREATE TABLE IF NOT EXISTS turns (
        id TEXT PRIMARY KEY,
        conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        asked REAL NOT NULL, ended INTEGER NOT NULL, body TEXT NOT NULL,
        verdict TEXT NOT NULL, reason TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS by_conversation ON turns (conversation, asked)",
    f"PRAGMA user_version = {_VERSION}",
)
# A late word of a stream that was stopped meanwhile must not make the turn grow again.
_PUT_TURN = """INSERT INTO turns (id, conversation, asked, ended, body, verdict, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, body = excluded.body,
        verdict = excluded.verdict, reason = excluded.reason
    WHERE turns.ended <= excluded.ended AND turns.conversation = excluded.conversation"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A line of the list of conversations."""

    talk_id: str
    title: str
    changed: float


class Store:
    """The file, opened anew for each use: it may be moved, mended or shared meanwhile.

    Every method raises `StorageError` when the file can't be read or written. A conversation is
    only ever found by its owner: an unguessable name of a browser, or a user's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._beginning = threading.Lock()

    def save(
        self, owner: str, talk_id: str, title: str, turns: Sequence[Turn], begin: bool
    ) -> bool:
        """Put turns into a conversation; False when it has been deleted meanwhile."""
        now = time.time()
        with self._open() as db:
            if begin:
                db.execute(
                    "INSERT OR IGNORE INTO conversations VALUES (?, ?, ?, ?, ?)",
                    (talk_id, owner, _clean(title), now, now),
                )
            changed = db.execute(
                "UPDATE conversations SET changed = ? WHERE id = ? AND owner = ?",
                (now, talk_id, owner),
            )
            if not changed.rowcount:
                return False
            db.executemany(_PUT_TURN, [_row(turn, talk_id) for turn in turns])
        return True

    def conversations(self, owner: str) -> list[Kept]:
        """The owner's conversations, the latest first."""
        with self._open() as db:
            rows = db.execute(
                "SELECT id, title, changed FROM conversations WHERE owner = ?"
                " ORDER BY changed DESC LIMIT ?",
                (owner, LISTED),
            ).fetchall()
        return [Kept(*row) for row in rows]

    def load(self, owner: str, talk_id: str) -> tuple[str, list[Turn]] | None:
        """Title and turns; None when the owner has no such conversation."""
        with self._open() as db:
            found = db.execute(
                "SELECT title FROM conversations WHERE id = ? AND owner = ?", (talk_id, owner)
            ).fetchone()
            return (found[0], _turns(db, talk_id)) if found else None

    def rename(self, owner: str, talk_id: str, title: str) -> None:
        with self._open() as db:
            db.execute(
                "UPDATE conversations SET title = ? WHERE id = ? AND owner = ?",
                (_clean(title), talk_id, owner),
            )

    def delete(self, owner: str, talk_id: str) -> None:
        with self._open() as db:
            db.execute("DELETE FROM conversations WHERE id = ? AND owner = ?", (talk_id, owner))

    def feedback(self) -> list[dict[str, Any]]:
        """Every verdict with its question, history and answer, the oldest first."""
        records = []
        with self._open() as db:
            judged = db.execute(
                "SELECT DISTINCT conversation FROM turns WHERE verdict != '' ORDER BY asked"
            ).fetchall()
            for (talk_id,) in judged:
                turns = _turns(db, talk_id)
                records += [
                    {
                        "question": turn.question,
                        "history": messages(turns[:at]),
                        "answer": turn.answer.to_dict() if turn.answer else None,
                        "verdict": turn.verdict,
                        "reason": turn.reason,
                    }
                    for at, turn in enumerate(turns)
                    if turn.verdict
                ]
        return records

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.path.exists():
                self.path.touch(mode=0o600)  # What people ask is nobody else's.
            with closing(sqlite3.connect(self.path, timeout=5)) as db:
                with self._beginning:  # Two that begin a file at once find it locked.
                    _prepare(db, self.path)
                with db:
                    yield db
        except (sqlite3.Error, OSError) as fault:
            raise _fault(fault, self.path) from None


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA secure_delete = ON")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise StorageError(
            f"The conversations in {path} were kept by a later version of this program.",
            "update this one, or set OTS_ASSISTANT_DATA_DIR to another folder",
        )
    if version < _VERSION:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            db.execute(statement)
        db.commit()


def _row(turn: Turn, talk_id: str) -> tuple[Any, ...]:
    # JSON in ASCII: half a surrogate pair, which a browser can send, is no UTF-8.
    body = json.dumps(turn.to_dict())
    ended = int(not turn.growing)
    return turn.turn_id, talk_id, turn.asked, ended, body, turn.verdict, _clean(turn.reason)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _turns(db: sqlite3.Connection, talk_id: str) -> list[Turn]:
    rows = db.execute(
        "SELECT id, asked, body, verdict, reason FROM turns WHERE conversation = ?"
        " ORDER BY asked, rowid",
        (talk_id,),
    ).fetchall()
    return [_turn(*row) for row in rows]


def _turn(turn_id: str, asked: float, body: str, verdict: Verdict, reason: str) -> Turn:
    try:
        turn = turn_from_dict(json.loads(body))
    except (ValueError, RecursionError) as fault:
        line = f"This turn was kept in a way that can't be read any more: {fault}."
        turn = Turn("A question that can't be read", fault=line, started=True)
    if verdict not in get_args(Verdict):
        verdict = ""
    return replace(turn, turn_id=turn_id, asked=asked, verdict=verdict, reason=reason)


def _fault(fault: Exception, path: Path) -> StorageError:
    reason = (getattr(fault, "strerror", None) or str(fault)).rstrip(".")
    mend = "set OTS_ASSISTANT_DATA_DIR to a folder that you may write to"
    if "not a database" in reason or "malformed" in reason or "no such" in reason:
        mend = "move that file away; a new one is begun"
    elif "full" in reason or "No space" in reason:
        mend = "free some space on that disk"
    elif "locked" in reason:
        mend = "end the other program that has that file open"
    return StorageError(f"Conversations can't be kept in {path}: {reason}.", mend)
