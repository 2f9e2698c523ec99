"""The few words that answer: told only where they stand in the evidence just so."""

from __future__ import annotations

import pytest
from fakes import make_document
from hypothesis import given
from hypothesis import strategies as st

from assistant.passages import sentences
from assistant.phrase import LONGEST, phrase_in
from assistant.text import tokens

EVIDENCE = sentences(
    make_document(
        "The signing took place during the summit of the states in Bishkek, Kyrgyzstan.\n\n"
        "The parties to the pact are Norland, Sudland and the island of Ostland.\n\n"
        "Trade grew by $4.1 billion, which was 12% more than in the whole year before it.\n\n"
        "The İstanbul office is called the “People’s House” by those who work in it."
    )
)
PLACE, PARTIES, TRADE, OFFICE = EVIDENCE


def told(reply: str, question: str = "?") -> str | None:
    found = phrase_in(reply, EVIDENCE, question)
    return found.text if found else None


def test_a_phrase_is_found_whole_in_its_sentence() -> None:
    found = phrase_in(" Bishkek, Kyrgyzstan.\n", EVIDENCE, "Where was it signed?")
    assert found is not None
    assert (found.text, found.sentences) == ("Bishkek, Kyrgyzstan", (PLACE,))


@pytest.mark.parametrize("reply", [
    "Bishkek, Ostland", "Bishkek and Ostland", "Bishkek; Ostland", "Bishkek\nOstland",
    "Bishkek, and Ostland.",
])  # fmt: skip
def test_its_parts_may_stand_in_several_sentences(reply: str) -> None:
    found = phrase_in(reply, EVIDENCE, "?")
    assert found is not None
    assert (found.text, found.sentences) == ("Bishkek, Ostland", (PLACE, PARTIES))


def test_a_sentence_that_has_two_parts_is_given_once() -> None:
    found = phrase_in("Ostland, Bishkek, Norland", EVIDENCE, "?")
    assert found is not None and found.sentences == (PARTIES, PLACE)


@pytest.mark.parametrize(("reply", "as_spelt"), [
    ("BISHKEK", "Bishkek"), ("Istanbul", "İstanbul"), ("İSTANBUL", "İstanbul"),
    ("istanbul office", "İstanbul office"), ("People's House", "People’s House"),
    ("'People’s House'", "People’s House"), ('the "People`s House".', "the “People’s House"),
])  # fmt: skip
def test_it_is_spelt_as_in_the_source(reply: str, as_spelt: str) -> None:
    assert told(reply) == as_spelt


@pytest.mark.parametrize(("reply", "with_sign"), [
    ("$4.1 billion", "$4.1 billion"), ("4.1 billion", "$4.1 billion"), ("4.1", "$4.1"),
    ("12%", "12%"), ("12", "12%"), ("12 % more", "12% more"),
])  # fmt: skip
def test_an_amount_keeps_its_sign(reply: str, with_sign: str) -> None:
    assert told(reply) == with_sign


@pytest.mark.parametrize(("amount", "reply"), [("100€", "100"), ("%50", "50")])
def test_a_sign_on_the_other_side_is_kept_as_well(amount: str, reply: str) -> None:
    found = phrase_in(reply, sentences(make_document(f"It came to {amount} in all.")), "?")
    assert found is not None and found.text == amount


@pytest.mark.parametrize(("amount", "reply"), [
    ("100 €", "100 €"), ("100 €", "100€"), ("12 %", "12 %"), ("% 12", "% 12"),
])  # fmt: skip
def test_a_sign_may_stand_apart(amount: str, reply: str) -> None:
    found = phrase_in(reply, sentences(make_document(f"It came to {amount} in all.")), "?")
    assert found is not None and found.text == amount


def test_another_sign_than_the_sources_is_no_phrase() -> None:
    assert [told(reply) for reply in ("€4.1 billion", "4.1%", "$12")] == [None] * 3


@pytest.mark.parametrize("reply", [
    "Baku", "Bishkek, Baku", "4", "1", "1 billion", "Norland Sudland island", "shkek",
    "It was Bishkek", "states Bishkek", "", " ", "…",
])  # fmt: skip
def test_what_stands_nowhere_is_no_phrase(reply: str) -> None:
    assert told(reply) is None


def test_words_of_two_sentences_are_not_joined() -> None:
    assert told("Kyrgyzstan The parties") is None


@pytest.mark.parametrize(("question", "reply", "new"), [
    ("Was it in Bishkek?", "Bishkek", False), ("was it in BISHKEK", "in Bishkek", False),
    ("Was it 12% more?", "12% more", False), ("Was it in Bishkek?", "Bishkek, Kyrgyzstan", True),
    ("Norland or Sudland?", "Sudland and Norland", False), ("Who?", "Sudland, Norland", True),
    ("Is Norland a party?", "Norland, Sudland", True), ("Where?", "in the", False),
])  # fmt: skip
def test_it_says_more_than_the_question(question: str, reply: str, new: bool) -> None:
    assert (told(reply, question) is not None) is new


@pytest.mark.parametrize("reply", [
    PLACE.text, PLACE.text.rstrip("."), OFFICE.text, OFFICE.text.removeprefix("The İstanbul "),
    f"{OFFICE.text} Bishkek",
    pytest.param(
        f"Bishkek; {OFFICE.text}",
    ),
])  # fmt: skip
def test_nearly_a_whole_sentence_is_no_phrase(reply: str) -> None:
    assert told(reply) is None


@pytest.mark.parametrize("reply", [PARTIES.text, PLACE.text.removeprefix("The signing ")])
def test_nor_are_the_parts_that_make_nearly_a_whole_sentence(reply: str) -> None:
    assert told(reply) is None


@pytest.mark.parametrize(("over", "found"), [(0, True), (1, False)])
def test_a_long_reply_is_no_phrase(over: int, found: bool) -> None:
    reply = ("abcdefg " * LONGEST)[: LONGEST - 1 + over] + "z"
    evidence = sentences(make_document(f"{reply} and much more of it, on and on and on, so long."))
    assert (phrase_in(reply, evidence, "?") is not None) is found


WORDS = ["Ann", "ANN", "İda", "ida", "the", "and", "4.1", "4", "1 200", "200", "$5", "7%", "€", "%"]
JOINS = [" ", " ", ", ", ", and ", " and ", "; ", "’", " - ", ". ", "\n"]
texts = st.lists(st.sampled_from(WORDS + JOINS), min_size=1, max_size=12).map("".join)


@given(st.lists(texts, min_size=1, max_size=4), st.lists(texts, max_size=4))
def test_whatever_is_told_stands_there_word_by_word(lines: list[str], others: list[str]) -> None:
    evidence = sentences(make_document("\n\n".join(f"{line} {'so on ' * 9}" for line in lines)))
    for reply in (*lines, *others, f"{lines[0]}, {lines[-1]}", ", ".join([lines[0], *others])):
        found = phrase_in(reply, evidence, "")
        said = [[t.folded for t in tokens(s.shown)] for s in found.sentences] if found else []
        assert not found or set(found.sentences) <= set(evidence)
        for part in found.text.split(", ") if found else ():
            wanted = [token.folded for token in tokens(part)]
            assert any(
                words[at : at + len(wanted)] == wanted
                for words in said
                for at in range(len(words) + 1)
            )
