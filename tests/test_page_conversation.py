"""Conversations in a real browser: kept, reloaded, judged, saved, narrowed, continued."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes_page import FakeAssistant, hostile_document
from pages import UNHURRIED, serving
from test_app import BOX, Visit, browser  # noqa: F401  `browser` is a fixture

import app
from assistant.page.store import FILE, Store

pytestmark = pytest.mark.browser
WHERE = "Where was it signed?"
WIDTH = "document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def fake() -> FakeAssistant:
    return FakeAssistant(extra=[hostile_document()])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("data") / FILE)


@pytest.fixture(scope="module")
def address(fake: FakeAssistant, store: Store) -> Iterator[str]:
    with serving(app.build_server(fake, options=UNHURRIED, store=store)) as address:
        yield address


@pytest.fixture
def visit(browser: Any, address: str, fake: FakeAssistant) -> Iterator[Visit]:  # noqa: F811
    fake.asked.clear()
    visit = Visit(browser, address)
    yield visit
    fake.hold.set()
    visit.context.close()
    visit.check()


def reload(visit: Visit, expect: str = "#turn-1") -> None:
    visit.page.reload()
    visit.page.wait_for_selector(expect)


def listed(page: Any) -> list[str]:
    return list(page.locator("#past .open > span").all_inner_texts())


def save(page: Any, button: str) -> tuple[str, str]:
    """What is saved: the file's name and its text."""
    page.click("#bar .menu summary")
    with page.expect_download() as download:
        page.click(button)
    saved = download.value
    return saved.suggested_filename, Path(saved.path()).read_text(encoding="utf-8")


# --- Verdicts ---


def test_a_verdict_is_kept_and_can_be_changed(visit: Visit, store: Store) -> None:
    page = visit.page
    visit.ask(WHERE, 1)
    page.click("#down-1")
    page.wait_for_selector('#down-1[aria-pressed="true"]')
    page.fill("#reason-1", "It <b>misses</b> the year")
    page.press("#reason-1", "Enter")
    page.wait_for_selector("text=Reason saved.")
    last = store.feedback()[-1]
    assert (last["verdict"], last["reason"]) == ("down", "It <b>misses</b> the year")
    assert "Bishkek" in last["answer"]["text"]
    reload(visit)
    assert page.input_value("#reason-1") == "It <b>misses</b> the year"
    page.click("#up-1")
    page.wait_for_selector('#up-1[aria-pressed="true"]')
    assert page.get_attribute("#down-1", "aria-pressed") == "false"
    assert [r["verdict"] for r in store.feedback() if r["reason"] == last["reason"]] == []
    page.click("#up-1")
    page.wait_for_selector('#up-1[aria-pressed="false"]')


def test_a_verdict_while_the_next_answer_is_written(visit: Visit, fake: FakeAssistant) -> None:
    page = visit.page
    visit.ask(WHERE, 1)
    fake.hold.clear()
    visit.ask("And in September 2021?", 2, wait=False)
    page.wait_for_selector("#evidence .retrieved")
    page.click("#up-1")
    page.wait_for_selector('#up-1[aria-pressed="true"]')
    assert page.locator("#turn-2 .thumb").count() == 0
    fake.hold.set()
    page.wait_for_selector("#turn-2:not(.growing)")
    assert page.get_attribute("#up-1", "aria-pressed") == "true"
    assert "roadmap" in page.inner_text("#turn-2")


# --- Kept conversations ---


def test_a_reload_brings_the_conversation_back(visit: Visit, fake: FakeAssistant) -> None:
    page = visit.page
    visit.ask(WHERE, 1)
    visit.ask("And in September 2021?", 2)
    reload(visit, "#turn-2")
    assert page.locator("#turn-1 a.cite").all_inner_texts() == ["1", "2", "3"]
    page.click("#turn-1 a.cite >> nth=1")
    visit.mark_in_panel("quote-1-2")
    visit.ask("And who signed it?", 3)
    assert [m["content"] for m in fake.asked[-1][1]][0::2] == [WHERE, "And in September 2021?"]


