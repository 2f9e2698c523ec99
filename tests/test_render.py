"""The page's HTML: everything escaped, every marker a link, every mark at its offsets."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.compose import Composer
from assistant.page import render
from assistant.page.article import Mark, article_html, paragraphs, slug
from assistant.page.conversation import Turn, messages, without_markers
from assistant.page.words import ENGLISH, sentence
from assistant.passages import passages, sentences
from assistant.types import Answer, Citation, Claim, Document, Passage, ScoredPassage

nasty = st.text(
    alphabet=st.one_of(st.sampled_from("<>&\"'`${}[]1() \n-é\u202eİ"), st.characters(codec="utf-8"))
)
nasty_cell = st.text(
    alphabet=st.one_of(st.sampled_from('|<>&"[]1 \n-\u2028\x85b'), st.characters())
)
HARMFUL = {"script", "img", "iframe", "object", "embed", "link", "style", "form", "svg", "base"}


class Reader(HTMLParser):
    """Collects the tags, attributes and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text = ""
        self.marked: dict[str, str] = {}
        self._classes: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.open.append(tag)
        self._classes.append(dict(attrs).get("class") or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._classes.pop()

    def handle_data(self, data: str) -> None:
        if self._classes and self._classes[-1] == "number":
            return
        self.text += data
        for name in " ".join(self._classes).split():
            if name.startswith("at-"):
                self.marked[name] = self.marked.get(name, "") + data


def check_harmless(html: str) -> Reader:
    reader = Reader(html)
    assert reader.open == []
    assert not HARMFUL & set(reader.tags)
    for name, value in reader.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "style", "srcset", "action"}
        if name == "href":
            assert value is not None
            assert value.startswith("#")
    return reader


def document(text: str, **more: str) -> Document:
    values = {"title": "T", "publisher": "P", "published": "2021-09-15", "language": "en", **more}
    return Document(
        "d", values["title"], values["publisher"], values["published"], "", values["language"],
        text, "",
    )  # fmt: skip


def cite(marker: int, start: int, end: int, text: str, title: str = "T") -> Citation:
    return Citation(marker, "d", "d:0", start, end, text[start:end], title, "P", "--03-18")


def answer(text: str, citations: tuple[Citation, ...] = (), **more: object) -> Answer:
    values: dict[str, object] = {
        "outcome": "answered", "claims": (), "retrieved": (), "missing": "", "timings": {}, **more
    }  # fmt: skip
    return Answer(
        text=text, citations=citations, standalone_query="", settings_fingerprint="", **values
    )


@given(nasty, nasty, nasty, nasty)
def test_nothing_is_written_unescaped(question: str, said: str, source: str, meta: str) -> None:
    source = source or "x"
    doc = document(source, title=meta, publisher=meta, published=meta, language=meta)
    found = ScoredPassage(Passage(meta, "d", source, 0, len(source)), 1.0, 1)
    full = answer(
        f"{said} [1]",
        (cite(1, 0, len(source), source, meta),),
        outcome="partial",
        retrieved=(found,),
        missing=meta,
        notice=meta,
        claims=(Claim(said, "withheld", (), meta),),
    )
    for turn in (Turn(question, full), Turn(question, full, fault=meta), Turn(question)):
        check_harmless(render.conversation_html(ENGLISH, [turn]))
        check_harmless(render.evidence_html(ENGLISH, 1, turn, {"d": doc}))
        check_harmless(render.evidence_html(ENGLISH, 1, turn, {}))
    check_harmless(render.welcome_html(ENGLISH, [question]))


@given(nasty)
def test_answer_text_survives_rendering(said: str) -> None:
    reader = check_harmless(render.text_html(ENGLISH, said, (), 1))
    bare = re.sub(r"(?m)^\s*(?:[-•*]|\d{1,2}[.)])\s+", "", said)
    if "\r" not in said and len(said.splitlines()) == 1:
        assert reader.text.strip() == bare.strip()


@given(
    st.text(alphabet="ab. \n\u00e9", max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5),
)
def test_marks_hold_exactly_their_characters(text: str, spans: list[tuple[int, int]]) -> None:
    marks = [
        Mark(min(span), min(max(span), len(text)), f"m{n}", n)
        for n, span in enumerate(spans, start=1)
        if min(span) < min(max(span), len(text))
    ]
    html = article_html(text, marks)
    reader = Reader(html)
    assert re.sub(r"\s", "", reader.text) == re.sub(r"\s", "", text)
    for mark in marks:
        marked = reader.marked.get(f"at-{mark.anchor}", "")
        assert re.sub(r"\s", "", marked) == re.sub(r"\s", "", text[mark.start : mark.end])
        assert html.count(f'id="{mark.anchor}"') == bool(marked)


