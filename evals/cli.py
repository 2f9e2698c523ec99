"""`ots-assistant eval`: the options, the table on the terminal and the exit code.

Light to import: the measuring libraries load when the command runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from assistant.errors import AssistantError
from assistant.settings import Settings
from assistant.types import Progress

if TYPE_CHECKING:
    from evals.gate import Baseline
    from evals.judge import Grade, Grading
    from evals.records import RunFolder
    from evals.report import Extras
    from evals.run import Maker, Run, Selection
    from evals.scores import Comparison
    from evals.types import CaseResult, Score

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
_MISSED = 1
_INTERRUPTED = 130


def eval_command(
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only this kind of question; repeatable.")
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option("--language", help="Only this language; repeatable.")
    ] = None,
    split: Annotated[
        Literal["development", "test"] | None,
        typer.Option("--split", help="Only this half of the set; tune on development."),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="At most so many questions.")] = None,
    repeat: Annotated[int, typer.Option("--repeat", help="Ask each question so often.")] = 1,
    config: Annotated[
        list[Path] | None,
        typer.Option("--config", help="A TOML file of settings; give two to compare them."),
    ] = None,
    gate: Annotated[
        bool, typer.Option("--gate", help="Exit with 1 when the floors or the baseline are missed.")
    ] = False,
    judge: Annotated[
        str | None, typer.Option("--judge", help="Grade with this chat model too, openai:… or so.")
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Keep this run as the baseline of the gate.")
    ] = False,
    drafts: Annotated[
        Path | None,
        typer.Option(
            "--drafts", help="Write answers marked down on the page here, as draft cases."
        ),
    ] = None,
    feedback: Annotated[
        Path | None, typer.Option("--feedback", help="With --drafts: a JSONL instead of the page.")
    ] = None,
    questions: Annotated[
        Path | None, typer.Option("--questions", help="Another question set.")
    ] = None,
    corpus: Annotated[
        Literal["sources", "general"],
        typer.Option("--corpus", help="Ask about the sources, or about the articles of --folder."),
    ] = "sources",
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="With --corpus general: the MultiHop-RAG data set."),
    ] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help="Where runs are kept.")] = None,
) -> None:
    """Ask the questions of the set and say how good the answers are."""
    with _faults_told():
        if drafts:
            from assistant.page.store import FILE
            from evals.feedback import export_drafts

            written = export_drafts(feedback or Settings.load().data_dir / FILE, drafts)
            out.print(f"Wrote {written} draft cases to {drafts}.", markup=False)
            return
        from evals.dataset import GENERAL, QUESTIONS
        from evals.records import RUNS
        from evals.run import Selection
        from evals.types import EvalError

        if (corpus == "general") is not (folder is not None):
            raise EvalError(
                "The articles of the corpus 'general' are no part of the project.",
                "give --corpus general and --folder, its MultiHop-RAG folder, together",
            )
        selection = Selection(
            questions=questions or (GENERAL if folder else QUESTIONS),
            kinds=tuple(kind or ()),
            languages=tuple(language or ()),
            split=split,
            limit=limit,
            repeat=repeat,
            runs=(out_dir or RUNS).absolute(),
            corpus=folder,
        )
        passed = run_evals(selection, config or [], gate, judge, write_baseline)
    if not passed:
        raise typer.Exit(_MISSED)


def run_evals(
    selection: Selection,
    configs: Sequence[Path] = (),
    gated: bool = False,
    judge: str | None = None,
    keep_baseline: bool = False,
    make: Maker | None = None,
    baseline: Path | None = None,
) -> bool:
    """Run, report, and say whether the gate was passed; without a gate it always is."""
    from evals import gate as gates
    from evals import report as reports
    from evals.records import last_report
    from evals.run import compare_runs, evaluate
    from evals.types import EvalError

    if keep_baseline and (selection.kinds or selection.languages or selection.limit is not None):
        raise EvalError(
            "A baseline of a few questions would hold nothing else.",
            "drop --kind, --language and --limit",
        )
    settings = _settings(configs, alone=gated or keep_baseline)
    baseline = baseline or gates.BASELINE
    bounds = (gates.load_gate(), gates.load_baseline(baseline)) if gated else None
    with _bar() as progress:
        runs = [evaluate(each, selection, progress, make) for each in settings]
        grading = _grade(judge, settings[-1], runs[-1], progress) if judge else None
    last = runs[-1]
    verdict = gates.check(last.report, *bounds) if bounds else None
    comparisons = compare_runs(runs[0].report, last.report) if len(runs) == 2 else []
    extras = reports.Extras(
        comparisons=comparisons or (verdict.comparisons if verdict else ()),
        compared_with=configs[0].name if comparisons else _named(bounds[1] if bounds else None),
        gate=verdict,
        grading=grading,
        last=last_report(selection.runs, last.report.meta["selection"], last.folder.path),
    )
    for run in runs[:-1]:
        reports.write_report(run.folder, run.report, run.documents)
    page = reports.write_report(last.folder, last.report, last.documents, extras)
    _print(last, extras, configs)
    if keep_baseline:
        gates.write_baseline(last.report, baseline)
        out.print(f"Baseline: {baseline}", markup=False)
    out.print(f"Report: {page}", markup=False)
    return verdict is None or verdict.passed


def _settings(configs: Sequence[Path], alone: bool) -> list[Settings]:
    from evals.types import EvalError

    if len(configs) > (1 if alone else 2):
        raise EvalError(
            f"{len(configs)} configurations were given.",
            "give one, or two without --gate and --write-baseline",
        )
    settings = [Settings.load(path) for path in configs] or [Settings.load()]
    if len({each.fingerprint() for each in settings}) < len(settings):
        raise EvalError("The two configurations say the same.", "change a setting in one of them")
    return settings


def _named(baseline: Baseline | None) -> str:
    about = baseline.about if baseline else {}
    return f"the baseline of {about.get('started')}, chat model {about.get('model')}"


def _grade(name: str, settings: Settings, run: Run, progress: Progress) -> Grading:
    from evals.judge import grade_all, load_judge

    model = load_judge(name, settings)
    return grade_all(model, run.report.results, progress, _keeper(run.folder, model.name))


class _keeper:  # noqa: N801  a function with a memory
    """Appends each grade to the run's folder as it comes."""

    def __init__(self, folder: RunFolder, model: str) -> None:
        self._path = folder.path / "grades.jsonl"
        self._model = model

    def __call__(self, result: CaseResult, found: Grade) -> None:
        line = {
            "id": result.case.id,
            "repeat": result.repeat,
            "model": self._model,
            "correct": found.correct,
            "faithful": found.faithful,
            "reply": found.reply,
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _print(run: Run, extras: Extras, configs: Sequence[Path]) -> None:
    from evals.report import agreement_line

    _print_scores(run.report.scores)
    if extras.grading:
        _print_scores(extras.grading.scores)
        out.print(agreement_line(extras.grading), markup=False)
    if len(configs) == 2:
        _print_comparison(extras.comparisons, configs)
    if extras.gate:
        for problem in extras.gate.problems:
            err.print(f"gate: {problem}", markup=False)
        out.print("Gate passed." if extras.gate.passed else "Gate failed.")


def _print_scores(scores: Sequence[Score]) -> None:
    from evals.report import number, span

    table = Table(box=None, pad_edge=False)
    for column in ("metric", "value", "95 % interval", "n", "unscored", "failed"):
        table.add_column(column, justify="left" if column == "metric" else "right")
    for s in scores:
        table.add_row(s.name, number(s.value), span(s), str(s.n), str(s.unscored), str(s.failed))
    out.print(table)


def _print_comparison(comparisons: Sequence[Comparison], configs: Sequence[Path]) -> None:
    from evals.report import number

    table = Table(box=None, pad_edge=False)
    for column in ("metric", configs[0].name, configs[1].name, "verdict", "n"):
        table.add_column(column)
    for c in comparisons:
        table.add_row(c.name, number(c.before), number(c.after), c.verdict, str(c.n))
    out.print(table)


@contextmanager
def _bar() -> Iterator[Progress]:
    """A progress bar on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(
        *columns, TextColumn("{task.fields[unit]}"), TimeRemainingColumn(), console=err
    ) as bar:
        tasks = {}

        def progress(what: str, done: int, total: int, unit: str) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total, unit=unit)
            if done == 0:
                bar.reset(tasks[what])
            bar.update(tasks[what], completed=done, total=total)

        yield progress


@contextmanager
def _faults_told() -> Iterator[None]:
    try:
        yield
    except AssistantError as fault:
        err.print(f"error: {fault}", markup=False)
        raise typer.Exit(fault.exit_code) from None
    except KeyboardInterrupt:
        err.print("Stopped. What was answered is saved; the same command goes on from here.")
        raise typer.Exit(_INTERRUPTED) from None


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command(name="eval")(eval_command)


def main(args: Sequence[str] | None = None) -> None:
    """The command on its own; `args` default to those of the process."""
    app(args=list(sys.argv[1:] if args is None else args), prog_name="ots-assistant eval")


if __name__ == "__main__":
    main()
