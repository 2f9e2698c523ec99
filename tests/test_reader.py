"""The real embedding model and the real reader: shapes, what padding must not change, languages."""

from __future__ import annotations

import numpy as np
import pytest

from assistant import Settings
from assistant.e5 import E5
from assistant.models import load_e5, load_reader
from assistant.reader import Page, Reader
from assistant.settings import CACHE

SENTENCES = (
    "The harbour office of Portville was opened in 1962.",
    "Its first director was the engineer Marta Lindqvist.",
    "In 2019 the office moved to a new building on Mill Street, which cost 4.2 million euro.",
    "Two hundred people work there today.",
)
PAGE = Page("Portville's harbour, The Daily, 2023-05-02", SENTENCES)
OTHER = Page("Bees, Nature, 2020", ("Bees dance to tell others where flowers are.", "Some do not."))


@pytest.fixture(scope="module")
def e5() -> E5:
    return load_e5(Settings(cache_dir=CACHE))


@pytest.fixture(scope="module")
def reader(e5: E5) -> Reader:
    return load_reader(Settings(cache_dir=CACHE))


def test_vectors_are_those_of_sentence_transformers(e5: E5) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(CACHE / "models" / e5.name), device="cpu")
    texts = ["Türkiye signed the memorandum.", "Қазақстан", "a " * 600]
    ours, theirs = np.array(e5.encode_documents(texts)), model.encode_document(texts)
    assert np.allclose(ours, theirs, atol=1e-4)
    assert np.allclose(e5.encode_query("кто?"), model.encode_query("кто?"), atol=1e-4)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Who was in charge of the office first?", 1),
        ("How much was spent on the new building?", 2),
        ("Кто был первым директором управления порта?", 1),
        ("Liman ofisinde bugün kaç kişi çalışıyor?", 3),
    ],
)
def test_the_sentence_that_answers_comes_first(
    reader: Reader, question: str, sentence: int
) -> None:
    answering, beside = reader.read(question, [PAGE, OTHER])
    assert int(np.argmax(answering.sentences)) == sentence
    assert answering.answered > beside.answered


def test_what_is_read_together_is_read_as_if_alone(reader: Reader, e5: E5) -> None:
    question = "When was the harbour office opened?"
    together = reader.read(question, [PAGE, OTHER, PAGE])
    alone = [Reader(e5, 2).read(question, [page])[0] for page in (PAGE, OTHER)]
    assert together[0] == together[2]
    for one, other in zip(together, alone, strict=False):
        assert one.answered == pytest.approx(other.answered, abs=1e-3)
        assert one.sentences == pytest.approx(other.sentences, abs=1e-3)


def test_a_passage_too_long_to_be_read_at_once_is_read_in_pieces(reader: Reader) -> None:
    filler = tuple(f"Sentence {n} of a very long passage is about ships." for n in range(80))
    (reading,) = reader.read(
        "Who was the first director of the harbour office?",
        [Page(PAGE.header, (*filler, *SENTENCES))],
    )
    assert len(reading.sentences) == 84
    assert int(np.argmax(reading.sentences)) == 81
    assert all(0 <= p <= 1 for p in (reading.answered, reading.partly, reading.contradicted))


def test_a_sentence_longer_than_a_passage_is_read_as_far_as_it_goes(reader: Reader) -> None:
    (reading,) = reader.read("Who?", [Page("", ("ships and " * 600, *SENTENCES))])
    assert len(reading.sentences) == 5


@pytest.mark.parametrize("question", ["", "?", "\u200b", "x" * 4000, "🙂"])
def test_any_question_can_be_read(reader: Reader, question: str) -> None:
    (reading,) = reader.read(question, [PAGE])
    assert all(np.isfinite(reading.sentences))


def test_no_passage_is_no_reading(reader: Reader) -> None:
    assert reader.read("Who?", []) == []
