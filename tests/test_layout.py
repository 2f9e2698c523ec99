"""Texts as they come: wrapped, paged, quoted, in tables; what is shown, and the span it is of."""

from __future__ import annotations

import pytest
from fakes import make_document
from hypothesis import given
from hypothesis import strategies as st

from assistant.layout import without
from assistant.passages import passages, sentences
from assistant.running_heads import running_heads
from assistant.shown import shown, shown_text
from assistant.text import line_spans, sentence_spans
from assistant.types import Document

PROSE = (
    "The harbour office of Mira was founded in the first week of June by the guild of pilots, and "
    "its secretariat keeps the registers of ships that winter there. Its yearly budget is "
    "4 100 000 euro, paid by the town and the guild in equal parts. Ines Holm has led it since. "
    "What it decides is published in the gazette, which appears on the third day of each month "
    "and is read in all harbours of the coast."
)


def wrapped(text: str, width: int, end: str = "\n") -> str:
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return end.join([*lines, line])


def read(text: str, **changes: object) -> Document:
    return make_document(text, furniture=running_heads(text), **changes)


def said(text: str) -> list[str]:
    """What is shown of each sentence, every one held against its span."""
    document = read(text)
    found = sentences(document)
    for sentence in found:
        assert text[sentence.start : sentence.end] == sentence.text
    return [sentence.shown for sentence in found]


WHOLE = [PROSE[a:b] for a, b in sentence_spans(PROSE)]


@given(st.integers(50, 90), st.sampled_from(["\n", "\r\n", "\r", "\u2028", "\n> ", "  \n   "]))
def test_wrapped_lines_give_the_sentences_of_the_unwrapped(width: int, end: str) -> None:
    text = wrapped(PROSE, width, end)
    if end == "\n> ":
        text = f"> {text}"
    assert said(text) == WHOLE
    (passage,) = passages(read(text), 4000)
    assert passage.as_shown == PROSE
    assert text[passage.start : passage.end] == passage.text


def test_two_wrapped_paragraphs_stay_two() -> None:
    text = f"{wrapped(PROSE, 64)}\n\n{wrapped(PROSE, 64)}"
    assert said(text) == WHOLE * 2
    assert len({sentence.block for sentence in sentences(read(text))}) == 2


@pytest.mark.parametrize("width", [50, 64, 78])
def test_lines_that_are_whole_paragraphs_stay_so(width: int) -> None:
    text = "\n".join([*WHOLE, "Fees", "milk", "bread", "A heading without a stop", WHOLE[0]])
    assert said(text) == text.split("\n")


@given(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=6))
def test_a_paragraph_a_line_is_read_line_by_line(lines: list[str]) -> None:
    assert said("\n".join(lines)) == lines
    assert said("\n\n".join(lines)) == lines


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("secre-\ntariat", "secretariat"),
        ("secre\u2010\ntariat", "secretariat"),
        ("secre\u00ad\ntariat", "secretariat"),
        ("secre-\r\n  tariat", "secretariat"),
        ("Mira-\nHolm", "Mira-Holm"),
        ("2020-\n2021", "2020-2021"),
        ("a dash -\nand more", "a dash - and more"),
        ("e-\ncommerce", "e-commerce"),
        ("ship-\nyard, shipyard", "shipyard, shipyard"),
        ("cross-\nborder, cross-border", "cross-border, cross-border"),
        ("well-\nknown, known as well", "well-known, known as well"),
    ],
)
def test_a_word_parted_at_a_line_end_is_whole(text: str, word: str) -> None:
    assert shown_text(text) == word


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The bud\u00adget of the of\u200bfice", "The budget of the office"),
        ("4\u202f100\u202f000\u00a0euro", "4 100 000 euro"),
        ("\ufeffIt\u2060 was\t\u2009 signed", "It was signed"),
        ("e\u2011commerce and \ufb01sh", "e\u2011commerce and \ufb01sh"),
        ("signed.[12] It opened.³ Then", "signed. It opened. Then"),
        ("5 km² [1] of", "5 km² [1] of"),
        ("cafe\u0301 «quoted” 👩‍👩‍👧", "cafe\u0301 «quoted” 👩‍👩‍👧"),
    ],
)
def test_what_nobody_sees_is_not_shown(text: str, wanted: str) -> None:
    assert shown_text(text) == wanted


