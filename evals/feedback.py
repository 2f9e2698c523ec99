"""Thumbs-down feedback of the browser page -> draft cases for the question set.

It is read where the page keeps it, or from a JSONL file of {question, history, answer, verdict,
reason}.

A draft carries the kind `draft`, which the loader rejects: somebody has to say what the right
answer is before the case counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assistant.errors import StorageError
from assistant.page.store import Store
from evals.types import EvalError

DOWN = ("down", "thumbs-down", "dislike", "bad")


def export_drafts(feedback: Path, drafts: Path) -> int:
    """Write a draft for every thumbs-down of the page's store or a JSONL; returns how many."""
    lines = [json.dumps(draft, ensure_ascii=False) + "\n" for draft in draft_cases(feedback)]
    try:
        drafts.write_text("".join(lines), encoding="utf-8")
    except OSError as fault:
        raise StorageError(
            f"The drafts can't be written to {drafts}: {fault.strerror}.", "choose another file"
        ) from None
    return len(lines)


def draft_cases(feedback: Path) -> list[dict[str, Any]]:
    """A draft for every question that was marked down, each question only once."""
    found: dict[str, dict[str, Any]] = {}
    for record in _records(feedback):
        if record.get("verdict") in DOWN:
            draft = _draft(record)
            found.setdefault(draft["id"], draft)
    return list(found.values())


def _draft(record: Mapping[str, Any]) -> dict[str, Any]:
    history = [
        {"role": turn["role"], "content": turn["content"]} for turn in record.get("history") or []
    ]
    asked = json.dumps([record["question"], history], sort_keys=True)
    answer = record.get("answer") or ""
    shown = answer if isinstance(answer, str) else answer.get("text", "")
    return {
        "id": f"feedback-{hashlib.sha256(asked.encode()).hexdigest()[:8]}",
        "question": record["question"],
        "history": history,
        "language": "en",
        "kind": "draft",
        "expected": "answer",
        "gold_answer": "",
        "accept": [],
        "reject": [],
        "gold_quotes": [],
        "note": f"Marked down: {record.get('reason') or 'no reason given'}. It said: {shown}",
    }


def _records(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix != ".sqlite3":
        yield from _lines(path)
    elif path.exists():
        yield from Store(path).feedback()
    else:
        raise EvalError(
            f"There is no feedback in {path}: nobody has judged an answer on the page yet.",
            "set OTS_ASSISTANT_DATA_DIR to where the page keeps it, or give --feedback",
        )


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise EvalError(
            f"The feedback {path} can't be read: {fault}.", "give the path of a JSONL file"
        ) from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as fault:  # int() refuses absurdly long numbers
            raise EvalError(
                f"{path}:{number}: this is not JSON ({fault}).", "remove that line"
            ) from None
        if not isinstance(record, dict) or not isinstance(record.get("question"), str):
            raise EvalError(f"{path}:{number}: this has no question.", "remove that line")
        yield record