def test_a_reload_in_the_middle_of_an_answer(visit: Visit, fake: FakeAssistant) -> None:
    page = visit.page
    fake.hold.clear()
    visit.ask(WHERE, 1, wait=False)
    page.wait_for_selector("#evidence .retrieved")
    reload(visit)
    assert "This answer broke off" in page.inner_text("#turn-1 .fault")
    # Gradio logs the request that the reload cut off.
    visit.errors.clear()
    fake.hold.set()
    page.click("#again")
    page.wait_for_selector("#turn-2:not(.growing)")
    assert "Bishkek" in page.inner_text("#turn-2")
    assert fake.asked[-1][1] == []
    visit.settle()


def test_past_conversations_are_opened_renamed_and_deleted(visit: Visit) -> None:
    page = visit.page
    visit.ask(WHERE, 1)
    page.click("#new-talk")
    page.wait_for_selector(".welcome")
    page.reload()
    page.wait_for_selector("#past-toggle")
    assert page.locator("#turn-1").count() == 0  # left, it does not come back by itself
    visit.ask("And in September 2021?", 1)
    page.click("#past-toggle")
    assert listed(page) == ["And in September 2021?", WHERE]
    page.click(f'#past .open:has-text("{WHERE}")')
    page.wait_for_selector('#turn-1:has-text("Bishkek")')
    page.click('#past li[aria-current] [data-fold^="rename"]')
    page.keyboard.type("<i>Signing</i>")
    page.keyboard.press("Enter")
    page.wait_for_selector('#past .open:has-text("<i>Signing</i>")')
    assert page.inner_text("#bar .name") == "<i>Signing</i>"
    page.click('#past li:has-text("September") [data-fold^="delete"]')
    assert "Delete it with its answers" in page.inner_text("#past .fold:not([hidden])")
    page.keyboard.press("Escape")
    assert page.locator("#past .fold:not([hidden])").count() == 0
    page.click('#past li:has-text("September") [data-fold^="delete"]')
    page.click("#past .grave:visible")
    page.wait_for_function("document.querySelectorAll('#past li').length === 1")
    assert "Bishkek" in page.inner_text("#turn-1")
    page.click('#past li [data-fold^="delete"]')
    page.click("#past .grave:visible")
    page.wait_for_selector(".welcome")
    page.reload()
    page.wait_for_selector(".welcome")
    assert page.locator(".turn").count() == 0


def test_two_windows_of_one_browser_have_a_conversation_each(visit: Visit) -> None:
    page = visit.page
    visit.ask(WHERE, 1)
    other = visit.open()
    other.fill(BOX, "And in September 2021?")
    other.press(BOX, "Enter")
    other.wait_for_selector("#turn-1:not(.growing)")
    for window, said in ((page, "Bishkek"), (other, "roadmap")):
        window.reload()
        window.wait_for_selector("#turn-1")
        assert said in window.inner_text("#turn-1")
        assert window.locator(".turn").count() == 1
    page.click("#past-toggle")
    assert len(listed(page)) == 2


def test_another_browser_sees_none_of_it(browser: Any, address: str, visit: Visit) -> None:  # noqa: F811
    visit.ask(WHERE, 1)
    talk_id = visit.page.get_attribute("#bar .bar", "data-conversation")
    stranger = Visit(browser, address)
    stranger.page.evaluate(f"sessionStorage.setItem('ots-conversation', '{talk_id}')")
    stranger.page.reload()
    stranger.page.wait_for_selector(".welcome")
    # Gradio logs the requests that the reload cut off.
    stranger.errors.clear()
    stranger.page.click("#past-toggle")
    assert "None is kept yet" in stranger.page.inner_text("#past")
    stranger.context.close()
    stranger.check()