@given(st.text(alphabet="ab \n\t\r", max_size=80))
def test_paragraphs_cover_all_that_is_not_blank(text: str) -> None:
    spans = list(paragraphs(text))
    assert all(text[a:b] == text[a:b].strip() != "" for a, b in spans)
    assert all(first[1] < second[0] for first, second in itertools.pairwise(spans))
    kept = "".join(text[a:b] for a, b in spans)
    assert re.sub(r"\s", "", kept) == re.sub(r"\s", "", text)


def test_markers_become_links_with_names() -> None:
    source = "Signed in Bishkek."
    html = render.text_html(
        ENGLISH, "It was Bishkek. [1][2] See [9] and [1].", (cite(1, 0, 6, source),), 3
    )
    assert 'id="ref-3-1" href="#quote-3-1"' in html
    assert 'aria-label="Quote 1: P, 18 March (year not given)"' in html
    assert 'aria-describedby="tip-3-1"' in html
    assert html.count('id="ref-3-1"') == 1
    assert html.count('href="#quote-3-1"') == 2
    assert "[2]" in html
    assert "[9]" in html


def test_lists_and_paragraphs() -> None:
    html = render.text_html(ENGLISH, "Two things:\n- one\n- two\n\nThat is all.", (), 1)
    assert html == (
        '<p dir="auto">Two things:</p><ul><li>one</li><li>two</li></ul>'
        '<p dir="auto">That is all.</p>'
    )


TABLE = (
    "|  | Daily | Weekly |\n| --- | --- | --- |\n"
    "| Place | Bishkek. [1] | not stated |\n| Date | May. [2] | June. [1] |"
)


def test_a_table_has_heads_and_each_marker_is_a_link() -> None:
    cited = (cite(1, 0, 6, "Signed in Bishkek."), cite(2, 0, 6, "Signed in Bishkek."))
    html = render.text_html(ENGLISH, f"Side by side:\n{TABLE}\nThat is all.", cited, 3)
    before, rest = html.split('<div class="table" tabindex="0" role="group"><table>')
    table, after = rest.split("</table></div>")
    head, body = table.removeprefix("<thead>").removesuffix("</tbody>").split("</thead><tbody>")
    assert before == '<p dir="auto">Side by side:</p>' and after == '<p dir="auto">That is all.</p>'
    assert re.findall(r'<th scope="col" dir="auto">(.*?)</th>', head) == ["", "Daily", "Weekly"]
    assert re.findall(r'<th scope="row" dir="auto">(.*?)</th>', body) == ["Place", "Date"]
    assert body.count("<td") == 4
    assert '<td dir="auto">Bishkek.<a class="cite" id="ref-3-1" href="#quote-3-1"' in body
    assert 'June.<a class="cite" href="#quote-3-1"' in body
    assert "---" not in html and "[" not in html


@given(st.lists(nasty_cell, min_size=2, max_size=3))
def test_nothing_breaks_out_of_the_cell_of_a_table(told: list[str]) -> None:
    doc = document("It was signed. It was sealed.")
    first, *_ = sentences(doc)
    composer = Composer({"d": doc}, passages(doc, 400))
    composer.table(["", *told], [(told[0], [(text, [first]) for text in told])])
    html = render.text_html(ENGLISH, composer.text, composer.citations, 1)
    reader = check_harmless(html)
    assert [tag for tag in reader.tags if tag != "a"] == [
        "div", "table", "thead", "tr", *["th"] * (len(told) + 1), "tbody", "tr", "th",
        *["td"] * len(told),
    ]  # fmt: skip
    assert reader.tags.count("a") >= len(told)


@pytest.mark.parametrize("line", ["||", "|||", "| |", "|a|", "|<b>|", "| --- |\n|a|"])
def test_odd_bars_are_a_table_too(line: str) -> None:
    assert "table" in check_harmless(render.text_html(ENGLISH, line, (), 1)).tags


@pytest.mark.parametrize("text", ["| --- |", "Here:\n| --- | --- |\nIt ends."])
def test_a_rule_that_stands_alone_is_shown(text: str) -> None:
    check_harmless(render.text_html(ENGLISH, text, (), 1))


def test_evidence_puts_cited_first_and_folds_the_rest() -> None:
    text = "Signed in Bishkek.\n\nOther matters."
    found = (
        ScoredPassage(Passage("d:0", "d", text[:18], 0, 18), 2.0, 1),
        ScoredPassage(Passage("d:20", "d", text[20:], 20, len(text)), 1.0, 2),
    )
    turn = Turn("?", answer("Bishkek. [1]", (cite(1, 10, 17, text),), retrieved=found))
    html = render.evidence_html(ENGLISH, 1, turn, {"d": document(text)})
    assert "1 quote from 1 article" in html
    assert re.search(r"15 September 2021 \(\d+ years ago\)", html)
    assert "English" in html
    assert 'at-quote-1-1">Bishkek</mark>' in html
    assert html.index("<mark") < html.index("Also retrieved (1)")
    assert '<details class="retrieved"><summary>' in html


