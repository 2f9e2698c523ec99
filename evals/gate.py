"""The gate: floors that must hold, and a baseline that a run must not fall behind."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import StorageError
from evals.metrics import BY_NAME, METRICS
from evals.scores import Comparison, compare, values_of
from evals.types import EvalError, EvalReport

GATE = Path(__file__).with_name("gate.toml")
BASELINE = Path(__file__).with_name("baseline.json")


@dataclass(frozen=True, slots=True)
class Gate:
    """What a run must reach."""

    floors: Mapping[str, float]
    ceilings: Mapping[str, float]
    confidence: float = 0.99
    min_cases: int = 30
    max_failed: int = 0


@dataclass(frozen=True, slots=True)
class Baseline:
    """The per-case values of the run that was committed as the one to hold."""

    about: Mapping[str, Any]
    digests: Mapping[str, str]
    values: Mapping[str, Mapping[str, list[float]]]
    """By metric, then by case id."""


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """Why a run does not pass, in words; it passes when there is nothing to say."""

    problems: tuple[str, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def passed(self) -> bool:
        return not self.problems


def check(report: EvalReport, gate: Gate, baseline: Baseline) -> GateVerdict:
    """Hold a run against the floors and the baseline. A metric without a score never passes."""
    problems = []
    results = report.results
    failed = len({result.case.id for result in results if result.answer is None})
    asked = len({result.case.id for result in results})
    if asked < gate.min_cases:
        problems.append(f"only {asked} cases were asked; the gate needs {gate.min_cases}")
    if failed > gate.max_failed:
        problems.append(f"{failed} cases brought no answer; at most {gate.max_failed} may")
    for bounds, sign, word in ((gate.floors, 1, "below"), (gate.ceilings, -1, "above")):
        for name, bound in bounds.items():
            value = report.score(name).value
            if value is None:
                problems.append(f"{name} has no score (n=0)")
            elif (value - bound) * sign < 0:
                problems.append(f"{name} is {value:.3f}, {word} {bound:g}")
    comparisons = against_baseline(report, baseline, gate.confidence)
    if not any(c.n for c in comparisons):
        problems.append("the baseline has no case in common with this run (--write-baseline)")
    problems += [
        f"{c.name} is worse than the baseline: {c.after:.3f} against {c.before:.3f} on {c.n} cases"
        for c in comparisons
        if c.verdict == "worse"
    ]
    return GateVerdict(tuple(problems), tuple(comparisons))


def against_baseline(report: EvalReport, baseline: Baseline, confidence: float) -> list[Comparison]:
    """Every metric but latency, on the cases that have not changed since the baseline."""
    same = {r.case.id for r in report.results if baseline.digests.get(r.case.id) == r.case.digest}
    found = []
    for metric in METRICS:
        if metric.name.startswith("latency_"):
            continue  # another machine has another latency
        old, new = baseline.values.get(metric.name, {}), values_of(metric.name, report.results)
        found.append(
            compare(
                metric,
                {case_id: values for case_id, values in old.items() if case_id in same},
                new,
                confidence,
            )
        )
    return found


def load_gate(path: Path = GATE) -> Gate:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        gate = Gate(
            floors={name: float(bound) for name, bound in raw.pop("floors", {}).items()},
            ceilings={name: float(bound) for name, bound in raw.pop("ceilings", {}).items()},
            **raw,
        )
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise EvalError(f"The gate {path} can't be read: {fault}.", "correct that file") from None
    except (TypeError, ValueError, AttributeError) as fault:
        raise EvalError(
            f"The gate {path} is malformed: {fault}.",
            "it has confidence, min_cases, max_failed, [floors] and [ceilings]",
        ) from None
    if unknown := sorted({*gate.floors, *gate.ceilings} - BY_NAME.keys()):
        raise EvalError(
            f"The gate {path} names the metric '{unknown[0]}', which there is not.",
            f"use one of: {', '.join(BY_NAME)}",
        )
    if not 0.5 < gate.confidence < 1:
        raise EvalError(f"The gate {path} has confidence {gate.confidence}.", "set it to 0.99")
    return gate


def load_baseline(path: Path = BASELINE) -> Baseline:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        values: dict[str, dict[str, list[float]]] = {}
        for case_id, case in raw["cases"].items():
            for name, found in case["values"].items():
                values.setdefault(name, {})[case_id] = found
        digests = {case_id: case["digest"] for case_id, case in raw["cases"].items()}
        return Baseline(raw["about"], digests, values)
    except FileNotFoundError:
        raise EvalError(
            f"There is no baseline at {path}.", "ots-assistant eval --write-baseline"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise EvalError(
            f"The baseline {path} can't be read: {fault!r}.", "ots-assistant eval --write-baseline"
        ) from None


def write_baseline(report: EvalReport, path: Path = BASELINE) -> None:
    """Keep a run's values as the ones to hold, a line a case so that a diff can be read."""
    cases: dict[str, dict[str, Any]] = {}
    for result in report.results:
        entry = cases.setdefault(result.case.id, {"digest": result.case.digest, "values": {}})
        for name, value in result.values.items():
            if value is not None and not name.startswith("latency_"):
                entry["values"].setdefault(name, []).append(round(value, 6))
    about = {k: v for k, v in report.meta.items() if k != "machine"}
    lines = ",\n".join(f"{json.dumps(i)}: {json.dumps(case)}" for i, case in cases.items())
    text = f'{{"about": {json.dumps(about)},\n"cases": {{\n{lines}\n}}}}\n'
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise StorageError(
            f"The baseline {path} can't be written: {fault.strerror}.", "make it writable"
        ) from None
