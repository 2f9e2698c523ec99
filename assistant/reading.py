"""Texts read word by word: what a sentence names, counts and says, alone or beside another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from assistant.passages import Sentence
from assistant.text import (
    Token,
    clauses,
    is_content,
    is_name,
    is_number,
    negated,
    numbers,
    sentence_spans,
    tokens,
)


@dataclass(frozen=True)
class Reading:
    """A text with its words told apart: what it names, counts and says."""

    text: str

    @cached_property
    def tokens(self) -> list[Token]:
        return tokens(self.text)

    @cached_property
    def _openers(self) -> frozenset[int]:
        """Offsets of words that open a sentence, where a capital says nothing."""
        starts = [start for start, _ in sentence_spans(self.text)]
        return frozenset(
            next((t.start for t in self.tokens if t.start >= start), -1) for start in starts
        )

    @cached_property
    def content(self) -> list[Token]:
        return [token for token in self.tokens if is_content(token) or is_number(token)]

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(token.word for token in self.content)

    @cached_property
    def names(self) -> list[Token]:
        return [token for token in self.tokens if is_name(token, token.start in self._openers)]

    @cached_property
    def numbers(self) -> frozenset[str]:
        return frozenset(numbers(self.text, self.tokens))

    @cached_property
    def negated(self) -> bool:
        return negated(self.tokens)


@dataclass(frozen=True)
class Window:
    """One source sentence, or two side by side, read as one piece of evidence."""

    sentences: tuple[Sentence, ...]
    readings: tuple[Reading, ...]

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset().union(*(reading.words for reading in self.readings))

    @cached_property
    def every_word(self) -> frozenset[str]:
        return frozenset(t.word for reading in self.readings for t in reading.tokens)

    @cached_property
    def negated(self) -> bool:
        return any(reading.negated for reading in self.readings)

    @cached_property
    def blocks(self) -> frozenset[int]:
        """The paragraphs or lists it draws on."""
        return frozenset(sentence.block for sentence in self.sentences)

    @cached_property
    def clauses(self) -> list[str]:
        """Its sentences and their parts."""
        return [clause for sentence in self.sentences for clause in clauses(sentence.text)]

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)


def windows_of(sentences: Sequence[Sentence]) -> Iterator[Window]:
    """Each sentence alone, then with the one before it, or a list item with its introduction."""
    readings = [Reading(sentence.text) for sentence in sentences]
    intro: int | None = None
    for i, sentence in enumerate(sentences):
        yield Window((sentence,), (readings[i],))
        before = sentences[i - 1] if i else None
        beside = before is not None and before.doc_id == sentence.doc_id
        if sentence.item:
            if beside and before is not None and not before.item:
                intro = i - 1
            if intro is not None:
                yield Window((sentences[intro], sentence), (readings[intro], readings[i]))
        elif beside and before is not None and not before.item:
            yield Window((before, sentence), (readings[i - 1], readings[i]))
