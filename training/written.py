"""The questions and claims written for the reader over public documents, `written.jsonl`.

A line names its document by title and the hash of its text, the passage and the gold sentences by
offsets: the texts themselves are not the project's to keep.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.examples import (
    CONTRADICTED,
    VERDICTS,
    Example,
    header,
    is_kept_back,
    read_lines,
    split,
)

WRITTEN = Path(__file__).with_name("written.jsonl")
_TRUE = (1.0, 0.0, 0.0)


def written(bench: Path, kept_back: bool) -> Iterator[Example]:
    """What was written over documents that are, or are not, kept back."""
    texts = dict(_texts(bench))
    for row in read_lines(WRITTEN):
        if _is_kept_back(row) is not kept_back:
            continue
        head, text = texts[row["text"]]
        start, end = row["passage"]
        found, spans = split(text[start:end], row["text_language"])
        wanted = [(a - start, b - start) for a, b in row["gold"]]
        gold = tuple(int(any(a < f and s < b for a, b in wanted)) for s, f in spans)
        if "claim" in row:
            verdict = _TRUE if row["twist"] == "true" else CONTRADICTED
            asked, source = row["claim"], "claims"
        else:
            verdict, asked, source = VERDICTS[row["verdict"]], row["question"], "written"
        claim = source == "claims"
        yield Example(
            asked, head, tuple(found), gold, verdict, source, row["language"], claim,
            text_language=row["text_language"],
        )  # fmt: skip


def _is_kept_back(row: dict[str, Any]) -> bool:
    """Whether nothing is learnt from a line's document.

    The documents were drawn from those that are learnt from, so they are split once more; some
    that were written over later are marked.
    """
    return row.get("kept_back", False) or is_kept_back(f"written over {row['document']}")


def _texts(bench: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """Header and text of every document that may be named, by the hash of the text."""
    corpus = json.loads((bench / "multihop-rag" / "corpus.json").read_text(encoding="utf-8"))
    for page in corpus:
        head = header(page["title"], page["source"], page["published_at"][:10])
        yield _hash(page["body"]), (head, page["body"])
    for row in read_lines(bench / "reader" / "xquad.jsonl"):
        for text in row["contexts"].values():
            yield _hash(text), (row["title"].replace("_", " "), text)
    for row in read_lines(bench / "reader" / "kazqad.jsonl"):
        yield _hash(row["context"]), (row["title"], row["context"])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
