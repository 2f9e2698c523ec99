"""Small sources, cases and scripted assistants for the tests of the evals."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.passages import passages, sentences
from assistant.types import (
    Answer,
    Citation,
    Claim,
    Document,
    Message,
    Outcome,
    ScoredPassage,
)
from evals.dataset import parse_case
from evals.types import EvalCase

LINES = (
    "The harbour pact was signed in Port Mira on May 4, 2020.",
    "Five towns joined the pact during the first assembly of mayors.",
    "Ferry traffic between the towns reached 310 trips a month.",
    "The mayor of Port Mira, Lena Orlo, presented the draft budget.",
    "A lighthouse museum is planned for the northern pier.",
    "Fishing quotas remain with each town and are reviewed yearly.",
)
TEXT = "\n\n".join(LINES) + "\n"
DOCUMENTS: dict[str, Document] = {
    "harbour": Document(
        doc_id="harbour",
        title="Towns sign a harbour pact",
        publisher="Coast Daily",
        published="2020-05-05",
        url="",
        language="en",
        text=TEXT,
        content_hash="0",
    )
}
CITABLE = {doc_id: sentences(document) for doc_id, document in DOCUMENTS.items()}
QUESTIONS = (
    ("Where was the harbour pact signed?", "Port Mira", 0),
    ("How many towns joined?", "Five", 1),
    ("How many ferry trips are there a month?", "310", 2),
    ("Who presented the draft budget?", "Lena Orlo", 3),
    ("What is planned for the northern pier?", "museum", 4),
    ("How often are fishing quotas reviewed?", "yearly", 5),
)


def raw_case(**changes: Any) -> dict[str, Any]:
    """A case as a line of the set has it."""
    return {
        "id": "fact-1",
        "question": QUESTIONS[0][0],
        "history": [],
        "language": "en",
        "kind": "fact",
        "expected": "answer",
        "gold_answer": "In Port Mira.",
        "accept": [["Port Mira"]],
        "reject": [],
        "gold_quotes": [{"doc_id": "harbour", "quote": LINES[0]}],
        "note": "",
    } | changes


def make_case(**changes: Any) -> EvalCase:
    return parse_case(json.dumps(raw_case(**changes)), "questions.jsonl:1", DOCUMENTS, CITABLE)


def raw_cases() -> list[dict[str, Any]]:
    """Twenty-four answerable cases and twelve that are not."""
    answerable = [
        raw_case(
            id=f"fact-{copy}-{line}",
            question=question,
            gold_answer=wanted,
            accept=[[wanted]],
            gold_quotes=[{"doc_id": "harbour", "quote": LINES[line]}],
        )
        for copy in range(4)
        for question, wanted, line in QUESTIONS
    ]
    unanswerable = [
        raw_case(
            id=f"unanswerable-{i}",
            question=f"What did the pact cost in the year {1990 + i}?",
            kind="unanswerable",
            expected="decline",
            gold_answer="Not in the sources.",
            accept=[],
            gold_quotes=[],
        )
        for i in range(12)
    ]
    return answerable + unanswerable


def write_cases(path: Path, cases: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    return path


def cite(start: int, end: int, marker: int = 1, quote: str | None = None) -> Citation:
    document = DOCUMENTS["harbour"]
    return Citation(
        marker=marker,
        doc_id="harbour",
        passage_id=f"harbour:{start}-{end}",
        start=start,
        end=end,
        quote=TEXT[start:end] if quote is None else quote,
        title=document.title,
        publisher=document.publisher,
        published=document.published,
    )


def cite_line(line: int, marker: int = 1) -> Citation:
    start = TEXT.index(LINES[line])
    return cite(start, start + len(LINES[line]), marker)


def make_answer(
    text: str = "",
    outcome: Outcome = "answered",
    citations: Sequence[Citation] = (),
    retrieved: Sequence[ScoredPassage] | None = None,
    **changes: Any,
) -> Answer:
    claims = tuple(Claim(c.quote, "supported", (c,)) for c in citations)
    values: dict[str, Any] = {
        "text": text,
        "outcome": outcome,
        "claims": claims,
        "citations": tuple(citations),
        "retrieved": tuple(all_passages() if retrieved is None else retrieved),
        "standalone_query": "",
        "missing": "",
        "timings": {"first_evidence": 0.1, "first_token": 0.2, "total": 0.5},
        "settings_fingerprint": "f" * 12,
        "model": "scripted",
    }
    return Answer(**(values | changes))


def all_passages(max_chars: int = 100) -> list[ScoredPassage]:
    found = passages(DOCUMENTS["harbour"], max_chars)
    return [ScoredPassage(p, 1.0 / rank, rank) for rank, p in enumerate(found, 1)]


def declined() -> Answer:
    return make_answer("The sources do not say.", "not_in_sources")


def quoting(line: int) -> Answer:
    return make_answer(f"{LINES[line]} [1]", citations=[cite_line(line)])


def good(question: str) -> Answer:
    """The right answer to every question of `raw_cases`."""
    for known, _, line in QUESTIONS:
        if known == question:
            return quoting(line)
    return declined()


class ScriptedAssistant:
    """An assistant that answers as a function says and records what it was asked."""

    def __init__(self, reply: Callable[[str], Answer] = good) -> None:
        self.documents: Mapping[str, Document] = DOCUMENTS
        self.asked: list[tuple[str, list[Message]]] = []
        self._reply = reply

    def warm(self) -> None:
        """There is nothing to load."""

    def ask(self, question: str, history: Sequence[Message] = ()) -> Answer:
        self.asked.append((question, list(history)))
        return self._reply(question)
