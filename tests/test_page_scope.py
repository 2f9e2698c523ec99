"""Which sources may answer: dates as far as they are known, publishers, and what a browser sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.page.here import owner_of, read_here
from assistant.page.scope import Scope, choose, placed, read_scope, scope_line
from assistant.page.words import ENGLISH
from assistant.types import Document


def document(doc_id: str, publisher: str, published: str) -> Document:
    return Document(doc_id, f"Title of {doc_id}", publisher, published, "", "en", "Text.", doc_id)


DOCUMENTS = {
    one.doc_id: one
    for one in (
        document("a", "Azernews", "2021-09-15"),
        document("t", "Trend", "--03-18"),
        document("m", "Trend", "2021-09"),
        document("n", "Trend", ""),
    )
}


@pytest.mark.parametrize(
    ("published", "since", "until", "where"),
    [
        ("--03-18", "", "", "inside"),
        ("", "", "", "inside"),
        ("2021-09-15", "2021", "", "inside"),
        ("2021-09-15", "2021-09-15", "2021-09-15", "inside"),
        ("2021-09-15", "2021-09-16", "", "outside"),
        ("2021-09", "2021-09-10", "", "unsure"),
        ("2021-09", "2021-09", "2021-09", "inside"),
        ("2021", "2021-02", "", "unsure"),
        ("2021", "", "2020", "outside"),
        ("", "2021", "", "unsure"),
        # A year that nobody gave may be any.
        ("--03-18", "2021", "", "unsure"),
        ("--03-18", "2021-04", "2021-12", "outside"),
        ("--03-18", "2021-04", "2022-04", "unsure"),
        ("--02-29", "2021", "2023", "outside"),
        ("--02-29", "2021", "2024", "unsure"),
        ("--02-29", "1897", "1903", "outside"),
        # What is no date may be any.
        ("¹", "2021", "", "unsure"),
        ("--0¹-18", "2021", "", "unsure"),
        ("--03", "2021", "", "unsure"),
        ("2021-02-30", "2021", "", "unsure"),
        ("0000", "2021", "", "unsure"),
    ],
)
def test_a_date_is_placed_as_far_as_it_is_known(
    published: str, since: str, until: str, where: str
) -> None:
    assert placed(published, since, until) == where


days = st.dates(date(1890, 1, 1), date(2110, 12, 31))


@given(days, days, st.integers(0, 4000), st.sampled_from([4, 7, 10]))
def test_a_partial_date_is_certain_only_when_all_its_days_agree(
    day: date, since: date, span: int, length: int
) -> None:
    until = since + timedelta(days=span)
    whole = placed(day.isoformat(), since.isoformat(), until.isoformat())
    assert whole == ("inside" if since <= day <= until else "outside")
    partial = placed(day.isoformat()[:length], since.isoformat(), until.isoformat())
    assert partial in (whole, "unsure")
    without_year = placed(f"--{day:%m-%d}", since.isoformat(), until.isoformat())
    assert without_year != "inside"
    assert not (whole == "inside" and without_year == "outside")


def test_the_chosen_and_why_others_are_left() -> None:
    everything = choose(ENGLISH, Scope(), DOCUMENTS)
    assert everything.all and everything.doc_ids == ("a", "t", "m", "n")
    dated = choose(ENGLISH, Scope(since="2021"), DOCUMENTS)
    assert dated.doc_ids == ("a", "m")
    assert dated.left[0] == (
        "Title of t: 18 March (year not given), may or may not lie in the dates"
    )
    assert choose(ENGLISH, Scope(since="2021", unsure=True), DOCUMENTS).all
    trend = choose(ENGLISH, Scope(publisher="Trend"), DOCUMENTS)
    assert trend.doc_ids == ("t", "m", "n")
    assert trend.left == ("Title of a: published by Azernews",)
    assert choose(ENGLISH, Scope(left_out=frozenset(DOCUMENTS)), DOCUMENTS).doc_ids == ()
    unknown = choose(ENGLISH, Scope(left_out=frozenset({"gone"}), publisher=""), DOCUMENTS)
    assert unknown.all


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("last week", "", "“From” is “last week”"),
        ("", "2021-13", "“To” is “2021-13”"),
        ("2021-02-30", "", "2021-02-30"),
        ("0000", "", "“0000”"),
        ("٢٠٢١", "", "no date"),
        ("2022", "2021", "comes after"),
    ],
)
def test_dates_that_are_none_let_nothing_answer_and_are_named(
    since: str, until: str, said: str
) -> None:
    chosen = choose(ENGLISH, Scope(since=since, until=until), DOCUMENTS)
    assert chosen.doc_ids == ()
    assert said in chosen.fault
    assert "\n" not in chosen.fault


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(
    json_values, st.dictionaries(st.sampled_from(["left_out", "publisher", "since"]), json_values)
)
def test_whatever_a_browser_sends_is_a_scope(said: object, more: dict[str, object]) -> None:
    for value in (said, more):
        scope = read_scope(value)
        assert set(choose(ENGLISH, scope, DOCUMENTS).doc_ids) <= set(DOCUMENTS)


def test_what_is_said_with_an_answer() -> None:
    assert scope_line(ENGLISH, ("t", "m"), DOCUMENTS) == "Answered from 2 of 4 articles only: Trend"
    many = {n: replace(document(n, f"P{n}", ""), doc_id=n) for n in "123456"}
    assert scope_line(ENGLISH, tuple("12345"), many).endswith("P1, P2, P3, P4 and others")


# --- Who a browser says it is ---


@given(st.text())
def test_a_name_that_could_be_guessed_is_none(said: str) -> None:
    assert read_here(said).browser == ""
    assert owner_of(read_here(f'{{"browser": "{"0" * 63}"}}').browser, None) == ""


def test_a_user_counts_before_a_browser() -> None:
    class Request:
        username = "aylin"

    browser = read_here('{"browser": "' + "0f" * 32 + '", "conversation": 5}')
    assert browser.conversation == ""
    assert owner_of(browser.browser, None) == "browser:" + "0f" * 32
    assert owner_of(browser.browser, Request()) == "user:aylin"
