"""Which of the best sentences answers a question, and whether any does, as the model reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import ScriptedChat
from hypothesis import given
from hypothesis import strategies as st

from assistant import Answer, Assistant, Settings, answer_selection, weights
from assistant.answer_selection import ADAPTER, LETTERS, MOST, TOKENS, adapter_for, read
from assistant.errors import ModelError
from assistant.local_chat import LocalChat
from assistant.models import load_chat_model
from assistant.prompts import SELECTING, render_selection
from assistant.types import ChatModel, Document, Message, Selection

Make = Callable[[ChatModel | None], Assistant]
QUESTION = "What is the digital economy agreement meant to achieve?"
ECHO = "The digital economy agreement is meant to achieve this."
scores = st.lists(st.floats(-90, 0), min_size=len(TOKENS), max_size=len(TOKENS))


def quotes(answer: Answer) -> list[str]:
    return [citation.quote for citation in answer.citations]


@given(scores, st.floats(-20, 20), st.integers(1, len(LETTERS)))
def test_a_reading_depends_on_differences_only(
    found: list[float], shift: float, count: int
) -> None:
    once, again = read(found, count), read([score + shift for score in found], count)
    assert len(once.relevance) == count
    for sure in (once.answered, once.partly, once.false_premise, *once.relevance):
        assert 0 <= sure <= 1
    assert once.answered == pytest.approx(again.answered, abs=1e-6)
    assert once.relevance == pytest.approx(again.relevance, abs=1e-6)


def test_a_sentence_belongs_to_the_answer_as_far_as_its_letter_outweighs_the_rest() -> None:
    letters = [-9.0] * len(LETTERS)
    letters[1] = letters[2] = -1.0
    found = read([*letters, -4, -2, -9, -4, -9], 3)
    assert found.relevance[0] < 0.05
    assert found.relevance[1] == found.relevance[2] > 0.9  # one takes nothing from the other


def test_yes_outweighs_no() -> None:
    letters = [-9.0] * (len(LETTERS) + 1)
    found = read([*letters, -2, -9, -4, -9], 3)
    assert found.answered > 0.5 > found.partly
    assert read([*letters, -4, -9, -2, -9], 3).answered < 0.5
    assert read([*letters, -9, -2, -4, -9], 3).partly > 0.5
    assert read([*letters, -9, -2, -4, -9], 3).answered > 0.5
    assert read([*letters, -4, -9, -4, -1], 3).false_premise > 0.5


def test_the_adapter_belongs_to_one_file(tmp_path: Path) -> None:
    other = tmp_path / weights.CHAT_MODEL.file_name
    other.write_bytes(b"GGUF")
    assert adapter_for(other) is None
    assert ADAPTER.is_file()


def test_sentences_are_lettered_under_the_title_of_their_document() -> None:
    leads = [("One", "First."), ("One", "Second."), ("Two", "Third.")]
    history = [
        {"role": "user", "content": "Who met?"},
        {"role": "assistant", "content": "They did."},
    ]
    system, user = render_selection(leads, "And when?", history)
    assert system == {
        "role": "system",
        "content": f"{SELECTING}\n\nOne:\nA. First.\nB. Second.\n\nTwo:\nC. Third.",
    }
    assert user == {
        "role": "user",
        "content": "Question: (Asked before: Who met? Answered: They did.) And when?",
    }
    again, _ = render_selection(leads, "Who else?", [])
    assert again == system  # what many questions share comes first, and is read once


def test_sentences_come_in_the_order_of_their_documents(
    make_assistant: Make, documents: Mapping[str, Document]
) -> None:
    turn, ranked = make_assistant(None).evidence("In which areas do the parties cooperate?")
    assert turn.whole
    every = answer_selection.options(ranked, whole=True)
    best = answer_selection.options(ranked, whole=False)
    assert len(best) == MOST < len(every)
    assert set(best) < set(every)
    for found in (every, best):
        assert found == sorted(found, key=lambda sentence: (sentence.doc_id, sentence.start))
        for sentence in found:
            assert documents[sentence.doc_id].text[sentence.start : sentence.end] == sentence.text


def test_sources_too_long_for_the_letters_are_shown_by_their_best_sentences(
    make_assistant: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ranked = make_assistant(None).evidence("In which areas do the parties cooperate?")
    monkeypatch.setattr(answer_selection, "LETTERS", LETTERS[:20])
    assert len(answer_selection.options(ranked, whole=True)) == MOST


def test_the_introduction_of_a_list_is_read_with_what_its_items_are_called(
    make_assistant: Make,
) -> None:
    _, ranked = make_assistant(None).evidence("In which areas do the parties cooperate?")
    intro = next(
        hit.window.sentences[0] for hit in ranked if hit.window.sentences[0].text.endswith(":")
    )
    assert "; Customs and logistics; " in answer_selection.as_read(intro, ranked)


@pytest.mark.parametrize("chosen", ["simplify electronic trade", "strategic step"])
def test_the_sentence_the_model_chooses_is_quoted(make_assistant: Make, chosen: str) -> None:
    answer = make_assistant(ScriptedChat([ECHO], chooses=chosen)).ask(QUESTION)
    assert chosen in quotes(answer)[0]


@pytest.mark.parametrize(
    ("question", "chosen", "shown"),
    [
        ("When was the agreement ratified by parliament?", "has ratified", True),
        ("Which agency reported from Baku on parliament?", "has ratified", False),
        ("In which reading was the bill approved?", "first reading", False),
    ],
)
def test_who_asks_what_was_ratified_learns_of_a_first_reading(
    make_assistant: Make, question: str, chosen: str, shown: bool
) -> None:
    answer = make_assistant(ScriptedChat(chooses=chosen, answered=0.99)).ask(question)
    assert [chosen in quote for quote in quotes(answer)] == [True] + [False] * shown
    assert ("ratified" in answer.text and "first reading" in answer.text) == shown


def test_the_choice_does_not_make_a_false_draft_true(make_assistant: Make) -> None:
    chat = ScriptedChat(["It is meant to abolish all tariffs by 2031."], chooses="strategic step")
    answer = make_assistant(chat).ask(QUESTION)
    assert "2031" not in answer.text
    assert answer.quoted


def test_what_the_model_finds_in_none_of_them_is_not_in_the_sources(make_assistant: Make) -> None:
    chat = ScriptedChat([ECHO], chooses="strategic step", answered=0.01)
    answer = make_assistant(chat).ask(QUESTION)
    assert answer.outcome == "not_in_sources"
    assert not chat.asked
    assert not chat.probed


def test_every_sentence_that_an_answer_needs_is_quoted(make_assistant: Make) -> None:
    chat = ScriptedChat([ECHO], chooses="$4.1 billion|$2.5 billion")
    answer = make_assistant(chat).ask("How did trade with Turkey develop?")
    assert len(quotes(answer)) == 2
    assert "$4.1 billion" in answer.text
    assert "$2.5 billion" in answer.text
    assert answer.outcome == "answered"


def test_a_claim_that_rests_on_another_sentence_too_gives_way_to_the_one_chosen(
    make_assistant: Make,
) -> None:
    asked = "How much did Azerbaijan and Turkey trade in 2020?"
    draft = "The trade turnover between Azerbaijan and Turkey amounted to $4.1 billion in 2020."
    free = make_assistant(ScriptedChat([draft])).ask(asked)
    assert draft in free.text
    assert len(quotes(free)) == 2
    held = make_assistant(ScriptedChat([draft], chooses="$4.1 billion")).ask(asked)
    assert draft not in held.text
    assert [quote[-8:] for quote in quotes(held)] == ["in 2020."]
    both = ScriptedChat([draft], chooses="$4.1 billion|$2.5 billion")
    assert draft in make_assistant(both).ask(asked).text


def test_most_items_of_a_list_bring_the_whole_list(make_assistant: Make) -> None:
    asked = "What do they want to do together?"
    for chosen, count in (("FinTech|SMEs|fraud|optimizing", 8), ("FinTech|SMEs|fraud", 3)):
        answer = make_assistant(ScriptedChat([ECHO], chooses=chosen)).ask(asked)
        assert len(quotes(answer)) == count
    one = make_assistant(ScriptedChat([ECHO], chooses="FinTech")).ask("What about banks?")
    assert [quote[:9] for quote in quotes(one)] == ["Financial"]


def test_what_is_answered_in_part_only_is_said_to_lack_the_rest(make_assistant: Make) -> None:
    asked = "What is the agreement meant to achieve and what does it cost its members?"
    whole = make_assistant(ScriptedChat([ECHO], chooses="simplify electronic trade")).ask(asked)
    assert not whole.missing
    chat = ScriptedChat([ECHO], chooses="simplify electronic trade", partly=0.9)
    part = make_assistant(chat).ask(asked)
    assert part.outcome == "partial"
    assert part.missing
    assert "simplify electronic trade" in part.text


def test_a_premise_that_the_sources_contradict_is_corrected(make_assistant: Make) -> None:
    chat = ScriptedChat([], chooses="second-largest", answered=0.1, false_premise=0.9)
    answer = make_assistant(chat).ask("Is Turkey still the largest of all investors?")
    assert answer.outcome == "corrected_premise"
    assert "second-largest investor" in quotes(answer)[0]
    assert not chat.asked


def test_a_doubtful_model_does_not_overrule_what_a_question_asks_for(make_assistant: Make) -> None:
    asked = "When did the General Secretariat move to Istanbul?"
    for sure, outcome in ((0.6, "not_in_sources"), (0.95, "answered")):
        chat = ScriptedChat([], chooses="situated in Istanbul", answered=sure)
        assert make_assistant(chat).ask(asked).outcome == outcome


def test_a_draft_that_declines_is_overruled_by_a_sure_model_only(make_assistant: Make) -> None:
    draft = "The articles do not mention a General Secretariat."
    for sure, outcome in ((0.6, "not_in_sources"), (0.95, "answered")):
        chat = ScriptedChat([draft], chooses="situated in Istanbul", answered=sure)
        answer = make_assistant(chat).ask("What sits in Istanbul?")
        assert answer.outcome == outcome
        assert draft not in answer.text
        assert "situated in Istanbul" in quotes(answer)[0]


def test_each_part_of_a_question_is_read_by_itself(make_assistant: Make) -> None:
    chat = ScriptedChat([ECHO], chooses="Bishkek")
    make_assistant(chat).ask(
        "Where was the digital agreement signed, and which states are parties to the agreement?"
    )
    asked = [messages[-1]["content"].partition("Question: ")[2] for messages in chat.selected]
    assert len(asked) == 3
    assert asked[1].startswith("Where was the digital agreement signed")
    assert asked[2].startswith("which states")


@pytest.mark.parametrize("partly", [0.9, 0.1])
def test_what_is_answered_in_part_needs_a_part_that_is_answered(
    make_assistant: Make, monkeypatch: pytest.MonkeyPatch, partly: float
) -> None:
    chat = ScriptedChat(chooses="signed a roadmap", partly=partly)
    of_whole = chat.select

    def select(messages: Sequence[Message], count: int) -> Selection | None:
        found = of_whole(messages, count)
        return replace(found, answered=0.01) if found and len(chat.selected) > 1 else found

    monkeypatch.setattr(chat, "select", select)
    asked = "Who chairs the working group of the roadmap, and how many people sit on the group?"
    answer = make_assistant(chat).ask(asked)
    assert (answer.outcome == "not_in_sources") == (partly > 0.5)


def test_a_fault_while_reading_leaves_the_quotes_and_one_line(make_assistant: Make) -> None:
    class Dying(ScriptedChat):
        def select(self, messages: Sequence[Message], count: int) -> Selection | None:
            raise ModelError("The model is gone.", "start it")

    answer = make_assistant(Dying([ECHO])).ask(QUESTION)
    assert quotes(answer)
    assert answer.notice == "The model is gone. To mend it: start it"
    assert answer.error_code == 6


@pytest.mark.local_model
def test_the_real_model_finds_the_sentence_and_writes_as_before(model_cache: Path) -> None:
    model = load_chat_model(Settings(cache_dir=model_cache))
    assert isinstance(model, LocalChat)
    leads = [
        ("A bridge is opened", "The bridge was opened in May."),
        ("A bridge is opened", "It is 300 metres long."),
        ("A bridge is opened", "Crowds came to see it."),
    ]
    written = [
        {"role": "system", "content": "The bridge was opened in May. It is 300 metres long."},
        {"role": "user", "content": "How long is the bridge? One short sentence."},
    ]
    first = "".join(model.stream(written, 20))
    told = model.select(render_selection(leads, "How long is the bridge?", []), 3)
    untold = model.select(render_selection(leads, "Who paid for the bridge?", []), 3)
    assert told is not None
    assert untold is not None
    assert max(told.relevance) == told.relevance[1]
    assert told.answered > 0.5 > untold.answered
    # The adapter is for selecting only.
    assert "".join(model.stream(written, 20)) == first
