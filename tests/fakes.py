"""Stand-ins for the heavy parts: an encoder and a chat model that can be told what to do."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistant.text import is_content, tokens
from assistant.types import Document, Message, Selection

MANIFEST = Path(__file__).resolve().parent.parent / "sources" / "manifest.toml"
_DIMENSIONS = 384


class BagOfWords:
    """A hashing bag of words: texts are as similar as the words they share. Unit length."""

    name = "bag-of-words"

    def encode_documents(self, texts: Sequence[str]) -> list[list[float]]:
        return [self.encode_query(text) for text in texts]

    def encode_query(self, text: str) -> list[float]:
        vector = [0.0] * _DIMENSIONS
        for token in tokens(text):
            vector[zlib.crc32(token.word.encode()) % _DIMENSIONS] += (
                1.0 if is_content(token) else 0.1
            )
        length = math.sqrt(sum(x * x for x in vector))
        # Nothing to say points somewhere of its own: a vector of zeros has no direction.
        return [x / length for x in vector] if length else [1.0] + [0.0] * (_DIMENSIONS - 1)


@dataclass
class ScriptedChat:
    """Plays its replies in order, word by word, and keeps what it was asked.

    With a `fault` it raises that before piece `fails_at` of a reply; probes are played in order,
    and are None once they run out. A selection is made for the first lettered sentence that holds
    `chooses`, or for each part of it between bars, as sure as `answered` says; without that there
    is none.
    """

    replies: list[str] = field(default_factory=list)
    probes: list[float | None] = field(default_factory=list)
    fault: Exception | None = None
    fails_at: int = 0
    name: str = "scripted"
    asked: list[list[Message]] = field(default_factory=list)
    probed: list[list[Message]] = field(default_factory=list)
    selected: list[list[Message]] = field(default_factory=list)
    chooses: str = ""
    answered: float = 0.9
    partly: float = 0.0
    false_premise: float = 0.0

    def stream(self, messages: Sequence[Message], max_tokens: int) -> Iterator[str]:
        self.asked.append(list(messages))
        reply = self.replies.pop(0) if self.replies else ""
        pieces = reply.split(" ")
        for place, word in enumerate(pieces):
            if self.fault and place == self.fails_at:
                raise self.fault
            yield word if place == 0 else f" {word}"
        if self.fault and self.fails_at >= len(pieces):
            raise self.fault

    def probe(self, messages: Sequence[Message]) -> float | None:
        self.probed.append(list(messages))
        return self.probes.pop(0) if self.probes else None

    def select(self, messages: Sequence[Message], count: int) -> Selection | None:
        if not self.chooses:
            return None
        self.selected.append(list(messages))
        lettered = [line for line in messages[0]["content"].splitlines() if line[1:3] == ". "]
        assert len(lettered) == count
        wanted = self.chooses.split("|")
        best = [next((at for at, line in enumerate(lettered) if w in line), 0) for w in wanted]
        relevance = tuple(float(at in best) for at in range(count))
        return Selection(self.answered, relevance, self.partly, self.false_premise)


def make_document(text: str, doc_id: str = "doc", **changes: object) -> Document:
    values: dict[str, object] = {
        "doc_id": doc_id,
        "title": f"Title of {doc_id}",
        "publisher": "Daily",
        "published": "2024-05-06",
        "url": "",
        "language": "en",
        "text": text,
        "content_hash": str(zlib.crc32(text.encode("utf-8", "surrogatepass"))),
    }
    return Document(**(values | changes))  # type: ignore[arg-type]


def write_sources(folder: Path, texts: dict[str, str]) -> Path:
    """A manifest over these texts, by id; returns its path."""
    lines = []
    for doc_id, text in texts.items():
        (folder / f"{doc_id}.txt").write_text(text, encoding="utf-8")
        lines.append(
            f'[[source]]\nid = "{doc_id}"\ntitle = "About {doc_id}"\npublisher = "Press {doc_id}"\n'
            f'file = "{doc_id}.txt"\n'
        )
    manifest = folder / "manifest.toml"
    manifest.write_text("\n".join(lines), encoding="utf-8")
    return manifest
