"""Texts read word by word: what a sentence names, counts and says, alone or beside another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from assistant.lexicon import IRREGULAR
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
        return [clause for sentence in self.sentences for clause in clauses(sentence.shown)]

    @property
    def text(self) -> str:
        return " ".join(sentence.shown for sentence in self.sentences)

    def carriers(self, claim: Reading) -> list[Reading]:
        """The sentences with most of a claim's verbs, nearest to it first: one may carry it."""
        verbs = {token.word for token in claim.tokens if is_verb(token)}
        most = max(len(reading.words & verbs) for reading in self.readings)
        found = [r for r in self.readings if len(r.words & verbs) == most]
        return sorted(found, key=lambda reading: -len(reading.words & claim.words))


def windows_of(sentences: Sequence[Sentence]) -> Iterator[Window]:
    """Each sentence alone, then with the one before it, or a list item with its introduction."""
    readings = [Reading(sentence.shown) for sentence in sentences]
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


def triples(words: Sequence[Token]) -> Iterator[tuple[Token, Token, Token]]:
    """Each word with the one before and the next that is no function word."""
    for i, token in enumerate(words):
        following = (t for t in words[i + 1 :] if is_content(t) or is_number(t))
        yield words[max(i - 1, 0)], token, next(following, token)


def is_of(text: str, token: Token) -> bool:
    """Whether a word is followed by "of"."""
    return text[token.end :].split()[:1] == ["of"]


def is_verb(token: Token) -> bool:
    """Whether a word looks like a verb in the past, or like its participle."""
    return token.folded in IRREGULAR or (token.folded.endswith("ed") and len(token.folded) > 4)
