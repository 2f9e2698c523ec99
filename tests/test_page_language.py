"""The page in seven languages: each has every text, and a chosen one stays."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest
from fakes_page import FakeAssistant
from pages import UNHURRIED, serving
from test_app import BOX, Visit, browser  # noqa: F401  `browser` is a fixture

import app
from assistant.page import words
from assistant.page.store import Store
from assistant.page.users import add_user, load_users
from assistant.page.words import COOKIE, ENGLISH, WORDS, Text, in_language, words_for
from evals.types import KINDS

CODE = Path(words.__file__).parent
OTHERS = sorted(set(WORDS) - {"en"})


def places(text: Text) -> set[str]:
    forms = [text] if isinstance(text, str) else text
    return {name for form in forms for _, name, *_ in string.Formatter().parse(form) if name}


def test_there_are_seven() -> None:
    assert set(WORDS) == {"az", "en", "kk", "ky", "ru", "tr", "uz"}


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_text_with_the_same_places(language: str) -> None:
    texts = WORDS[language].texts
    assert set(texts) == set(ENGLISH.texts)
    for key, text in ENGLISH.texts.items():
        mine = texts[key]
        assert places(mine) == places(text), key
        assert type(mine) is type(text), key
        assert all(len(form) for form in ([mine] if isinstance(mine, str) else mine)), key
        if key.startswith("date.months"):
            assert len(mine) == 12, key
        assert not re.search(r"[<>&]", str(mine)), f"{key} is text, not HTML"


def test_every_text_is_used_and_every_key_is_there() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in CODE.glob("*.py"))
    code += Path(app.__file__).read_text(encoding="utf-8")
    code += (CODE.parent / "jobs.py").read_text(encoding="utf-8")
    code += (CODE.parent.parent / "evals" / "background.py").read_text(encoding="utf-8")
    code += "".join(path.read_text(encoding="utf-8") for path in CODE.glob("*.js"))
    for key in re.findall(r"""(?:say|html|count|LABELS)\(\s*["']([a-z_]+\.[a-z_]+)["']""", code):
        assert key in ENGLISH.texts, key
    begun = re.findall(r"""f["']([a-z]+\.[a-z_]*)\{""", code)  # such as f"share.{why}"
    ends = (".title", ".about")
    for key in set(ENGLISH.texts) - {"name"}:
        whole = f'"{key}"' in code or f"'{key}'" in code
        assert whole or key.startswith(tuple(begun)) or key.endswith(ends), f"{key} is not used"


@pytest.mark.parametrize(
    ("language", "date", "partial"),
    [
        ("en", "15 September 2021", "18 March (year not given)"),
        ("tr", "15 Eylül 2021", "18 Mart (yıl belirtilmemiş)"),
        ("ru", "15 сентября 2021 г.", "18 марта (год не указан)"),
        ("kk", "2021 ж. 15 қыркүйек", "18 наурыз (жылы көрсетілмеген)"),
    ],
)
def test_dates(language: str, date: str, partial: str) -> None:
    assert WORDS[language].date("2021-09-15") == date
    assert WORDS[language].date("--03-18") == partial


def test_russian_counts() -> None:
    said = [WORDS["ru"].count("count.articles", n) for n in (1, 2, 5, 11, 12, 21, 111, 122)]
    assert said == ["1 статья", "2 статьи", "5 статей", "11 статей", "12 статей", "21 статья",
                    "111 статей", "122 статьи"]  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"accept-language": "de-DE,de;q=0.9,kk;q=0.8,en;q=0.7"}, "kk"),
        ({"accept-language": "TR-tr"}, "tr"),
        ({"accept-language": "fr"}, "en"),
        ({"cookie": "a=1; ots-language=uz", "accept-language": "tr"}, "uz"),
        ({"cookie": "ots-language=../../x", "accept-language": "tr"}, "tr"),
        ({"cookie": '"; \x00=;=', "accept-language": ""}, "en"),
    ],
)
def test_the_chosen_language_comes_before_the_browsers(
    headers: dict[str, str], language: str
) -> None:
    assert words_for(headers).language == language


def test_every_kind_of_eval_question_has_a_name() -> None:
    assert {f"kinds.{kind}" for kind in KINDS} <= set(ENGLISH.texts)


def test_a_line_in_english_says_so_on_a_page_that_is_not() -> None:
    line = "The disk is <full>. To mend it: free some space"
    told = '<span lang="en">The disk is &lt;full&gt;. To mend it: free some space</span>'
    assert WORDS["tr"].told(line) == f"İleti (İngilizce): {told}"
    assert ENGLISH.told(line) == "The disk is &lt;full&gt;. To mend it: free some space"
    for say in WORDS.values():
        often = say("ask.too_many", n=20, seconds=30)
        assert say.told("turn.busy") == say.html("turn.busy")
        assert say.told(often) == escape(often)