def test_uncited_passages_stand_open() -> None:
    text = "Other matters."
    found = (ScoredPassage(Passage("d:0", "d", text, 0, len(text)), 1.0, 1),)
    pending = Turn("?", answer("", outcome="pending", retrieved=found))
    assert "Found so far (1)" in render.evidence_html(ENGLISH, 1, pending, {"d": document(text)})
    nothing = Turn("?", answer("", outcome="not_in_sources", retrieved=found, missing="the date"))
    html = render.evidence_html(ENGLISH, 1, nothing, {"d": document(text)})
    assert '<details class="retrieved" open>' in html
    assert "Nearest passages" in html
    assert "The date." in render.turn_html(ENGLISH, 1, nothing)
    assert "Not in the sources" in render.turn_html(ENGLISH, 1, nothing)


def test_missing_is_said_once() -> None:
    said = answer("The sources give no date.", missing="The sources give no date.")
    assert render.turn_html(ENGLISH, 1, Turn("?", said)).count("give no date") == 1
    apart = answer("Signed.", missing="the date")
    assert "The date." in render.turn_html(ENGLISH, 1, Turn("?", apart))


def test_furniture_is_set_apart() -> None:
    html = article_html("By Someone\n\nThe text.", [], [(0, 10)])
    assert html == '<p class="furniture">By Someone</p>\n<p>The text.</p>'


def test_withheld_is_said_and_not_shown() -> None:
    claims = (Claim("SECRET", "withheld", (), "no source names it"), Claim("B", "withheld"))
    html = render.turn_html(ENGLISH, 1, Turn("?", answer("Yes.", claims=claims)))
    assert "2 sentences were left out" in html
    assert "No source names it." in html
    assert "SECRET" not in html
    growing = render.turn_html(
        ENGLISH, 1, Turn("?", answer("Yes.", claims=claims, outcome="pending"))
    )
    assert "left out" not in growing
    assert "growing" in growing


def test_history_is_plain_and_leaves_out_failures() -> None:
    said = answer("In Bishkek [1]. Item [7].", (cite(1, 0, 1, "x"),))
    turns = [Turn("Where?", said), Turn("Broken?", said, fault="gone"), Turn("Next?")]
    assert messages(turns) == [
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": "In Bishkek. Item [7]."},
    ]
    assert without_markers(said) == "In Bishkek. Item [7]."


@pytest.mark.parametrize(
    ("published", "words"),
    [
        ("2021-09-15", "15 September 2021"),
        ("2021-09", "September 2021"),
        ("2021", "2021"),
        ("--03-18", "18 March (year not given)"),
        ("--03", "March (year not given)"),
        ("", "date not given"),
        ("2021-13-01", "2021-13-01"),
        ("last spring", "last spring"),
    ],
)
def test_dates(published: str, words: str) -> None:
    assert ENGLISH.date(published) == words


def test_other_words() -> None:
    assert ENGLISH.tongue("az") == "Azerbaijani"
    assert ENGLISH.tongue("en-GB") == "English"
    assert ENGLISH.tongue("xx") == "xx"
    assert ENGLISH.tongue("") == "language not given"
    assert ENGLISH.count("count.quotes", 1) == "1 quote"
    assert ENGLISH.count("count.quotes", 0) == "0 quotes"
    assert sentence("the date") == "The date."
    assert sentence("Why?") == "Why?"


@given(st.text())
def test_slugs_are_safe_in_ids(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]*", slug(text))


def test_status_lines() -> None:
    assert render.status_line(ENGLISH, []) == ""
    assert render.status_line(ENGLISH, [Turn("?")]) == "Looking through the articles…"
    done = answer("Yes. [1]", (cite(1, 0, 1, "x"),), timings={"total": 1.26})
    assert render.status_line(ENGLISH, [Turn("?", done)]) == "Done in 1.3 s, with 1 quote."
    assert render.status_line(ENGLISH, [Turn("?", done, fault="x")]) == "That did not work."


def palettes() -> list[dict[str, str]]:
    css = (Path(render.__file__).parent / "style.css").read_text(encoding="utf-8")
    blocks = [re.search(rf"^{name} {{(.*?)^}}", css, re.S | re.M) for name in (":root", r"\.dark")]
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block[1])) for block in blocks if block]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_meet_wcag_aa() -> None:
    pairs = [
        ("ink", "desk"), ("ink", "paper"), ("quiet", "desk"), ("quiet", "paper"),
        ("accent-strong", "paper"), ("accent-strong", "accent-soft"), ("ink", "accent-soft"),
        ("on-accent", "accent"), ("mark-ink", "mark"), ("mark-ink", "mark-lit"),
        ("ink", "passage-lit"), ("fault", "fault-soft"),
    ]  # fmt: skip
    light, dark = palettes()
    for palette in (light, dark):
        for front, back in pairs:
            one, two = sorted((luminance(palette[front]), luminance(palette[back])))
            assert (two + 0.05) / (one + 0.05) >= 4.5, (front, back)
