"""The metrics: known values, and what must hold for any input."""

from __future__ import annotations

from typing import Any

import pytest
from fakes_evals import (
    DOCUMENTS,
    LINES,
    TEXT,
    all_passages,
    cite,
    cite_line,
    declined,
    make_answer,
    make_case,
    quoting,
)
from hypothesis import given
from hypothesis import strategies as st

from assistant.types import Answer, Claim, Outcome
from evals.metrics import (
    METRICS,
    comparable,
    contains,
    measure_case,
    objections,
    unsupported,
)
from evals.types import EvalCase


def value(name: str, case: EvalCase, answer: Any) -> float | None:
    return measure_case(case, answer, DOCUMENTS).get(name)


def unanswerable(**changes: Any) -> EvalCase:
    return make_case(kind="unanswerable", expected="decline", accept=[], gold_quotes=[], **changes)


def test_every_metric_has_a_one_line_definition_and_its_own_name() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert all(m.explanation and "\n" not in m.explanation for m in METRICS)


def test_a_right_answer() -> None:
    values = measure_case(make_case(), quoting(0), DOCUMENTS)
    for name in (
        "answer_acceptability",
        "citation_precision",
        "citation_recall",
        "quote_fidelity",
        "hit_rate@1",
        "recall@3",
        "mrr",
        "ndcg@8",
    ):
        assert values[name] == pytest.approx(1), name
    assert values["unsupported_tokens"] == values["over_refusal"] == 0
    assert "followup_resolution" not in values
    assert "abstention_recall" not in values


def test_retrieval_of_a_passage_at_rank_three() -> None:
    hits = all_passages()
    case = make_case(gold_quotes=[{"doc_id": "harbour", "quote": LINES[2]}])
    answer = make_answer(retrieved=hits)
    place = next(h.rank for h in hits if LINES[2] in h.passage.text)
    assert place == 3
    assert value("hit_rate@1", case, answer) == 0
    assert value("hit_rate@3", case, answer) == 1
    assert value("mrr", case, answer) == pytest.approx(1 / 3)
    assert value("ndcg@8", case, answer) == pytest.approx(0.5)


def test_recall_counts_every_gold_passage_and_hit_rate_does_not() -> None:
    quotes = [{"doc_id": "harbour", "quote": LINES[0]}, {"doc_id": "harbour", "quote": LINES[5]}]
    answer = make_answer(retrieved=all_passages()[:3])
    case = make_case(gold_quotes=quotes)
    assert value("recall@3", case, answer) == 0.5
    assert value("hit_rate@3", case, answer) == 1


def test_an_alternative_counts_as_its_quote() -> None:
    quote = {"doc_id": "harbour", "quote": LINES[5], "alt": [
        {"doc_id": "harbour", "quote": LINES[0]}]}  # fmt: skip
    case = make_case(gold_quotes=[quote])
    assert value("recall@3", case, make_answer(retrieved=all_passages()[:3])) == 1
    assert value("citation_recall", case, quoting(0)) == 1
    assert value("citation_precision", case, quoting(0)) == 1


def test_nothing_retrieved_is_zero_and_no_gold_is_no_value() -> None:
    assert value("mrr", make_case(), make_answer(retrieved=[])) == 0
    assert value("mrr", unanswerable(), make_answer(retrieved=[])) is None


@pytest.mark.parametrize(
    ("expected", "fitting"),
    [
        ("answer", {"answered", "partial"}),
        ("partial", {"answered", "partial"}),
        ("decline", {"not_in_sources", "corrected_premise", "off_topic"}),
        (
            "correct",
            {"answered", "partial", "not_in_sources", "corrected_premise", "off_topic"},
        ),
        ("off_topic", {"off_topic", "not_in_sources"}),
    ],
)
def test_which_outcome_fits_which_expectation(expected: str, fitting: set[str]) -> None:
    case = make_case(expected=expected)
    outcomes: tuple[Outcome, ...] = (
        "pending", "answered", "partial", "corrected_premise", "not_in_sources", "off_topic",
    )  # fmt: skip
    for outcome in outcomes:
        answer = make_answer("It was signed in Port Mira.", outcome)
        assert (not objections(case, answer)) == (outcome in fitting), outcome


def test_a_correction_must_say_what_is_right() -> None:
    case = make_case(expected="correct", kind="false-premise")
    assert objections(case, declined())
    assert not objections(case, make_answer("It was in Port Mira.", "corrected_premise"))


