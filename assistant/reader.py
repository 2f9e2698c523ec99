"""The reader: a question and a passage in, what each sentence has to do with the answer out.

A small transformer, fitted by `training.fit_reader` on questions over hundreds of documents, reads
a passage in order under its title, publisher and date, and beside it the question; they may be in
different languages. Its lower layers are those of the embedding model, which read question and
passage apart, so that what they make of a passage is computed once and kept; its upper layers read
the two together. Adding a document needs no training.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.e5 import E5, END, START, WIDTH, Floats, session

WEIGHTS = Path(__file__).with_name("weights_data") / "reader.onnx"
QUESTION_TOKENS, HEADER_TOKENS, PASSAGE_TOKENS = 96, 64, 384
_BATCH = 8
_REMEMBERED = 2048
"""Passages of which the lower layers' states are kept: some 130 kB each."""

Ids = tuple[int, ...]
Spans = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Page:
    """A passage as it is read: what stands over it, and its sentences in order."""

    header: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader makes of a passage for a question; all are probabilities in [0, 1]."""

    answered: float
    """That the passage answers the question, at least in part."""
    partly: float
    """That it does so in part only."""
    contradicted: float
    """That it contradicts what the question takes for granted."""
    sentences: tuple[float, ...]
    """Of each sentence, that it belongs to the answer or the contradiction."""


class Reads(Protocol):
    """What reads passages for questions: `Reader`, or a stand-in for it."""

    def read(self, question: str, pages: Sequence[Page]) -> list[Reading]: ...


def header(title: str, publisher: str = "", published: str = "") -> str:
    """What stands over a passage: its title, publisher and date, as far as they are known."""
    return ", ".join(part for part in (title, publisher, published) if part)


def question_ids(e5: E5, question: str, claim: bool = False) -> Ids:
    """The tokens of a question, or of a claim that passages may state."""
    return tuple(e5.ids(("claim: " if claim else "query: ") + question)[:QUESTION_TOKENS])


def shape(e5: E5, over: str, sentences: Sequence[str]) -> tuple[Ids, Spans]:
    """The tokens of a passage under its header, and those of each sentence while there is room."""
    ids = e5.ids(f"passage: {over}:")[:-1][:HEADER_TOKENS]
    spans: Spans = []
    for sentence in sentences:
        more = e5.ids(sentence, special=False)[: PASSAGE_TOKENS - HEADER_TOKENS - 1]
        if len(ids) + len(more) >= PASSAGE_TOKENS:
            break
        spans.append((len(ids), len(ids) + len(more)))
        ids += more
    return (*ids, END), spans


class Reader:
    """Reads passages for questions. Of a passage that was read before only the rest is done."""

    def __init__(self, e5: E5, threads: int, weights: Path = WEIGHTS) -> None:
        self._e5 = e5
        self._together = session(weights.read_bytes(), threads)
        self._kept: OrderedDict[Ids, NDArray[np.float16]] = OrderedDict()

    def read(self, question: str, pages: Sequence[Page], claim: bool = False) -> list[Reading]:
        """A reading of each passage; of a `claim`, whether and where the passages state it.

        Passages too long to be read at once are read in pieces, and answer as the best piece does.
        """
        asked = question_ids(self._e5, question, claim)
        pieces: list[tuple[Ids, Spans]] = []
        counts = []
        for page in pages:
            before = len(pieces)
            at = 0
            while at < len(page.sentences):
                pieces.append(shape(self._e5, page.header, page.sentences[at:]))
                at += len(pieces[-1][1])
            counts.append(len(pieces) - before)
        readings = iter(self._read(asked, pieces))
        return [_joined([next(readings) for _ in range(count)]) for count in counts]

    def _read(self, asked: Ids, pieces: Sequence[tuple[Ids, Spans]]) -> list[Reading]:
        question, *passages = self._states([asked, *(ids for ids, _ in pieces)])
        readings: dict[int, Reading] = {}
        order = sorted(range(len(pieces)), key=lambda number: len(pieces[number][0]))
        for start in range(0, len(order), _BATCH):
            numbers = order[start : start + _BATCH]
            some = [(pieces[number], passages[number]) for number in numbers]
            readings |= zip(numbers, self._beside(asked, question, some), strict=True)
        return [readings[number] for number in range(len(pieces))]

    def _states(self, texts: Sequence[Ids]) -> list[NDArray[np.float16]]:
        new = [ids for ids in dict.fromkeys(texts) if ids not in self._kept]
        for ids, states in zip(new, self._e5.lower_states(new), strict=True):
            self._kept[ids] = states.astype(np.float16)
        for ids in texts:
            self._kept.move_to_end(ids)
        found = [self._kept[ids] for ids in texts]
        while len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)
        return found

    def _beside(
        self,
        asked: Ids,
        question: NDArray[np.float16],
        passages: Sequence[tuple[tuple[Ids, Spans], NDArray[np.float16]]],
    ) -> list[Reading]:
        """The question read together with each passage."""
        split = len(asked)
        longest = split + max(len(ids) for (ids, _), _ in passages)
        many = (len(passages), longest)
        x = np.zeros((*many, WIDTH), np.float32)
        there, same = np.zeros(many, bool), np.zeros(many, bool)
        sentence = np.zeros(many, np.int64)
        for row, ((ids, spans), states) in enumerate(passages):
            end = split + len(ids)
            x[row, :split], x[row, split:end], there[row, :end] = question, states, True
            both = set(asked) & set(ids) - {START, END}
            same[row, :end] = [i in both for i in (*asked, *ids)]
            for number, (a, b) in enumerate(spans):
                sentence[row, split + a : split + b] = number + 1
        passage = np.broadcast_to(np.arange(longest) >= split, many)
        logits, verdicts = self._together.run(
            ["sentences", "verdict"],
            {"x": x, "there": there, "passage": passage, "same": same, "sentence": sentence},
        )
        return [
            Reading(answered, partly, contradicted, tuple(map(float, found[: len(spans)])))
            for ((_, spans), _), (answered, partly, contradicted), found in zip(
                passages, _sigmoid(verdicts).tolist(), _sigmoid(logits), strict=True
            )
        ]


def _joined(pieces: Sequence[Reading]) -> Reading:
    """What pieces of one passage, in order, make of it."""
    if not pieces:
        return Reading(0.0, 0.0, 0.0, ())
    best = max(pieces, key=lambda piece: piece.answered)
    against = max(piece.contradicted for piece in pieces)
    return Reading(best.answered, best.partly, against, sum((p.sentences for p in pieces), ()))


def _sigmoid(x: Floats) -> Floats:
    return (1 / (1 + np.exp(-x))).astype(np.float32)
