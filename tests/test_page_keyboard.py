"""The whole way with the keyboard only: the focus is always where one can go on from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes_page import FakeAssistant
from pages import UNHURRIED, serving
from test_app import BOX, Visit, browser  # noqa: F401  `browser` is a fixture

import app

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def fake() -> FakeAssistant:
    return FakeAssistant()


@pytest.fixture
def visit(browser: Any, fake: FakeAssistant) -> Iterator[Visit]:  # noqa: F811
    with serving(app.build_server(fake, options=UNHURRIED)) as address:
        visit = Visit(browser, address)
        yield visit
        fake.hold.set()
        visit.context.close()
        visit.check()


def go(page: Any, selector: str, key: str = "Tab") -> None:
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate("at => document.activeElement.matches(at)", selector):
            return
    raise AssertionError(f"{key} does not reach {selector}")


def focused(page: Any, selector: str) -> None:
    page.wait_for_function("at => document.activeElement.matches(at)", arg=selector)


def test_from_a_question_to_its_export(visit: Visit) -> None:
    page = visit.page
    focused(page, BOX)
    page.keyboard.type("Where was it signed?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#turn-1:not(.growing)")
    visit.settle()
    page.wait_for_selector("#more .starter")
    go(page, "#ref-1-1", "Shift+Tab")
    page.wait_for_selector("#ots-tip:not([hidden])")
    page.keyboard.press("Enter")
    visit.mark_in_panel("quote-1-1")
    focused(page, "#quote-1-1")
    go(page, "#evidence .retrieved > summary")
    page.keyboard.press("Enter")
    go(page, "#evidence a.read")
    page.keyboard.press("Enter")
    page.wait_for_selector("#evidence .body span.lit:not(.anchor)")
    go(page, "#more .starter", "Shift+Tab")
    page.keyboard.press("Enter")
    focused(page, BOX)
    page.wait_for_selector("#turn-2:not(.growing)")
    visit.settle()
    go(page, "#bar .menu summary", "Shift+Tab")
    page.keyboard.press("Enter")
    go(page, "#save-markdown")
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    assert "[^2-1]:" in Path(saved.value.path()).read_text(encoding="utf-8")
    focused(page, "#bar .menu summary")


def test_stopping_leaves_the_focus_in_the_box(visit: Visit, fake: FakeAssistant) -> None:
    page = visit.page
    fake.hold.clear()
    visit.ask("Where was it signed?", 1, wait=False)
    page.wait_for_selector("#evidence .retrieved")
    go(page, "#stop")
    page.keyboard.press("Enter")
    page.wait_for_selector("#again")
    focused(page, BOX)
    fake.hold.set()
    go(page, "#again", "Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#turn-2:not(.growing)")
    focused(page, BOX)
