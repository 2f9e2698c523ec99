"""Dated events: found as the text has them, never completed, at their exact offsets."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from fakes_page import document
from hypothesis import given
from hypothesis import strategies as st

from assistant.text import MONTHS
from assistant.timeline import by_date, events
from assistant.types import Document


def dates(text: str) -> list[tuple[str, str]]:
    one = document("d", "Title", "Publisher", "2019-05-05", text)
    return [(one.text[e.date_start : e.date_end], e.date) for e in events(one)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It was signed on September 14, 2021.", [("September 14, 2021", "2021-09-14")]),
        ("It was signed on 14 September 2021 in Baku.", [("14 September 2021", "2021-09-14")]),
        ("It was signed on the 3rd of May 2020.", [("3rd of May 2020", "2020-05-03")]),
        ("It was signed on 2021-09-14.", [("2021-09-14", "2021-09-14")]),
        ("They met on February 18.", [("February 18", "--02-18")]),
        ("They met on 18 February in Ankara.", [("18 February", "--02-18")]),
        ("They met on September 14-15, 2021.", [("September 14-15, 2021", "2021-09-14")]),
        ("They met in February 2021.", [("February 2021", "2021-02")]),
        ("They met in May.", [("May", "--05")]),
        ("Trade grew in 2020 and again in 2023.", [("2020", "2020"), ("2023", "2023")]),
        ("In the first seven months of 2021, trade grew.", [("2021", "2021")]),
        ("It comes to $15 billion by 2030.", [("2030", "2030")]),
        ("A network of 2000 companies in 2021.", [("2021", "2021")]),
        ("They may march on with 2020 tons, for $2021.", []),
        ("On February 30, 2021 nothing happened, nor on 2021-13-01.", []),
        ("February 29, 2021 is no day, February 29 is one.", [("February 29", "--02-29")]),
        ("May I ask?", []),
        ("The 11th Summit, with item 2021-A and code in 20215.", []),
    ],
)
def test_dates(text: str, found: list[tuple[str, str]]) -> None:
    assert dates(text) == found


def test_the_articles(documents: Mapping[str, Document]) -> None:
    trend = events(documents["trend-digital-economy"])
    assert trend[0].date == "--03-18"
    assert trend[0].precision == "day" and not trend[0].year_known
    roadmap = documents["azernews-roadmap"]
    found = [e.date for e in by_date(events(roadmap))]
    # The byline's 2021-09-15 is furniture, and lends its year to nothing.
    assert found == ["2020", "2021", "2021-02", "2023", "--02-18", "--06-15", "--09-14"]


pieces = st.one_of(
    st.builds(
        "{} {}".format, st.sampled_from([m.capitalize() for m in MONTHS]), st.integers(0, 40)
    ),
    st.integers(1800, 2200).map(str),
    st.sampled_from([" in ", ". ", ", ", "\n\n", " of ", "-", "\u0130", "\U0001d6a8 "]),
    st.text(max_size=8),
)


@given(st.lists(pieces, max_size=12).map("".join))
def test_spans_are_exact_and_years_stand_in_the_text(text: str) -> None:
    one = document("d", "T", "P", "1999", text)
    for event in events(one):
        assert one.text[event.start : event.end].strip() == one.text[event.start : event.end]
        assert event.start <= event.date_start < event.date_end <= event.end
        said = one.text[event.date_start : event.date_end]
        if event.year_known:
            assert event.date[:4] in said
        else:
            assert event.precision in ("day", "month")
        if event.precision == "day":
            assert str(int(event.date[-2:])) in said
