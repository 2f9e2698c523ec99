"""The page as people meet it: a real browser on the real page, with a scripted assistant."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes_page import FakeAssistant, hostile_document
from pages import UNHURRIED, serving

import app
from assistant.page import ask

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AT_ONCE = 2
BOX = "#question textarea"
IN_PANEL = """id => {
  const found = document.querySelector(`#evidence mark.at-${id}`);
  if (!found) return false;
  const mark = found.getBoundingClientRect();
  const panel = document.querySelector('#evidence .scroll').getBoundingClientRect();
  const top = Math.max(panel.top, 0), bottom = Math.min(panel.bottom, innerHeight);
  return mark.height > 0 && mark.top >= top && mark.bottom <= bottom
      && mark.left >= panel.left && mark.right <= panel.right;
}"""

browser_test = pytest.mark.browser


@pytest.fixture(scope="module")
def fake() -> FakeAssistant:
    return FakeAssistant(extra=[hostile_document()])


@pytest.fixture(scope="module")
def address(fake: FakeAssistant) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ask, "AT_ONCE", AT_ONCE)
        built = app.build_server(fake, options=UNHURRIED)
    with serving(built) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as run:
        opened = run.chromium.launch(executable_path=str(CHROMIUM), args=SWITCHES)
        yield opened
        opened.close()


class Visit:
    """One browser context; notes every request, error and dialog."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        options.setdefault("viewport", {"width": 1280, "height": 800})
        self.address = address
        self.context = browser.new_context(reduced_motion="reduce", **options)
        self.context.set_default_timeout(60_000)
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page = self.open()

    def open(self) -> Any:
        page = self.context.new_page()
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self.errors.append(f"dialog {dialog.message}"))
        page.on(
            "console",
            lambda line: line.type == "error" and self.errors.append(line.text),
        )
        page.goto(self.address)
        page.wait_for_selector(".welcome")
        return page

    def ask(self, question: str, number: int, wait: bool = True) -> None:
        self.page.fill(BOX, question)
        self.page.press(BOX, "Enter")
        self.page.wait_for_selector(f"#turn-{number}" + (":not(.growing)" if wait else ""))
        if wait:
            self.settle()

    def settle(self) -> None:
        """Wait until Gradio has sent the last of an answer, which may set the box once more."""
        done = "#status [data-testid=status-tracker].hide"
        self.page.wait_for_selector("#ask")
        self.page.wait_for_selector(done, state="attached")

    def mark_in_panel(self, quote: str) -> None:
        self.page.wait_for_function(IN_PANEL, arg=quote)

    def check(self) -> None:
        here = (self.address, "data:")
        assert [url for url in self.requests if not url.startswith(here)] == []
        assert self.errors == []


@pytest.fixture
def visit(browser: Any, address: str, fake: FakeAssistant) -> Iterator[Visit]:
    fake.asked.clear()
    visit = Visit(browser, address)
    yield visit
    fake.hold.set()
    visit.context.close()
    visit.check()


@browser_test
def test_evidence_comes_first_then_the_answer(visit: Visit, fake: FakeAssistant) -> None:
    page = visit.page
    assert page.title() == app.TITLE
    fake.hold.clear()
    page.click("button.starter >> nth=0")
    page.wait_for_selector("#evidence .retrieved[open]")
    assert page.locator("a.cite").count() == 0
    assert "Found 6 passages" in page.inner_text("#status")
    assert page.is_visible("#stop")
    assert not page.is_visible("#ask")
    fake.hold.set()
    page.wait_for_selector("#turn-1:not(.growing)")
    assert "Bishkek" in page.inner_text("#turn-1")
    assert page.locator("#turn-1 a.cite").all_inner_texts() == ["1", "2", "3"]
    page.wait_for_selector("#ask")
    assert page.get_attribute("#evidence .retrieved", "open") is None
    assert "18 March (year not given)" in page.inner_text("#evidence .article .source")
    visit.mark_in_panel("quote-1-1")


@browser_test
def test_hover_shows_the_quote(visit: Visit) -> None:
    page = visit.page
    visit.ask("Where was it signed?", 1)
    page.hover("a.cite >> nth=0")
    page.wait_for_selector("#ots-tip:not([hidden])")
    tip = page.inner_text("#ots-tip")
    assert "11th Summit of the OTS in Bishkek" in tip
    assert "Trend" in tip
    assert "18 March" in tip
    page.keyboard.press("Escape")
    page.wait_for_selector("#ots-tip", state="hidden")


