"""The Evals tab: the last report, and a run in the background."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from html import escape
from typing import Any, Protocol

import gradio as gr

from assistant.errors import AssistantError
from assistant.jobs import Job, State
from assistant.page.widgets import HIDDEN, QUICK, fault_html, job_html, panel

LIMIT, MOST = 20, 1000
NONE = (
    '<div class="nothing"><h2>No report yet</h2><p>Start a run here, or in a terminal with '
    "<code>ots-assistant eval</code>. Twenty questions take a minute or two with quotes only, and "
    "longer with a chat model.</p></div>"
)


class EvalRuns(Protocol):
    """What the tab needs of the evals, which this package does not import."""

    @property
    def kinds(self) -> Sequence[str]: ...

    @property
    def job(self) -> Job: ...

    def start(self, kind: str, limit: int) -> None: ...

    def page(self) -> tuple[str, str]: ...


def evals_tab(tab: gr.Tab, runs: EvalRuns) -> None:
    """Lay out the tab and wire it."""
    with gr.Column(elem_classes="sheet wide"):
        panel("<h2>Evals</h2><p>How good the answers are, question by question.</p>", "${value}")
        with gr.Row(elem_classes="controls"):
            kind = gr.Dropdown(
                [("all kinds", ""), *runs.kinds], value="", label="Kind of question", min_width=160
            )
            limit = gr.Number(
                LIMIT, label="At most so many questions", precision=0, minimum=1, maximum=MOST
            )
            start = gr.Button("Start a run", elem_id="start-run", elem_classes="action")
            cancel = gr.Button(
                "Cancel", elem_id="cancel-run", elem_classes="action quiet", interactive=False
            )
        state = panel("", "${value}", elem_classes="progress")
        report = panel("", "${value}", elem_id="report")
    shown = [state, start, cancel, report]

    async def follow() -> AsyncIterator[tuple[Any, ...]]:
        """What stands there now, then every step until the run has ended."""
        yield *_progress(runs.job.state), report_html(runs)
        if runs.job.state.running:
            async for step in runs.job.watch():
                yield *_progress(step), gr.skip()
            yield gr.skip(), gr.skip(), gr.skip(), report_html(runs)

    async def begin(kind: str, limit: float | None) -> AsyncIterator[tuple[Any, ...]]:
        try:
            runs.start(kind, min(max(int(limit or LIMIT), 1), MOST))
        except AssistantError as fault:
            yield job_html(State(line=str(fault), failed=True)), *[gr.skip()] * 3
            return
        async for step in follow():
            yield step

    tab.select(follow, None, shown, concurrency_limit=None, **HIDDEN)
    start.click(begin, [kind, limit], shown, concurrency_limit=None, **HIDDEN)
    cancel.click(runs.job.cancel, None, None, **QUICK)


def report_html(runs: EvalRuns) -> str:
    """The report in a frame that runs no script and loads nothing."""
    try:
        page, about = runs.page()
    except AssistantError as fault:
        return fault_html(str(fault))
    if not page:
        return NONE
    return (
        f'<p class="about">The last report: {escape(about)}</p>'
        f'<iframe sandbox="" title="The last eval report" srcdoc="{escape(page)}"></iframe>'
    )


def _progress(state: State) -> tuple[Any, ...]:
    idle = not state.running
    return job_html(state), gr.update(interactive=idle), gr.update(interactive=not idle)
