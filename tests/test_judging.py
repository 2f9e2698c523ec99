"""Sources too long for the chat model to be shown whole: the reader judges them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import BagOfWords, ScriptedChat, WordReader, write_sources

from assistant import Answer, Assistant, Settings, prompts
from assistant.compose import wording
from assistant.errors import WeightsError
from assistant.index import SearchIndex, build
from assistant.reader import Reads
from assistant.sources import load_documents

SHIPS = "Aurora Borealis Calypso Dolphin Endeavour Falcon Galatea Hermes Iris Juno".split()
QUESTION = "How many passengers does the Falcon carry?"


def harbour(ship: str, number: int) -> str:
    return (
        f"The ferry {ship} was built in Portville in {1950 + number}. "
        f"The {ship} carries {100 + number} passengers. "
        f"Captain Number{number} has sailed the {ship} since last spring. "
        f"The {ship} leaves at {number} o'clock every morning. "
        f"Nobody knows who painted the {ship} so blue. "
        f"A cabin on the {ship} costs {200 + number} crowns."
    )


@pytest.fixture
def make(settings: Settings, tmp_path: Path) -> Callable[..., Assistant]:
    texts = {ship.lower(): harbour(ship, number) for number, ship in enumerate(SHIPS)}
    named = replace(settings, sources=write_sources(tmp_path, texts))
    documents = load_documents(named.sources)
    build(named, documents, BagOfWords())
    index = SearchIndex.open(named, documents, BagOfWords())

    def make(reader: Callable[[], Reads], chat: ScriptedChat | None = None) -> Assistant:
        return Assistant(documents, index, BagOfWords(), reader, lambda: chat, named)

    return make


def ask(make: Callable[..., Assistant], **reads: object) -> Answer:
    reader = WordReader(**{"chooses": "Falcon carries", **reads})  # type: ignore[arg-type]
    return make(lambda: reader).ask(QUESTION)


def test_what_the_reader_chose_is_quoted_without_a_chat_model(
    make: Callable[..., Assistant],
) -> None:
    answer = ask(make)
    assert answer.outcome == "answered"
    assert [citation.quote for citation in answer.citations] == [
        "The Falcon carries 105 passengers."
    ]


def test_a_doubtful_reader_means_not_in_the_sources(make: Callable[..., Assistant]) -> None:
    answer = ask(make, answered=0.1)
    assert answer.outcome == "not_in_sources"
    assert answer.missing


def test_what_the_reader_finds_contradicted_is_corrected(make: Callable[..., Assistant]) -> None:
    answer = ask(make, answered=0.1, contradicted=0.9)
    assert answer.outcome == "corrected_premise"
    assert "105" in answer.text


def test_what_answers_a_part_says_that_the_rest_is_missing(make: Callable[..., Assistant]) -> None:
    answer = ask(make, partly=0.9)
    assert answer.outcome == "partial"
    assert answer.missing == wording("en", "rest")


def test_the_chat_model_is_shown_what_was_chosen_and_nothing_else(
    make: Callable[..., Assistant],
) -> None:
    chat = ScriptedChat(["The Falcon carries 105 passengers."])
    answer = make(lambda: WordReader("Falcon carries"), chat).ask(QUESTION)
    assert not answer.quoted
    (request,) = chat.asked
    assert request[0]["content"] == prompts.SYSTEM
    assert "105" in request[1]["content"]
    assert "Galatea" not in request[1]["content"]
    assert not chat.probed


def test_a_reader_that_is_not_here_leaves_quotes_and_one_line(
    make: Callable[..., Assistant],
) -> None:
    def missing() -> Reads:
        raise WeightsError("The embedding model is not here.", "ots-assistant fetch")

    answer = make(missing).ask(QUESTION)
    assert answer.error_code == WeightsError.exit_code
    assert "ots-assistant fetch" in answer.notice
    assert "\n" not in answer.notice
    assert answer.citations


def test_sources_that_fit_are_left_to_the_chat_model(make: Callable[..., Assistant]) -> None:
    def never() -> Reads:
        raise AssertionError("read")

    answer = make(never).ask(QUESTION, doc_ids=["falcon", "iris"])
    assert answer.retrieved