@browser_test
def test_click_brings_the_mark_into_the_panel(visit: Visit) -> None:
    page = visit.page
    visit.ask("What does it say on electronic signatures?", 1)
    assert "When the recognition of electronic signatures" in page.inner_text("#turn-1 .missing")
    assert "1 sentence was left out" in page.inner_text("#turn-1")
    assert "No chat model is at hand" in page.inner_text("#turn-1")
    page.evaluate("document.querySelector('#evidence .scroll').scrollTop = 0")
    assert not page.evaluate(IN_PANEL, "quote-1-2")
    page.click("a.cite >> nth=1")
    visit.mark_in_panel("quote-1-2")
    lit = page.locator("#evidence mark.lit")
    assert lit.all_inner_texts() == ["harmonizing the legal framework"]
    page.click("#evidence .retrieved > summary")
    page.click("#evidence a.read >> nth=2")
    page.wait_for_selector("#evidence .body span.lit:not(.anchor)")


@browser_test
def test_follow_up_and_going_back(visit: Visit, fake: FakeAssistant) -> None:
    page = visit.page
    visit.ask("Where was it signed?", 1)
    visit.ask("And in September 2021?", 2)
    question, history = fake.asked[-1]
    assert question == "And in September 2021?"
    assert [message["role"] for message in history] == ["user", "assistant"]
    assert history[0]["content"] == "Where was it signed?"
    assert "Bishkek" in history[1]["content"]
    assert "[1]" not in history[1]["content"]
    assert "for question 2" in page.inner_text("#evidence")
    assert "Ayya Lmahamad" in page.inner_text("#evidence .source >> nth=0")
    page.click("#turn-1 a.cite >> nth=1")
    visit.mark_in_panel("quote-1-2")
    assert "for question 1" in page.inner_text("#evidence")


@browser_test
def test_stop(visit: Visit, fake: FakeAssistant) -> None:
    page = visit.page
    closed = fake.closed
    fake.hold.clear()
    visit.ask("Where was it signed?", 1, wait=False)
    page.wait_for_selector("#evidence .retrieved")
    page.click("#stop")
    page.wait_for_selector("#turn-1:not(.growing)")
    assert "You stopped this answer." in page.inner_text("#turn-1")
    fake.hold.set()
    deadline = time.monotonic() + 60
    while fake.closed == closed and time.monotonic() < deadline:
        time.sleep(0.05)
    assert fake.closed == closed + 1, "the stream was not closed"
    visit.ask("And in September 2021?", 2)
    assert "roadmap" in page.inner_text("#turn-2")


@browser_test
def test_a_question_right_after_stop(visit: Visit, fake: FakeAssistant) -> None:
    page = visit.page
    fake.hold.clear()
    visit.ask("Where was it signed?", 1, wait=False)
    page.wait_for_selector("#evidence .retrieved")
    page.click("#stop")
    page.wait_for_selector("#ask")
    visit.ask("And in September 2021?", 2, wait=False)
    fake.hold.set()
    page.wait_for_selector("#turn-2:not(.growing)")
    assert "roadmap" in page.inner_text("#turn-2")
    assert "You stopped this answer." in page.inner_text("#turn-1")


@browser_test
def test_a_second_question_waits_in_the_box(visit: Visit, fake: FakeAssistant) -> None:
    page = visit.page
    fake.hold.clear()
    visit.ask("Where was it signed?", 1, wait=False)
    page.wait_for_selector("#evidence .retrieved")
    page.fill(BOX, "And in September 2021?")
    page.press(BOX, "Enter")
    page.wait_for_timeout(500)
    fake.hold.set()
    page.wait_for_selector("#turn-1:not(.growing)")
    visit.settle()
    assert page.input_value(BOX) == "And in September 2021?"
    assert [question for question, _ in fake.asked] == ["Where was it signed?"]
    page.press(BOX, "Enter")
    page.wait_for_selector("#turn-2:not(.growing)")


@browser_test
def test_hostile_text_stays_text(visit: Visit) -> None:
    page = visit.page
    question = '<img src="https://evil.example/q.png" onerror="window.hacked=1"> hostile ${1+1}'
    visit.ask(question, 1)
    page.click("#turn-1 a.cite")
    visit.mark_in_panel("quote-1-1")
    assert question in page.inner_text("#turn-1 .question")
    assert "<script>window.hacked=3</script>" in page.inner_text("#turn-1")
    assert "javascript:window.hacked" in page.inner_text("#evidence")
    page.hover("#turn-1 a.cite")
    assert page.evaluate("window.hacked") is None
    assert page.locator("#desk :is(img, iframe, script, object, embed)").count() == 0
    hrefs = page.evaluate(
        "[...document.querySelectorAll('#desk [href]')].map(a => a.getAttribute('href'))"
    )
    assert hrefs
    assert all(href.startswith("#") for href in hrefs)