def test_a_page_is_sent_in_its_language() -> None:
    page = in_language(
        b'<!doctype html><html\n\tlang="en"><head></head>', {"cookie": "ots-language=ky"}
    )
    assert b'<html\n\tlang="ky">' in page
    assert b'otsLanguage = "ky"' in page


# --- In the browser ---


@pytest.mark.browser
def test_the_login_page(browser: Any, tmp_path: Path) -> None:  # noqa: F811
    add_user(tmp_path / "users", "amina", "s3cret-s3")
    options, say = app.Options(users=load_users(tmp_path / "users")), WORDS["kk"]
    with serving(app.build_server(FakeAssistant(), options=options)) as where:
        context = browser.new_context(locale="de-DE")
        context.add_cookies([{"name": COOKIE, "value": "kk", "url": where}])
        page = context.new_page()
        page.goto(where)
        page.get_by_text(say("login.ask")).wait_for()
        assert page.title() == say("page.title")
        assert page.evaluate("document.documentElement.lang") == "kk"
        page.get_by_label(say("login.username")).fill("amina")
        page.get_by_label(say("login.password")).fill("wrong")
        page.get_by_role("button", name=say("login.login")).click()
        page.get_by_text(say("login.incorrect_credentials")).wait_for()
        context.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = Store(tmp_path_factory.mktemp("data") / "page.sqlite3")
    with serving(app.build_server(FakeAssistant(), options=UNHURRIED, store=store)) as address:
        yield address


def check_language(page: Any, language: str) -> None:
    """Tabs, labels, placeholder, evidence and `lang` are of one language."""
    say = WORDS[language]
    page.wait_for_selector(f"text={say('welcome.title')}")
    assert page.evaluate("document.documentElement.lang") == language
    assert page.title() == say("page.title")
    assert page.inner_text("h1") == say("page.title")
    for tab in ("ask", "timeline", "settings"):
        assert page.inner_text(f"#tab-{tab}-button") == say(f"tabs.{tab}")
    assert page.get_attribute(BOX, "placeholder") == say("ask.placeholder")
    assert page.inner_text("#ask") == say("ask.ask")
    assert page.get_by_role("region", name=say("evidence.title")).count() == 1
    assert say("evidence.none_yet") in page.inner_text("#evidence")
    assert page.inner_text("#past-toggle") == say("past.title")
    assert say("scope.all", n=2) in page.inner_text("#scope-line")


def switch(page: Any, language: str) -> None:
    page.click("#tab-settings-button")
    with page.expect_navigation():
        page.select_option("#language", language)


@pytest.mark.browser
@pytest.mark.parametrize("language", ["tr", "kk"])
def test_switching(browser: Any, address: str, language: str) -> None:  # noqa: F811
    visit, say = Visit(browser, address), WORDS[language]
    page = visit.page
    switch(page, language)
    check_language(page, language)
    page.reload()
    check_language(page, language)
    visit.ask("Where was it signed?", 1)
    assert say.count("count.quotes", 3) in page.inner_text("#status")
    assert say.date("--03-18") in page.inner_text("#evidence")
    # The answer and its quotes stay as they are.
    assert "The agreement was signed in Bishkek" in page.inner_text("#turn-1")
    page.click("#tab-timeline-button")
    page.wait_for_selector(f"text={say('timeline.caption')}")
    page.wait_for_function(
        "said => document.querySelector('#timeline').textContent.includes(said)",
        arg=say("timeline.by_year"),
    )
    page.click("#tab-settings-button")
    assert page.input_value("#language") == language
    check_language(visit.open(), language)  # another window
    visit.context.close()
    visit.check()


@pytest.mark.browser
@pytest.mark.parametrize(("locale", "language"), [("uz-UZ", "uz"), ("az", "az"), ("de-DE", "en")])
def test_the_browsers_language_is_the_default(
    browser: Any,  # noqa: F811
    address: str,
    locale: str,
    language: str,
) -> None:
    visit = Visit(browser, address, locale=locale)
    check_language(visit.page, language)
    visit.context.close()
    visit.check()


@pytest.mark.browser
def test_no_language_breaks_the_phone(browser: Any, address: str) -> None:  # noqa: F811
    visit = Visit(browser, address, viewport={"width": 390, "height": 844})
    page = visit.page
    for language in OTHERS:
        visit.context.add_cookies([{"name": COOKIE, "value": language, "url": address}])
        page.reload()
        page.wait_for_selector(f"text={WORDS[language]('welcome.title')}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, language
    visit.context.close()
    visit.errors.clear()  # Gradio logs the requests that a reload cut off
    visit.check()