def test_a_store_that_fails_is_said_and_the_page_works_on(visit: Visit, store: Store) -> None:
    page = visit.page
    visit.ask(WHERE, 1)
    whole = store.path
    store.path = whole.parent / "file" / FILE
    store.path.parent.write_text("no folder")
    try:
        visit.ask("And in September 2021?", 2)
        trouble = page.inner_text("#bar .trouble")
        assert "Conversations can't be kept" in trouble
        assert "OTS_ASSISTANT_DATA_DIR" in trouble
        assert "roadmap" in page.inner_text("#turn-2")
    finally:
        store.path.parent.unlink()
        store.path = whole
    visit.ask("And who signed it?", 3)
    assert page.locator("#bar .trouble").count() == 0
    reload(visit, "#turn-3")
    assert "roadmap" in page.inner_text("#turn-2")


# --- Saving and opening ---


def test_markdown_is_saved_under_the_name_of_the_question(visit: Visit) -> None:
    visit.ask(WHERE, 1)
    name, text = save(visit.page, "#save-markdown")
    assert name == "ots-where-was-it-signed.md"
    assert "[^1-1]: “during the 11th Summit of the OTS in Bishkek" in text


def test_a_saved_file_is_opened_again_and_what_is_hostile_stays_text(
    visit: Visit, tmp_path: Path
) -> None:
    page = visit.page
    visit.ask(WHERE, 1)
    name, text = save(page, "#save-file")
    said = json.loads(text)
    evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>${window.hacked=1}'
    said["title"] = evil
    said["turns"][0]["answer"]["citations"][0]["title"] = evil
    said["turns"][0]["answer"]["text"] += evil
    (tmp_path / name).write_text(json.dumps(said))
    page.click("#past-toggle")
    page.set_input_files("#import", tmp_path / name)
    page.wait_for_selector('#turn-1:has-text("Opened from a file")')
    assert "window.hacked=1</script>" in page.inner_text("#turn-1")
    page.click("#turn-1 a.cite >> nth=1")
    visit.mark_in_panel("quote-1-2")
    page.hover("#turn-1 a.cite >> nth=0")
    assert page.evaluate("window.hacked") is None
    assert page.locator("#desk :is(img, iframe, script, object, embed)").count() == 0
    assert len(listed(page)) == 2
    (tmp_path / "other.json").write_text('{"format": "something else"}')
    page.set_input_files("#import", tmp_path / "other.json")
    page.wait_for_selector('#status:has-text("it is no conversation")')
    assert page.locator(".turn").count() == 1


# --- Which articles may answer ---


def test_the_sources_are_narrowed_and_it_is_said_with_the_answer(
    visit: Visit, fake: FakeAssistant
) -> None:
    page = visit.page
    page.wait_for_selector("#scope-toggle:has-text('all articles (3)')")
    page.click("#scope-toggle")
    page.uncheck('#scope-form [value="hostile"]')
    page.uncheck('#scope-form [value="azernews-roadmap"]')
    page.wait_for_selector("#scope-toggle:has-text('1 of 3 articles')")
    visit.ask(WHERE, 1)
    assert "Answered from 1 of 3 articles only: Trend." in page.inner_text("#turn-1 .scoped")
    assert fake.scopes[-1] == ("trend-digital-economy",)
    reload(visit)
    page.wait_for_selector("#scope-toggle:has-text('1 of 3 articles')")
    assert "Answered from 1 of 3" in page.inner_text("#turn-1 .scoped")
    page.click("#scope-toggle")
    page.uncheck('#scope-form [value="trend-digital-economy"]')
    page.wait_for_selector("#scope-line .fault")
    page.fill(BOX, "And now?")
    page.press(BOX, "Enter")
    page.wait_for_selector('#status:has-text("No article is left to answer from")')
    assert page.input_value(BOX) == "And now?"
    assert page.locator(".turn").count() == 1