def test_every_accept_group_and_no_reject_string() -> None:
    case = make_case(accept=[["Port Mira"], ["May 4", "4 May"]], reject=["June"])
    assert not objections(case, make_answer("Port Mira, on 4 May."))
    assert objections(case, make_answer("Port Mira.")) == ["it does not say 'May 4' or '4 May'"]
    assert objections(case, make_answer("Port Mira, 4 May or June")) == ["it says 'June'"]


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("on September 14 [1].", "September 14", True),
        ("on September [1] 14", "September 14", True),
        ("It was 14.1 billion", "4.1", False),
        ("It was 4.15 billion", "4.1", False),
        ("$4.1 billion", "4.1", True),
        ("15,000 people", "15", False),
        ("in 15.", "15", True),
        ("TÜRKİYE", "Türkiye", True),
        ("Istanbul'da", "İstanbul", True),
        ("Ankara’s office", "Ankara's", True),
        ("signatories", "signator", True),
        ("cosignatories", "signator", False),
        ("anything", "", False),
    ],
)
def test_contains(text: str, wanted: str, found: bool) -> None:
    assert contains(comparable(text), wanted) is found


@given(st.text(), st.text(st.characters(categories=["L"]), min_size=1), st.text())
def test_a_word_between_spaces_is_found(before: str, word: str, after: str) -> None:
    assert contains(comparable(f"{before} {word} {after}"), word)


def test_quoting_the_whole_article_is_imprecise() -> None:
    answer = make_answer(TEXT, citations=[cite(0, len(TEXT))])
    assert value("citation_precision", make_case(), answer) == 0
    assert value("citation_recall", make_case(), answer) == 1


def test_citation_precision_and_recall_are_shares() -> None:
    quotes = [{"doc_id": "harbour", "quote": LINES[0]}, {"doc_id": "harbour", "quote": LINES[1]}]
    case = make_case(gold_quotes=quotes)
    answer = make_answer(citations=[cite_line(0), cite_line(4, 2)])
    assert value("citation_precision", case, answer) == 0.5
    assert value("citation_recall", case, answer) == 0.5


@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, len(TEXT))), max_size=5))
def test_shares_stay_shares(ends: list[tuple[int, int]]) -> None:
    spans = [cite(min(pair), max(pair)) for pair in ends]
    values = measure_case(make_case(), make_answer(citations=spans), DOCUMENTS)
    assert values.get("quote_fidelity", 1) == 1
    for name in ("citation_precision", "citation_recall", "quote_fidelity"):
        assert 0 <= (values.get(name) or 0) <= 1
    assert ("citation_precision" in values) == bool(spans)


def test_an_altered_quote_is_not_faithful() -> None:
    wrong = cite(0, 10, quote="Another te")
    assert value("quote_fidelity", make_case(), make_answer(citations=[cite_line(0), wrong])) == 0.5


def test_unsupported_tokens() -> None:
    claim = Claim("It was signed by Lena Orlo in Port Mira on May 9, 2020 [1].", "supported",
                  (cite_line(0),))  # fmt: skip
    assert {"9"} < unsupported(claim)
    assert len(unsupported(claim)) == 3
    assert not unsupported(Claim(LINES[0], "supported", (cite_line(0),)))
    answer = make_answer(claims=(claim, Claim("On May 99.", "withheld")))
    assert value("unsupported_tokens", make_case(), answer) == 3


def test_abstention() -> None:
    answerable, hopeless = make_case(), unanswerable()
    assert value("abstention_recall", hopeless, declined()) == 1
    assert value("abstention_recall", hopeless, quoting(0)) == 0
    assert value("abstention_precision", answerable, declined()) == 0
    assert value("abstention_precision", hopeless, declined()) == 1
    assert value("abstention_precision", answerable, quoting(0)) is None
    assert value("over_refusal", answerable, declined()) == 1
    assert value("over_refusal", hopeless, declined()) is None
    assert value("abstention_precision", make_case(expected="correct"), declined()) is None


def test_latency_has_no_value_where_the_moment_never_came() -> None:
    answer = make_answer(timings={"total": 2.0})
    assert value("latency_total_p95", make_case(), answer) == 2
    assert value("latency_first_token_p50", make_case(), answer) is None


LONG_QUOTE = f"“{LINES[0]} {LINES[1]}”"


