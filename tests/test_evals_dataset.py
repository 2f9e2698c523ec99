"""The question set: what the loader takes, what it rejects, and how cases are chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes_evals import DOCUMENTS, LINES, TEXT, make_case, raw_case, raw_cases, write_cases
from hypothesis import given
from hypothesis import strategies as st

from assistant.settings import Settings
from assistant.sources import load_documents
from evals.dataset import GENERAL, QUESTIONS, REQUESTS, load_cases, select, split_of
from evals.types import LANGUAGES, EvalCase, EvalError


def load(path: Path, *cases: dict[str, Any]) -> list[EvalCase]:
    return load_cases(write_cases(path / "questions.jsonl", cases), DOCUMENTS)


def place(start: Any, end: Any) -> dict[str, Any]:
    return {"doc_id": "harbour", "start": start, "end": end}


def test_the_set_of_the_project_loads() -> None:
    cases = load_cases(QUESTIONS, load_documents(Settings().sources))
    hard = [c for c in cases if c.kind in ("unanswerable", "near-miss", "false-premise")]
    assert len(cases) >= 200
    assert len(hard) >= len(cases) / 3
    for language in ("tr", "az", "ru", "kk", "ky", "uz"):
        assert sum(case.language == language for case in cases) >= 8


def test_the_set_asked_once_loads_and_shares_no_question_with_the_other() -> None:
    documents = load_documents(Settings().sources)
    unseen = load_cases(QUESTIONS.with_name("unseen.jsonl"), documents)
    known = {case.question for case in load_cases(QUESTIONS, documents)}
    assert len(unseen) == 4296
    assert not known & {case.question for case in unseen}


def test_the_set_of_requests_loads_and_shares_no_question_with_the_others() -> None:
    requests = load_cases(REQUESTS, load_documents(Settings().sources))
    assert len(requests) >= 150
    assert {case.language for case in requests} == set(LANGUAGES)
    assert {case.kind for case in requests} >= {"yes-no", "count", "difference", "comparison"}
    asked = in_context(REQUESTS)
    assert len(asked) == len(requests)
    for path in (QUESTIONS, GENERAL, QUESTIONS.with_name("unseen.jsonl")):
        assert not asked & in_context(path), path.name


def raw_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def in_context(path: Path) -> set[str]:
    """The questions of a set, each with what came before: "When was that?" may follow anything."""
    return {json.dumps([raw["question"], raw["history"]]) for raw in raw_lines(path)}


def test_questions_on_one_general_article_are_all_in_one_half() -> None:
    halves: dict[str, set[str]] = {}
    for raw in raw_lines(GENERAL):
        named = {quote["doc_id"] for quote in raw["gold_quotes"]}
        for article in {*named, "article-" + raw["id"].split("-")[1]}:
            halves.setdefault(article, set()).add(split_of(raw["id"]))
    assert all(len(half) == 1 for half in halves.values())
    assert set.union(*halves.values()) == {"development", "test"}


@given(st.integers(0, 9999))
def test_other_sets_are_halved_by_question(number: int) -> None:
    assert len({split_of(f"general-{number:04}-{n}") for n in range(30)}) == 1
    assert len({split_of(f"ask-{number:04}-{n}") for n in range(30)}) == 2


def test_the_kinds_of_requests_can_be_chosen(tmp_path: Path) -> None:
    cases = load(tmp_path, raw_case(id="a-1", kind="yes-no"), raw_case())
    assert [case.id for case in select(cases, kinds=["yes-no"])] == ["a-1"]


def test_a_gold_quote_may_be_told_by_its_place(tmp_path: Path) -> None:
    start = TEXT.index("Five towns")
    at = {"doc_id": "harbour", "start": start, "end": start + 10}
    quotes = [at, {"doc_id": "harbour", "quote": LINES[0], "alt": [at]}]
    (case,) = load(tmp_path, raw_case(gold_quotes=quotes))
    first, second = case.gold
    assert first.quote == "Five towns" and second.quote == LINES[0]
    assert [TEXT[slice(*span.sentences)] for span in first.spans] == [LINES[1]]
    assert second.spans[1] == first.spans[0]


def test_a_place_at_the_very_ends_of_a_text_is_inside(tmp_path: Path) -> None:
    (case,) = load(tmp_path, raw_case(gold_quotes=[place(0, len(TEXT))]))
    (span,) = case.gold[0].spans
    assert (span.start, span.end, span.sentences) == (0, len(TEXT), (0, len(TEXT)))


def test_the_form_of_an_answer_is_read_and_need_not_be_told(tmp_path: Path) -> None:
    told = {"direct": [["Port Mira", "Mira"], ["May"]], "bullets": 3, "table": True}
    plain, formed = load(tmp_path, raw_case(), raw_case(id="b", **told))
    assert (plain.direct, plain.bullets, plain.table) == ((), 0, False)
    assert formed.direct == (("Port Mira", "Mira"), ("May",))
    assert (formed.bullets, formed.table) == (3, True)


@pytest.mark.parametrize("changes", [
    {"direct": [["Port"]]}, {"bullets": 2}, {"table": True}, {"gold_quotes": [place(0, 9)]},
])  # fmt: skip
def test_the_digest_follows_the_form(changes: dict[str, Any]) -> None:
    assert make_case(**changes).digest != make_case().digest


@pytest.mark.parametrize("kind", ["metadata", "advice", "small-talk", "summary", "form"])
def test_what_no_sentence_answers_needs_no_quote(tmp_path: Path, kind: str) -> None:
    (case,) = load(tmp_path, raw_case(kind=kind, gold_quotes=[]))
    assert case.gold == ()


def test_gold_spans_are_exact(tmp_path: Path) -> None:
    (case,) = load(tmp_path, raw_case())
    (span,) = case.gold[0].spans
    assert TEXT[span.start : span.end] == LINES[0]


def test_alternatives_and_whole_sentences(tmp_path: Path) -> None:
    quote = {"doc_id": "harbour", "quote": "signed in Port Mira", "alt": [
        {"doc_id": "harbour", "quote": LINES[3]}]}  # fmt: skip
    (case,) = load(tmp_path, raw_case(gold_quotes=[quote]))
    first, other = case.gold[0].spans
    assert TEXT[slice(*first.sentences)] == LINES[0]
    assert TEXT[other.start : other.end] == LINES[3]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "riddle"}, "kind 'riddle'"),
        ({"expected": "shrug"}, "expected 'shrug'"),
        ({"language": "xx"}, "language 'xx'"),
        ({"question": "  "}, "'question'"),
        ({"id": None}, "'id'"),
        ({"history": [{"role": "robot", "content": ""}]}, "history"),
        ({"history": None}, "'history'"),
        ({"accept": ["Port Mira"]}, "'accept'"),
        ({"accept": [[]]}, "empty"),
        ({"reject": [1]}, "'reject'"),
        ({"surprise": 1}, "'surprise'"),
        ({"gold_quotes": []}, "no gold quote"),
        ({"gold_quotes": ["x"]}, "malformed"),
        ({"gold_quotes": [{"doc_id": "harbour", "quote": ""}]}, "empty"),
        ({"gold_quotes": [{"doc_id": "harbour", "quote": "It moved."}]}, "does not stand"),
        ({"gold_quotes": [{"doc_id": "nowhere", "quote": LINES[0]}]}, "not in the manifest"),
        ({"gold_quotes": [place(-1, 5)]}, "-1 to 5 lies outside"),
        ({"gold_quotes": [place(5, 5)]}, "5 to 5 lies outside"),
        ({"gold_quotes": [place(9, 5)]}, "9 to 5 lies outside"),
        ({"gold_quotes": [place(0, len(TEXT) + 1)]}, "lies outside 'harbour'"),
        ({"gold_quotes": [place("0", 5)]}, "no numbers"),
        ({"gold_quotes": [place(0, None)]}, "no numbers"),
        ({"gold_quotes": [place(0.0, 5)]}, "no numbers"),
        ({"gold_quotes": [{"doc_id": "harbour", "start": 1}]}, "no numbers"),
        ({"gold_quotes": [place(0, 5) | {"doc_id": "nowhere"}]}, "not in the manifest"),
        ({"gold_quotes": [place(0, 5) | {"alt": [place(0, -5)]}]}, "lies outside"),
        ({"direct": "Port Mira"}, "'direct'"),
        ({"direct": ["Port Mira"]}, "'direct'"),
        ({"direct": [["Port Mira", 1]]}, "'direct'"),
        ({"direct": [[]]}, "empty"),
        ({"direct": None}, "'direct'"),
        ({"bullets": "3"}, "'bullets'"),
        ({"bullets": 2.5}, "'bullets'"),
        ({"bullets": None}, "'bullets'"),
        ({"table": 1}, "'table'"),
        ({"table": "yes"}, "'table'"),
        (
            {"gold_quotes": [{"doc_id": "harbour", "quote": LINES[0], "alt": ["x"]}]},
            "not in the manifest",
        ),
    ],
)
def test_a_bad_case_is_named_by_file_and_line(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(EvalError, match=r"questions\.jsonl:2: ") as caught:
        load(tmp_path, raw_case(id="fine"), raw_case(**changes))
    assert said in caught.value.message
    assert caught.value.mend


@pytest.mark.parametrize("changes", [
    {"bullets": True}, {"bullets": -1}, {"gold_quotes": [place(False, True)]},
])  # fmt: skip
def test_true_is_no_number(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(EvalError):
        load(tmp_path, raw_case(**changes))


@pytest.mark.parametrize(
    "line", ["{oops", "9" * 5000, "[" * 100_000], ids=["broken", "long", "deep"]
)
def test_a_line_that_is_not_json(tmp_path: Path, line: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(f"{json.dumps(raw_case())}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(EvalError, match=r"questions\.jsonl:3: this is not JSON"):
        load_cases(path, DOCUMENTS)


def test_a_duplicate_id_names_both_lines(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match=r"questions\.jsonl:2: .* line 1"):
        load(tmp_path, raw_case(), raw_case())


def test_a_missing_file() -> None:
    with pytest.raises(EvalError, match=r"nowhere\.jsonl"):
        load_cases(Path("nowhere.jsonl"), DOCUMENTS)


def test_the_digest_follows_everything_but_the_note() -> None:
    assert make_case(note="x").digest == make_case().digest
    assert make_case(reject=["x"]).digest != make_case().digest


@given(st.text(max_size=12))
def test_the_split_is_fixed_and_about_half(prefix: str) -> None:
    halves = [split_of(f"{prefix}-{i}") for i in range(200)]
    assert halves == [split_of(f"{prefix}-{i}") for i in range(200)]
    assert 0.25 < halves.count("test") / len(halves) < 0.75


def test_selection(tmp_path: Path) -> None:
    cases = load(tmp_path, *raw_cases())
    development = select(cases, split="development")
    test = select(cases, split="test")
    assert sorted(c.id for c in development + test) == sorted(c.id for c in cases)
    assert {c.kind for c in select(cases, kinds=["unanswerable"])} == {"unanswerable"}
    few = select(cases, limit=5)
    assert len(few) == 5
    assert {c.id for c in few} < {c.id for c in select(cases, limit=9)}


def test_an_empty_selection_is_an_error_that_says_so(tmp_path: Path) -> None:
    cases = load(tmp_path, *raw_cases())
    with pytest.raises(EvalError, match=r"n=0"):
        select(cases, languages=["tr"])
    with pytest.raises(EvalError, match=r"n=0"):
        select(cases, limit=0)
    with pytest.raises(EvalError, match="no kind 'riddle'"):
        select(cases, kinds=["riddle"])
