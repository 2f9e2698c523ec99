"""What each signal of the assistant contributes: the same questions with one left out at a time.

    python -m benchmarks.leave_one_out SET...

Asks the English questions of `evals/unseen.jsonl` whose ids begin with one of these names, such as
`unseen11`, of the assistant with the chat model of the settings. Replies are remembered, so only
what a signal changes is written anew. Prints one row a signal, as in `docs/grounding.md`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any
from unittest.mock import patch

from assistant import Assistant, Settings, chat, conclude, evidence, quoting
from assistant.errors import AssistantError, ModelError
from assistant.models import load_chat_model
from assistant.turn import Judged
from assistant.types import ChatModel, Message, Selection
from evals.dataset import QUESTIONS, load_cases, set_of
from evals.metrics import measure_case
from evals.types import EvalCase, EvalError

SHOWN = (
    "answer_acceptability",
    "abstention_recall",
    "over_refusal",
    "citation_precision",
    "citation_recall",
)


@dataclass
class Remembering:
    """A chat model whose replies are kept, so that the same request is made once."""

    model: ChatModel
    name: str = "remembering"
    writes: bool = True
    _replies: dict[str, Any] = field(default_factory=dict)

    def _once(self, asked: object, make: Callable[[], Any]) -> Any:
        key = json.dumps(asked)
        if key not in self._replies:
            self._replies[key] = make()
        return self._replies[key]

    def stream(self, messages: Sequence[Message], max_tokens: int) -> Iterator[str]:
        if self.writes:
            asked = ["write", list(messages), max_tokens]
            yield self._once(asked, lambda: "".join(self.model.stream(messages, max_tokens)))

    def probe(self, messages: Sequence[Message]) -> float | None:
        found: float | None = self._once(
            ["probe", list(messages)], lambda: self.model.probe(messages)
        )
        return found

    def select(self, messages: Sequence[Message], count: int) -> Selection | None:
        found: Selection | None = self._once(
            ["select", list(messages)], lambda: self.model.select(messages, count)
        )
        return found


def without(model: Remembering) -> Mapping[str, Callable[[], AbstractContextManager[Any]]]:
    """By name, what turns a signal off."""

    def keeping(**changes: Any) -> Callable[..., Judged]:
        return lambda *judged: replace(Judged(*judged), **changes)

    return {
        "nothing": nullcontext,
        "whether they state the answer": lambda: patch.object(chat, "Judged", keeping(probe=1.0)),
        "which sentences do": lambda: patch.object(chat, "Judged", keeping(relevance={})),
        "a false premise": lambda: patch.object(chat, "Judged", keeping(false_premise=0.0)),
        "the choice in the ranking": lambda: patch.object(evidence, "RELEVANCE_WEIGHT", 0.0),
        "quoting all that was chosen": lambda: patch.object(quoting, "CHOSEN", 1.0),
        "withholding claims on other sentences": lambda: patch.object(
            conclude, "_within", lambda *_: True
        ),
        "the other status of a thing": lambda: patch.object(
            conclude, "_add_status", lambda *_: None
        ),
        "the draft": lambda: patch.object(model, "writes", False),
        "the parts of a question": lambda: patch.object(chat.Assistant, "_parts", lambda *_: []),
        "the kind of thing asked for": lambda: patch.object(
            conclude, "beside_the_point", lambda *_: False
        ),
        "years and countries that no source has": lambda: patch.object(
            conclude, "_unmentioned", lambda *_: ([], False)
        ),
    }


def row(assistant: Assistant, cases: Sequence[EvalCase]) -> list[float]:
    values: dict[str, list[float]] = {name: [] for name in SHOWN}
    for case in cases:
        answer = assistant.ask(case.question, list(case.history))
        measured = measure_case(case, answer, assistant.documents)
        for name in SHOWN:
            if (value := measured.get(name)) is not None:
                values[name].append(value)
    return [fmean(values[name]) if values[name] else float("nan") for name in SHOWN]


def main(names: Sequence[str]) -> int:
    try:
        settings = Settings.load()
        loaded = load_chat_model(settings)
        if loaded is None:
            raise ModelError("There is no chat model to ask.", "ots-assistant fetch")
        model = Remembering(loaded)
        assistant = Assistant.from_settings(settings.with_values({"chat_model": "none"}))
        assistant = assistant.twin(model.name, lambda: model, settings.top_k)
        every = load_cases(QUESTIONS.with_name("unseen.jsonl"), assistant.documents)
        cases = [c for c in every if set_of(c.id) in names and c.language == "en"]
        if not cases:
            raise EvalError(f"No question is of a set {', '.join(names)}.", "name one: unseen11")
        print(f"{len(cases)} questions\n\n| without | " + " | ".join(SHOWN) + " |")
        print("|---" * (len(SHOWN) + 1) + "|")
        for name, off in without(model).items():
            with off():
                found = row(assistant, cases)
            print(f"| {name} | " + " | ".join(f"{v:.3f}" for v in found) + " |", flush=True)
    except AssistantError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
