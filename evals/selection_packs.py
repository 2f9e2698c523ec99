"""What the adapter that selects answer sentences learns from: sentences, and questions about them.

Many questions are asked of the same sentences at once, so that those are read only once. Which
sentences are shown, and in which order, changes from pack to pack: otherwise it would be learnt by
heart where an answer stands, and which questions have one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from assistant import prompts
from assistant.answer_selection import LETTERS
from assistant.text import sentence_spans
from assistant.types import Message

Key = tuple[str, int]
"""A document and where in it a sentence begins."""
Verdict = Literal["yes", "part", "no", "false"]
VERDICTS: tuple[Verdict, ...] = ("yes", "part", "no", "false")
"""In the order of the scores."""
_WHOLE, _DROPPED = 0.5, 0.15
"""How often the sources are shown as they are; else up to this share of their sentences is left
out, in a new order of documents."""
_FEW, _MOST_FEW = 0.15, (5, 10)
"""How often only a few sentences are shown, and how many: as of sources that are too long."""
_ONE_DOCUMENT, _STRANGE = 0.15, 0.3
"""How often just one document is shown, and how often other text stands beside the sources."""
_LOWERED = 0.15
"""How often a question is in lower case without its question mark."""
_PARAGRAPHS, _SHORT = (2, 6), 0.4
"""Paragraphs of a pack of other text, and how often it has just one."""


@dataclass(frozen=True)
class Shown:
    """A sentence as the model is shown it."""

    key: Key
    title: str
    text: str


Corpus = list[Shown]


@dataclass(frozen=True)
class Question:
    """A question, which sentences hold what it asks for, and whether they answer it."""

    asked: str
    history: Sequence[Message]
    gold: Sequence[frozenset[Key]]
    """For each thing the answer needs the sentences that say it; any of them will do."""
    verdict: Verdict
    needs_several: bool = False


@dataclass(frozen=True)
class Target:
    """What is right: for each gold quote its letters, and the place of the verdict."""

    gold: list[list[int]]
    verdict: int | None
    """None where none is right."""


@dataclass(frozen=True)
class Pack:
    """Sentences, the requests about them, and what is right for each."""

    prompt: str
    requests: list[str]
    targets: list[Target]
    count: int


def pack(shown: Sequence[Shown], asked: Sequence[Question]) -> Pack:
    """Questions about sentences in this order."""
    letter = {sentence.key: at for at, sentence in enumerate(shown)}
    leads = [(sentence.title, sentence.text) for sentence in shown]
    rendered = [prompts.render_selection(leads, q.asked, q.history) for q in asked]
    return Pack(
        _as_text(rendered[0][:1]),
        [_as_text(messages[1:]) + "<|im_start|>assistant\n" for messages in rendered],
        [_target(question, letter) for question in asked],
        len(shown),
    )


def _as_text(messages: Sequence[Message]) -> str:
    """Messages in the model's own chat format."""
    return "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)


def _target(question: Question, letter: dict[Key, int]) -> Target:
    gold = [sorted(letter[key] for key in quote if key in letter) for quote in question.gold]
    present = [quote for quote in gold if quote]
    verdict: Verdict | None = question.verdict
    if question.verdict == "false":
        verdict = "false" if len(present) == len(gold) else None
    elif question.verdict != "no" and len(present) < len(gold):
        some: Verdict | None = "part" if question.needs_several else None
        verdict = some if present else "no"
    return Target(present, None if verdict is None else VERDICTS.index(verdict))


def varied(
    corpus: Corpus,
    asked: Sequence[Question],
    other: Iterator[tuple[Corpus, list[Question]]],
    drawn: random.Random,
) -> Pack:
    """Questions about the sources, which are shown as they are or changed in some way."""
    shown, asked = list(corpus), [_retyped(question, drawn) for question in asked]
    chance = drawn.random()
    if chance < _FEW:
        shown = _few(shown, asked, drawn)
    elif chance > _FEW + _WHOLE:
        documents = _documents(shown)
        if drawn.random() < _ONE_DOCUMENT:
            documents = [drawn.choice(documents)]
        dropped = drawn.random() * _DROPPED
        documents = [[s for s in one if drawn.random() >= dropped] for one in documents]
        if drawn.random() < _STRANGE:
            strange, about = next(other)
            documents += _documents(strange)
            asked += about[:4]
        drawn.shuffle(documents)
        shown = [sentence for one in documents for sentence in one][: len(LETTERS)]
    return pack(shown, asked)


def _few(shown: Corpus, asked: Sequence[Question], drawn: random.Random) -> Corpus:
    """A few sentences, among them what some of the questions ask for, in their order."""
    count = drawn.randint(*_MOST_FEW)
    kept: set[Key] = set()
    for question in asked:
        if len(kept) < count - 1:
            kept |= {drawn.choice(sorted(quote)) for quote in question.gold[:3] if quote}
    kept |= {drawn.choice(shown).key for _ in range(max(count - len(kept), 1))}
    return [sentence for sentence in shown if sentence.key in kept]


def _documents(shown: Corpus) -> list[Corpus]:
    titles = list(dict.fromkeys(sentence.title for sentence in shown))
    return [[sentence for sentence in shown if sentence.title == title] for title in titles]


def _retyped(question: Question, drawn: random.Random) -> Question:
    if drawn.random() >= _LOWERED:
        return question
    return replace(question, asked=question.asked.lower().rstrip("?"))


def other_text(
    articles: Sequence[Any], drawn: random.Random
) -> Iterator[tuple[Corpus, list[Question]]]:
    """Paragraphs of articles in the format of SQuAD 2.0, with their questions, without end.

    To a question that its paragraph leaves open the plausible answer is the nearest sentence.
    """
    paragraphs = [
        (article["title"].replace("_", " "), paragraph)
        for article in articles
        for paragraph in article["paragraphs"]
    ]
    while True:
        count = 1 if drawn.random() < _SHORT else drawn.randint(*_PARAGRAPHS)
        chosen = drawn.sample(paragraphs, min(count, len(paragraphs)))
        shown: Corpus = []
        asked: list[Question] = []
        for title, paragraph in sorted(chosen, key=lambda found: found[0]):
            added, about = _paragraph(title, paragraph)
            if len(shown) + len(added) <= len(LETTERS):
                shown, asked = shown + added, asked + about
        if asked:
            drawn.shuffle(asked)
            yield shown, asked


def _paragraph(title: str, paragraph: Any) -> tuple[Corpus, list[Question]]:
    text = paragraph["context"]
    name = f"{title}: {text}"
    spans = sentence_spans(text)
    asked = []
    for entry in paragraph["qas"]:
        answers = entry["answers"] or entry.get("plausible_answers") or []
        places = {answer["answer_start"] for answer in answers[:3]}
        gold = frozenset((name, s) for s, e in spans if any(s <= at < e for at in places))
        if gold or entry["is_impossible"]:
            verdict: Verdict = "no" if entry["is_impossible"] else "yes"
            asked.append(Question(entry["question"], (), [gold] if gold else [], verdict))
    return [Shown((name, s), title, text[s:e]) for s, e in spans], asked
