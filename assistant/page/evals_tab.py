"""The Evals tab: the last report, and a run in the background."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from html import escape
from typing import Any, Protocol

import gradio as gr

from assistant.errors import AssistantError
from assistant.jobs import Job, State
from assistant.page.widgets import HIDDEN, LABELS, QUICK, fault_html, intro, job_html, panel
from assistant.page.words import Words, words_of

LIMIT, MOST = 20, 1000


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
        intro("evals")
        with gr.Row(elem_classes="controls"):
            kind = gr.Dropdown(
                [("…", ""), *runs.kinds], value="", label=LABELS("evals.kind"), min_width=160
            )
            limit = gr.Number(
                LIMIT, label=LABELS("evals.limit"), precision=0, minimum=1, maximum=MOST
            )
            start = gr.Button(LABELS("evals.start"), elem_id="start-run", elem_classes="action")
            cancel = gr.Button(
                LABELS("evals.cancel"),
                elem_id="cancel-run",
                elem_classes="action quiet",
                interactive=False,
            )
        state = panel("", "${value}", elem_classes="progress")
        report = panel("", "${value}", elem_id="report")
    shown = [state, start, cancel, report]

    def name_kinds(request: gr.Request) -> Any:
        say = words_of(request)
        named = [(str(say.texts.get(f"kinds.{kind}", kind)), kind) for kind in runs.kinds]
        return gr.update(choices=[(say("evals.all_kinds"), ""), *named])

    async def follow(request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        """What stands there now, then every step until the run has ended."""
        say = words_of(request)
        yield *_progress(say, runs.job.state), report_html(say, runs)
        if runs.job.state.running:
            async for step in runs.job.watch():
                yield *_progress(say, step), gr.skip()
            yield gr.skip(), gr.skip(), gr.skip(), report_html(say, runs)

    async def begin(
        kind: str, limit: float | None, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        try:
            runs.start(kind, min(max(int(limit or LIMIT), 1), MOST))
        except AssistantError as fault:
            yield fault_html(words_of(request), str(fault)), *[gr.skip()] * 3
            return
        async for step in follow(request):
            yield step

    tab.select(name_kinds, None, [kind], **QUICK)
    tab.select(follow, None, shown, concurrency_limit=None, **HIDDEN)
    start.click(begin, [kind, limit], shown, concurrency_limit=None, **HIDDEN)
    cancel.click(runs.job.cancel, None, None, **QUICK)


def report_html(say: Words, runs: EvalRuns) -> str:
    """The report in a frame that runs no script and loads nothing."""
    try:
        page, about = runs.page()
    except AssistantError as fault:
        return fault_html(say, str(fault))
    if not page:
        how = say.html("evals.how", command="\0").replace("\0", "<code>ots-assistant eval</code>")
        return f'<div class="nothing"><h2>{say.html("evals.none")}</h2><p>{how}</p></div>'
    last = say.html("evals.last", about="\0")
    last = last.replace("\0", f'<span lang="en">{escape(about)}</span>')
    return (
        f'<p class="about">{last}</p>'
        f'<iframe sandbox="" title="{say.html("evals.report")}" srcdoc="{escape(page)}"></iframe>'
    )


def _progress(say: Words, state: State) -> tuple[Any, ...]:
    idle = not state.running
    start, cancel = gr.update(interactive=idle), gr.update(interactive=not idle)
    return job_html(say, state), start, cancel
