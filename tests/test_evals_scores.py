"""Aggregation: intervals, paired comparison, and what is never called zero."""

from __future__ import annotations

import pytest
from fakes_evals import make_case
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.metrics import BY_NAME
from evals.scores import compare, interval, kappa, score, scores_by
from evals.types import CaseResult

ACCEPTABILITY = BY_NAME["answer_acceptability"]
shares = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def results(values: list[float | None], name: str = ACCEPTABILITY.name) -> list[CaseResult]:
    from fakes_evals import make_answer

    return [
        CaseResult(make_case(id=f"c{i}"), 0, make_answer(), values={name: value})
        for i, value in enumerate(values)
    ]


def test_nothing_scored_is_none_and_not_zero() -> None:
    found = score(ACCEPTABILITY, [])
    assert (found.value, found.n, found.low, found.high) == (None, 0, None, None)


def test_unscored_and_failed_stay_out_of_the_mean() -> None:
    failed = CaseResult(make_case(id="x"), 0, None, error="no reply")
    found = score(ACCEPTABILITY, [*results([1.0, 0.0, None]), failed])
    assert (found.value, found.n, found.unscored, found.failed) == (0.5, 2, 1, 1)


@settings(max_examples=25)
@given(shares)
def test_the_interval_holds_the_mean_and_is_the_same_each_time(values: list[float]) -> None:
    cases = {str(i): [value] for i, value in enumerate(values)}
    mean, low, high = interval(cases, "mean")
    assert mean == pytest.approx(sum(values) / len(values))
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    assert interval(cases, "mean") == (mean, low, high)


@settings(max_examples=25)
@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=40))
def test_f1_is_twice_the_hits_over_hits_and_all(values: list[float]) -> None:
    hits, misses = values.count(1.0), values.count(0.0)
    found, _, _ = interval({str(i): [v] for i, v in enumerate(values)}, "f1")
    assert found == pytest.approx(2 * hits / (2 * hits + misses))


def test_percentiles() -> None:
    values = {str(i): [float(i)] for i in range(101)}
    assert interval(values, "p50")[0] == 50
    assert interval(values, "p95")[0] == 95


def test_repeats_that_failed_leave_no_hole() -> None:
    assert interval({"a": [1.0, 1.0], "b": [0.0]}, "mean")[0] == pytest.approx(2 / 3)


def test_spread_over_repeats() -> None:
    case = make_case()
    runs = [
        CaseResult(case, repeat, results([1.0])[0].answer, values={ACCEPTABILITY.name: value})
        for repeat, value in enumerate([1.0, 0.0])
    ]
    found = score(ACCEPTABILITY, runs)
    assert found.n == 1
    assert found.spread == pytest.approx(0.7071, abs=1e-3)
    assert score(ACCEPTABILITY, runs[:1]).spread is None


def test_a_clear_difference_is_told_from_none() -> None:
    low = {str(i): [float(i % 10 == 0)] for i in range(60)}
    high = {str(i): [float(i % 10 != 0)] for i in range(60)}
    assert compare(ACCEPTABILITY, low, high).verdict == "better"
    assert compare(ACCEPTABILITY, high, low).verdict == "worse"
    assert compare(ACCEPTABILITY, low, low).verdict == "not separable"
    assert compare(BY_NAME["over_refusal"], low, high).verdict == "worse"
    assert compare(ACCEPTABILITY, low, {}).verdict == "no case in common"


@settings(max_examples=20)
@given(shares)
def test_a_run_never_differs_from_itself(values: list[float]) -> None:
    cases = {str(i): [value] for i, value in enumerate(values)}
    found = compare(ACCEPTABILITY, cases, cases)
    assert (found.verdict, found.low, found.high) == ("not separable", 0, 0)


def test_groups_keep_their_order() -> None:
    grouped = scores_by(results([1.0, 0.0]), lambda r: r.case.id)
    assert list(grouped) == ["c0", "c1"]
    assert grouped["c0"][0].value == 1


def test_kappa() -> None:
    yes, no = True, False
    assert kappa([(yes, yes), (no, no)]) == 1
    assert kappa([(yes, no), (no, yes)]) == -1
    assert kappa([(yes, yes), (yes, no), (no, yes), (no, no)]) == 0
    assert kappa([]) is None
    assert kappa([(yes, yes)]) is None
