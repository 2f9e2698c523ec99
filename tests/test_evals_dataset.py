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
from evals.dataset import QUESTIONS, load_cases, select, split_of
from evals.types import EvalCase, EvalError


def load(path: Path, *cases: dict[str, Any]) -> list[EvalCase]:
    return load_cases(write_cases(path / "questions.jsonl", cases), DOCUMENTS)


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
