"""Which examples the reader learns from, and which it is tried on while it learns."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from assistant.passages import passages, sentences
from assistant.settings import Settings
from assistant.sources import load_documents
from evals.dataset import QUESTIONS, load_cases, set_of
from training.examples import (
    UNANSWERED,
    VERDICTS,
    Example,
    clapnq,
    cropped,
    facts,
    header,
    is_kept_back,
    read_lines,
    span_set,
    squad2,
    xquad,
    xquad_on_english,
)
from training.twists import parallel_claims, twisted_questions
from training.written import written

SQUAD_KEPT_BACK = ("Warsaw",)
_NUMBERS = (6, 10, 11, 22, 23, 26, 31, 36, 37, 41)
SHIPPED_KEPT_BACK = ("fresh", *(f"unseen{number}" for number in _NUMBERS))
"""Question sets of `evals/unseen.jsonl` that nothing is learnt from."""
_FACTS, _CLAPNQ = 1500, 3
"""How many of MultiHop-RAG's facts are drawn, and how often CLAP NQ's few searches are shown."""
_OUTCOMES = {"answer": "yes", "partial": "part", "correct": "false", "decline": "no"}
_TRANSLATIONS = ("en", "ru", "tr", "de", "es", "ro", "el", "ar")


def training_examples(bench: Path, rng: random.Random) -> list[Example]:
    """What is learnt from, none of it of a document that is kept back; in random order."""
    reader = bench / "reader"
    translated = _kept(reader / "xquad.jsonl", False)
    found = list(xquad(translated, rng, draws=8))
    found += span_set(_kept(reader / "kazqad.jsonl", False), "kazqad", "kk")
    found += squad2(_squad(bench), SQUAD_KEPT_BACK)
    found += twisted_questions(found, rng)
    found += parallel_claims(translated, _TRANSLATIONS, rng, draws=12)
    found += [*clapnq(_kept(reader / "clapnq.jsonl", False))] * _CLAPNQ
    news = list(facts(_corpus(bench), _queries(bench)))
    for example in rng.sample(news, _FACTS):
        found += [example, _strange(example, rng.choice(news))]
    found += shipped(rng)
    found += [*written(bench, kept_back=False)] * 2
    found = [cropped(example, rng) for example in found]
    rng.shuffle(found)
    return found


def tried_examples(bench: Path) -> list[Example]:
    """Of the documents that are kept back, in the languages that matter; passages are whole."""
    reader = bench / "reader"
    found = list(xquad_on_english(_kept(reader / "xquad.jsonl", True)))
    found += span_set(_kept(reader / "kazqad.jsonl", True), "kazqad", "kk")
    found += clapnq(_kept(reader / "clapnq.jsonl", True))
    found += [e for e in squad2(_squad(bench), ()) if e.header == SQUAD_KEPT_BACK[0]]
    found += written(bench, kept_back=True)
    return found


def _strange(example: Example, other: Example) -> Example:
    """A question beside a passage of another article."""
    return Example(
        example.question, other.header, other.sentences, (0,) * len(other.sentences),
        UNANSWERED, "facts", "en",
    )  # fmt: skip


def shipped(rng: random.Random) -> Iterator[Example]:
    """The project's questions about its own articles, each on its passages and on one other."""
    documents = load_documents(Settings().sources)
    pages = [
        (page, [s for s in sentences(document) if page.start <= s.start < page.end])
        for document in documents.values()
        for page in passages(document, 700)
    ]
    for case in load_cases(QUESTIONS.with_name("unseen.jsonl"), documents):
        if case.history or set_of(case.id) in SHIPPED_KEPT_BACK:
            continue
        spans = [span for quote in case.gold for span in quote.spans]
        found = []
        for page, inside in pages:
            gold = tuple(
                int(any(s.doc_id == page.doc_id and s.start < e and b < s.end for b, e in
                        (span.sentences for span in spans if span.doc_id == page.doc_id)))
                for s in inside
            )  # fmt: skip
            document = documents[page.doc_id]
            example = Example(
                case.question,
                header(document.title, document.publisher, document.published),
                tuple(s.text for s in inside),
                gold,
                VERDICTS[_OUTCOMES.get(case.expected, "no")] if any(gold) else UNANSWERED,
                "shipped",
                case.language,
            )
            found.append(example)
        yield from (example for example in found if any(example.gold))
        rest = [example for example in found if not any(example.gold)]
        yield from rng.sample(rest, min(len(rest), 1 if len(rest) < len(found) else 3))


def _kept(path: Path, back: bool) -> list[dict]:  # type: ignore[type-arg]
    return [r for r in read_lines(path) if is_kept_back(r.get("title") or r["question"]) is back]


def _squad(bench: Path) -> dict:  # type: ignore[type-arg]
    return json.loads((bench / "squad2" / "dev_half.json").read_text(encoding="utf-8"))


def _corpus(bench: Path) -> list[dict]:  # type: ignore[type-arg]
    return json.loads((bench / "multihop-rag" / "corpus.json").read_text(encoding="utf-8"))


def _queries(bench: Path) -> list[dict]:  # type: ignore[type-arg]
    return json.loads((bench / "multihop-rag" / "queries_dev.json").read_text(encoding="utf-8"))
