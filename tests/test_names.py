"""Names in seven languages: one thing is one name, and common words are none."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from assistant import names
from assistant.names import Name, mentions
from assistant.text import tokens

TABLE: dict[str, list[dict[str, list[str]]]] = tomllib.loads(
    Path(names.__file__).with_name("names.toml").read_text(encoding="utf-8")
)
LANGUAGES = {"en", "tr", "az", "ru", "kk", "ky", "uz"}
KAZAKHSTAN, BISHKEK = ("country", "Kazakhstan"), ("city", "Bishkek")
STATES = ("organisation", "Organization of Turkic States")


@pytest.mark.parametrize(("name", "texts"), [
    (KAZAKHSTAN, ["Kazakhstan", "Kazakistan", "Qazaxıstan", "Казахстан", "Қазақстан", "Казакстан",
                  "Qozogʻiston", "Qozog'iston", "Qazaqstan"]),
    (KAZAKHSTAN, ["Kazakhstan's part", "Kazakistan’da", "QAZAXISTANDA", "kazakhstan",
                  "в Казахстане", "Казахстанский", "Қазақстандағы", "Казакстандан",
                  "Qozog‘istonda"]),
    (BISHKEK, ["Bishkek", "Bişkek'te", "Bişkekdə", "в Бишкеке", "Бішкектегі", "Бишкекте",
               "Bishkekda"]),
    (("country", "Hungary"), ["Hungary", "Macaristan’ın", "Macarıstanda", "Венгрии", "Венгрией"]),
    (("city", "Baku"), ["Baku", "Bakü’de", "Bakıdakı", "Бакуда"]),
    (STATES, ["the Organization of Turkic States", "OTS", "Türk Devletleri Teşkilatı’nın",
              "Türk Dövlətləri Təşkilatının", "Организация тюркских государств",
              "Түркі мемлекеттері ұйымының", "Түрк мамлекеттер уюмунун",
              "Turkiy davlatlar tashkilotining"]),
])  # fmt: skip
def test_one_thing_is_one_name_in_every_language_and_with_endings(
    name: Name, texts: list[str]
) -> None:
    assert {text: mentions(text) for text in texts} == {text: {name} for text in texts}


@pytest.mark.xfail(strict=True, reason="with an ending it needs its capital")
def test_an_adjective_of_a_name_has_no_capital_in_russian() -> None:
    assert mentions("казахстанский закон") == {KAZAKHSTAN}


@pytest.mark.parametrize("text", [
    "саммит Организации тюркских государств", "в Организацию тюркских государств",
])  # fmt: skip
@pytest.mark.xfail(strict=True, reason="only the last word of a name may have another ending")
def test_the_first_word_of_a_name_may_have_an_ending(text: str) -> None:
    assert mentions(text) == {STATES}


@pytest.mark.parametrize(("text", "found"), [
    ("The Organization of Turkic States met", {STATES}),
    ("Trade of South Korea", {("country", "South Korea")}),
    ("an office in New York, not in York", {("city", "New York")}),
    ("Turkmenistan and Türkiye", {("country", "Turkmenistan"), ("country", "Türkiye")}),
    ("the United States of America", {("country", "United States")}),
    ("from Bishkek to Kazakhstan, then Bishkek", {BISHKEK, KAZAKHSTAN}),
    ("", set()),
])  # fmt: skip
def test_of_names_within_names_the_longest_counts(text: str, found: set[Name]) -> None:
    assert mentions(text) == found


@pytest.mark.parametrize("text", [
    "it helps us", "the uk and eu of it", "who signed it", "malicious software", "an oval table",
    "it is not in the sources", "this united front", "осложнения",
])  # fmt: skip
def test_common_words_are_no_names(text: str) -> None:
    assert not mentions(text)


@pytest.mark.parametrize("text", [
    "a child plays", "the indices rose", "they peruse it", "parity of pay", "a chin", "indigo",
    "Who signed it?", "the Turkic states agreed", "bakım merkezi", "gençler için",
    "делиться данными",
])  # fmt: skip
def test_words_that_begin_like_a_name_are_none(text: str) -> None:
    assert not mentions(text)


@pytest.mark.parametrize("text", ["UK", "the U.K. signed", "U.S. firms", "EU", "WHO", "USA"])
def test_a_short_name_is_known_by_its_capitals(text: str) -> None:
    assert len(mentions(text)) == 1


def test_two_capitals_are_a_country() -> None:
    assert mentions("The US signed it, it says to us") == {("country", "United States")}


def test_there_are_names_enough() -> None:
    assert sum(map(len, TABLE.values())) >= 250
    assert set(TABLE) == {"country", "city", "organisation", "person", "agreement"}


@pytest.mark.parametrize("kind", TABLE)
def test_every_entry_has_all_seven_languages(kind: str) -> None:
    for entry in TABLE[kind]:
        assert set(entry) == LANGUAGES, entry
        assert all(forms and all(map(str.strip, forms)) for forms in entry.values()), entry


@pytest.mark.parametrize("kind", TABLE)
def test_no_form_stands_in_two_entries_of_a_kind(kind: str) -> None:
    first: dict[tuple[str, ...], str] = {}
    for entry in TABLE[kind]:
        name = entry["en"][0]
        for form in {form for forms in entry.values() for form in forms}:
            words = tuple(token.folded for token in tokens(form))
            assert first.setdefault(words, name) == name, form


@pytest.mark.parametrize("kind", TABLE)
def test_every_form_by_itself_names_what_has_it(kind: str) -> None:
    wrong = {}
    for entry in TABLE[kind]:
        for form in {form for forms in entry.values() for form in forms}:
            found = mentions(form)
            same = [(k, e["en"][0]) for k, all_ in TABLE.items() for e in all_ if has(e, form)]
            if len(found) != 1 or not found <= set(same):
                wrong[form] = found
    assert not wrong


def has(entry: dict[str, list[str]], form: str) -> bool:
    return any(form in forms for forms in entry.values())
