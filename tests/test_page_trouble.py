"""Bad moments in a real browser: models that load, a full disk, pastes, limits, hostile sources."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes_page import FakeAssistant, document
from fakes_shelf import make_shelf
from pages import serving
from test_app import BOX, Visit, browser  # noqa: F401  `browser` is a fixture

import app
from assistant.errors import ModelError
from assistant.page.store import FILE, Store
from assistant.types import Answer, Message

pytestmark = pytest.mark.browser
WHERE = "Where was it signed?"
EVIL = '<img src="https://evil.example/x.png" onerror="window.hacked=1"><b>bold</b> ${1+1}'


def said(place: str, text: str) -> str:
    return f"document.querySelector('{place}').innerText.includes({text!r})"


class Loading(FakeAssistant):
    """Answers only once its models are loaded, which may fail."""

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.loaded = threading.Event()
        self._fault = fault

    def warm(self) -> None:
        assert self.loaded.wait(60)
        if self._fault:
            raise ModelError(self._fault, "ots-assistant fetch")

    def quoting(self) -> FakeAssistant:
        self.loaded.wait(60)
        return super().quoting()

    def stream(
        self,
        question: str,
        history: Sequence[Message] = (),
        doc_ids: Collection[str] | None = None,
    ) -> Iterator[Answer]:
        assert self.loaded.wait(60)
        if self._fault:
            raise ModelError(self._fault, "ots-assistant fetch")
        yield from super().stream(question, history, doc_ids)


def test_a_question_before_the_models_are_loaded(browser: Any) -> None:  # noqa: F811
    fake = Loading()
    with serving(app.build_server(fake)) as address:
        visit = Visit(browser, address)
        page = visit.page
        page.wait_for_function(said("#ready", "Loading the models"))
        visit.ask(WHERE, 1, wait=False)
        page.wait_for_function(said("#status", "Looking through the articles"))
        page.wait_for_timeout(500)
        assert page.locator("#turn-1.growing").count() == 1
        fake.loaded.set()
        page.wait_for_selector("#turn-1:not(.growing)")
        assert "Bishkek" in page.inner_text("#turn-1")
        page.wait_for_function("document.querySelector('#ready').innerText.trim() === ''")
        visit.context.close()
        visit.check()


def test_models_that_can_not_be_loaded(browser: Any) -> None:  # noqa: F811
    fake = Loading("The embedding model is missing.")
    fake.loaded.set()
    with serving(app.build_server(fake)) as address:
        visit = Visit(browser, address)
        visit.page.wait_for_function(said("#ready", "ots-assistant fetch"))
        visit.ask(WHERE, 1)
        fault = visit.page.inner_text("#turn-1 .fault")
        assert fault == "The embedding model is missing. To mend it: ots-assistant fetch"
        assert visit.page.is_visible("#again")
        visit.context.close()
        visit.check()


def test_a_full_disk_is_said_and_the_answer_comes(
    browser: Any,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect = sqlite3.connect

    def full(*args: Any, **more: Any) -> sqlite3.Connection:
        opened = connect(*args, **more)
        pages = opened.execute("PRAGMA page_count").fetchone()[0]
        opened.execute(f"PRAGMA max_page_count = {pages}")
        return opened

    with serving(app.build_server(FakeAssistant(), store=Store(tmp_path / FILE))) as address:
        visit = Visit(browser, address)
        page = visit.page
        visit.ask(WHERE, 1)
        with monkeypatch.context() as patch:
            patch.setattr(sqlite3, "connect", full)
            visit.ask("And in September 2021? " + "x" * 3000, 2)
            assert "free some space" in page.inner_text("#bar .trouble")
            assert "roadmap" in page.inner_text("#turn-2")
        visit.ask("Is the model gone?", 3)
        assert page.locator("#bar .trouble").count() == 0
        page.reload()
        page.wait_for_selector("#turn-3")
        assert "roadmap" in page.inner_text("#turn-2")
        visit.context.close()
        visit.check()


def test_limits_and_pastes_are_said(browser: Any, tmp_path: Path) -> None:  # noqa: F811
    options = app.Options(per_minute=1)
    with serving(app.build_server(FakeAssistant(), options=options)) as address:
        visit = Visit(browser, address)
        page = visit.page
        page.evaluate(
            """box => {
              const at = document.querySelector(box);
              at.value = 'z'.repeat(45e5);
              at.dispatchEvent(new Event('input', {bubbles: true}));
            }""",
            BOX,
        )
        page.press(BOX, "Enter")
        page.wait_for_function(said("#status", "The question has 500,000+ characters"))
        assert len(page.input_value(BOX)) == 4_500_000
        page.fill(BOX, "")
        page.click("#past-toggle")
        for name, content in (("big.json", "y" * 5_000_000), ("picture.json", "\x00\x01{")):
            (tmp_path / name).write_text(content)
            page.set_input_files("#import", tmp_path / name)
            page.wait_for_function(said("#status", name))
            assert "2,000,001" not in page.inner_text("#status")
        visit.ask(WHERE, 1)
        visit.ask("And in September 2021?", 2)
        assert "within a minute" in page.inner_text("#turn-2 .fault")
        assert "Bishkek" in page.inner_text("#turn-1")
        visit.context.close()
        visit.check()


def test_a_hostile_source_in_every_tab(browser: Any, tmp_path: Path) -> None:  # noqa: F811
    text = f"{EVIL}\n\nThe pact was signed on 5 May 2024 {EVIL} in Bishkek.\n\n{EVIL}"
    evil = document("evil", f"Title {EVIL}", EVIL, "2024-05-06", text)
    shelf, _ = make_shelf(tmp_path)
    fake = FakeAssistant(extra=[evil])
    shelf._assistant = fake  # type: ignore[assignment]
    with serving(app.build_server(fake, sources=shelf)) as address:
        visit = Visit(browser, address)
        page = visit.page
        page.click("#scope-toggle")
        page.click("#tab-timeline-button")
        page.wait_for_selector("#timeline .scatterlayer .point")
        for one in page.locator("#timeline .scatterlayer .point").all():
            point = one.bounding_box()
            page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
            page.wait_for_timeout(100)
        page.locator("#tab-timeline tr", has_text="The pact was").get_by_role("button").click()
        page.wait_for_selector("#tab-timeline .reading")
        page.click("#tab-sources-button")
        page.get_by_role("button", name="Read Title").click()
        page.wait_for_selector("#tab-sources .reading")
        assert EVIL in page.inner_text("#tab-sources .reading")
        assert page.evaluate("window.hacked") is None
        assert page.locator(":is(#tabs, #masthead) :is(img, iframe, script, object)").count() == 0
        visit.context.close()
        visit.check()
