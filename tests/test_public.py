"""What others build on: the names that are exported, and the shape of an answer."""

from __future__ import annotations

import json
from collections.abc import Callable

from fakes import ScriptedChat

import assistant
from assistant import Answer, Assistant
from assistant.errors import AssistantError

WHERE = "Where was the Digital Economy Partnership Agreement signed?"


def test_exported_names() -> None:
    assert sorted(assistant.__all__) == [
        "Answer",
        "Assistant",
        "AssistantError",
        "Citation",
        "Claim",
        "Document",
        "Passage",
        "ScoredPassage",
        "Settings",
    ]
    assert all(hasattr(assistant, name) for name in assistant.__all__)


def test_the_shape_of_an_answer(make_assistant: Callable[..., Assistant]) -> None:
    answer = make_assistant().ask(WHERE)
    found = answer.to_dict()
    assert set(found) == {
        "text", "outcome", "claims", "citations", "retrieved", "standalone_query", "missing",
        "timings", "settings_fingerprint", "question", "quoted", "notice", "error_code", "model",
        "dropped_markers", "signals",
    }  # fmt: skip
    assert set(found["claims"][0]) >= {"text", "status", "citations", "missing"}
    assert set(found["citations"][0]) == {
        "marker", "doc_id", "passage_id", "start", "end", "quote", "title", "publisher",
        "published", "shown", "page",
    }  # fmt: skip
    assert set(found["retrieved"][0]) == {"passage", "score", "rank"}
    assert set(found["retrieved"][0]["passage"]) == {
        "passage_id", "doc_id", "text", "start", "end", "heading", "shown"
    }  # fmt: skip
    assert json.loads(json.dumps(found))["text"] == answer.text


def test_ask_is_the_last_of_stream(make_assistant: Callable[..., Assistant]) -> None:
    reply = "The signing took place during the 11th Summit of the OTS in Bishkek, Kyrgyzstan."
    *growing, last = make_assistant(ScriptedChat([reply])).stream(WHERE)
    assert {answer.outcome for answer in growing} == {"pending"}
    assert isinstance(last, Answer)
    assert last.outcome != "pending"
    again = make_assistant(ScriptedChat([reply])).ask(WHERE)
    assert (again.text, again.claims) == (last.text, last.claims)


def test_every_citation_is_exact(make_assistant: Callable[..., Assistant]) -> None:
    ready = make_assistant()
    answer = ready.ask(WHERE)
    passages = {hit.passage.passage_id: hit.passage for hit in answer.retrieved}
    for claim in answer.supported:
        assert claim.citations
    for cited in answer.citations:
        assert ready.documents[cited.doc_id].text[cited.start : cited.end] == cited.quote
        if passage := passages.get(cited.passage_id):
            assert passage.start <= cited.start
            assert cited.end <= passage.end


def test_faults_have_codes_of_their_own() -> None:
    kinds = [k for k in AssistantError.__subclasses__() if k.__module__ == "assistant.errors"]
    assert {kind.exit_code for kind in kinds} == {2, 3, 4, 5, 6, 7}
    for kind in kinds:
        assert str(kind("It broke.", "mend it")) == "It broke. To mend it: mend it"
