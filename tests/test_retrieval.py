"""Retrieval: fusion by score, balance between publishers, and a budget that holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import BagOfWords, make_document
from hypothesis import given
from hypothesis import strategies as st

from assistant import Document, Settings
from assistant.index import SearchIndex, build
from assistant.retrieval import Retriever, _dates_said, _names_date, _scaled, interleave
from assistant.types import ScoredPassage

SIZE = 300
CITIES = "Baku Ankara Astana Bishkek Tashkent Budapest Ashgabat Istanbul Ganja Shusha".split()

ids = st.text("abcdef", min_size=1, max_size=2)
legs = st.dictionaries(ids, st.floats(-1, 50, allow_nan=False), max_size=12)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, Document]]:
    """Three hundred tiny documents, of which number 123 alone speaks of a lighthouse."""
    settings = Settings(
        cache_dir=tmp_path_factory.mktemp("many"), embedding_model="bag-of-words", passage_chars=100
    )
    documents = {}
    for number in range(SIZE):
        city = CITIES[number % len(CITIES)]
        text = f"Treaty {number} was signed in {city}. Its subject is trade number {number}."
        text += " A lighthouse guards the strait." if number == 123 else ""
        documents[f"doc{number}"] = make_document(
            text, f"doc{number}", publisher="Left" if number % 2 else "Right"
        )
    build(settings, documents, BagOfWords())
    return settings, documents


def retriever(settings: Settings, documents: Mapping[str, Document], **changes: float) -> Retriever:
    index = SearchIndex.open(settings, documents, BagOfWords())
    return Retriever(index, documents, replace(settings, **changes))  # type: ignore[arg-type]


def well_formed(hits: list[ScoredPassage]) -> bool:
    return [hit.rank for hit in hits] == list(range(1, len(hits) + 1)) and len(
        {hit.passage.passage_id for hit in hits}
    ) == len(hits)


# --- Fusion ---


@given(legs, legs)
def test_scaled_scores_lie_between_nothing_and_the_best(
    dense: dict[str, float], lexical: dict[str, float]
) -> None:
    lexical = {pid: score for pid, score in lexical.items() if score > 1e-6}
    scaled = _scaled(dense, lexical)
    assert {pid for pid, _, _ in scaled} == set(dense) | set(lexical)
    for _, by_meaning, by_words in scaled:
        assert 0 <= by_meaning <= 1
        assert 0 <= by_words <= 1
    if lexical:
        assert max(words for _, _, words in scaled) == 1


@given(legs, st.floats(0.01, 100))
def test_the_unit_of_a_leg_does_not_matter(leg: dict[str, float], unit: float) -> None:
    leg = {pid: score for pid, score in leg.items() if score > 0.001}
    once = _scaled({}, leg)
    again = _scaled({}, {pid: score * unit for pid, score in leg.items()})
    for (a, _, x), (b, _, y) in zip(once, again, strict=True):
        assert a == b
        assert x == pytest.approx(y)


def test_each_weight_can_rule_alone(many: tuple[Settings, dict[str, Document]]) -> None:
    query = "Treaty 7 signed in Istanbul"
    for weight in (0.0, 1.0):
        ranker = retriever(*many, dense_weight=weight)
        index = SearchIndex.open(*many, BagOfWords())
        leg = index.dense(query, 200) if weight else index.lexical(query)
        best = ranker.retrieve(query, 1)[0]
        assert leg[best.passage.passage_id] == pytest.approx(max(leg.values()))


# --- Ranking ---


def test_a_large_corpus_finds_the_one_that_fits(
    many: tuple[Settings, dict[str, Document]],
) -> None:
    hits = retriever(*many).retrieve("What guards the strait, a lighthouse?", 10)
    assert hits[0].passage.doc_id == "doc123"
    assert len(hits) == 10
    assert well_formed(hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_ranking_is_the_same_every_time(many: tuple[Settings, dict[str, Document]]) -> None:
    first = retriever(*many).retrieve("Treaty signed in Baku", 30)
    assert first == retriever(*many).retrieve("Treaty signed in Baku", 30)


@pytest.mark.parametrize("query", ["", "?!", "xyzzy plugh", "the of and"])
def test_a_query_without_a_known_word_still_works(
    many: tuple[Settings, dict[str, Document]], query: str
) -> None:
    assert well_formed(retriever(*many).retrieve(query, 8))


def test_named_sources_alone_answer(many: tuple[Settings, dict[str, Document]]) -> None:
    """Even where none of their passages is among the nearest of all."""
    wanted = {"doc298", "doc299"}
    hits = retriever(*many).retrieve("a lighthouse guards", 8, wanted)
    assert hits
    assert {hit.passage.doc_id for hit in hits} == wanted


# --- Balance ---


def test_publishers_that_are_compared_take_turns(
    many: tuple[Settings, dict[str, Document]],
) -> None:
    _, documents = many
    hits = retriever(*many).retrieve("What do Left and Right say about Baku?", 8)
    sides = [documents[hit.passage.doc_id].publisher for hit in hits]
    assert sides in (["Left", "Right"] * 4, ["Right", "Left"] * 4)
    assert well_formed(hits)


def test_a_publisher_or_day_that_is_named_comes_first(
    many: tuple[Settings, dict[str, Document]],
) -> None:
    _, documents = many
    hits = retriever(*many).retrieve("What does Left report on treaties?", 8)
    assert {documents[hit.passage.doc_id].publisher for hit in hits} == {"Left"}


@given(st.lists(st.tuples(ids, st.sampled_from("xyz")), unique_by=lambda p: p[0], max_size=20))
def test_interleaving_only_changes_the_order(pairs: list[tuple[str, str]]) -> None:
    group = dict(pairs)
    ranked = list(group)
    mixed = interleave(ranked, group.__getitem__, {"x", "y"})
    assert sorted(mixed) == sorted(ranked)
    for name in "xyz":
        assert [p for p in mixed if group[p] == name] == [p for p in ranked if group[p] == name]
    few = min([p[1] for p in pairs].count(name) for name in "xy")
    for turn in range(few):
        assert {group[p] for p in mixed[2 * turn : 2 * turn + 2]} == {"x", "y"}
    assert interleave(ranked, group.__getitem__, {"x"}) == ranked


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("What was reported on 2021-09-15?", True),
        ("What was reported on September 15, 2021?", True),
        ("What was reported on 15 Sept 2021?", True),
        ("What was reported in September 2021?", False),
        ("What was reported on 15 March 2021?", False),
    ],
)
def test_only_the_whole_date_names_an_article(query: str, named: bool) -> None:
    assert _names_date(_dates_said(query), "2021-09-15") is named
    assert not _names_date(_dates_said(query), "--09-15")


# --- What a prompt shows ---


@pytest.mark.parametrize("budget", [500, 777, 2000])
def test_the_context_keeps_to_its_budget(
    many: tuple[Settings, dict[str, Document]], budget: int
) -> None:
    ranker = retriever(*many, prompt_chars=budget)
    hits = ranker.retrieve("Treaty signed in Baku or by a lighthouse", 50)
    shown = ranker.context(hits, None)
    assert 0 < sum(len(p.text) for p in shown) <= budget
    assert hits[0].passage in shown
    order = [list(many[1]).index(p.doc_id) for p in shown]
    assert order == sorted(order)


def test_a_small_corpus_is_shown_whole_whatever_was_asked(
    documents: Mapping[str, Document], settings: Settings
) -> None:
    build(settings, documents, BagOfWords())
    ranker = retriever(settings, documents)
    everything = ranker.context(ranker.retrieve("Bishkek", 1), None)
    assert everything == ranker.context([], None)
    one = ranker.context([], {"azernews-roadmap"})
    assert {p.doc_id for p in one} == {"azernews-roadmap"}


def test_one_passage_longer_than_the_budget_is_shown(tmp_path: Path) -> None:
    text = "word " * 200 + "end.\n\n" + "other " * 200 + "end."
    documents = {"doc": make_document(text)}
    settings = Settings(cache_dir=tmp_path, prompt_chars=500, embedding_model="bag-of-words")
    build(settings, documents, BagOfWords())
    ranker = retriever(settings, documents)
    assert len(ranker.context(ranker.retrieve("other", 5), None)) == 1


def test_more_passages_than_chroma_keeps_in_its_queue(tmp_path: Path) -> None:
    """Beyond a thousand Chroma turns to its graph on disk, which can miss neighbours."""
    lines = [f"Line {n} about matter {n * 7919 % 1000 + 5000} stands alone." for n in range(1200)]
    documents = {"doc": make_document("\n\n".join(lines))}
    settings = Settings(cache_dir=tmp_path, passage_chars=100, embedding_model="bag-of-words")
    build(settings, documents, BagOfWords())
    hits = retriever(settings, documents).retrieve("Line 777 matter", 50)
    assert len(hits) == 50
    assert "Line 777 " in hits[0].passage.text
