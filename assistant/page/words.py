"""The page's own words, in the language that a browser asks for.

Each file of `texts/` is a language. What a source says, and what an answer says, is never
translated here.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from html import escape
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

from assistant.dates import DATE
from assistant.languages import language_of

COOKIE = "ots-language"
"""What script.js keeps the chosen language in; without it, the browser's own languages count."""

_LOGIN = (
    "page.title",
    "login.ask",
    "login.username",
    "login.password",
    "login.login",
    "login.incorrect_credentials",
)
"""Texts of the login page; all but the first two are Gradio's own."""

Text = str | list[str]


class Words:
    """The texts of one language, as plain text: whoever writes HTML escapes them."""

    def __init__(self, language: str, texts: Mapping[str, Text]) -> None:
        self.language = language
        self.texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, its places filled in."""
        return str(self.texts[key]).format(**values)

    def html(self, key: str, **values: object) -> str:
        return escape(self(key, **values))

    def count(self, key: str, number: int) -> str:
        """`1 passage`, `2 passages`: a language has as many forms as its file lists."""
        forms = self.texts[key]
        return forms[_form(len(forms), number)].format(n=f"{number:,}")

    def line(self, said: str) -> str:
        """The text of a key, or the line itself where it is none; it may come out of a file."""
        text = self.texts.get(said)
        return text if isinstance(text, str) and "{" not in text else said

    def told(self, said: str) -> str:
        """The same as HTML; where the page is not in English, a line that is says so."""
        line = self.line(said)
        if self.language == "en" or line != said or language_of(line) != "en":
            return escape(line)
        return f'{self.html("page.in_english")} <span lang="en">{escape(line)}</span>'

    def date(self, date: str) -> str:
        """`2021-09-15` -> `15 September 2021`; `--03-18` -> `18 March (year not given)`.

        Nothing is filled in by guess; what is no such date comes back as it is.
        """
        if not date:
            return self("date.none")
        match = DATE.fullmatch(date)
        if not match or not any(match.groups()):
            return date
        year, month, day = match.groups()
        if not month:
            return date
        name = self.texts["date.months_after_day" if day else "date.months"][int(month) - 1]
        shape = "_".join(["day"] * bool(day) + ["month"] + ["year"] * bool(year))
        said = self(f"date.{shape}", day=int(day or 0), month=name, year=year)
        return said if year else f"{said} ({self('date.no_year')})"

    def tongue(self, code: str) -> str:
        """The name of an article's language, or its code."""
        known = f"languages.{code.split('-')[0].lower()}"
        return self(known) if known in self.texts else code or self("languages.none")


def _form(forms: int, number: int) -> int:
    """Which of one, two (English) or three (Russian) forms goes with a number."""
    if forms == 3:
        tens, ones = number // 10 % 10, number % 10
        if tens == 1 or ones == 0 or ones > 4:
            return 2
        return 0 if ones == 1 else 1
    return 0 if forms == 1 or number == 1 else 1


def _read(path: Path) -> Words:
    sections = tomllib.loads(path.read_text(encoding="utf-8"))
    name = sections.pop("name")
    texts = {f"{s}.{key}": text for s, all_of in sections.items() for key, text in all_of.items()}
    return Words(path.stem, {"name": name, **texts})


WORDS = {path.stem: _read(path) for path in sorted(Path(__file__).parent.glob("texts/*.toml"))}
ENGLISH = WORDS["en"]


def words_of(request: Any) -> Words:
    """The words for whoever made a request."""
    return words_for(getattr(request, "headers", {}))


def words_for(headers: Mapping[str, str]) -> Words:
    """The language that was chosen, else the first the browser asks for that there is."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        cookie = None
    wanted = [cookie.value] if cookie else []
    wanted += [one.split(";")[0] for one in headers.get("accept-language", "").split(",")]
    codes = [one.strip().split("-")[0].lower() for one in wanted]
    return WORDS[next((code for code in codes if code in WORDS), "en")]


def in_language(page: bytes, headers: Mapping[str, str]) -> bytes:
    """A page of Gradio's in the language that its reader wants.

    Gradio picks the texts of `gr.I18n` by the browser's language, and of ours it knows only four:
    it finds the wanted texts under whatever language it picks.
    """
    say = words_for(headers)
    language = json.dumps(say.language)
    script = (
        f"<script>window.otsLanguage = {language};"
        "window.otsTexts = window.gradio_config?.i18n_translations ?? {};"
        "for (const one in otsTexts) otsTexts[one] = otsTexts[otsLanguage];"
        f"{_login_script(say)}</script></head>"
    )
    page = re.sub(rb'(<html\s+lang=)"en"', rb"\1" + language.encode(), page, count=1)
    return page.replace(b"</head>", script.encode(), 1)


def _login_script(say: Words) -> str:
    """Puts the login page, which is told no other text, into a language."""
    said = json.dumps({key: say(key) for key in _LOGIN})
    return (
        "if (window.gradio_config?.auth_required) {"
        f"const said = {said};"
        "for (const key in said) gradio_config.auth_message ="
        " gradio_config.auth_message.replace(`{${key}}`, said[key]);"
        "gradio_config.i18n_translations = {};"
        "for (const one of ['en', navigator.language, navigator.language.split('-')[0]])"
        " gradio_config.i18n_translations[one] = said;"
        # Gradio names the browser's language there, once it has started.
        "const root = document.documentElement;"
        "new MutationObserver(() => root.lang === otsLanguage || (root.lang = otsLanguage))"
        ".observe(root, {attributeFilter: ['lang']});}"
    )


def sentence(text: str) -> str:
    """`text` with a capital first letter and a full stop."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?', '…')) else '.'}"
