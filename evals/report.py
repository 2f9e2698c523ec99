"""A run as one self-contained HTML page, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from assistant.errors import StorageError
from assistant.text import line_spans
from assistant.types import Document, Span
from evals import plots
from evals.gate import GateVerdict
from evals.judge import Grading
from evals.metrics import ABSTAINED, BY_NAME, HEADLINE
from evals.records import RunFolder
from evals.scores import Comparison
from evals.types import CaseResult, EvalReport, Score

_PAGE = Path(__file__).with_name("report.html.j2")
_DECIDING = "answerability"
"""The signal of an answer that decides whether it is given or declined."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What a report can say beyond its own run."""

    comparisons: Sequence[Comparison] = ()
    compared_with: str = ""
    gate: GateVerdict | None = None
    grading: Grading | None = None
    last: Mapping[str, Any] | None = None
    """The JSON report of the last run over the same questions."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of source text, cited or gold or both or neither."""

    text: str
    cited: bool = False
    gold: bool = False


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A paragraph of a source with what is cited and gold in it."""

    title: str
    pieces: tuple[Piece, ...]


def write_report(
    folder: RunFolder,
    report: EvalReport,
    documents: Mapping[str, Document],
    extras: Extras | None = None,
) -> Path:
    """Write all three into the run's folder; returns the path of the HTML page."""
    extras = extras or Extras()
    page = folder.path / "report.html"
    try:
        page.write_text(render_html(report, documents, extras), encoding="utf-8")
        (folder.path / "report.md").write_text(render_markdown(report, extras), encoding="utf-8")
        # Last, because a folder with this file counts as finished.
        (folder.path / "report.json").write_text(
            json.dumps(to_json(report, extras), ensure_ascii=False, indent=1), encoding="utf-8"
        )
    except OSError as fault:
        raise StorageError(
            f"The report can't be written to {folder.path}: {fault.strerror}.",
            "choose another --out",
        ) from None
    return page


def to_json(report: EvalReport, extras: Extras) -> dict[str, Any]:
    """Everything but the answers themselves, which are in raw.jsonl."""
    return {
        "meta": dict(report.meta),
        "scores": [asdict(score) for score in report.scores],
        "by_kind": {k: [asdict(s) for s in group] for k, group in report.by_kind.items()},
        "by_language": {k: [asdict(s) for s in group] for k, group in report.by_language.items()},
        "compared_with": extras.compared_with,
        "comparisons": [asdict(comparison) for comparison in extras.comparisons],
        "gate": asdict(extras.gate) | {"passed": extras.gate.passed} if extras.gate else None,
        "grading": _grading_json(extras.grading),
        "cases": [_case_json(result) for result in report.results],
    }


def _grading_json(grading: Grading | None) -> dict[str, Any] | None:
    if grading is None:
        return None
    return {
        "model": grading.model,
        "scores": [asdict(score) for score in grading.scores],
        "agreement": grading.agreement,
        "kappa": grading.kappa,
        "n": grading.n,
    }


def _case_json(result: CaseResult) -> dict[str, Any]:
    answer = result.answer
    return {
        "id": result.case.id,
        "repeat": result.repeat,
        "kind": result.case.kind,
        "language": result.case.language,
        "expected": result.case.expected,
        "verdict": result.verdict,
        "objections": list(result.objections),
        "error": result.error,
        "outcome": answer.outcome if answer else None,
        "text": answer.text if answer else None,
        "citations": [[c.doc_id, c.start, c.end] for c in answer.citations] if answer else [],
        "values": dict(result.values),
    }


def render_markdown(report: EvalReport, extras: Extras) -> str:
    """The scores as tables, and every case that is not acceptable in a line."""
    meta = report.meta
    lines = [
        "# Eval report",
        "",
        f"{meta['cases']} cases ({meta['split']}), asked {meta['repeat']} time(s), answered by "
        f"{meta['answered_by']}; settings {meta['settings_fingerprint']}, {meta['started']}.",
        "",
        *_score_table(report.scores),
    ]
    if extras.grading:
        lines += [
            "",
            f"## Graded by {extras.grading.model}",
            "",
            *_score_table(extras.grading.scores),
        ]
        lines += ["", agreement_line(extras.grading)]
    if extras.gate:
        lines += ["", "## Gate", "", "passed" if extras.gate.passed else "failed:", ""]
        lines += [f"- {_cell(problem)}" for problem in extras.gate.problems]
    if extras.comparisons:
        lines += ["", f"## Against {_cell(extras.compared_with)}", ""]
        lines += ["| metric | before | after | verdict | n |", "|---|---|---|---|---|"]
        lines += [
            f"| {c.name} | {number(c.before)} | {number(c.after)} | {c.verdict} | {c.n} |"
            for c in extras.comparisons
        ]
    for title, groups in (("kind", report.by_kind), ("language", report.by_language)):
        lines += ["", f"## By {title}", "", f"| {title} | " + " | ".join(HEADLINE) + " |"]
        lines += ["|---" * (len(HEADLINE) + 1) + "|"]
        lines += [
            f"| {name} | " + " | ".join(short(s) for s in group) + " |"
            for name, group in groups.items()
        ]
    lines += ["", "## Not acceptable", ""]
    lines += [
        f"- {_cell(r.case.id)}: {_cell(r.error or '; '.join(r.objections))}"
        for r in report.results
        if r.verdict != "acceptable"
    ]
    return "\n".join(lines) + "\n"


