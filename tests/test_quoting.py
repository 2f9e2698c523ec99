"""Which sentence stands in for a withheld draft, when the model may say what it thinks of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from fakes import ScriptedChat

from assistant import Answer, Assistant
from assistant.errors import ModelError
from assistant.types import ChatModel, Message

Make = Callable[[ChatModel | None], Assistant]
QUESTION = "What is the digital economy agreement meant to achieve?"
ECHO = "The digital economy agreement is meant to achieve this."


def quotes(answer: Answer) -> list[str]:
    return [citation.quote for citation in answer.citations]


def shown(chat: ScriptedChat, number: int) -> str:
    """The question that a probe put, with the sentences before it."""
    return chat.probed[number][-1]["content"]


def test_the_sentence_the_model_is_sure_of_is_quoted_and_no_other(make_assistant: Make) -> None:
    chat = ScriptedChat([ECHO], [0.9, 0.1, 0.95])
    answer = make_assistant(chat).ask(QUESTION)
    assert len(chat.probed) == 3  # the third sentence needs no reading
    (quote,) = quotes(answer)
    assert quote in shown(chat, 2)
    assert quote not in shown(chat, 1)


@pytest.mark.parametrize(("probes", "asked"), [([0.9, 0.4, 0.4, 0.4], 4), ([0.9], 2)])
def test_without_a_sure_one_the_best_ranked_stays(
    make_assistant: Make, probes: list[float | None], asked: int
) -> None:
    chat = ScriptedChat([ECHO], probes)
    answer = make_assistant(chat).ask(QUESTION)
    assert len(chat.probed) == asked
    assert quotes(answer)[0] in shown(chat, 1)


def test_one_that_is_doubted_more_gives_way(make_assistant: Make) -> None:
    chat = ScriptedChat([ECHO], [0.9, 0.01, 0.55, 0.01])
    answer = make_assistant(chat).ask(QUESTION)
    assert quotes(answer)[0] in shown(chat, 2)


def test_a_draft_with_words_of_its_own_points_at_its_sentences(make_assistant: Make) -> None:
    draft = "It must simplify electronic trade, expand modern technologies and tame dragons."
    chat = ScriptedChat([draft], [0.9])
    answer = make_assistant(chat).ask(QUESTION)
    assert len(chat.probed) == 1
    assert any("simplify electronic trade" in quote for quote in quotes(answer))


def test_a_supported_draft_is_not_read_again(make_assistant: Make) -> None:
    chat = ScriptedChat(["The signing took place in Bishkek, Kyrgyzstan."], [0.9])
    answer = make_assistant(chat).ask("Where was the digital economy agreement signed?")
    assert len(chat.probed) == 1
    assert not answer.quoted


def test_a_fault_while_reading_leaves_the_quotes_and_one_line(make_assistant: Make) -> None:
    class Dying(ScriptedChat):
        def probe(self, messages: Sequence[Message]) -> float | None:
            if self.probed:
                raise ModelError("The model is gone.", "start it")
            return super().probe(messages)

    answer = make_assistant(Dying([ECHO], [0.9])).ask(QUESTION)
    assert quotes(answer)
    assert answer.notice == "The model is gone. To mend it: start it"
    assert answer.error_code == 6
