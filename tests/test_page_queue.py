"""Questions that Gradio's queue refuses, or seems to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes_page import FakeAssistant

from assistant.page import talk
from assistant.page.desk import Desk

WHERE = "Where was it signed?"


@pytest.fixture
def asked() -> tuple[talk.Page, Desk]:
    """A page with a question that waits for its place."""
    page, desk = talk.Page(FakeAssistant(pause=0)), Desk()
    page.begin(WHERE, "", desk, None)
    return page, desk


def test_a_refused_question_says_so(asked: tuple[talk.Page, Desk]) -> None:
    page, desk = asked
    assert "Too many questions are waiting" in page.refused(desk).talk
    assert not desk.growing


def test_a_refusal_does_not_end_what_is_being_answered(asked: tuple[talk.Page, Desk]) -> None:
    page, desk = asked
    answering = page.answer(desk)
    next(answering)
    page.refused(desk)
    assert "Bishkek" in [*answering][-1].talk


def test_a_stopped_answer_leaves_the_next_question_alone(asked: tuple[talk.Page, Desk]) -> None:
    page, desk = asked
    stopped = page.answer(desk)
    next(stopped)
    page.stop(desk)
    page.begin("And in September 2021?", "", desk, None)
    *_, last = page.answer(desk)
    assert [*stopped] == []
    assert "roadmap" in last.talk
    assert [turn.stopped for turn in desk.turns] == [True, False]


def test_an_answer_that_nobody_reads_on_has_broken_off(asked: tuple[talk.Page, Desk]) -> None:
    page, desk = asked
    answering = page.answer(desk)
    next(answering)
    answering.close()  # type: ignore[attr-defined]
    assert desk.turns[-1].fault == "turn.broke_off"
    assert not desk.growing


def test_a_model_that_writes_one_answer_at_a_time_has_a_line() -> None:
    fake = FakeAssistant(pause=0)
    fake.offer = replace(fake.offer, in_turn=frozenset(fake.offer.models))
    page, first, second = talk.Page(fake), Desk(), Desk()
    for desk in (first, second):
        page.begin(WHERE, "", desk, None)
    answering, waiting = page.answer(first), page.answer(second)
    assert [next(answering) for _ in range(2)][-1].status.startswith("Found 6 passages")
    seen = [next(waiting) for _ in range(3)]
    assert seen[1].status == "Others asked first; yours is number 1 in line."
    assert "Nearest passages" in seen[1].evidence or "Found so far" in seen[1].evidence
    assert seen[2].status.startswith("Found 6 passages")
    for one in (answering, waiting):
        one.close()  # type: ignore[attr-defined]
    third = Desk()
    page.begin(WHERE, "", third, None)
    alone = page.answer(third)
    assert [next(alone) for _ in range(2)][-1].status.startswith("Found 6 passages")
