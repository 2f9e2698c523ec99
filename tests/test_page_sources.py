"""The Sources and Timeline tabs: what is listed, read, plotted, and indexed anew meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fakes_page import HOSTILE, document
from fakes_shelf import make_shelf
from gradio import EventData
from hypothesis import given
from hypothesis import strategies as st
from pages import serving
from test_app import Visit, browser  # noqa: F401  `browser` is a fixture

import app
from assistant.dates import parts_of
from assistant.errors import SourceError
from assistant.page.reader import age, article_page
from assistant.page.shelf import Shelf
from assistant.page.timeline_tab import all_events, figure, table_html
from assistant.page.widgets import place
from assistant.page.words import ENGLISH
from assistant.timeline import events

WHERE = "Where was the Digital Economy Partnership Agreement signed?"
MARK_IN_SIGHT = """() => {
  const mark = document.querySelector('.tabitem .reading .at-marked');
  if (!mark || !mark.checkVisibility()) return false;
  const at = mark.getBoundingClientRect();
  return at.top >= 0 && at.bottom <= innerHeight;
}"""


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return make_shelf(tmp_path)[0]


def join(name: str) -> None:
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(60)


@pytest.mark.parametrize(
    ("published", "told"),
    [
        ("2021-09-15", "5 years ago"),
        ("2026-09-25", "1 month ago"),
        ("2026-11-20", "this month"),
        ("2025-10", "13 months ago"),
        ("2021", "5 years ago"),
        ("2026", ""),
        ("--03-18", ""),
        ("", ""),
        # int() refuses what isdigit() takes for a digit.
        ("¹", ""),
        ("2021-0²", ""),
        ("20211", ""),
    ],
)
def test_age(published: str, told: str) -> None:
    assert age(ENGLISH, published, date(2026, 11, 22)) == told


@given(st.from_regex(r"[\d¹②-]{0,12}|--\d\d-\d\d|\d{4}(-\d\d){0,2}"))
def test_whatever_a_date_is_it_has_an_age_or_none(published: str) -> None:
    assert "ago" in age(ENGLISH, published, date(9999, 12, 31)) or parts_of(published)[0] == 0


@pytest.mark.parametrize(
    ("given", "where"),
    [(0, 0), (7, 7), ("7", 7), ("¹", -1), ("9" * 5000, -1), (None, -1), (-3, -1), (1.5, -1)],
)
def test_a_place_that_a_browser_names(given: Any, where: int) -> None:
    assert place(EventData(None, {"index": given}), "index") == where
    assert place(EventData(None, {}), "index") == -1


def test_what_a_source_says_is_written_as_text() -> None:
    title = "<b onclick=x>Title</b>"
    hostile = document("h", title, '"><img src=x>', "2024-01", f"In 2021, {HOSTILE}")
    found = events(hostile)
    documents = {"h": hostile}
    page = article_page(ENGLISH, hostile, (0, 40)) + table_html(ENGLISH, found, documents)
    for raw in ("<img", "<script", "<b onclick", "<a href"):
        assert raw not in page
    assert "<img" not in figure(ENGLISH, found, documents).to_json().replace("\\u003c", "<")


def test_every_event_has_a_point() -> None:
    one = document("d", "T", "P", "", "In 2020. On March 18. In May 2021. On 2 May 2022.")
    found = all_events({"d": one})
    plot = figure(ENGLISH, found, {"d": one})
    assert sorted(i for trace in plot.data for i in trace.customdata) == [0, 1, 2, 3]
    assert {trace.xaxis for trace in plot.data} == {"x", "x2"}
    year = plot.data[0]
    assert next(iter(year.error_x.array)) == pytest.approx(183 * 86_400_000, rel=0.01)


def test_asking_goes_on_while_the_index_is_built(shelf: Shelf) -> None:
    faults: list[BaseException] = []
    stop = threading.Event()
    said = shelf.ask(WHERE).text

    def ask() -> None:
        while not stop.is_set():
            try:
                assert shelf.ask(WHERE).text == said
            except BaseException as fault:
                faults.append(fault)
                return

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    for _ in range(3):
        shelf.reindex()
        join("re-indexing")
        assert shelf.job.state.line == "job.done"
    stop.set()
    for asker in askers:
        asker.join(30)
    assert not faults


def test_sources_that_can_not_be_read_leave_the_old_index(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise SourceError("The article x.txt can't be read.", "correct it")

    monkeypatch.setattr("assistant.page.shelf.load_sources", broken)
    shelf.reindex()
    join("re-indexing")
    assert shelf.job.state.failed
    assert shelf.job.state.line.startswith("The article x.txt can't be read.")
    assert shelf.ask(WHERE).citations


@pytest.fixture
def visit(browser: Any, shelf: Shelf) -> Iterator[Visit]:  # noqa: F811
    with serving(app.build_server(shelf, sources=shelf)) as address:
        visit = Visit(browser, address)
        yield visit
        visit.context.close()
        visit.check()


@pytest.mark.browser
def test_the_sources_tab(visit: Visit) -> None:
    page = visit.page
    page.click("#tab-sources-button")
    cards = page.locator("#tab-sources .cards li")
    cards.first.wait_for()
    said = cards.nth(1).inner_text()
    for part in ("Azernews", "Ayya Lmahamad", "15 September 2021", "years ago", "4 passages"):
        assert part in said
    page.get_by_role("button", name="Read Azerbaijan and Turkey sign").click()
    page.wait_for_selector("#tab-sources .reading")
    assert "liberated territories" in page.inner_text("#tab-sources .reading")
    page.click("#reindex")
    page.wait_for_function(
        "document.querySelector('#tab-sources .progress').innerText.includes('Done.')"
    )
    page.click("#tab-ask-button")
    visit.ask(WHERE, 1)
    assert page.locator("#turn-1 a.cite").count()


@pytest.mark.browser
def test_the_timeline_tab(visit: Visit) -> None:
    page = visit.page
    page.click("#tab-timeline-button")
    page.wait_for_selector("#timeline .scatterlayer .point")
    assert page.locator("#timeline .scatterlayer .point").count() == 8
    rows = page.locator("#tab-timeline tbody tr")
    assert rows.first.locator("th").inner_text() == "2020"
    assert "18 March (year not given)" in page.inner_text("#tab-timeline tbody")
    page.focus("#tab-timeline tbody tr:nth-child(3) button")
    page.keyboard.press("Enter")
    page.wait_for_function(MARK_IN_SIGHT)
    assert "February 2021" in page.inner_text("#tab-timeline .at-marked")
    page.locator("#timeline").scroll_into_view_if_needed()
    point = page.locator("#timeline .scatterlayer .point").last.bounding_box()
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    page.wait_for_selector("#timeline .hoverlayer .hovertext")
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function(
        "!document.querySelector('#tab-timeline .at-marked').innerText.includes('February 2021')"
    )
    page.wait_for_function(MARK_IN_SIGHT)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
