"""The gate passes what is good and fails every deliberately broken assistant."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.passages import passages, sentences
from assistant.settings import Settings
from assistant.sources import load_documents
from assistant.types import Answer, Citation, Claim, Outcome, ScoredPassage
from evals.dataset import QUESTIONS, load_cases, select
from evals.gate import (
    Baseline,
    Gate,
    check,
    load_baseline,
    load_gate,
    write_baseline,
)
from evals.records import Record
from evals.run import Selection, describe, judge_records, report_on
from evals.types import EvalCase, EvalError, EvalReport

DOCUMENTS = load_documents(Settings().sources)
CASES = select(load_cases(QUESTIONS, DOCUMENTS), limit=120)
SENTENCES = [s for document in DOCUMENTS.values() for s in sentences(document)]
SENSIBLE = Gate(
    floors={
        "answer_acceptability": 0.6,
        "citation_precision": 0.5,
        "citation_recall": 0.5,
        "quote_fidelity": 1.0,
        "abstention_recall": 0.5,
    },
    ceilings={"over_refusal": 0.3, "unsupported_tokens": 0.0},
)


def citation(doc_id: str, start: int, end: int, marker: int = 1) -> Citation:
    d = DOCUMENTS[doc_id]
    return Citation(
        marker, doc_id, "", start, end, d.text[start:end], d.title, d.publisher, d.published
    )


def answer(text: str, outcome: Outcome, cited: list[Citation], claim: str = "") -> Answer:
    hits = [p for d in DOCUMENTS.values() for p in passages(d, 700)]
    return Answer(
        text=text,
        outcome=outcome,
        claims=tuple(Claim(claim or c.quote, "supported", (c,)) for c in cited),
        citations=tuple(cited),
        retrieved=tuple(ScoredPassage(p, 1 / r, r) for r, p in enumerate(hits, 1)),
        standalone_query="",
        missing="",
        timings={"total": 0.0},
        settings_fingerprint="",
    )


def perfect(case: EvalCase) -> Answer:
    if case.declinable:
        return answer("The sources do not say.", "not_in_sources", [])
    gold = [q.spans[0] for q in case.gold]
    cited = [citation(g.doc_id, *g.sentences, marker=i) for i, g in enumerate(gold, 1)]
    said = "; ".join(group[0] for group in case.accept)
    return answer(said, "answered", cited)


def random_sentence(case: EvalCase) -> Answer:
    s = random.Random(case.id).choice(SENTENCES)
    return answer(s.text, "answered", [citation(s.doc_id, s.start, s.end)])


def always_declining(case: EvalCase) -> Answer:
    return answer("The sources do not say.", "not_in_sources", [])


def citing_at_random(case: EvalCase) -> Answer:
    right = perfect(case)
    drawn = random.Random(case.id).choices(SENTENCES, k=len(right.citations))
    cited = [citation(s.doc_id, s.start, s.end) for s in drawn]
    return answer(right.text, right.outcome, cited)


def quoting_whole_articles(case: EvalCase) -> Answer:
    cited = [citation(doc_id, 0, len(d.text)) for doc_id, d in DOCUMENTS.items()]
    return answer("\n".join(c.quote for c in cited), "answered", cited)


def altering_quotes(case: EvalCase) -> Answer:
    right = perfect(case)
    cited = tuple(replace(c, quote=c.quote[::-1]) for c in right.citations)
    return replace(right, citations=cited)


def inventing_numbers(case: EvalCase) -> Answer:
    right = perfect(case)
    claims = tuple(replace(c, text=f"{c.text} That makes 987654.") for c in right.claims)
    return replace(right, claims=claims)


def report_of(reply: Callable[[EvalCase], Answer]) -> EvalReport:
    records = [Record(case.id, 0, reply(case)) for case in CASES]
    meta = describe(Settings(), DOCUMENTS, CASES, Selection())
    return report_on(meta, judge_records(CASES, records, DOCUMENTS))


@pytest.fixture(scope="module")
def best() -> EvalReport:
    return report_of(perfect)


@pytest.fixture(scope="module")
def baseline(best: EvalReport, tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    path = tmp_path_factory.mktemp("gate") / "baseline.json"
    write_baseline(best, path)
    return load_baseline(path)


def test_the_gold_answers_pass(best: EvalReport, baseline: Baseline) -> None:
    assert check(best, SENSIBLE, baseline).problems == ()


BROKEN = (
    random_sentence,
    always_declining,
    citing_at_random,
    quoting_whole_articles,
    altering_quotes,
    inventing_numbers,
)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda f: f.__name__)
def test_a_broken_assistant_fails(broken: Callable[[EvalCase], Answer], baseline: Baseline) -> None:
    report = report_of(broken)
    alone = check(report, SENSIBLE, replace(baseline, values={}))
    assert [p for p in alone.problems if "baseline" not in p], "the floors alone must catch it"
    committed = load_gate()
    floors = check(report, committed, replace(baseline, values={})).problems
    assert [p for p in floors if "baseline" not in p], "so must the committed floors"
    against = check(report, replace(SENSIBLE, floors={}, ceilings={}), baseline)
    assert any("worse than the baseline" in p for p in against.problems)


def test_a_metric_without_a_score_never_passes(best: EvalReport, baseline: Baseline) -> None:
    scores = tuple(
        replace(s, value=None, n=0) if s.name == "quote_fidelity" else s for s in best.scores
    )
    problems = check(replace(best, scores=scores), SENSIBLE, baseline).problems
    assert problems == ("quote_fidelity has no score (n=0)",)


def test_few_or_failed_cases_do_not_pass(best: EvalReport, baseline: Baseline) -> None:
    few = replace(best, results=best.results[:3])
    assert any("only 3 cases" in p for p in check(few, SENSIBLE, baseline).problems)
    lost = replace(best.results[0], answer=None, values={})
    failed = replace(best, results=(lost, *best.results[1:]))
    assert any("1 cases brought no answer" in p for p in check(failed, SENSIBLE, baseline).problems)


def test_changed_cases_are_not_held_against_the_baseline(
    best: EvalReport, baseline: Baseline
) -> None:
    moved = replace(baseline, digests=dict.fromkeys(baseline.digests, "other"))
    problems = check(best, SENSIBLE, moved).problems
    assert problems == ("the baseline has no case in common with this run (--write-baseline)",)


def test_the_committed_gate_loads() -> None:
    assert load_gate().floors


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[floors", "can't be read"),
        ("[floors]\nbeauty = 1", "'beauty'"),
        ("confidence = 2", "confidence"),
        ("colour = 1", "malformed"),
        ('[floors]\nmrr = "high"', "malformed"),
        ("floors = 3", "malformed"),
    ],
)
def test_a_bad_gate_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(text)
    with pytest.raises(EvalError, match=said) as caught:
        load_gate(path)
    assert str(path) in caught.value.message


def test_a_missing_or_damaged_baseline_is_named(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    with pytest.raises(EvalError, match="no baseline"):
        load_baseline(path)
    for damaged in ("{", "[]", json.dumps({"about": {}, "cases": {"a": {}}})):
        path.write_text(damaged)
        with pytest.raises(EvalError, match="can't be read"):
            load_baseline(path)


def test_the_baseline_holds_no_source_text(baseline: Baseline, best: EvalReport) -> None:
    assert set(baseline.digests) == {case.id for case in CASES}
    assert all(isinstance(v, float) for found in baseline.values.values()
               for values in found.values() for v in values)  # fmt: skip
