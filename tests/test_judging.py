"""Sources too long for the chat model to be shown whole: the search and the reader judge them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fakes import BagOfWords, ScriptedChat, WordReader, make_document, write_sources

from assistant import Answer, Assistant, Settings, prompts
from assistant.answers import lookup
from assistant.compose import Composer, wording
from assistant.conclude import Conclusion
from assistant.errors import AssistantError, ModelError, WeightsError
from assistant.grounding import Verdict
from assistant.index import SearchIndex, build
from assistant.judging import CONTRADICTED, LEADS, OTHERS, Judge
from assistant.passages import Sentence, passages, sentences
from assistant.phrase import Phrase
from assistant.reader import Page, Reading, Reads
from assistant.sources import load_documents
from assistant.turn import Judged
from assistant.types import Message, ScoredPassage

SHIPS = "Aurora Borealis Calypso Dolphin Endeavour Falcon Galatea Hermes Iris Juno".split()
QUESTION = "How many passengers does the Falcon carry?"
FALCON = "The Falcon carries 105 passengers."


def harbour(ship: str, number: int) -> str:
    return (
        f"The ferry {ship} was built in Portville in {1950 + number}. "
        f"The {ship} carries {100 + number} passengers. "
        f"Captain Number{number} has sailed the {ship} since last spring. "
        f"The {ship} leaves at {number} o'clock every morning. "
        f"Nobody knows who painted the {ship} so blue. "
        f"A cabin on the {ship} costs {200 + number} crowns."
    )


@pytest.fixture
def make(settings: Settings, tmp_path: Path) -> Callable[..., Assistant]:
    texts = {ship.lower(): harbour(ship, number) for number, ship in enumerate(SHIPS)}
    named = replace(settings, sources=write_sources(tmp_path, texts))
    documents = load_documents(named.sources)
    build(named, documents, BagOfWords())
    index = SearchIndex.open(named, documents, BagOfWords())

    def make(reader: Callable[[], Reads], chat: ScriptedChat | None = None) -> Assistant:
        return Assistant(documents, index, BagOfWords(), reader, lambda: chat, named)

    return make


def ask(
    make: Callable[..., Assistant], chat: ScriptedChat | None = None, **reads: object
) -> Answer:
    reader = WordReader(**{"chooses": "Falcon carries", **reads})  # type: ignore[arg-type]
    return make(lambda: reader, chat).ask(QUESTION)


def quotes(answer: Answer) -> list[str]:
    return [citation.quote for citation in answer.citations]


def test_what_the_reader_chose_is_quoted_without_a_chat_model(
    make: Callable[..., Assistant],
) -> None:
    answer = ask(make)
    assert answer.outcome == "answered"
    assert answer.text == f"{wording('en', 'says')}\n“{FALCON}” [1]"
    assert quotes(answer) == [FALCON]
    assert answer.quoted
    assert answer.notice == wording("en", "quoting")
    assert answer.error_code == 0
    assert answer.signals["answerability"] == 0.9


def test_a_doubtful_reader_means_not_in_the_sources_and_the_nearest_is_quoted(
    make: Callable[..., Assistant],
) -> None:
    answer = ask(make, answered=0.1)
    first, second, *nearest = answer.text.splitlines()
    assert answer.outcome == "not_in_sources"
    assert answer.missing == first == wording("en", "not_in_sources")
    assert second == wording("en", "nearest")
    assert nearest[0] == f"“{FALCON}” [1]"
    assert len(nearest) == lookup.NEAREST


def test_a_chat_model_is_not_asked_where_the_reader_doubts(make: Callable[..., Assistant]) -> None:
    chat = ScriptedChat(["105"])
    answer = ask(make, chat, answered=0.1)
    assert answer.outcome == "not_in_sources"
    assert not chat.asked and not chat.probed and not chat.selected


def test_what_the_reader_finds_contradicted_is_quoted_as_the_nearest(
    make: Callable[..., Assistant],
) -> None:
    answer = ask(make, answered=0.1, contradicted=0.9)
    assert answer.outcome == "not_in_sources"
    assert quotes(answer)[0] == FALCON


def test_what_answers_a_part_is_quoted(make: Callable[..., Assistant]) -> None:
    answer = ask(make, partly=0.9)
    assert (answer.outcome, answer.missing) == ("answered", "")
    assert quotes(answer) == [FALCON]


def test_the_words_that_answer_come_first_and_then_their_sentence(
    make: Callable[..., Assistant],
) -> None:
    answer = ask(make, ScriptedChat(["105 passengers."]))
    assert answer.outcome == "answered"
    assert answer.text == f"105 passengers [1]\n“{FALCON}” [1]"
    assert [claim.status for claim in answer.claims] == ["supported"] * 2
    assert quotes(answer) == [FALCON]
    assert answer.model == "scripted" and not answer.notice and not answer.missing
    assert list(answer.timings) == ["first_evidence", "first_token", "total"]


@pytest.mark.parametrize("reply", ["150 passengers", "Perhaps a hundred.", "", "not stated"])
def test_where_a_reply_has_no_words_of_the_leads_it_is_not_certain_that_they_answer(
    make: Callable[..., Assistant], reply: str
) -> None:
    answer = ask(make, ScriptedChat([reply]))
    first, second, *nearest = answer.text.splitlines()
    assert answer.outcome == "partial"
    assert answer.missing == first == wording("en", "unsure")
    assert second == wording("en", "nearest")
    assert nearest[0] == f"“{FALCON}” [1]"
    assert len(nearest) == lookup.MOST


def test_a_statement_that_a_lead_carries_is_shown(make: Callable[..., Assistant]) -> None:
    answer = ask(make, ScriptedChat(["The Falcon carries 105 passengers."]))
    assert answer.outcome == "answered"
    assert answer.text == "The Falcon carries 105 passengers. [1]"
    assert not answer.quoted


def test_the_chat_model_is_shown_what_was_chosen_and_nothing_else(
    make: Callable[..., Assistant],
) -> None:
    chat = ScriptedChat(["105"])
    ask(make, chat)
    (request,) = chat.asked
    system, asked = (message["content"] for message in request)
    assert system == prompts.SYSTEM
    shown, _, end = asked.partition(f"\n\nQuestion: {QUESTION}\n")
    assert end == prompts.DRAFT
    lines = shown.splitlines()
    leads = [line for line in lines if line.startswith("- ")]
    assert f"- {FALCON}" in leads and len(leads) == LEADS
    assert all(line.startswith("About ") for line in lines if line not in leads)
    assert not chat.probed and not chat.selected


def test_leads_stand_in_their_order_under_their_titles(make: Callable[..., Assistant]) -> None:
    chat = ScriptedChat(["105"])
    parts = "Falcon was|Falcon carries|A cabin on the Falcon|Juno carries"
    make(lambda: WordReader(parts), chat).ask("What of the Falcon and the Juno?")
    lines = chat.asked[0][1]["content"].splitlines()
    assert lines[: lines.index("")] == [
        "About falcon:",
        "- The ferry Falcon was built in Portville in 1955.",
        f"- {FALCON}",
        "- A cabin on the Falcon costs 205 crowns.",
        "About juno:",
        "- The Juno carries 109 passengers.",
    ]


def test_a_question_is_asked_with_the_turn_it_leans_on(make: Callable[..., Assistant]) -> None:
    chat = ScriptedChat(["105"])
    history: list[Message] = [
        {"role": "user", "content": "When was the Falcon built?"},
        {"role": "assistant", "content": "In 1955."},
    ]
    make(lambda: WordReader("Falcon carries"), chat).ask("And what does it carry?", history)
    asked = chat.asked[0][1]["content"]
    assert "When was the Falcon built?" in asked and "In 1955." in asked


def test_a_chat_model_that_dies_leaves_quotes_and_one_line(make: Callable[..., Assistant]) -> None:
    fault = ModelError("The model went away.", "ots-assistant doctor")
    answer = ask(make, ScriptedChat(["It carries"], fault=fault, fails_at=1))
    assert answer.outcome == "answered"
    assert answer.text == f"{wording('en', 'says')}\n“{FALCON}” [1]"
    assert (answer.notice, answer.error_code) == (str(fault), ModelError.exit_code)


def test_of_a_reply_cut_short_no_words_are_told(make: Callable[..., Assistant]) -> None:
    fault = ModelError("The model went away.", "ots-assistant doctor")
    answer = ask(make, ScriptedChat(["105 passengers"], fault=fault, fails_at=1))
    assert answer.text.startswith(wording("en", "says"))


def test_a_reader_that_is_not_here_leaves_quotes_and_one_line(
    make: Callable[..., Assistant],
) -> None:
    def missing() -> Reads:
        raise WeightsError("The embedding model is not here.", "ots-assistant fetch")

    for chat in (None, ScriptedChat(["105 passengers"])):
        answer = make(missing, chat).ask(QUESTION)
        assert answer.error_code == WeightsError.exit_code
        assert "ots-assistant fetch" in answer.notice
        assert "\n" not in answer.notice
        assert FALCON in quotes(answer)


def test_any_fault_of_the_reader_is_told(make: Callable[..., Assistant]) -> None:
    class Broken:
        def read(self, question: str, pages: Sequence[Page]) -> list[Reading]:
            raise AssistantError("The reader broke.", "ots-assistant doctor")

    answer = make(Broken).ask(QUESTION)
    assert answer.notice.startswith("The reader broke.")
    assert answer.error_code == AssistantError.exit_code
    assert FALCON in quotes(answer)


def test_sources_that_fit_are_left_to_the_chat_model(make: Callable[..., Assistant]) -> None:
    def never() -> Reads:
        raise AssertionError("read")

    answer = make(never).ask(QUESTION, doc_ids=["falcon", "iris"])
    assert answer.retrieved


A = make_document("Ann sings. Bob sails. Cem reads.", "a")
B = make_document("Dana runs. Ann sings. Emir rows.", "b")
C = make_document("Fay bakes. Gul swims. Hal skis.", "c")
DOCUMENTS = {document.doc_id: document for document in (A, B, C)}
FOUND = {doc_id: sentences(document) for doc_id, document in DOCUMENTS.items()}


@dataclass
class Told:
    """Reads what it was told to, passage by passage, and notes the passages."""

    readings: Sequence[Reading]
    pages: Sequence[Page] = ()

    def read(self, question: str, pages: Sequence[Page]) -> list[Reading]:
        self.pages = pages
        return list(self.readings)


def reading(*shares: float, answered: float = 0.5, **more: float) -> Reading:
    return Reading(answered, more.get("partly", 0.0), more.get("contradicted", 0.0), shares)


def hits(*scores: float) -> list[ScoredPassage]:
    """The passages of A, B and C, each whole, with their scores."""
    packed = [passages(document, 400)[0] for document in DOCUMENTS.values()]
    return [ScoredPassage(p, s, n) for n, (p, s) in enumerate(zip(packed, scores, strict=True), 1)]


def choose(
    scores: Sequence[float], *readings: Reading, count: int = 9
) -> tuple[Judged, list[str], list[str]]:
    judge = Judge(DOCUMENTS, FOUND, lambda: Told(readings))
    judged, chosen = judge.choose("?", hits(*scores), count)
    return judged, [lead.shown for lead in judged.leads], [p.doc_id for p in chosen]


LIKE = reading(0.5, 0.5, 0.5)


def test_the_reader_orders_what_the_search_finds_alike() -> None:
    _, leads, chosen = choose((1, 1, 1), LIKE, LIKE, reading(0.1, 0.9, 0.6))
    assert leads[:2] == ["Gul swims.", "Hal skis."]
    assert chosen == ["c", "a", "b"]


def test_the_search_orders_what_the_reader_finds_alike() -> None:
    _, leads, chosen = choose((1, 3, 2), LIKE, LIKE, LIKE)
    assert leads == ["Dana runs.", "Ann sings.", "Emir rows.", "Fay bakes."]
    assert chosen == ["b", "c", "a"]


def test_a_passage_that_answers_raises_its_sentences() -> None:
    _, leads, chosen = choose((1, 1, 1), LIKE, LIKE, reading(0.5, 0.5, 0.5, answered=0.9))
    assert leads[:3] == [sentence.shown for sentence in FOUND["c"]]
    assert chosen[0] == "c"


@pytest.mark.parametrize(("ahead", "first"), [(0.1, "Gul swims."), (1.0, "Ann sings.")])
def test_search_and_reader_each_have_their_say(ahead: float, first: str) -> None:
    likely = reading(0.1, 0.95, 0.1, answered=0.9)
    _, leads, _ = choose((1 + ahead, 0, 1), reading(0.6, 0.1, 0.1), reading(0.1, 0.1, 0.1), likely)
    assert leads[0] == first


def test_certainty_of_the_reader_is_finite() -> None:
    none, all_ = reading(0, 0, 0, answered=0), reading(1, 1, 1, answered=1)
    _, leads, _ = choose((1, 1, 1), none, none, all_)
    assert leads[0] == "Fay bakes."
    assert choose((3, 0, 0), none, none, all_)[1][0] == "Ann sings."


def test_what_stands_in_two_places_leads_once_where_it_is_likelier() -> None:
    judged, leads, _ = choose((1, 1, 1), reading(0.8, 0.1, 0.1), reading(0.6, 0.9, 0.7), LIKE)
    assert leads[0] == "Ann sings."
    assert leads.count("Ann sings.") == 1
    assert judged.leads[0] == FOUND["b"][1]
    assert len(leads) == LEADS


def test_there_are_no_more_leads_than_sentences() -> None:
    judge = Judge(DOCUMENTS, FOUND, lambda: Told([reading(0.1, 0.2, 0.3)]))
    judged, _ = judge.choose("?", hits(1, 1, 1)[:1], 9)
    assert [lead.shown for lead in judged.leads] == ["Cem reads.", "Bob sails.", "Ann sings."]


def test_only_so_many_passages_are_given_but_all_lead() -> None:
    _, leads, chosen = choose((3, 2, 1), LIKE, LIKE, LIKE, count=1)
    assert chosen == ["a"]
    assert leads[3] == "Dana runs."
    assert choose((3, 2, 1), LIKE, LIKE, LIKE, count=0)[2] == []


def test_only_passages_with_a_lead_count() -> None:
    sure = {"partly": 0.8, "contradicted": 0.99}
    judged, leads, chosen = choose(
        (5, 4, 0), LIKE, reading(0.7, 0.6, 0.5, answered=0.6), reading(0.5, 0.5, 0.5, **sure)
    )
    assert leads == ["Ann sings.", "Bob sails.", "Cem reads.", "Dana runs."]
    assert set(judged.relevance) == {*FOUND["a"], *FOUND["b"]}
    assert (judged.probe, judged.partly, judged.false_premise) == (0.6, 0.0, 0.0)
    assert chosen == ["a", "b", "c"], "what has no lead may still be drawn on"


def test_what_leads_counts_in_full_and_what_stands_beside_it_less() -> None:
    judged, _, _ = choose((5, 4, 0), LIKE, reading(0.7, 0.6, 0.4), LIKE)
    assert [judged.relevance[one] for one in FOUND["a"]] == [0.5] * 3
    assert [judged.relevance[one] for one in FOUND["b"]] == [0.7, OTHERS * 0.6, OTHERS * 0.4]


@pytest.mark.parametrize(("told", "taken"), [(CONTRADICTED, CONTRADICTED), (0.79, 0.0)])
def test_a_contradiction_is_only_taken_from_a_sure_reader(told: float, taken: float) -> None:
    judged, _, _ = choose((1, 1, 1), reading(0.9, 0.9, 0.9, contradicted=told), LIKE, LIKE)
    assert judged.false_premise == taken


def test_where_nothing_was_found_nothing_leads() -> None:
    judge = Judge(DOCUMENTS, FOUND, lambda: Told([]))
    assert judge.choose("?", [], 3) == (Judged(0.0), [])
    assert judge.judge("?", []) == Judged(0.0)


def test_the_reader_sees_each_passage_under_its_title() -> None:
    told = Told([LIKE] * 3)
    Judge(DOCUMENTS, FOUND, lambda: told).choose("?", hits(1, 2, 3), 1)
    assert [page.header for page in told.pages] == [
        f"Title of {d}, Daily, 2024-05-06" for d in "abc"
    ]
    assert told.pages[1].sentences == ("Dana runs.", "Ann sings.", "Emir rows.")


def test_passages_judged_without_a_search_have_no_leads() -> None:
    read = [LIKE, reading(0.1, 0.2, 0.9, answered=0.8, partly=0.3)]
    judge = Judge(DOCUMENTS, FOUND, lambda: Told(read))
    judged = judge.judge("?", [hit.passage for hit in hits(1, 1, 1)[:2]])
    assert (judged.probe, judged.partly, judged.leads) == (0.8, 0.3, ())
    assert judged.relevance[FOUND["b"][2]] == 0.9


def conclude(
    leads: Sequence[Sentence],
    shares: Sequence[float] = (),
    probe: float | None = 0.9,
    phrase: Phrase | None = None,
    replied: bool = False,
) -> tuple[Conclusion, list[str]]:
    packed = [p for document in DOCUMENTS.values() for p in passages(document, 400)]
    composer = Composer(DOCUMENTS, packed)
    relevance = dict(zip(leads, shares or [0.5] * len(leads), strict=True))
    judged = Judged(probe, relevance, leads=tuple(leads))
    verdicts = [Verdict("Astana.", None, "no source has it")] if replied else None
    return lookup.conclude(judged, phrase, verdicts, composer), composer.text.splitlines()


ANN, BOB, CEM = FOUND["a"]
DANA = FOUND["b"][0]
SAYS, NOT, NEAREST = (wording("en", key) for key in ("says", "not_in_sources", "nearest"))
UNSURE = wording("en", "unsure")


def test_without_leads_nothing_is_quoted() -> None:
    end, lines = conclude([])
    assert (end.outcome, end.missing, lines) == ("not_in_sources", NOT, [NOT])


def test_a_phrase_stands_before_the_sentences_it_stands_in() -> None:
    end, lines = conclude([ANN, BOB, DANA], phrase=Phrase("Bob, Dana", (BOB, DANA)))
    assert end == Conclusion("answered", "", {"answerability": 0.9})
    assert lines == ["Bob, Dana [1][2]", "“Bob sails.” [1]", "“Dana runs.” [2]"]


def test_where_no_chat_model_was_asked_the_likeliest_is_quoted() -> None:
    end, lines = conclude([BOB, DANA], [0.9, 0.9])
    assert end == Conclusion("answered", "", {"answerability": 0.9})
    assert lines == [SAYS, "“Bob sails.” [1]"], "what another source says is not put beside it"


@pytest.mark.parametrize(("shares", "quoted"), [
    ([0.8, 0.41, 0.39], ["Bob sails.", "Cem reads."]), ([0.8, 0.3, 0.3], ["Bob sails."]),
    ([0.8, 0.7, 0.7], ["Bob sails.", "Cem reads.", "Ann sings."]),
    ([0.2, 0.9, 0.4], ["Bob sails.", "Cem reads."]),
])  # fmt: skip
def test_what_is_nearly_as_likely_stands_beside_the_first(
    shares: list[float], quoted: list[str]
) -> None:
    _, lines = conclude([BOB, CEM, ANN], shares)
    assert [line[1 : line.index("”")] for line in lines[1:]] == quoted


def test_there_are_no_more_than_so_many_quotes() -> None:
    long = sentences(make_document("One is. Two is. Three is. Four is.", "a"))
    assert len(long) > lookup.MOST
    _, lines = conclude(long[: lookup.MOST + 1])
    assert len(lines) == 1 + lookup.MOST


@pytest.mark.parametrize("replied", [False, True])
def test_where_the_reader_doubts_the_nearest_two_are_quoted(replied: bool) -> None:
    end, lines = conclude([BOB, DANA, ANN], [0.1, 0.9, 0.9], probe=0.49, replied=replied)
    assert end == Conclusion("not_in_sources", NOT, {"answerability": 0.49})
    assert lines == [NOT, NEAREST, "“Bob sails.” [1]", "“Dana runs.” [2]"]


def test_where_reader_and_chat_model_differ_it_is_unsure() -> None:
    end, lines = conclude([BOB, DANA, ANN, CEM], replied=True)
    assert end == Conclusion("partial", UNSURE, {"answerability": 0.9})
    assert lines == [
        UNSURE, NEAREST, "“Bob sails.” [1]", "“Dana runs.” [2]", "“Ann sings.” [3]",
    ]  # fmt: skip


def test_words_of_a_sentence_that_hardly_leads_are_not_believed() -> None:
    end, lines = conclude([BOB, DANA, ANN], phrase=Phrase("Ann", (ANN,)), replied=True)
    assert end.outcome == "partial"
    assert lines[0] == UNSURE
