"""What a person chooses in the Settings tab: what is on offer, what is sent, what answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import ScriptedChat, WordReader
from fakes_page import FakeAssistant
from fakes_shelf import make_shelf
from hypothesis import given
from hypothesis import strategies as st
from pages import UNHURRIED, serving
from test_app import Visit, browser  # noqa: F401  `browser` is a fixture
from test_page_scope import json_values

import app
from assistant import Assistant, Settings, models
from assistant.errors import ModelError, QuestionError, SettingsError
from assistant.page import limits
from assistant.page.choice import AS_USUAL, Choice, Offer, choice_line, read_choice, settled
from assistant.page.conversation import Turn, turn_from_dict
from assistant.page.here import read_here
from assistant.page.limits import Limited
from assistant.page.offers import Offers, check_offers, readable
from assistant.page.render import turn_html
from assistant.page.settings_tab import settings_html
from assistant.page.share import to_markdown
from assistant.page.shelf import Shelf
from assistant.page.store import FILE, Store
from assistant.page.words import ENGLISH, WORDS

WHERE = "Where was the Digital Economy Partnership Agreement signed?"
OFFER = Offer(("Usual", "Other"), 8, quotes=False)
QUOTES = Choice("quotes")


# --- What a browser sends, and what comes of it ---


@given(json_values, st.dictionaries(st.sampled_from(["mode", "model", "passages"]), json_values))
def test_whatever_a_browser_sends_is_a_choice_on_offer(said: object, more: object) -> None:
    for value in (said, more):
        here = read_here(json.dumps({"choice": value}))
        for offer in (OFFER, Offer(), Offer(("One",), 30)):
            chosen = settled(here.choice, offer)
            assert chosen.model in ("", *offer.models)
            assert 0 <= chosen.passages <= offer.most
            assert settled(chosen, offer) == chosen


@pytest.mark.parametrize(
    ("said", "offer", "chosen"),
    [
        ({}, OFFER, AS_USUAL),
        ({"mode": "written", "model": "Usual", "passages": 8}, OFFER, AS_USUAL),
        ({"mode": "quotes", "model": "Other", "passages": 4}, OFFER, Choice("quotes", "", 4)),
        ({"mode": "written", "model": "Other"}, OFFER, Choice("", "Other")),
        ({"model": "http://169.254.169.254/v1#m", "passages": 21}, OFFER, AS_USUAL),
        ({"passages": True}, OFFER, AS_USUAL),
        ({"mode": "quotes"}, Offer(), AS_USUAL),
        ({"mode": "written"}, Offer(), AS_USUAL),
        ({"mode": "written"}, Offer(("One",)), Choice("written", "One")),
        ({"passages": 30}, replace(OFFER, passages=40), Choice(passages=30)),
    ],
)
def test_only_what_differs_is_kept(said: Any, offer: Offer, chosen: Choice) -> None:
    assert settled(read_choice(said), offer) == chosen


def test_it_is_said_with_the_answer_kept_and_exported() -> None:
    *_, answer = FakeAssistant(0).stream(WHERE)
    turn = Turn(WHERE, answer, choice=Choice("quotes", "", 4))
    line = "Settings for this answer: quotes only, 4 passages"
    assert line in turn_html(ENGLISH, 1, turn)
    assert f"*{line}*" in to_markdown(ENGLISH, "", [turn], {}, "")
    assert turn_from_dict(json.loads(json.dumps(turn.to_dict()))).choice == turn.choice
    assert choice_line(WORDS["tr"], turn.choice) == "Bu yanıtın ayarları: yalnızca alıntı, 4 parça"
    assert "Settings for" not in turn_html(ENGLISH, 1, replace(turn, choice=AS_USUAL))
    hostile = {**turn.to_dict(), "choice": {"model": "<img src=x>", "mode": ["quotes"]}}
    assert "&lt;img src=x&gt;" in turn_html(ENGLISH, 1, turn_from_dict(hostile))


def test_without_a_choice_of_models_the_one_is_named() -> None:
    assert "<select data-choice" not in settings_html(ENGLISH, AS_USUAL, Offer(("One",)))
    assert "<b>One</b>" in settings_html(ENGLISH, AS_USUAL, Offer(("One",)))
    assert "no chat model is set up" in settings_html(ENGLISH, AS_USUAL, Offer())
    page = settings_html(ENGLISH, Choice(model='"><script>'), Offer(("A", '"><script>')))
    assert "<script>" not in page


# --- What is on offer ---


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("local", "Qwen2.5-Coder-1.5B-Instruct"),
        ("/home/amina/models/small-q4.gguf", "small-q4"),
        ("http://localhost:8080/v1#big", "big"),
        ("https://user:key@models.example/v1#big", "big (models.example)"),
        ("ollama:qwen2.5:7b", "qwen2.5:7b (ollama)"),
    ],
)
def test_names_for_people_tell_no_folder_and_no_key(setting: str, name: str) -> None:
    assert readable(setting) == name
    check_offers([] if setting.endswith(".gguf") else [setting])


@pytest.mark.parametrize("setting", ["none", "gpt", ":x", "/no/such.gguf", "http://", "http://[#m"])
def test_what_can_be_no_model_is_one_line(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError, match="--offer"):
        check_offers([setting])
    assert app.main(["--offer", setting, "--port", "70000"]) == SettingsError.exit_code
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and f"--offer {setting}" in said


def test_a_model_is_loaded_once_and_told_no_other_key(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Settings] = []

    def load(settings: Settings) -> ScriptedChat:
        loaded.append(settings)
        return ScriptedChat()

    monkeypatch.setattr(models, "load_chat_model", load)
    settings = Settings(chat_model="openai:m", api_key="secret")
    offers = Offers(settings, lambda: None, ["http://a.example/#m", "local", "openai:m", "local"])
    assert offers.offer.models == ("m (openai)", "m (a.example)", "Qwen2.5-Coder-1.5B-Instruct")
    setting, get = offers.find("m (a.example)")
    assert loaded == []
    assert get() is get()
    assert [(one.chat_model, one.api_key) for one in loaded] == [(setting, "")]
    twice = Offers(settings, lambda: None, ["http://a.example/x#m", "http://a.example/y#m"]).offer
    assert twice.models[1:] == ("m (a.example)", "m (a.example), 2")


# --- What answers ---


def test_a_twin_is_the_same_but_for_what_was_chosen(
    make_assistant: Callable[..., Assistant],
) -> None:
    reply = "The signing took place during the 11th Summit of the OTS in Bishkek, Kyrgyzstan."
    assistant = make_assistant()
    usual = assistant.ask(WHERE)
    twin = assistant.twin("openai:x", lambda: ScriptedChat([reply], name="x"), 3)
    answer = twin.ask(WHERE)
    assert (answer.model, len(answer.retrieved)) == ("x", 3)
    assert answer.retrieved == usual.retrieved[:3]
    settings = replace(assistant._settings, chat_model="openai:x", top_k=3)
    assert answer.settings_fingerprint == settings.fingerprint() != usual.settings_fingerprint
    assert twin.quoting().ask(WHERE).model == ""
    assert assistant.ask(WHERE).settings_fingerprint == usual.settings_fingerprint


def test_choices_outlive_a_new_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(settings: Settings) -> ScriptedChat:
        if settings.chat_model == "broken:x":
            raise ModelError("broken:x can't be used.", "pip install it")
        return ScriptedChat(name=settings.chat_model)

    monkeypatch.setattr(models, "load_chat_model", load)
    first, settings = make_shelf(tmp_path)
    parts = first._assistant.documents, first._assistant._retriever._index, first._encoder
    shelf = Shelf(*parts, WordReader, lambda: None, settings, others=["openai:x", "broken:x"])
    assert shelf.offer == Offer(("x (openai)", "x (broken)"), 8, quotes=True)
    choice = settled(Choice("written", "x (openai)", 2), shelf.offer)
    for _ in range(2):
        answer = shelf.choosing(choice).ask(WHERE)
        assert (answer.model, len(answer.retrieved)) == ("openai:x", 2)
        assert shelf.choosing(AS_USUAL).ask(WHERE).settings_fingerprint == settings.fingerprint()
        shelf._reindex(lambda *_: None)
    broken = shelf.choosing(Choice("written", "x (broken)")).ask(WHERE)
    assert broken.notice == "broken:x can't be used. To mend it: pip install it"
    assert broken.citations and broken.error_code == ModelError.exit_code


def test_a_limit_holds_however_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = Limited(FakeAssistant(), 2)
    monkeypatch.setattr(limits, "who", lambda: "user a")
    list(limited.choosing(QUOTES).stream(WHERE))
    list(limited.stream(WHERE))
    for choice in (QUOTES, AS_USUAL, Choice(passages=3)):
        with pytest.raises(QuestionError, match="Ask again"):
            limited.choosing(choice).stream(WHERE)


# --- In the browser ---


@pytest.fixture
def fake() -> FakeAssistant:
    return FakeAssistant(models=("Scripted-1B", "scripted-large (models.example)"))


@pytest.fixture
def address(fake: FakeAssistant, tmp_path: Path) -> Iterator[str]:
    built = app.build_server(fake, options=UNHURRIED, store=Store(tmp_path / FILE))
    with serving(built) as where:
        yield where


def choose(page: Any, passages: str, quotes: bool = False) -> None:
    page.click("#tab-settings-button")
    if quotes:
        page.get_by_label("In quotes only").check()
    field = page.get_by_label("Passages looked up for a question")
    field.fill(passages)
    field.press("Tab")
    page.get_by_text("from the next question on").wait_for()
    page.click("#tab-ask-button")


@pytest.mark.browser
def test_choosing(browser: Any, address: str, fake: FakeAssistant) -> None:  # noqa: F811
    visit = Visit(browser, address)
    page = visit.page
    visit.ask(WHERE, 1)
    choose(page, "4", quotes=True)
    fake.hold.clear()  # A chat model would be waited for now.
    visit.ask("And in September 2021?", 2)
    fake.hold.set()
    line = "Settings for this answer: quotes only, 4 passages."
    assert page.inner_text("#turn-2 .chosen") == line
    assert page.locator("#turn-1 .chosen").count() == 0
    assert [one.passages for one in fake.choices] == [0, 4]
    page.reload()
    page.wait_for_selector("#turn-2")
    assert page.inner_text("#turn-2 .chosen") == line
    page.click("#tab-settings-button")
    assert page.get_by_label("In quotes only").is_checked()
    page.get_by_label("Written by the chat model").check()
    page.get_by_role("combobox", name="Chat model", exact=True).select_option(
        label="scripted-large (models.example)"
    )
    other = visit.open()  # Another window of the same browser.
    other.click("#tab-settings-button")
    chosen = other.get_by_role("combobox", name="Chat model", exact=True)
    assert chosen.input_value() == "scripted-large (models.example)"
    page.click("#tab-ask-button")
    visit.ask(WHERE, 3)
    assert page.inner_text("#turn-3 .chosen").endswith(
        "scripted-large (models.example), 4 passages."
    )
    stranger = Visit(browser, address)
    stranger.ask(WHERE, 1)
    assert stranger.page.locator(".chosen").count() == 0
    for one in (visit, stranger):
        one.context.close()
        one.check()


@pytest.mark.browser
def test_a_stored_choice_that_makes_no_sense(browser: Any, address: str) -> None:  # noqa: F811
    visit = Visit(browser, address)
    page = visit.page
    for number, stored in enumerate(
        ('{"model": "http://evil.example/#m", "passages": 1e9, "mode": {}}', "{", '"<img src=x>"'),
        1,
    ):
        page.evaluate("stored => localStorage.setItem('ots-choice', stored)", stored)
        visit.ask(WHERE, number)
        assert page.locator(".chosen, .fault").count() == 0
    page.click("#tab-settings-button")
    assert page.get_by_label("Written by the chat model").is_checked()
    choose(page, "400")
    visit.ask(WHERE, 4)
    assert page.inner_text("#turn-4 .chosen") == "Settings for this answer: 20 passages."
    visit.context.close()
    visit.check()


@pytest.mark.browser
def test_a_browser_that_stores_nothing(browser: Any, address: str) -> None:  # noqa: F811
    visit = Visit(browser, address)
    visit.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('shut'); }})"
    )
    page = visit.page = visit.open()
    choose(page, "3")
    visit.ask(WHERE, 1)
    assert page.inner_text("#turn-1 .chosen") == "Settings for this answer: 3 passages."
    visit.context.close()
    visit.check()


@pytest.mark.browser
def test_the_limit_counts_quotes_too(browser: Any, fake: FakeAssistant) -> None:  # noqa: F811
    with serving(app.build_server(fake, options=app.Options(per_minute=1))) as where:
        visit = Visit(browser, where)
        choose(visit.page, "4", quotes=True)
        visit.ask(WHERE, 1)
        visit.ask("And in September 2021?", 2)
        assert "within a minute (1)" in visit.page.inner_text("#turn-2 .fault")
        visit.context.close()
        visit.check()


@pytest.mark.browser
def test_the_settings_with_the_keyboard_on_a_phone(browser: Any, address: str) -> None:  # noqa: F811
    visit = Visit(browser, address, viewport={"width": 390, "height": 844})
    page = visit.page
    page.get_by_role("tab", name="Settings").or_(
        page.locator(".overflow-menu button")
    ).first.focus()
    page.evaluate("document.querySelector('#tab-settings-button').click()")
    page.get_by_label("Written by the chat model").focus()
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("In quotes only").is_checked()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.choice") == "model"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "language"
    stored = json.loads(page.evaluate("localStorage.getItem('ots-choice')"))
    assert stored == {"mode": "quotes", "model": "Scripted-1B", "passages": 5}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    visit.context.close()
    visit.check()
