"""What stands in several places is said once with all of them cited; a broken sentence is cited
in pieces; a row is quoted with its columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fakes import BagOfWords, WordReader, make_document, write_sources

from assistant import Answer, Assistant, Settings
from assistant.index import SearchIndex, build
from assistant.passages import sentences
from assistant.repeats import repeats
from assistant.sources import load_documents

NEWS = "The ferry office opened on 3 May 2024. It has 12 boats.\n"
AGAIN = "In brief. The ferry office opened on 3 May 2024. It has 12 boats.\n"
OTHER = "The bus office is old. It has 12 boats.\n"


def ask(settings: Settings, folder: Path, question: str, **texts: str) -> Answer:
    named = replace(settings, sources=write_sources(folder, texts))
    documents = load_documents(named.sources)
    build(named, documents, BagOfWords())
    index = SearchIndex.open(named, documents, BagOfWords())
    answer = Assistant(documents, index, BagOfWords(), WordReader, lambda: None, named).ask(
        question
    )
    for citation in answer.citations:
        text = documents[citation.doc_id].text
        assert text[citation.start : citation.end] == citation.quote
    return answer


def test_one_statement_has_all_its_places(settings: Settings, tmp_path: Path) -> None:
    answer = ask(settings, tmp_path, "When did the ferry office open?", a=NEWS, b=AGAIN)
    assert answer.text.count("opened on 3 May 2024") == 1
    (claim,) = answer.supported
    assert [citation.doc_id for citation in claim.citations] == ["a", "b"]
    assert [citation.marker for citation in claim.citations] == [1, 2]


def test_it_is_the_same_only_after_the_same() -> None:
    found = {
        name: sentences(make_document(text, name))
        for name, text in (("a", NEWS), ("b", AGAIN), ("c", OTHER))
    }
    same = repeats(found.values())
    assert [place.doc_id for place in same[found["a"][1]]] == ["a", "b"]
    assert found["c"][1] not in same
    assert found["b"][0] not in same


def test_sources_left_out_are_not_cited(settings: Settings, tmp_path: Path) -> None:
    named = replace(settings, sources=write_sources(tmp_path, {"a": NEWS, "b": AGAIN}))
    documents = load_documents(named.sources)
    build(named, documents, BagOfWords())
    index = SearchIndex.open(named, documents, BagOfWords())
    assistant = Assistant(documents, index, BagOfWords(), WordReader, lambda: None, named)
    answer = assistant.ask("When did the ferry office open?", doc_ids=["b"])
    assert {citation.doc_id for citation in answer.citations} == {"b"}


def test_a_sentence_over_two_pages_is_cited_in_pieces(settings: Settings, tmp_path: Path) -> None:
    text = (
        "Gazette  Page 1 of 2\n\nThe ferry calls at Mira, Holm\n\nGazette  Page 2 of 2\n\nand Sund."
    )
    answer = ask(settings, tmp_path, "Where does the ferry call?", a=text)
    assert "“The ferry calls at Mira, Holm and Sund.” [1]" in answer.text
    quotes = [(citation.marker, citation.quote) for citation in answer.citations]
    assert quotes == [(1, "The ferry calls at Mira, Holm"), (1, "and Sund.")]
    assert "Page" not in answer.text


def test_a_row_is_found_by_a_column_and_shown_with_it(settings: Settings, tmp_path: Path) -> None:
    text = "| Ship | Passengers | Crew |\n|---|---|---|\n| Alba | 90 | 4 |\n| Bora | 60 | 3 |\n"
    answer = ask(settings, tmp_path, "How many passengers does the Bora take?", a=text)
    (citation,) = answer.citations
    assert citation.quote == "| Bora | 60 | 3 |"
    assert citation.shown == "Ship: Bora; Passengers: 60; Crew: 3"
    assert citation.shown in answer.text


def test_a_wrapped_sentence_is_shown_in_one_line(settings: Settings, tmp_path: Path) -> None:
    text = (
        "The ferry office of the harbour town of Mira has a bud\u00adget of 3\u202f200\u202f000\n"
        "euro, which the town and the guild of pilots pay, and its sec-\nretariat is in Holm.\n"
    )
    answer = ask(settings, tmp_path, "What budget does the ferry office have?", a=text)
    (citation,) = answer.citations
    assert citation.quote == text.strip()
    assert citation.shown.endswith("and its secretariat is in Holm.")
    assert "budget of 3 200 000 euro, which" in answer.text
