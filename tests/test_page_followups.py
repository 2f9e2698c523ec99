"""What may be asked next: only what the sources answer as they are now, the nearest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from fakes_page import FakeAssistant

from assistant import Assistant
from assistant.page.conversation import Turn
from assistant.page.followups import OFFERED, STARTERS, Suggestions, candidates

WHERE = "Where was it signed?"
SIGNED = "What was signed in September 2021?"
QUESTIONS = [
    WHERE,
    "What is the exchange rate?",  # not in the sources
    "What of electronic signatures?",  # answered in part
    "Is the model gone?",  # ends in a fault
    SIGNED,
]


def checked(fake: FakeAssistant, questions: list[str] = QUESTIONS) -> Suggestions:
    suggestions = Suggestions(fake, questions)
    suggestions._check_all()
    assert suggestions.ready
    return suggestions


def ask(fake: FakeAssistant, question: str) -> Turn:
    *_, answer = fake.quoting().stream(question)
    return Turn(question, answer)


def test_only_what_is_answered_is_offered() -> None:
    fake = FakeAssistant(0)
    suggestions = checked(fake)
    assert suggestions.starters() == [WHERE, SIGNED]
    assert suggestions.after([ask(fake, "What of electronic signatures?")]) == [WHERE, SIGNED]
    assert fake.asked == []


def test_nothing_is_offered_before_it_is_checked() -> None:
    fake = FakeAssistant(0)
    suggestions = Suggestions(fake, QUESTIONS)
    assert not suggestions.ready
    assert suggestions.starters() == []
    assert suggestions.after([ask(fake, WHERE)]) == []


def test_the_nearest_comes_first_and_what_was_asked_or_read_does_not_come() -> None:
    fake = FakeAssistant(0)
    suggestions = checked(fake, [WHERE, SIGNED])
    assert suggestions.after([ask(fake, "electronic signatures?")])[0] == WHERE
    assert suggestions.after([ask(fake, "Is the roadmap of September 2021?")]) == [WHERE]
    asked = replace(ask(fake, "electronic signatures?"), question="where was it SIGNED")
    assert suggestions.after([asked]) == [SIGNED]
    assert suggestions.after([ask(fake, "Where was it agreed?")]) == [SIGNED]
    assert suggestions.after([]) == []
    assert suggestions.after([Turn("Still growing?")]) == []


def test_sources_that_change_are_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeAssistant(0)
    suggestions = checked(fake)
    started: list[bool] = []
    monkeypatch.setattr(Suggestions, "start", lambda self: started.append(True))
    azernews = fake.documents["azernews-roadmap"]
    changed = replace(azernews, content_hash="another")
    fake.documents = dict(fake.documents) | {azernews.doc_id: changed}
    assert suggestions.starters() == []
    assert suggestions.after([ask(fake, "electronic signatures?")]) == []
    assert started
    suggestions._check_all()
    assert suggestions.starters() == [WHERE, SIGNED]


def test_a_narrower_scope_is_asked_for_itself() -> None:
    class OnlyWhole(FakeAssistant):
        """Answers from all its sources, and from one of them nothing."""

        def quoting(self) -> FakeAssistant:
            whole = FakeAssistant(0)
            stream = whole.stream

            def narrow(question, history=(), doc_ids=None):  # type: ignore[no-untyped-def]
                return stream("exchange rate" if doc_ids else question, history, doc_ids)

            whole.stream = narrow  # type: ignore[method-assign]
            return whole

    suggestions = checked(OnlyWhole(0))
    turns = [ask(FakeAssistant(0), "electronic signatures?")]
    assert suggestions.after(turns) == [WHERE, SIGNED]
    assert suggestions.after(turns, ("trend-digital-economy",)) == []


def test_the_questions_that_are_kept_are_answered_from_the_articles(
    make_assistant: Callable[..., Assistant],
) -> None:
    assistant = make_assistant()
    suggestions = Suggestions(assistant, candidates())
    suggestions._check_all()
    assert len(suggestions.starters()) == STARTERS
    answer = assistant.ask(suggestions.starters()[0])
    offered = suggestions.after([Turn(answer.question, answer)])
    assert len(offered) == OFFERED
    for question in offered:
        assert assistant.ask(question).outcome == "answered"
    assert len(set(candidates())) == len(candidates())