@given(st.text(alphabet="ab -\u00ad\u200b\u00a0\n\r\t[1]³.é\u0301", max_size=60))
def test_every_character_shown_stands_where_it_says(text: str) -> None:
    found = shown(text, line_spans(text))
    assert len(found.text) == len(found.offsets)
    assert list(found.offsets) == sorted(set(found.offsets))
    for c, at in zip(found.text, found.offsets, strict=True):
        assert c == text[at] or (c == " " and text[at].isspace())
    assert found.text == found.text.strip()
    assert "  " not in found.text


POEM = """The boats are home, the nets are dry,
The pilots sleep below;
A lantern swings, the gulls go by,
And nobody will know.

The harbour bell has lost its tongue,
Its rope is worn and thin,
And all the songs that once were sung
Are sung again within.
"""


@pytest.mark.parametrize(
    "text",
    [
        POEM,
        "the boats\nare home\n\nthe nets\nare dry\n",
        "Harbour fees\n\nThe fees are due in May.\n",
        "# Fees\n## Of ships\nAll ships pay.\n1.1 Reductions\nSmall ships pay half.",
        "- deeds\n* wills\n▪ maps\n\uf0b7 charts\n1) one\n(b) two",
        "apples\npears\nplums",
        "Article 1\n\nThey agree.\n\nArticle 2\n\nThey pay.\n\nArticle 3\n\nThey leave.",
    ],
)
def test_verse_lists_and_headings_are_not_joined(text: str) -> None:
    assert said(text) == [text[a:b] for a, b in line_spans(text)]


def test_items_and_their_further_lines() -> None:
    text = (
        "The office keeps, for the guild of pilots and for all others who may ask\n"
        "for them:\n"
        "• deeds of land\n"
        "• deeds of ships and of the goods that they carry over the sea to other\n"
        "  harbours, with their weights\n"
        "• wills\n"
    )
    found = sentences(read(text))
    assert [s.shown for s in found if s.item] == [
        "• deeds of land",
        "• deeds of ships and of the goods that they carry over the sea to other harbours, with "
        "their weights",
        "• wills",
    ]


def test_a_quoted_mail_shows_who_said_what_without_its_marks() -> None:
    text = "I agree.\n\n> Who pays for it?\n>\n> > The town pays.\n\n> 5 euro is much.\n"
    assert said(text) == ["I agree.", "Who pays for it?", "The town pays.", "5 euro is much."]
    assert said("All of\n> 5 percent pay.") == ["All of", "> 5 percent pay."]


HEADS = [
    ("Harbour Gazette        Page 3 of 12", "Harbour Gazette        Page 4 of 12"),
    ("3", "4"),
    ("- 3 -", "- 4 -"),
    ("Harbour Gazette", "Harbour Gazette"),
    ("3 | Harbour Gazette", "4 | Harbour Gazette"),
    ("Sayfa 3 / 12", "Sayfa 4 / 12"),
    ("стр. 3 из 12", "стр. 4 из 12"),
]


@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("gap", ["\n\n", "\n", "\n\x0c", "\r\n\r\n"])
def test_running_heads_are_never_quoted_and_the_sentence_is_whole(
    heads: tuple[str, str], gap: str
) -> None:
    halves = ("The office opens branches in Mira, Holm", "and Sund. Each employs 40 people.")
    text = gap.join([heads[0], halves[0], heads[1], halves[1]])
    document = read(text)
    assert [text[a:b] for a, b in document.furniture] == list(heads)
    first, second = sentences(document)
    assert first.shown == "The office opens branches in Mira, Holm and Sund."
    assert second.shown == "Each employs 40 people."
    cited = without(document.furniture, text, first.start, first.end)
    assert [text[a:b] for a, b in cited] == [halves[0], "and Sund."]
    (passage,) = passages(document, 700)
    assert passage.as_shown == f"{first.shown} {second.shown}"


