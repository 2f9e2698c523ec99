"""The MultiHop-RAG command, on a corpus of three lines with a bag-of-words encoder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import SourceError
from assistant.settings import Settings
from assistant.text import tokens
from assistant.types import silent
from benchmarks.multihop_rag import (
    COLUMNS,
    load_queries,
    main,
    measure,
    score_query,
)
from evals.corpora import load_multihop_rag


class WordEncoder:
    """Counts of hashed words, scaled to unit length."""

    name = "words"
    unrelated = 0.0

    def encode_documents(self, texts: Sequence[str]) -> list[list[float]]:
        return [self.encode_query(text) for text in texts]

    def encode_query(self, text: str) -> list[float]:
        counts = [1e-6] * 64
        for token in tokens(text):
            counts[crc32(token.word.encode()) % 64] += 1
        length = sum(x * x for x in counts) ** 0.5
        return [x / length for x in counts]


def test_a_query_with_two_facts_of_which_one_is_found_third() -> None:
    found = score_query(["a b", "never"], ["x", "y", "so a\nb it is"])
    assert found == {
        "Hits@10": 1,
        "Hits@4": 1,
        "MAP@10": pytest.approx(1 / 6),
        "MRR@10": pytest.approx(1 / 3),
        "Rec@10": 0.5,
        "Rec@4": 0.5,
        "All@10": 0,
    }


@given(
    st.lists(st.text("ab ", min_size=1), min_size=1, max_size=4, unique=True),
    st.lists(st.text("ab \n"), max_size=12),
)
def test_metrics_are_shares(facts: list[str], ranked: list[str]) -> None:
    found = score_query(facts, ranked)
    assert all(0 <= found[column] <= 1 for column in COLUMNS)
    assert found["Rec@4"] <= found["Rec@10"] <= found["Hits@10"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bodies = {
        "Coast Daily": "Ferries carried more people than ever this spring.",
        "Hill Weekly": "A new bakery opened beside the old mill.",
        "Town Post": "The council voted to plant four hundred trees.",
    }
    corpus = [
        {
            "title": f"News of {name}",
            "source": name,
            "published_at": f"2023-10-0{i}T00:00:00+00:00",
            "url": "",
            "body": body,
        }
        for i, (name, body) in enumerate(bodies.items(), 1)
    ]
    queries = [
        {
            "query": f"What does {name} report?",
            "question_type": "inference_query",
            "evidence_list": [{"fact": body}],
        }
        for name, body in bodies.items()
    ]
    queries.append({"query": "?", "question_type": "null_query", "evidence_list": []})
    (tmp_path / "corpus.json").write_text(json.dumps(corpus))
    (tmp_path / "queries_dev.json").write_text(json.dumps(queries))
    return tmp_path


def test_a_small_corpus(folder: Path, tmp_path: Path) -> None:
    documents = load_multihop_rag(folder)
    queries = load_queries(folder / "queries_dev.json", None)
    assert [d.published for d in documents.values()] == ["2023-10-01", "2023-10-02", "2023-10-03"]
    settings = Settings(cache_dir=tmp_path / "cache", embedding_model="words")
    for _ in range(2):  # built, then taken from the cache
        rows = measure(documents, queries, WordEncoder(), settings, silent)
        assert rows["all"] == rows["inference"]
        assert (rows["all"]["n"], rows["all"]["MRR@10"]) == (3, 1)


def test_a_limit_draws_the_same_queries(folder: Path) -> None:
    few = load_queries(folder / "queries_dev.json", 2)
    assert len(few) == 2
    assert few == load_queries(folder / "queries_dev.json", 2)


def test_no_folder_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    main(Path("nowhere"))
    assert capsys.readouterr().out == "Skipped: there is no folder nowhere.\n"


def test_a_damaged_corpus(tmp_path: Path) -> None:
    (tmp_path / "corpus.json").write_text("[")
    with pytest.raises(SourceError, match=r"corpus\.json"):
        load_multihop_rag(tmp_path)
