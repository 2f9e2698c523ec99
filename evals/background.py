"""Eval runs in the background, for the page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.jobs import Job
from assistant.settings import Settings
from assistant.types import Progress
from evals.records import RUNS, last_report, newest_page
from evals.report import Extras, write_report
from evals.run import Asker, Selection, evaluate
from evals.types import KINDS, EvalError


class BackgroundRuns:
    """Runs the evals on an assistant that is already there, one run at a time."""

    kinds = KINDS

    def __init__(
        self, assistant: Asker, settings: Settings, selection: Selection | None = None
    ) -> None:
        self._assistant = assistant
        self._settings = settings
        self._selection = selection or Selection(runs=RUNS)
        self.job = Job("eval run")

    def start(self, kind: str, limit: int) -> None:
        """Begin a run over at most `limit` questions, of one kind or of all (empty).

        What a cancelled run answered is saved, and the same run goes on from there.
        """
        kinds = (kind,) if kind else ()
        selection = replace(self._selection, kinds=kinds, limit=limit)
        self.job.start(lambda progress: self._run(selection, progress))

    def page(self) -> tuple[str, str]:
        """The newest report as HTML and one line on when and how it came about; or empty texts."""
        path = newest_page(self._selection.runs)
        if path is None:
            return "", ""
        try:
            html = path.read_text(encoding="utf-8")
            meta = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["meta"]
        except (OSError, ValueError, KeyError) as fault:
            raise EvalError(
                f"The report {path} can't be read: {fault}.", f"remove {path.parent}"
            ) from None
        return html, _about(meta, path)

    def _run(self, selection: Selection, progress: Progress) -> str:
        run = evaluate(self._settings, selection, progress, lambda *_: self._assistant)
        last = last_report(selection.runs, run.report.meta["selection"], run.folder.path)
        write_report(run.folder, run.report, run.documents, Extras(last=last))
        return "evals.done"


def _about(meta: dict[str, Any], path: Path) -> str:
    started = str(meta.get("started", ""))[:16].replace("T", " ")
    return (
        f"{started} UTC; {meta.get('cases')} questions; model {meta.get('model')}; "
        f"settings {meta.get('settings_fingerprint')}; {path}"
    )
