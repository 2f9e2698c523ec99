"""Requests that no single sentence answers: what each module makes of its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from fakes import BagOfWords, make_document

from assistant.answers.numbers import number_in
from assistant.answers.write import MAKERS, Writer
from assistant.compose import Composer
from assistant.passages import Sentence, passages, sentences
from assistant.types import Answer, Document
from evals.metrics import unsupported

PACT = make_document(
    "The pact covers these areas:\n\nTrade – Opening of markets.\n\nCustoms – Faster checks.\n\n"
    "The parties are Norland, Sudland and Ostland.\n\nIt was signed on 3 May 2021 in Port.\n\n"
    "Talks began in February 2020.",
    "pact",
    title="A pact on trade",
    author="Ann Lee",
    published="2021-05-04",
)
NOTE = make_document("A note says little.", "note", publisher="Weekly", published="--03-18")


@dataclass
class Says:
    """Takes every request for the same kind."""

    name: str

    def kind(self, text: str) -> str:
        return self.name


def write(
    kind: str,
    text: str = "?",
    *documents: Document,
    best: str = "",
    last: Answer | None = None,
    language: str = "en",
    leans: bool = False,
) -> tuple[str | None, Composer]:
    used = {document.doc_id: document for document in documents or (PACT,)}
    found = {doc_id: sentences(document) for doc_id, document in used.items()}
    packed = [p for document in used.values() for p in passages(document, 400)]
    composer = Composer(used, packed, language)

    def relevance() -> Mapping[Sentence, float]:
        return {s: 0.9 if best and best in s.text else 0.1 for all_ in found.values() for s in all_}

    writer = Writer(lambda: Says(kind), BagOfWords())
    outcome = writer.write(text, used, found, composer, relevance, lambda: last, leans)
    return outcome, composer


@pytest.mark.parametrize(("best", "told"), [
    ("these areas", "2: Trade; Customs"), ("The parties", "3: Norland, Sudland, Ostland"),
])  # fmt: skip
def test_a_count_comes_first_and_is_marked_as_worked_out(best: str, told: str) -> None:
    outcome, composer = write("count", best=best)
    assert outcome == "answered"
    assert composer.text.startswith(told) and "worked out" in composer.text
    assert [claim.status for claim in composer.claims] == ["worked_out"]


@pytest.mark.parametrize("best", ["It was signed", ""])
def test_what_lists_nothing_is_not_counted(best: str) -> None:
    assert write("count", best=best)[0] is None


def test_dates_come_in_order_each_with_its_sentence() -> None:
    outcome, composer = write("dates")
    lines = composer.text.splitlines()[1:]
    assert outcome == "answered"
    assert [line.partition(":")[0] for line in lines] == ["- February 2020", "- 3 May 2021"]


def test_metadata_cites_the_card_of_its_source() -> None:
    outcome, composer = write("author", "Who wrote the pact article?", PACT, NOTE)
    assert (outcome, composer.text) == ("answered", "Daily: Ann Lee [1]")
    (citation,) = composer.citations
    assert citation.of_card and PACT.text[citation.start : citation.end] == citation.quote
    assert "Ann Lee" in citation.as_shown


def test_an_order_is_only_told_where_the_years_are() -> None:
    other = make_document("Old.", "old", publisher="Monthly", published="1999-01")
    assert write("older", "?", PACT, NOTE)[0] == "partial"
    outcome, composer = write("older", "?", PACT, other)
    assert outcome == "answered"
    assert composer.text.splitlines()[1].startswith("1. Monthly: 1999-01 [1]")


def test_a_summary_has_as_many_bullets_as_asked_for() -> None:
    _, composer = write("summary", "Summarise it in two bullets")
    assert len(composer.claims) == 2


def test_everything_stands_under_its_source() -> None:
    outcome, composer = write("everything", "?", PACT, NOTE, best="little")
    assert outcome == "answered"
    assert composer.text.splitlines()[0].startswith("Weekly, Title of note [1]")
    assert write("everything")[0] is None


def test_no_advice_is_given() -> None:
    outcome, composer = write("advice", best="Trade")
    assert outcome == "not_in_sources" and composer.text.startswith("No advice")


def test_the_last_answer_comes_in_another_form() -> None:
    _, before = write("dates")
    last = Answer(
        before.text, "answered", tuple(before.claims), before.citations, (), "", "", {}, ""
    )
    assert write("shorter", last=last)[1].text.endswith("[1]")
    assert len(write("bullets", last=last, leans=True)[1].text.splitlines()) == 2
    assert write("shorter")[0] is None


def test_what_leans_on_the_conversation_is_looked_up() -> None:
    assert write("dates", leans=True)[0] is None
    assert write("lookup")[0] is None


@pytest.mark.parametrize("language", ["en", "tr", "az", "ru", "kk", "ky", "uz"])
@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_nothing_shown_is_without_support(kind: str, language: str) -> None:
    _, composer = write(kind, "?", PACT, NOTE, best="The parties", language=language)
    for claim in composer.claims:
        left = unsupported(claim)
        assert not left or (claim.status == "worked_out" and all(n.isdecimal() for n in left))


@pytest.mark.parametrize(("text", "number"), [
    ("in 5 points", 5), ("üç maddede", 3), ("в трёх пунктах", 3), ("to‘rtta bandda", 4),
    ("the gist", 0), ("since 2021", 0),
])  # fmt: skip
def test_numbers_are_read_in_words_and_digits(text: str, number: int) -> None:
    assert number_in(text) == number