@browser_test
def test_the_policy_stops_what_would_slip_through(visit: Visit) -> None:
    page = visit.page
    page.evaluate("""() => {
      window.stopped = [];
      document.addEventListener('securitypolicyviolation',
                                e => window.stopped.push(e.effectiveDirective));
      const slip = document.createElement('div');
      slip.innerHTML = '<img src="https://evil.example/x.png"><img src=x onerror="window.hacked=1">'
        + '<iframe src="https://evil.example/"></iframe>';
      document.body.append(slip);
    }""")
    page.wait_for_function("window.stopped.length >= 3")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    stopped = set(page.evaluate("window.stopped"))
    assert {"img-src", "frame-src", "script-src-attr"} <= stopped
    # These attempts were this test's own.
    visit.requests = [url for url in visit.requests if "evil.example" not in url]
    visit.errors.clear()


@browser_test
def test_a_phone(browser: Any, address: str) -> None:
    visit = Visit(browser, address, viewport={"width": 390, "height": 844}, has_touch=True)
    page = visit.page
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) <= 390
    visit.ask("Where was it signed? " + "x" * 300, 1)
    assert page.evaluate(width) <= 390
    talk, evidence = page.locator("#talk").bounding_box(), page.locator("#evidence").bounding_box()
    assert talk["y"] + talk["height"] <= evidence["y"] + 1
    page.tap("a.cite >> nth=1")
    visit.mark_in_panel("quote-1-2")
    page.tap("a.number#quote-1-2")
    page.wait_for_function("""() => {
      const at = document.getElementById('ref-1-2').getBoundingClientRect();
      return at.top >= 0 && at.bottom <= innerHeight;
    }""")
    assert page.evaluate(width) <= 390
    visit.context.close()
    visit.check()


@browser_test
def test_keyboard_only(visit: Visit) -> None:
    page = visit.page
    page.wait_for_function(f"document.activeElement === document.querySelector('{BOX}')")
    page.keyboard.type("Where was it signed?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#turn-1:not(.growing)")
    page.focus(BOX)
    for _ in range(30):  # back over what lies between, then markers 3, 2, 1
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.id") == "ref-1-1":
            break
    assert page.evaluate("document.activeElement.id") == "ref-1-1"
    page.wait_for_selector("#ots-tip:not([hidden])")
    assert page.get_by_role("link", name="Quote 1: Trend, 18 March (year not given)").count() == 1
    page.keyboard.press("Enter")
    visit.mark_in_panel("quote-1-1")
    assert page.evaluate("document.activeElement.id") == "quote-1-1"
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'ref-1-1'")


@browser_test
def test_a_question_that_is_none_goes_back_into_the_box(visit: Visit) -> None:
    page = visit.page
    visit.ask("Where was it signed?", 1)
    page.fill(BOX, "y" * 10_000)
    page.press(BOX, "Enter")
    page.wait_for_function("document.querySelector('#status').innerText.includes('10,000')")
    visit.settle()
    assert page.input_value(BOX) == "y" * 10_000
    assert page.locator(".turn").count() == 1
    assert "Bishkek" in page.inner_text("#turn-1")
    page.fill(BOX, "")
    page.press(BOX, "Enter")
    page.wait_for_function("document.querySelector('#status').innerText.includes('is empty')")
    visit.settle()
    visit.ask("And in September 2021?", 2)


@browser_test
def test_a_model_that_goes_away_keeps_what_was_said(visit: Visit) -> None:
    page = visit.page
    visit.ask("Is the model gone?", 1)
    assert "The document was signed on September 14." in page.inner_text("#turn-1")
    assert "The chat model stopped answering." in page.inner_text("#turn-1 .fault")
    visit.ask("Where was it signed?", 2)
    assert "Bishkek" in page.inner_text("#turn-2")


@browser_test
def test_the_queue_shows_a_place(browser: Any, address: str, fake: FakeAssistant) -> None:
    fake.hold.clear()
    # A context each: browsers open six connections to a host, and every page holds two.
    visits = [Visit(browser, address) for _ in range(AT_ONCE + 1)]
    pages = [visit.page for visit in visits]
    for page in pages[:-1]:
        page.click("button.starter >> nth=1")
        page.wait_for_selector("#evidence .retrieved")
    pages[-1].click("button.starter >> nth=1")
    pages[-1].wait_for_selector("#status[data-queue]")
    assert "number 1 in line" in pages[-1].get_attribute("#status", "data-queue")
    fake.hold.set()
    pages[-1].wait_for_selector("#turn-1:not(.growing)")
    assert pages[-1].get_attribute("#status", "data-queue") is None
    for visit in visits:
        visit.context.close()
        visit.check()


@browser_test
def test_dark(browser: Any, address: str) -> None:
    visit = Visit(browser, address, color_scheme="dark")
    visit.ask("Where was it signed?", 1)
    for element in ("body", "#evidence"):
        shade = visit.page.evaluate(
            f"getComputedStyle(document.querySelector('{element}')).backgroundColor"
        )
        assert max(int(part) for part in re.findall(r"\d+", shade)[:3]) < 60
    visit.context.close()
    visit.check()
