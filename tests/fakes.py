"""Stand-ins for the heavy parts: an encoder and a chat model that can be told what to do."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from assistant.reader import Page, Reading
from assistant.text import is_content, tokens
from assistant.types import Document, Message, Selection

MANIFEST = Path(__file__).resolve().parent.parent / "sources" / "manifest.toml"
_DIMENSIONS = 384


class BagOfWords:
    """A hashing bag of words: texts are as similar as the words they share. Unit length."""

    name = "bag-of-words"
    unrelated = 0.0

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
class WordReader:
    """Takes the sentences with most of a question's words for its answer, and notes what it read.

    `chooses` picks sentences by a part of each, between bars, where a passage has one; the other
    fields say how sure it is that they answer, do so in part, or contradict the question.
    """

    chooses: str = ""
    answered: float = 0.9
    partly: float = 0.0
    contradicted: float = 0.0
    asked: list[str] = field(default_factory=list)

    def read(self, question: str, pages: Sequence[Page]) -> list[Reading]:
        self.asked.append(question)
        there = any(self._picks(text) for page in pages for text in page.sentences)
        share = self._picks if there else partial(_overlap, question)
        shares = [[share(text) for text in page.sentences] for page in pages]
        best = max((share for page in shares for share in page), default=0.0)
        return [
            Reading(
                self.answered if best and max(page, default=0.0) == best else 0.0,
                self.partly,
                self.contradicted,
                tuple(1.0 if best and share == best else share / 10 for share in page),
            )
            for page in shares
        ]

    def _picks(self, text: str) -> float:
        return float(any(part and part in text for part in self.chooses.split("|")))


def _overlap(question: str, text: str) -> float:
    asked = {token.word for token in tokens(question) if is_content(token)}
    return len(asked & {token.word for token in tokens(text)}) / max(len(asked), 1)


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