@pytest.mark.parametrize(("text", "value_of_it"), [
    ("In Port Mira. [1]", 1), ("Port Mira, on 4 May [1]\nMore.", 1),
    (f"Port Mira: {LONG_QUOTE} [1]", 1), ("**Answer**\n\nPort Mira.", 0),
    (f"{LONG_QUOTE} [1]", 0), (f"The sources say:\n{LONG_QUOTE} [1]", 0),
    ("It was signed. In Port Mira. [1]", 0), ("Elsewhere.\nPort Mira.", 0), ("", 0),
    ("“Port Mira” [1]", 1), ("---\nPort Mira. [1]", 1),
])  # fmt: skip
def test_a_direct_answer_says_it_first_and_in_its_own_words(text: str, value_of_it: float) -> None:
    case = make_case(direct=[["Port Mira", "the port"]])
    assert value("direct", case, make_answer(text)) == value_of_it


def test_a_direct_answer_has_one_of_every_group() -> None:
    case = make_case(direct=[["Port Mira"], ["May 4", "4 May"]])
    assert value("direct", case, make_answer("In Port Mira on 4 May. [1]")) == 1
    assert value("direct", case, make_answer("In Port Mira in May. [1]")) == 0


TABLE = "|  | A | B |\n| --- | --- | --- |\n| Place | Port Mira [1] | not stated |"


@pytest.mark.parametrize(("changes", "text", "value_of_it"), [
    ({"bullets": 2}, "Two:\n- one [1]\n- two [2]", 1), ({"bullets": 2}, "- one\n- two\n- three", 0),
    ({"bullets": 2}, "• one\n* two", 1), ({"bullets": 2}, "One - two - three", 0),
    ({"table": True}, TABLE, 1), ({"table": True}, f"Beside:\n{TABLE}\nEnd.", 1),
    ({"table": True}, "a | b", 0), ({"table": True}, "It is Port Mira.", 0),
    ({"table": True, "direct": [["Port Mira"]]}, f"Port Mira.\n{TABLE}", 1),
    ({"table": True, "direct": [["Port Mira"]]}, f"Elsewhere.\n{TABLE}", 0),
    ({"bullets": 1, "direct": [["Port Mira"]]}, "- In Port Mira. [1]", 1),
])  # fmt: skip
def test_a_direct_answer_has_the_form_asked_for(
    changes: dict[str, Any], text: str, value_of_it: float
) -> None:
    assert value("direct", make_case(**changes), make_answer(text)) == value_of_it


def test_direct_has_no_value_where_no_form_and_no_words_are_told() -> None:
    assert value("direct", make_case(), quoting(0)) is None
    assert value("direct", unanswerable(direct=[]), declined()) is None


def said(*texts: str, status: str = "supported", outcome: Outcome = "answered") -> Answer:
    claims = tuple(Claim(text, status, (cite_line(0),)) for text in texts)  # type: ignore[arg-type]
    return make_answer(" ".join(texts), outcome, [cite_line(0)], claims=claims)


@pytest.mark.parametrize(("answer", "bare"), [
    (said(LINES[0]), 1), (said("signed in Port Mira"), 1), (said(LINES[0], "Port Mira"), 1),
    (said("In Port Mira."), 0), (said(LINES[0], f"Yes: “{LINES[0]}”"), 0),
    (said(LINES[0], outcome="partial"), 1), (said(LINES[0], outcome="not_in_sources"), None),
    (said("4", status="worked_out"), None), (declined(), None), (make_answer("Hello."), None),
])  # fmt: skip
def test_a_bare_quote_says_nothing_of_its_own(answer: Answer, bare: float | None) -> None:
    assert value("bare_quotes", make_case(), answer) == bare


@pytest.mark.parametrize(("kind", "expected", "outcome", "fits"), [
    ("small-talk", "answer", "about_the_assistant", True),
    ("fact", "answer", "about_the_assistant", False), ("advice", "answer", "not_in_sources", True),
    ("fact", "answer", "not_in_sources", False),
])  # fmt: skip
def test_small_talk_and_advice_have_outcomes_of_their_own(
    kind: str, expected: str, outcome: Outcome, fits: bool
) -> None:
    case = make_case(kind=kind, expected=expected)
    assert (not objections(case, make_answer("In Port Mira.", outcome))) is fits


def test_followups_are_scored_on_their_own() -> None:
    assert value("followup_resolution", make_case(kind="follow-up"), quoting(0)) == 1
    assert value("followup_resolution", make_case(kind="follow-up"), declined()) == 0