def test_a_form_feed_alone_parts_no_sentence() -> None:
    assert said("The office opens branches in Mira,\n\x0c\nHolm and Sund.") == [
        "The office opens branches in Mira, Holm and Sund."
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Menu\n\nIt rains.\n\nMenu\n\nIt snows.",
        "Section 1\n\nIt rains.\n\nSection 2\n\nIt snows.",
        "It rained in 2021.\n\n2022\n\nIt snowed.",
        "See page 4\n\nIt rains.",
        POEM,
    ],
)
def test_what_only_looks_like_a_running_head_is_kept(text: str) -> None:
    assert running_heads(text) == ()


TABLES = {
    "pipes": "| Deed | Fee (EUR) | Days |\n|:---|---:|---|\n| Sale | 9 | 4 |\n| Gift | 0 | 11 |",
    "bare pipes": "Deed | Fee (EUR) | Days\n--- | --- | ---\nSale | 9 | 4\nGift | 0 | 11",
    "no rule": "| Deed | Fee (EUR) | Days |\n| Sale | 9 | 4 |\n| Gift | 0 | 11 |",
    "tabs": "Deed\tFee (EUR)\tDays\nSale\t9\t4\nGift\t0\t11",
    "semicolons": "Deed;Fee (EUR);Days\nSale;9;4\nGift;0;11",
    "blanks": "Deed     Fee (EUR)   Days\nSale     9           4\nGift     0           11",
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("around", [("", ""), ("Fees\n\n", "\n\nThey apply from May.")])
def test_a_row_is_shown_with_the_names_of_its_columns(kind: str, around: tuple[str, str]) -> None:
    text = around[0] + TABLES[kind] + around[1]
    rows = [s for s in sentences(read(text)) if s.item]
    assert [row.shown for row in rows] == [
        "Deed: Sale; Fee (EUR): 9; Days: 4",
        "Deed: Gift; Fee (EUR): 0; Days: 11",
    ]
    assert [row.text for row in rows] == TABLES[kind].splitlines()[-2:]
    assert len({row.block for row in rows}) == 1
    shown = " ".join(passage.as_shown for passage in passages(read(text), 700))
    assert "Deed: Gift; Fee (EUR): 0; Days: 11" in shown


def test_cells_that_are_empty_or_hold_a_bar() -> None:
    text = "|  | Open | Note |\n|---|---|---|\n| Mira | 9\\|17 | |\n| Holm |"
    assert said(text) == ["Mira; Open: 9|17", "Holm"]


@pytest.mark.parametrize(
    "text",
    [
        "The town pays;\nthe guild pays;\nall pay.",
        "a | b",
        "One  two words.\nThree  four words.\nFive  six words.",
        "Name:\tMira\nHead:\tInes Holm",
    ],
)
def test_what_is_no_table(text: str) -> None:
    assert not any(sentence.item for sentence in sentences(read(text)))


@given(st.text(alphabet="aB1.|-;\t \n>\u00ad\x0c", max_size=80))
def test_offsets_are_exact_whatever_the_layout(text: str) -> None:
    document = read(text)
    ends = 0
    for sentence in sentences(document):
        assert ends <= sentence.start < sentence.end
        assert text[sentence.start : sentence.end] == sentence.text
        assert sentence.shown
        assert "\n" not in sentence.shown
        ends = sentence.end
        for a, b in without(document.furniture, text, sentence.start, sentence.end):
            assert not any(a < y and x < b for x, y in document.furniture)
    for passage in passages(document, 30):
        assert text[passage.start : passage.end] == passage.text
