"""Every view of the page held against axe-core: light and dark, on a desktop and on a phone."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes_evals import ScriptedAssistant, good, raw_cases, write_cases
from fakes_page import FakeAssistant, hostile_document
from fakes_shelf import make_shelf
from pages import UNHURRIED, serving
from test_app import Visit, browser  # noqa: F401  `browser` is a fixture

import app
from assistant.page.store import Store
from assistant.page.users import add_user, load_users
from assistant.settings import Settings
from evals.background import BackgroundRuns
from evals.run import Selection

GRAVE = ("serious", "critical")
RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
  found => [found.impact, found.id, found.nodes.map(node =>
    node.target.join(' ') + '  ' + node.any.concat(node.all, node.none).map(one => one.message)
  )])"""
STILL = "document.getAnimations().every(one => !(one instanceof CSSTransition))"
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "light-phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
    "dark-phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
}
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def axe() -> str:
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole page: scripted answers, the real articles on the shelf, a report of the evals."""
    folder = tmp_path_factory.mktemp("access")
    write_cases(folder / "questions.jsonl", raw_cases())
    chosen = Selection(questions=folder / "questions.jsonl", runs=folder / "runs")
    runs = BackgroundRuns(ScriptedAssistant(good), Settings(chat_model="none"), chosen)
    shelf, _ = make_shelf(folder)
    fake, store = FakeAssistant(extra=[hostile_document()]), Store(folder / "page.sqlite3")
    with serving(app.build_server(fake, runs, shelf, UNHURRIED, store)) as where:
        yield where


@pytest.fixture(params=LOOKS)
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    return LOOKS[request.param]


@pytest.fixture
def visit(browser: Any, address: str, options: dict[str, Any]) -> Iterator[Visit]:  # noqa: F811
    visit = Visit(browser, address, **options)
    yield visit
    visit.context.close()
    visit.check()


class Audit:
    """What axe-core finds grave, view by view."""

    def __init__(self, page: Any, axe: str) -> None:
        self._page, self._axe = page, axe
        self.grave: list[str] = []

    def look(self, view: str) -> None:
        page = self._page
        # The debugger puts it in: the page's own policy stays as strict as it is.
        if not page.evaluate("Boolean(window.axe)"):
            page.evaluate(self._axe)
        page.wait_for_function(STILL)
        for impact, rule, places in page.evaluate(RUN):
            if impact in GRAVE:
                self.grave += [f"{view}: {impact} {rule}: {place}" for place in places]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > page.viewport_size["width"]:
            self.grave.append(f"{view}: is {wide} px wide")

    def passed(self) -> bool:
        assert not self.grave, "\n".join(self.grave)
        return True


def test_the_ask_tab(visit: Visit, axe: str) -> None:
    page, audit = visit.page, Audit(visit.page, axe)
    page.wait_for_selector(".starter")
    audit.look("welcome")
    visit.ask("Where was the Digital Economy Partnership Agreement signed?", 1)
    page.click("#turn-1 a.cite >> nth=0")
    visit.mark_in_panel("quote-1-1")
    audit.look("an answer and the quote that was followed")
    page.click("#up-1")
    page.wait_for_selector("#reason-1")
    visit.ask("What does it say on electronic signatures?", 2)
    page.click("#turn-2 details.remark > summary")
    page.click("#evidence .retrieved > summary")
    page.click("#scope-toggle")
    page.wait_for_selector(".scope")
    audit.look("a partial answer, all that was retrieved, the choice of sources")
    page.click("#scope-toggle")
    visit.ask("Is the model gone?", 3)
    page.click("details.menu > summary")
    audit.look("an answer that broke off, the menu")
    page.click("#past-toggle")
    page.click("#past [data-fold^=delete] >> nth=0")
    audit.look("past conversations")
    assert audit.passed()


def test_the_other_tabs(visit: Visit, axe: str) -> None:
    page, audit = visit.page, Audit(visit.page, axe)
    named = page.evaluate("[...document.querySelectorAll('#tabs [role=tab]')].map(tab => tab.id)")
    tabs = {name.removesuffix("-button") for name in named} - {"", "tab-ask"}
    assert {"tab-timeline", "tab-sources", "tab-evals"} <= tabs
    for tab in sorted(tabs):
        page.click(f"#{tab}-button")
        page.wait_for_selector(f"#{tab}", state="visible")
        if tab == "tab-timeline":
            page.wait_for_selector("#timeline .scatterlayer .point", state="attached")
        audit.look(tab)
        if tab in ("tab-timeline", "tab-sources"):
            page.click(f"#{tab} button.plain >> nth=0")
            page.wait_for_selector(f"#{tab} .reading")
            audit.look(f"{tab} with an article")
        if tab == "tab-evals":
            page.click("#start-run")
            page.wait_for_selector(f"#{tab} iframe")
            page.wait_for_selector("#start-run")
            audit.look("the report of the evals")
    assert audit.passed()


def tab_to(page: Any, selector: str) -> None:
    """Go there with the keyboard."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("at => document.activeElement.matches(at)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_every_tab_with_the_keyboard_only(browser: Any, address: str) -> None:  # noqa: F811
    visit = Visit(browser, address)
    page = visit.page
    tab_to(page, "#tab-timeline-button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#tab-timeline tbody tr")
    tab_to(page, "#tab-timeline button.plain")
    page.keyboard.press("Enter")
    page.wait_for_selector("#tab-timeline .at-marked")
    page.wait_for_function("document.activeElement.closest('.reading') !== null")
    tab_to(page, "#tab-sources-button")
    page.keyboard.press("Enter")
    tab_to(page, "#tab-sources button.plain")
    page.keyboard.press("Enter")
    page.wait_for_selector("#tab-sources .reading")
    tab_to(page, "#tab-evals-button")
    page.keyboard.press("Enter")
    tab_to(page, "#start-run")
    page.keyboard.press("Enter")
    page.wait_for_selector("#tab-evals iframe")
    visit.context.close()
    visit.check()


def test_the_login_page(
    browser: Any,  # noqa: F811
    tmp_path: Path,
    axe: str,
    options: dict[str, Any],
) -> None:
    add_user(tmp_path / "users", "amina", "s3cret-s3")
    login = app.Options(users=load_users(tmp_path / "users"))
    with serving(app.build_server(FakeAssistant(), options=login)) as where:
        page = browser.new_page(**options)
        audit = Audit(page, axe)
        page.goto(where)
        page.get_by_label("password").wait_for()
        audit.look("login")
        page.get_by_label("username").fill("amina")
        page.get_by_label("password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        page.get_by_text("Incorrect").wait_for()
        audit.look("a wrong password")
        page.close()
    assert audit.passed()
