"""Values of many cases -> scores with bootstrap intervals, and comparisons of two runs.

Cases are what is resampled: the repeats of one case stay together, because they are not
independent of each other.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evals.metrics import BY_NAME, HEADLINE, METRICS, Metric, Statistic
from evals.types import CaseResult, Score

Values = Mapping[str, Sequence[float]]
"""By case id: one value for each repeat that was scored."""
Array = NDArray[np.float64]

RESAMPLES = 2000
CONFIDENCE = 0.95
_SEED = 20210914
_NOTHING = 1e-5
"""A smaller difference is rounding, of a stored baseline or of another machine's arithmetic."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one run's metric differs from another's on the cases that both scored."""

    name: str
    n: int
    before: float | None
    after: float | None
    low: float | None
    """Lower end of the bootstrap interval of `after - before`."""
    high: float | None
    verdict: Literal["better", "worse", "not separable", "no case in common"]


def statistic_of(values: Array, statistic: Statistic) -> Array:
    """One number for each row; not-a-number marks a repeat without a value."""
    if statistic in ("p50", "p95"):
        # The one that skips not-a-number takes each row in turn, a hundred times slower.
        percentile = np.nanpercentile if np.isnan(values).any() else np.percentile
        found: Array = percentile(values, float(statistic[1:]), axis=1)
        return found
    # With values of 0 and 1 these weights make the weighted mean 2TP / (2TP + FP + FN), the F1.
    weights = 1 + values if statistic == "f1" else np.where(np.isnan(values), np.nan, 1.0)
    mean: Array = np.nansum(values * weights, axis=1) / np.nansum(weights, axis=1)
    return mean


def interval(
    values: Values, statistic: Statistic, confidence: float = CONFIDENCE, salt: str = ""
) -> tuple[float, float, float]:
    """The statistic and both ends of its bootstrap interval; `values` must not be empty."""
    matrix = _matrix(values, list(values))
    drawn = _draw(len(matrix), salt)
    spread = statistic_of(matrix[drawn].reshape(RESAMPLES, -1), statistic)
    low, high = np.quantile(spread, _tails(confidence))
    return float(statistic_of(matrix.reshape(1, -1), statistic)[0]), float(low), float(high)


def compare(
    metric: Metric, before: Values, after: Values, confidence: float = CONFIDENCE
) -> Comparison:
    """Paired bootstrap on the cases that both runs scored."""
    common = [case_id for case_id in before if case_id in after]
    if not common:
        return Comparison(metric.name, 0, None, None, None, None, "no case in common")
    old, new = _matrix(before, common), _matrix(after, common)
    drawn = _draw(len(common), metric.name)
    resampled = statistic_of(new[drawn].reshape(RESAMPLES, -1), metric.statistic) - statistic_of(
        old[drawn].reshape(RESAMPLES, -1), metric.statistic
    )
    low, high = (float(end) for end in np.quantile(resampled, _tails(confidence)))
    rises, falls = low > _NOTHING, high < -_NOTHING
    verdict: Literal["better", "worse", "not separable"] = "not separable"
    if rises or falls:
        verdict = "better" if rises == metric.higher_is_better else "worse"
    return Comparison(
        metric.name,
        len(common),
        float(statistic_of(old.reshape(1, -1), metric.statistic)[0]),
        float(statistic_of(new.reshape(1, -1), metric.statistic)[0]),
        low,
        high,
        verdict,
    )


def score(metric: Metric, results: Sequence[CaseResult]) -> Score:
    """A metric over some results, with what was not scored counted apart."""
    values = values_of(metric.name, results)
    unscored = {r.case.id for r in results if r.values.get(metric.name, 0.0) is None}
    failed = {r.case.id for r in results if r.answer is None}
    counts = {"unscored": len(unscored), "failed": len(failed)}
    if not values:
        return Score(metric.name, None, 0, None, None, metric.explanation, **counts)
    value, low, high = interval(values, metric.statistic, salt=metric.name)
    return Score(
        metric.name,
        value,
        len(values),
        low,
        high,
        metric.explanation,
        spread=_spread(metric, results),
        **counts,
    )


def scores(results: Sequence[CaseResult], metrics: Sequence[Metric] = METRICS) -> tuple[Score, ...]:
    return tuple(score(metric, results) for metric in metrics)


def scores_by(
    results: Sequence[CaseResult], key: Callable[[CaseResult], str]
) -> dict[str, tuple[Score, ...]]:
    """The headline scores of each group, groups in the order in which they first occur."""
    groups: dict[str, list[CaseResult]] = {}
    for result in results:
        groups.setdefault(key(result), []).append(result)
    headline = [BY_NAME[name] for name in HEADLINE]
    return {name: scores(group, headline) for name, group in groups.items()}


def values_of(name: str, results: Sequence[CaseResult]) -> dict[str, list[float]]:
    """The scored values of a metric by case id."""
    found: dict[str, list[float]] = {}
    for result in results:
        if (value := result.values.get(name)) is not None:
            found.setdefault(result.case.id, []).append(value)
    return found


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa of two raters; None without pairs or when chance alone explains them all."""
    if not pairs:
        return None
    n = len(pairs)
    agreed = sum(a == b for a, b in pairs) / n
    yes_a, yes_b = sum(a for a, _ in pairs) / n, sum(b for _, b in pairs) / n
    chance = yes_a * yes_b + (1 - yes_a) * (1 - yes_b)
    return (agreed - chance) / (1 - chance) if chance < 1 else None


def _spread(metric: Metric, results: Sequence[CaseResult]) -> float | None:
    runs: dict[int, list[CaseResult]] = {}
    for result in results:
        runs.setdefault(result.repeat, []).append(result)
    each = []
    for run in runs.values():
        if values := values_of(metric.name, run):
            row = _matrix(values, list(values)).reshape(1, -1)
            each.append(float(statistic_of(row, metric.statistic)[0]))
    return float(np.std(each, ddof=1)) if len(each) > 1 else None


def _matrix(values: Values, ids: Sequence[str]) -> Array:
    """Cases by repeats, padded with not-a-number where a repeat brought no value."""
    width = max(len(values[case_id]) for case_id in ids)
    rows = [[*values[case_id], *[np.nan] * (width - len(values[case_id]))] for case_id in ids]
    return np.array(rows, dtype=np.float64)


def _draw(n: int, salt: str) -> NDArray[np.int64]:
    """Resampled case positions, the same ones whenever `n` and `salt` are."""
    rng = np.random.default_rng([_SEED, zlib.crc32(salt.encode())])
    return rng.integers(0, n, size=(RESAMPLES, n))


def _tails(confidence: float) -> tuple[float, float]:
    return (1 - confidence) / 2, (1 + confidence) / 2
