"""Passages and sentences: exact offsets, whole sentences, no furniture, lists with their heads."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from fakes import make_document
from hypothesis import given
from hypothesis import strategies as st
from test_text import mixed

from assistant.layout import without
from assistant.passages import Sentence, passages, sentences
from assistant.text import line_spans, tokens
from assistant.types import Document, Passage, Span

LIST = """Prose comes first. The parties commit to cooperate in the following areas:

Customs – Faster checks at the border.

Payments – Systems that work together, and new ones.

- Signatures; and

- Data

After the list comes prose. It has two sentences.
"""


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Texts of many scripts, some of whose lines are furniture."""
    text = draw(mixed)
    lines = line_spans(text)
    furniture = draw(st.lists(st.sampled_from(lines), max_size=3)) if lines else []
    return make_document(text, furniture=tuple(sorted(set(furniture))))


@given(documents(), st.integers(100, 700))
def test_passages_are_runs_of_whole_sentences(document: Document, size: int) -> None:
    found, whole = passages(document, size), sentences(document)
    for passage in found:
        assert document.text[passage.start : passage.end] == passage.text
        within = [s for s in whole if passage.start <= s.start and s.end <= passage.end]
        assert within[0].start == passage.start
        assert within[-1].end == passage.end
        assert len(passage.text) <= size or len(within) == 1
    for sentence in whole:
        assert document.text[sentence.start : sentence.end] == sentence.text
        assert sum(p.start <= sentence.start and sentence.end <= p.end for p in found) == 1
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    assert len({passage.passage_id for passage in found}) == len(found)


@given(documents())
def test_all_is_citable_but_furniture(document: Document) -> None:
    whole, packed = sentences(document), passages(document, 200)

    def pieces(found: Sequence[Sentence] | Sequence[Passage]) -> list[Span]:
        return [
            span
            for one in found
            for span in without(document.furniture, document.text, one.start, one.end)
        ]

    for token in tokens(document.text):
        hidden = any(a <= token.start < b for a, b in document.furniture)
        # A sentence may run on over furniture: then it is cited in pieces, before and after it.
        assert hidden != any(a <= token.start and token.end <= b for a, b in pieces(whole))
        assert hidden != any(a <= token.start and token.end <= b for a, b in pieces(packed))


def test_furniture_between_paragraphs_parts_them() -> None:
    text = "First part.\n\nADVERTISEMENT\n\nSecond part."
    start = text.index("ADV")
    document = make_document(text, furniture=((start, start + 13),))
    assert [p.text for p in passages(document, 700)] == ["First part.", "Second part."]


def test_a_list_keeps_its_introduction() -> None:
    document = make_document(LIST)
    found = passages(document, 4000)
    assert [p.heading for p in found] == ["", ""]
    assert found[0].text.startswith("Prose")
    assert found[0].text.endswith("Data")
    items = [s for s in sentences(document) if s.item]
    assert [s.label for s in items] == ["Customs", "Payments", "Signatures; and", "Data"]
    assert len({s.block for s in items}) == 1


def test_the_rest_of_a_long_list_is_headed_by_its_introduction() -> None:
    found = passages(make_document(LIST), 150)
    headed = [p for p in found if p.heading]
    assert headed
    assert {p.heading for p in headed} == {
        "The parties commit to cooperate in the following areas:"
    }
    assert all(p.start > LIST.index("areas:") for p in headed)
    assert not any("After" in p.text for p in headed)


def test_the_real_articles(documents: Mapping[str, Document]) -> None:
    for document in documents.values():
        shown = " ".join(passage.text for passage in passages(document, 700))
        assert "By Ayya" not in shown
        assert "date 2021-09-15" not in shown
    trend = sentences(documents["trend-digital-economy"])
    assert len([s for s in trend if s.item]) == 7
    assert any("Bishkek" in s.text for s in trend)


def test_ids_do_not_depend_on_other_articles(documents: Mapping[str, Document]) -> None:
    twin = make_document(next(iter(documents.values())).text, "twin")
    for a, b in zip(
        passages(next(iter(documents.values())), 700), passages(twin, 700), strict=True
    ):
        assert a.passage_id != b.passage_id
        assert a.passage_id.partition(":")[2] == b.passage_id.partition(":")[2]
