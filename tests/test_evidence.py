"""Which sentences come first for a question."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fakes import BagOfWords, make_document

from assistant.evidence import Evidence, Ranked
from assistant.grounding import Grounder
from assistant.passages import sentences
from assistant.questions import Query
from assistant.reading import Reading

ACCORD = make_document(
    "The digital trade accord of the northern states was signed on Monday.\n\n"
    "The accord helps. Marketplaces are to be built across the borders.\n\n"
    "It covers the following areas:\n\nPayments – Joining the systems.\n\nCustoms – Less paper.",
    "accord",
)
HARBOUR = make_document(
    "A harbour plan was agreed by two towns.\n\nThe plan names a digital trade desk.\n\n"
    "Marketplaces by the water will be rented out. All but one of the piers stay open.",
    "harbour",
)


def rank(question: str | Query, topics: bool = True, draft: Sequence[str] = ()) -> list[Ranked]:
    documents = (ACCORD, HARBOUR)
    windows = Grounder([s for d in documents for s in sentences(d)]).windows
    leads = {d.doc_id: Reading(sentences(d)[0].text).words for d in documents}
    query = Query(question) if isinstance(question, str) else question
    ranked = Evidence(BagOfWords(), leads if topics else {}).rank(query, windows, draft=draft)
    return [hit for hit in ranked if len(hit.window.sentences) == 1]


def test_a_sentence_inherits_the_topic_of_its_article() -> None:
    """Which marketplaces are meant, neither sentence says: their articles do."""
    question = "What becomes of marketplaces under the digital trade accord?"

    def coverage(topics: bool) -> list[float]:
        found = {hit.window.text[:15]: hit.coverage for hit in rank(question, topics)}
        return [found["Marketplaces ar"], found["Marketplaces by"]]

    assert coverage(topics=False)[0] == coverage(topics=False)[1]
    assert coverage(topics=True)[0] > coverage(topics=True)[1]


@pytest.mark.parametrize(
    ("question", "held"),
    [
        ("How many areas are covered?", "It covers the following areas:"),
        ("How many piers stay open?", "All but one of the piers stay open."),
    ],
)
def test_a_list_and_an_exception_tell_a_number(question: str, held: str) -> None:
    best = rank(question)[0]
    assert best.window.text == held
    assert not best.lacking


def test_what_is_asked_beyond_the_topic_decides() -> None:
    """The lead of an article shares the most words with a question that names its topic."""
    question = "Is joining systems a part of the digital trade accord that northern states signed?"
    assert rank(question)[0].window.text == "Payments – Joining the systems."
    assert rank(question, topics=False)[0].window.text.startswith("The digital trade accord")


def test_what_was_asked_before_weighs_less_than_what_is_asked_now() -> None:
    before, now = "When was the harbour plan agreed?", "And the piers?"
    assert "piers" in rank(Query(now, before))[0].window.text


def test_a_draft_points_at_its_sentence() -> None:
    first = rank("What comes next?", draft=["Payments systems are to be joined."])[0]
    assert first.window.text.startswith("Payments")
