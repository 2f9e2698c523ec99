"""The Timeline tab: dated events of the sources on a plot and in a table, each with its passage."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from html import escape
from typing import Any, Protocol

import gradio as gr
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from assistant.dates import parts_of
from assistant.page.reader import FIND_MARK, article_page
from assistant.page.sources_tab import OPEN
from assistant.page.widgets import HIDDEN, LABELS, QUICK, intro, nothing_html, panel, place
from assistant.page.words import ENGLISH, Words, words_of
from assistant.timeline import Event, by_date, events
from assistant.types import Document

ON_POINT = """
const open = e => trigger('open', {index: Number(e.points[0].customdata)});
new MutationObserver(() => {
  const plot = document.querySelector('#timeline .js-plotly-plot');
  if (!plot || !plot.on) return;
  // Drawing a plot anew takes its listeners away.
  plot.removeAllListeners('plotly_click');
  plot.on('plotly_click', open);
}).observe(document.querySelector('#tabs'), {childList: true, subtree: true});
"""
COLOURS = ("#1b8a8f", "#c2701c", "#7a5bd0", "#c0396b", "#4f8a2c", "#3b78c2")
"""Told apart on light and dark paper; the lane's name says the same without colour."""
_ANY_YEAR = 2000
"""A leap year for the lane without years; it is never shown."""


class Reading(Protocol):
    """What the tab needs of the assistant."""

    @property
    def documents(self) -> Mapping[str, Document]: ...


def timeline_tab(tab: gr.Tab, library: Reading) -> None:
    """Lay out the tab and wire it."""
    with gr.Row(elem_classes="split"):
        with gr.Column(elem_classes="sheet"):
            intro("timeline")
            plot = gr.Plot(
                figure(ENGLISH, all_events(library.documents), library.documents),
                show_label=False,
                label=LABELS("timeline.title"),
                elem_id="timeline",
                container=False,
            )
            table = panel("", "${value}", js_on_load=OPEN + ON_POINT)
        with gr.Column(elem_classes="sheet reader"):
            reader = panel(
                nothing_html(LABELS("timeline.unread")), "${value}", js_on_load=FIND_MARK
            )

    def show(request: gr.Request) -> tuple[Any, str]:
        say, documents = words_of(request), library.documents
        found = all_events(documents)
        return figure(say, found, documents), table_html(say, found, documents)

    def read(chosen: gr.EventData, request: gr.Request) -> str:
        say = words_of(request)
        found = all_events(library.documents)
        index = place(chosen, "index")
        if not 0 <= index < len(found):
            return nothing_html(say.html("timeline.unread"))
        event = found[index]
        return article_page(say, library.documents[event.doc_id], (event.start, event.end))

    tab.select(show, None, [plot, table], concurrency_limit=None, **HIDDEN)
    table.open(read, None, [reader], **QUICK)


def all_events(documents: Mapping[str, Document]) -> list[Event]:
    return by_date([event for document in documents.values() for event in events(document)])


def table_html(say: Words, found: Sequence[Event], documents: Mapping[str, Document]) -> str:
    """The same events as rows, for reading aloud and for the keyboard."""
    rows = "".join(_row(say, index, event, documents) for index, event in enumerate(found))
    if not rows:
        return nothing_html(say.html("timeline.nothing"))
    return (
        f'<table class="events"><caption>{say.html("timeline.caption")}</caption><thead><tr>'
        f'<th scope="col">{say.html("timeline.date")}</th>'
        f'<th scope="col">{say.html("timeline.said")}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(say: Words, index: int, event: Event, documents: Mapping[str, Document]) -> str:
    document = documents[event.doc_id]
    before = escape(document.text[event.start : event.date_start])
    said = escape(document.text[event.date_start : event.date_end])
    after = escape(document.text[event.date_end : event.end])
    date = say.date(event.date)
    return (
        f'<tr><th scope="row">{escape(date)}</th><td><p dir="auto">{before}<b>{said}</b>{after}</p>'
        f'<p class="source"><span>{escape(document.publisher)}</span>'
        f'<button type="button" class="plain" data-index="{index}" '
        f'aria-label="{say.html("timeline.read", date=date)}">'
        f"{say.html('evidence.read')}</button></p></td></tr>"
    )


def figure(say: Words, found: Sequence[Event], documents: Mapping[str, Document]) -> go.Figure:
    """A lane a source; above by year, below the dates without one, by month and day."""
    plot = make_subplots(rows=2, cols=1, row_heights=[0.6, 0.4], vertical_spacing=0.3)
    for n, (doc_id, document) in enumerate(documents.items()):
        for row, year_known in ((1, True), (2, False)):
            mine = [
                (i, event)
                for i, event in enumerate(found)
                if event.doc_id == doc_id and event.year_known == year_known
            ]
            if mine:
                colour = COLOURS[n % len(COLOURS)]
                plot.add_trace(_points(say, mine, document, colour), row=row, col=1)
    plot.update_xaxes(title_text=say("timeline.by_year"), type="date", row=1, col=1)
    plot.update_xaxes(
        title_text=say("timeline.no_year"), type="date", row=2, col=1,
        tickvals=[f"{_ANY_YEAR}-{month:02}-01" for month in range(1, 13, 2)],
        ticktext=[name[:3] for name in say.texts["date.months"][::2]],
        range=[f"{_ANY_YEAR - 1}-12-20", f"{_ANY_YEAR + 1}-01-10"],
    )  # fmt: skip
    plot.update_yaxes(type="category", fixedrange=True, automargin=True)
    plot.update_layout(
        height=300, showlegend=False, margin={"l": 10, "r": 16, "t": 8, "b": 36},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", dragmode="pan",
    )  # fmt: skip
    return plot


def _points(
    say: Words, mine: Sequence[tuple[int, Event]], document: Document, colour: str
) -> go.Scatter:
    spans = [_extent(event.date) for _, event in mine]
    half = [(last - first).total_seconds() * 500 for first, last in spans]
    return go.Scatter(
        x=[first + (last - first) / 2 for first, last in spans],
        y=[_lane(document)] * len(mine),
        mode="markers",
        error_x={"type": "data", "array": half, "color": colour, "thickness": 3, "width": 0},
        marker={
            "size": 13,
            "color": colour,
            "symbol": ["circle" if e.precision == "day" else "diamond-open" for _, e in mine],
            "line": {"width": 2},
        },
        customdata=[index for index, _ in mine],
        text=[_hover(say, event, document) for _, event in mine],
        hovertemplate="%{text}<extra></extra>",
    )


def _lane(document: Document) -> str:
    return escape((document.publisher or document.doc_id)[:24])


def _hover(say: Words, event: Event, document: Document) -> str:
    """Escaped: Plotly reads some tags in its texts."""
    words = document.text[event.start : event.end].split()
    lines, line = [], ""
    for word in words[:40]:
        line = f"{line} {word[:40]}".strip()
        if len(line) > 45:
            lines.append(line)
            line = ""
    told = "<br>".join(escape(one) for one in [*lines, line + (" …" if len(words) > 40 else "")])
    return f"<b>{escape(say.date(event.date))}</b><br>{told}"


def _extent(partial: str) -> tuple[date, date]:
    """First and last day that a date may mean; a date without a year in a year of no meaning."""
    year, month, day = parts_of(partial)
    year = year or _ANY_YEAR
    if day:
        return date(year, month, day), date(year, month, day)
    first, last = month or 1, month or 12
    end = date(year, last, calendar.monthrange(year, last)[1])
    return date(year, first, 1), end + timedelta(days=1)