def _score_table(found: Sequence[Score]) -> list[str]:
    head = [
        "| metric | value | 95 % interval | n | unscored | failed |",
        "|---|---|---|---|---|---|",
    ]
    return head + [
        f"| {s.name} | {number(s.value)} | {span(s)} | {s.n} | {s.unscored} | {s.failed} |"
        for s in found
    ]


def agreement_line(grading: Grading) -> str:
    return (
        f"Judge and answer acceptability agree on {number(grading.agreement)} of {grading.n} "
        f"answers; Cohen's kappa {number(grading.kappa)}."
    )


def number(value: float | None) -> str:
    return "not scored" if value is None else f"{value:.3f}"


def span(score: Score) -> str:
    if score.low is None or score.high is None:
        return "n=0"
    return f"{score.low:.3f} to {score.high:.3f}"


def short(score: Score) -> str:
    return "–" if score.value is None else f"{score.value:.2f} (n={score.n})"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def render_html(report: EvalReport, documents: Mapping[str, Document], extras: Extras) -> str:
    """The page. Everything that comes from a question, an answer or a source is escaped."""
    cases = sorted(report.results, key=lambda r: (r.verdict == "acceptable", r.verdict))
    return _template().render(
        report=report,
        extras=extras,
        headline=HEADLINE,
        plots=_plots(report, extras.last),
        cases=[(result, excerpts(result, documents)) for result in cases],
        agreement=agreement_line(extras.grading) if extras.grading else "",
        higher={name: metric.higher_is_better for name, metric in BY_NAME.items()},
    )


@lru_cache(1)
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "span": span, "short": short}
    return environment.from_string(_PAGE.read_text(encoding="utf-8"))


def excerpts(result: CaseResult, documents: Mapping[str, Document]) -> list[Excerpt]:
    """The paragraphs of the sources that an answer cites or that hold gold quotes."""
    citations = result.answer.citations if result.answer else ()
    found = []
    for doc_id, document in documents.items():
        cited = [(c.start, c.end) for c in citations if c.doc_id == doc_id]
        gold = [
            (option.start, option.end)
            for quote in result.case.gold
            for option in quote.spans[:1]
            if option.doc_id == doc_id
        ]
        for start, end in line_spans(document.text):
            if any(a < end and start < b for a, b in (*cited, *gold)):
                title = f"{document.publisher}: {document.title}"
                found.append(Excerpt(title, pieces(document.text, start, end, cited, gold)))
    return found


def pieces(
    text: str, start: int, end: int, cited: Sequence[Span], gold: Sequence[Span]
) -> tuple[Piece, ...]:
    """`text[start:end]` cut wherever a span begins or ends; put together it is the same text."""
    cuts = {start, end, *(min(max(x, start), end) for s in (*cited, *gold) for x in s)}
    ordered = sorted(cuts)
    return tuple(
        Piece(
            text[a:b],
            any(s <= a and b <= e for s, e in cited),
            any(s <= a and b <= e for s, e in gold),
        )
        for a, b in pairwise(ordered)
    )


def _plots(report: EvalReport, last: Mapping[str, Any] | None) -> dict[str, Markup]:
    drawn = {
        "kind": _dots(report.by_kind, last, "by_kind", "Answer acceptability by kind"),
        "language": _dots(
            report.by_language, last, "by_language", "Answer acceptability by language"
        ),
        "latency": plots.distribution(
            [
                (moment.replace("_", " "), _moments(report, moment))
                for moment in ("first_evidence", "first_token", "total")
            ],
            "Share of answers that were there within so many seconds",
        ),
        "abstention": _tradeoff(report),
    }
    # The plots escape what they are given, so that the page may take them as they are.
    return {name: Markup(svg) for name, svg in drawn.items() if svg}


def _dots(
    groups: Mapping[str, Sequence[Score]],
    last: Mapping[str, Any] | None,
    name: str,
    title: str,
) -> str:
    before = {
        group: next((s["value"] for s in found if s["name"] == HEADLINE[0]), None)
        for group, found in (last or {}).get(name, {}).items()
    }
    rows = []
    for group, found in groups.items():
        score = next(s for s in found if s.name == HEADLINE[0])
        if score.value is not None and score.low is not None and score.high is not None:
            rows.append(
                plots.Dot(group, score.n, score.value, score.low, score.high, before.get(group))
            )
    return plots.dots(rows, title) if rows else ""


def _moments(report: EvalReport, moment: str) -> list[float]:
    return [
        r.answer.timings[moment] for r in report.results if r.answer and moment in r.answer.timings
    ]


def _tradeoff(report: EvalReport) -> str:
    """Empty unless answers carry the score that decides whether they are given."""
    scored = [
        (r.answer.signals[_DECIDING], r.case.declinable, r.answer.outcome in ABSTAINED)
        for r in report.results
        if r.answer and r.case.expected in ("answer", "decline") and _DECIDING in r.answer.signals
    ]
    points = plots.tradeoff_points([(value, hopeless) for value, hopeless, _ in scored])
    if not points:
        return ""
    refused = [declined for _, hopeless, declined in scored if not hopeless]
    caught = [declined for _, hopeless, declined in scored if hopeless]
    now = (sum(refused) / len(refused), sum(caught) / len(caught))
    title = "Over-refusal (across) against abstention recall (up), for every threshold"
    return plots.tradeoff(points, now, title)
