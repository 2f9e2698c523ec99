"""Vectors that outlive the process that made them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes import BagOfWords

from assistant import kept_vectors
from assistant.kept_vectors import KeptVectors


@pytest.fixture(autouse=True)
def keep_even_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_vectors, "LEAST", 1)


class Counting(BagOfWords):
    """Notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode_documents(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        return super().encode_documents(texts)


def test_what_was_made_once_is_taken_from_the_file(tmp_path: Path) -> None:
    texts = ["Ann sings.", "Bob sails.", "Ann sings."]
    first, second = Counting(), Counting()
    made = KeptVectors(first, tmp_path).encode_documents(texts)
    again = KeptVectors(second, tmp_path).encode_documents([*texts, "Cem reads."])
    assert first.asked == ["Ann sings.", "Bob sails."]
    assert second.asked == ["Cem reads."]
    assert again[:3] == [pytest.approx(vector, abs=1e-6) for vector in made]
    assert again[3] == BagOfWords().encode_query("Cem reads.")


def test_another_model_has_vectors_of_its_own(tmp_path: Path) -> None:
    KeptVectors(Counting(), tmp_path).encode_documents(["Ann sings."])
    other = Counting()
    other.name = "other"
    KeptVectors(other, tmp_path).encode_documents(["Ann sings."])
    assert other.asked == ["Ann sings."]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"text"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    KeptVectors(Counting(), tmp_path).encode_documents(["Ann sings."])
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    anew, after = Counting(), Counting()
    KeptVectors(anew, tmp_path).encode_documents(["Ann sings."])
    KeptVectors(after, tmp_path).encode_documents(["Ann sings."])
    assert (anew.asked, after.asked) == (["Ann sings."], [])


def test_where_nothing_can_be_written_vectors_are_made_all_the_same(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    made = KeptVectors(Counting(), blocked).encode_documents(["Ann sings."])
    assert made == [BagOfWords().encode_query("Ann sings.")]


def test_the_file_is_not_written_for_a_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_vectors, "LEAST", 2)
    KeptVectors(Counting(), tmp_path / "few").encode_documents(["One."])
    KeptVectors(Counting(), tmp_path / "more").encode_documents(["One.", "Two."])
    assert [folder.name for folder in tmp_path.iterdir()] == ["more"]


def test_no_more_than_so_many_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_vectors, "MOST", 2)
    KeptVectors(Counting(), tmp_path).encode_documents(["One.", "Two."])
    more = Counting()
    KeptVectors(more, tmp_path).encode_documents(["Two.", "Three."])
    last = Counting()
    KeptVectors(last, tmp_path).encode_documents(["Three."])
    assert (more.asked, last.asked) == (["Three."], ["Three."])