def test_dates_that_are_not_fully_known_are_left_out_and_named(visit: Visit) -> None:
    page = visit.page
    page.click("#scope-toggle")
    page.fill('[data-scope="since"]', "2021")
    page.press('[data-scope="since"]', "Tab")
    page.wait_for_selector("#scope-line .left")
    assert "18 March (year not given), may or may not lie" in page.inner_text("#scope-line .left")
    page.check('[data-scope="unsure"]')
    page.wait_for_selector("#scope-toggle:has-text('all articles (3)')")
    page.fill('[data-scope="until"]', "sometime")
    page.press('[data-scope="until"]', "Tab")
    page.wait_for_selector('#scope-line .fault:has-text("which is no date")')
    page.fill('[data-scope="until"]', "")
    page.select_option('[data-scope="publisher"]', "Azernews")
    page.wait_for_selector("#scope-toggle:has-text('1 of 3 articles')")


# --- What to ask next ---


def test_follow_ups_are_offered_and_asked(visit: Visit, fake: FakeAssistant) -> None:
    page = visit.page
    visit.ask(WHERE, 1)
    page.wait_for_selector("#more .starter")
    offered = page.locator("#more .starter").all_inner_texts()
    assert 1 <= len(offered) <= 3
    page.click("#more .starter >> nth=0")
    page.wait_for_selector("#turn-2:not(.growing)")
    visit.settle()
    assert page.inner_text("#turn-2 .question") == offered[0]
    # A page of the test before may still be asking, so it need not be the last one.
    assert offered[0] in [question for question, _ in fake.asked]
    assert offered[0] not in page.locator("#more .starter").all_inner_texts()


# --- Phone and keyboard ---


def test_a_phone(browser: Any, address: str, fake: FakeAssistant) -> None:  # noqa: F811
    visit = Visit(browser, address, viewport={"width": 390, "height": 844}, has_touch=True)
    page = visit.page
    visit.ask("Where was it signed? " + "x" * 200, 1)
    assert not page.is_visible("#past nav")
    page.tap("#past-toggle")
    page.wait_for_selector("#past nav")
    assert page.locator("#past").bounding_box()["width"] <= 390
    page.tap("#past-new")
    page.wait_for_selector(".welcome")
    assert not page.is_visible("#past nav")
    page.tap("#scope-toggle")
    page.wait_for_selector("#scope-form .scope")
    assert page.evaluate(WIDTH) <= 390
    page.tap("#past-toggle")
    page.tap("#past .open >> nth=0")
    page.wait_for_selector("#turn-1")
    page.tap("#bar .menu summary")
    box = page.locator("#bar .menu > div").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert page.evaluate(WIDTH) <= 390
    visit.context.close()
    visit.check()


def test_keyboard_only(visit: Visit) -> None:
    page = visit.page
    visit.ask(WHERE, 1)
    page.focus("#up-1")
    page.keyboard.press("Enter")
    page.wait_for_selector('#up-1[aria-pressed="true"]')
    assert page.evaluate("document.activeElement.id") == "up-1"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "reason-1"
    page.focus("#past-toggle")
    page.keyboard.press("Enter")
    page.wait_for_selector("#past nav")
    assert page.get_attribute("#past-toggle", "aria-expanded") == "true"
    assert page.evaluate("document.activeElement.closest('#past') !== null")
    page.focus('#past [data-fold^="rename"]')
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "title-0"
    page.keyboard.type("Renamed")
    page.keyboard.press("Enter")
    page.wait_for_selector('#bar .name:has-text("Renamed")')
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.id === 'past-toggle'")
    assert not page.is_visible("#past nav")
    page.focus("#scope-toggle")
    page.keyboard.press("Enter")
    page.wait_for_selector("#scope-form .scope")
    page.focus('#scope-form [value="hostile"]')
    page.keyboard.press("Space")
    page.wait_for_selector("#scope-toggle:has-text('2 of 3 articles')")
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.id === 'scope-toggle'")
