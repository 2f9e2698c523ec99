"""Asks the questions of the set and scores the answers."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import assistant
from assistant.errors import AssistantError
from assistant.settings import Settings
from assistant.types import Answer, Document, Message, Progress, silent
from evals.corpora import load_multihop_rag
from evals.dataset import QUESTIONS, load_cases, select
from evals.metrics import METRICS, measure_case, objections
from evals.records import RUNS, Record, RunFolder
from evals.scores import Comparison, compare, scores, scores_by, values_of
from evals.types import CaseResult, EvalCase, EvalError, EvalReport, Split

GIVE_UP_AFTER = 5
"""So many failures before the first answer, and the run ends: nothing suggests a later success."""


class Asker(Protocol):
    """What the evals need of an `Assistant`."""

    @property
    def documents(self) -> Mapping[str, Document]: ...

    def warm(self) -> None: ...

    def ask(self, question: str, history: Sequence[Message] = ()) -> Answer: ...


class Maker(Protocol):
    """Puts an assistant together, as `Assistant.from_settings` does."""

    def __call__(self, settings: Settings, progress: Progress) -> Asker: ...


@dataclass(frozen=True, slots=True)
class Selection:
    """Which questions are asked, how often, and where the results go."""

    questions: Path = QUESTIONS
    kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    split: Split | None = None
    limit: int | None = None
    repeat: int = 1
    runs: Path = RUNS
    corpus: Path | None = None
    """A MultiHop-RAG folder, whose articles are asked about instead of the sources."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: where its raw results are, what they came to, and the sources they cite."""

    folder: RunFolder
    report: EvalReport
    documents: Mapping[str, Document]


def evaluate(
    settings: Settings,
    selection: Selection,
    progress: Progress = silent,
    make: Maker | None = None,
) -> Run:
    """Ask every selected question of an assistant of these settings, or go on where it stopped."""
    if selection.repeat < 1:
        raise EvalError(f"--repeat is {selection.repeat}.", "repeat each question at least once")
    asker = (make or _maker(selection.corpus))(settings, progress)
    cases = select(
        load_cases(selection.questions, asker.documents),
        selection.kinds,
        selection.languages,
        selection.split,
        selection.limit,
    )
    meta = describe(settings, asker.documents, cases, selection)
    folder = RunFolder.open(selection.runs, meta)
    with folder.locked():
        records = collect(asker, cases, selection.repeat, folder, progress)
    results = judge_records(cases, records, asker.documents)
    return Run(folder, report_on(meta, results), asker.documents)


def collect(
    asker: Asker, cases: Sequence[EvalCase], repeat: int, folder: RunFolder, progress: Progress
) -> list[Record]:
    """Ask what was not answered yet; each result is on disk before the next question."""
    known = folder.records()
    wanted = [(case, r) for r in range(repeat) for case in cases]
    todo = [(case, r) for case, r in wanted if not _answered(known.get((case.id, r)))]
    answered = len(wanted) - len(todo)
    if todo:
        asker.warm()
    failures = 0
    progress("Asking", answered, len(wanted), "questions")
    for done, (case, r) in enumerate(todo, answered + 1):
        record = ask(asker, case, r)
        folder.append(record)
        known[case.id, r] = record
        failures += record.answer is None
        answered += record.answer is not None
        if not answered and failures == min(GIVE_UP_AFTER, len(wanted)):
            raise EvalError(
                f"All of the first {failures} questions failed. The last said: {record.error}",
                "ots-assistant doctor",
            )
        progress("Asking", done, len(wanted), "questions")
    if not answered:
        raise EvalError(f"All {len(wanted)} questions failed.", "ots-assistant doctor")
    return [known[case.id, r] for case, r in wanted]


def ask(asker: Asker, case: EvalCase, repeat: int) -> Record:
    """One question. An answer that only quotes because its model failed counts as failed."""
    try:
        answer = asker.ask(case.question, case.history)
    except AssistantError as fault:
        return Record(case.id, repeat, None, str(fault))
    if answer.error_code:
        return Record(case.id, repeat, None, answer.notice)
    return Record(case.id, repeat, answer)


def judge_records(
    cases: Sequence[EvalCase], records: Sequence[Record], documents: Mapping[str, Document]
) -> list[CaseResult]:
    """Every record measured."""
    by_id = {case.id: case for case in cases}
    results = []
    for record in records:
        case, answer = by_id[record.case_id], record.answer
        if answer is None:
            results.append(CaseResult(case, record.repeat, None, record.error))
            continue
        values = measure_case(case, answer, documents)
        why = tuple(objections(case, answer))
        results.append(CaseResult(case, record.repeat, answer, "", values, why))
    return results


def report_on(meta: Mapping[str, Any], results: Sequence[CaseResult]) -> EvalReport:
    answered = (result.answer.model for result in results if result.answer)
    return EvalReport(
        meta={**meta, "answered_by": next(answered, "") or "quotes only"},
        scores=scores(results),
        by_kind=scores_by(results, lambda result: result.case.kind),
        by_language=scores_by(results, lambda result: result.case.language),
        results=tuple(results),
    )


def compare_runs(
    before: EvalReport, after: EvalReport, confidence: float = 0.95
) -> list[Comparison]:
    """Every metric of two runs on the cases that both scored."""
    return [
        compare(
            metric,
            values_of(metric.name, before.results),
            values_of(metric.name, after.results),
            confidence,
        )
        for metric in METRICS
    ]


def describe(
    settings: Settings,
    documents: Mapping[str, Document],
    cases: Sequence[EvalCase],
    selection: Selection,
) -> dict[str, Any]:
    """All that a run's results depend on, without paths and keys."""
    hidden = ("api_key", "cache_dir", "data_dir", "sources")
    told = {k: str(v) for k, v in asdict(settings).items() if k not in hidden}
    model = re.sub(r"//[^/@]*@", "//", settings.chat_model)
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings_fingerprint": settings.fingerprint(),
        "settings": told | {"chat_model": model},
        "model": model,
        "corpus": _sha256([[d.doc_id, d.content_hash] for d in documents.values()]),
        "selection": _sha256([[case.id, case.digest] for case in cases]),
        "code": _code_hash(),
        "cases": len(cases),
        "repeat": selection.repeat,
        "split": selection.split or "all",
        "machine": f"Python {platform.python_version()} on {platform.machine()}",
    }


def _maker(corpus: Path | None) -> Maker:
    """What puts an assistant together over the sources, or over another corpus."""

    def make(settings: Settings, progress: Progress) -> Asker:
        from assistant.chat import Assistant  # loads the search libraries

        if corpus is None:
            return Assistant.from_settings(settings, progress)
        documents, folder = load_multihop_rag(corpus), settings.cache_dir / "general"
        return Assistant.from_settings(settings, progress, documents, folder)

    return make


def _answered(record: Record | None) -> bool:
    return record is not None and record.answer is not None


def _code_hash() -> str:
    """Of the assistant's own files, so that answers of two versions never share a run."""
    root = Path(assistant.__file__).parent
    files = sorted(p for p in root.rglob("*") if p.suffix in (".py", ".toml", ".json"))
    return _sha256([[p.name, hashlib.sha256(p.read_bytes()).hexdigest()] for p in files])


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
