"""A conversation as Markdown and as a file: nothing in it acts, and only its own kind is opened."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from fakes_page import FakeAssistant
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import SourceError
from assistant.page import render
from assistant.page.conversation import BROKEN, Turn
from assistant.page.quotes import lost, resettled
from assistant.page.share import LARGEST, MOST_TURNS, file_name, read_file, to_file, to_markdown
from assistant.page.words import ENGLISH
from assistant.types import Answer

fake = FakeAssistant(0)
nasty = st.text(alphabet=st.one_of(st.sampled_from("<>&[]()!*_`#\\\n -1.|~^"), st.characters()))


def ask(question: str) -> Turn:
    *_, answer = fake.stream(question)
    return Turn(question, answer, started=True)


# --- Markdown ---


def test_markdown_has_each_quote_as_a_footnote() -> None:
    documents = dict(fake.documents)
    trend = documents["trend-digital-economy"]
    documents[trend.doc_id] = replace(trend, url="https://news.example/one")
    turns = [ask("Where was it signed?"), ask("And electronic signatures?")]
    text = to_markdown(ENGLISH, "Where was it signed?", turns, documents, "22 November 2026")
    assert text.startswith("# Where was it signed?\n\nSaved on 22 November 2026.\n\n## 1. Where")
    assert "Organization of Turkic States.[^1-1] Its parties" in text
    assert "has since ratified it.[^1-2][^1-3]" in text
    assert (
        "[^1-1]: “during the 11th Summit of the OTS in Bishkek, Kyrgyzstan.” — Azerbaijani "
        "parliament ratifies digital economy agreement of Turkic states, Trend, 18 March (year "
        "not given), <https://news.example/one>." in text
    )
    assert "\n- Digital documents and electronic signatures" in text
    assert "*Missing from the sources:* When the recognition" in text
    used = set(re.findall(r"\[\^([\d-]+)\](?!:)", text))
    assert used == set(re.findall(r"(?m)^\[\^([\d-]+)\]:", text))


@given(nasty, nasty)
def test_markdown_holds_no_live_markup(question: str, said: str) -> None:
    answer = replace(ask("Where was it?").answer or Answer, text=said, missing=said, notice=said)  # type: ignore[type-var]
    turn = Turn(question, answer, fault=said, scope=said)  # type: ignore[arg-type]
    text = to_markdown(ENGLISH, question, [turn], {}, "today")
    ours = re.sub(r"\[\^1-\d\]:?", "", text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]`]", ours)
    assert "<" not in ours
    assert ">" not in ours


TABLE = (
    "Side by side:\n|  | Trend | Azernews |\n| --- | --- | --- |\n"
    "| Place | It is *Bishkek*. [1] | not stated |\n| Date | <b>May</b> [2][9] | a_b [1] |\nDone."
)


def test_markdown_keeps_a_table_with_its_footnotes() -> None:
    turn = ask("Where was it signed?")
    assert turn.answer is not None
    turn = replace(turn, answer=replace(turn.answer, text=TABLE))
    text = to_markdown(ENGLISH, "t", [turn], {}, "today")
    assert (
        "\n\nSide by side:\n\n"
        "|  | Trend | Azernews |\n| --- | --- | --- |\n"
        "| Place | It is \\*Bishkek\\*.[^1-1] | not stated |\n"
        "| Date | &lt;b&gt;May&lt;/b&gt;[^1-2]\\[9\\] | a\\_b[^1-1] |\n\nDone.\n"
    ) in text
    assert {"[^1-1]: ", "[^1-2]: "} <= set(re.findall(r"(?m)^\[\^1-\d\]: ", text))


def test_a_table_that_somebody_saved_is_opened_and_shown() -> None:
    turn = ask("Where was it signed?")
    assert turn.answer is not None
    saved_turn = replace(turn, answer=replace(turn.answer, text=TABLE))
    _, (opened,) = read_file(ENGLISH, "it.json", to_file("t", [saved_turn]))
    html = render.conversation_html(ENGLISH, [opened], fake.documents)
    assert html.count("<td") == 4 and "<b>May" not in html


def test_an_address_that_is_no_web_address_is_left_out() -> None:
    trend = fake.documents["trend-digital-economy"]
    for url in ("javascript:alert(1)", "https://x.example/>\n# Mine", "https://a b"):
        documents = {trend.doc_id: replace(trend, url=url)}
        assert url not in to_markdown(ENGLISH, "t", [ask("Where was it?")], documents, "today")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Where was it signed?", "ots-where-was-it-signed.md"),
        ("../../etc/passwd", "ots-etc-passwd.md"),
        ("con", "ots-con.md"),
        ('a"b<c>:d|e*f', "ots-a-b-c-d-e-f.md"),
        ("Қайда қол қойылды?", "ots-қайда-қол-қойылды.md"),
        ("???", "ots-conversation.md"),
        ("\u202egpj.exe", "ots-gpj-exe.md"),
    ],
)
def test_a_file_is_named_after_the_question(title: str, name: str) -> None:
    assert file_name(title, "md") == name


@given(st.text())
def test_a_file_name_is_always_safe(title: str) -> None:
    name = file_name(title, "md")
    assert len(name) <= 70
    assert not re.search(r'[\s/\\:*?"<>|\x00-\x1f]', name)


# --- The file ---


def test_a_file_is_opened_as_it_was_saved_but_marked() -> None:
    before = [replace(ask("Where was it signed?"), verdict="down", reason="private")]
    text = to_file("My name for it", before)
    assert "private" not in text
    title, (turn,) = read_file(ENGLISH, "it.json", text)
    assert title == "My name for it"
    assert turn.answer == before[0].answer
    assert turn.shared and not turn.verdict and turn.turn_id
    html = render.conversation_html(ENGLISH, [turn], fake.documents)
    assert "Opened from a file" in html
    assert 'class="thumb' not in html


def test_one_that_was_still_growing_is_broken_off() -> None:
    first = next(iter(fake.stream("Where was it?")))
    _, (turn,) = read_file(ENGLISH, "it.json", to_file("t", [Turn("Where was it?", first)]))
    assert turn.fault == BROKEN


def saved(**change: Any) -> str:
    return json.dumps(json.loads(to_file("t", [ask("Where was it?")])) | change)


def with_answer(**change: Any) -> str:
    said = json.loads(to_file("t", [ask("Where was it?")]))
    said["turns"][0]["answer"] |= change
    return json.dumps(said)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no conversation"),
        ("x" * (LARGEST + 1), "too large; at most 2,000,000"),
        (saved(format="other"), "is no conversation"),
        (saved(version=2), "is of version 2"),
        (saved(version=[1] * 99), "is of version"),
        (saved(turns=[]), "it has no list"),
        (saved(turns=[{"question": "?"}] * (MOST_TURNS + 1)), "it has no list"),
        (saved(turns=[5]), "a turn is not what it should be"),
        (saved(turns=[{"question": ["?"]}]), "question is not"),
        (saved(turns=[{"question": ""}]), "has no question"),
        (saved(turns=[{"question": "y" * 9999}]), "9,999 characters"),
        (saved(turns=[{"question": "?", "doc_ids": {"a": 1}}]), "doc_ids is not"),
        (with_answer(text=None), "answer.text is not"),
        (with_answer(outcome="<script>"), "answer.outcome is not"),
        (with_answer(timings={"total": 10**400}), "answer.timings"),
        (with_answer(citations=[{"marker": 1}]), r"answer.citations\[0\].doc_id is missing"),
    ],
)
def test_what_is_no_saved_conversation_is_refused_in_one_line(text: str, why: str) -> None:
    with pytest.raises(SourceError, match=why) as caught:
        read_file(ENGLISH, "odd\nname.json", text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("odd name.json")


@pytest.mark.parametrize("place", [-1, 10**30])
def test_offsets_out_of_bounds_are_refused(place: int) -> None:
    said = json.loads(with_answer())
    said["turns"][0]["answer"]["citations"][0]["start"] = place
    with pytest.raises(SourceError, match="out of bounds"):
        read_file(ENGLISH, "it.json", json.dumps(said))


# --- Quotes in an article that has changed ---


def test_a_quote_that_moved_is_found_and_one_that_went_is_said() -> None:
    turn = ask("Where was it signed?")
    assert turn.answer is not None
    trend = fake.documents["trend-digital-economy"]
    text = "A new first line.\n\n" + trend.text.replace("in Bishkek", "in the city of Bishkek")
    documents = dict(fake.documents) | {trend.doc_id: replace(trend, text=text)}
    assert len(lost(turn.answer, documents)) == 3
    answer = resettled(turn.answer, documents)
    assert [citation.marker for citation in lost(answer, documents)] == [1]
    assert resettled(turn.answer, fake.documents) is turn.answer

    found = replace(turn, answer=answer)
    talk = render.conversation_html(ENGLISH, [found], documents)
    assert talk.count('class="cite gone"') == 1
    assert ENGLISH("evidence.gone") in talk
    evidence = render.evidence_html(ENGLISH, 1, found, documents)
    assert "no longer stand" in evidence
    assert len(re.findall(r'id="quote-1-\d"', evidence)) == 3
    assert 'at-quote-1-1"' not in evidence
    marked = "".join(re.findall(r'class="at-quote-1-2[^"]*">([^<]*)<', evidence))
    assert marked.startswith("The parties to the document are all member states")


def test_an_article_that_is_gone_altogether() -> None:
    turn = ask("Where was it signed?")
    evidence = render.evidence_html(ENGLISH, 1, turn, {})
    assert evidence.count('class="number"') == 3
    assert "11th Summit" in evidence
    text = to_markdown(ENGLISH, "t", [turn], {}, "today")
    assert text.count(ENGLISH("evidence.gone")) == 3
