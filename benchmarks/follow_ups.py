"""Follow-ups made to stand alone by plain logic or by the chat model: which finds more?

    python -m benchmarks.follow_ups

Asks the English follow-ups of the question set in quoting mode, so that only evidence counts:
once with what they lean on put before them, as the assistant does, and once as the chat model of
the settings rewrites them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from statistics import fmean, median

from assistant import Assistant, Settings
from assistant.errors import AssistantError, ModelError
from assistant.models import load_chat_model
from assistant.types import Answer, ChatModel, Message
from evals.dataset import QUESTIONS, load_cases
from evals.metrics import citation_recall, mrr
from evals.types import EvalCase

REWRITE = (
    "Rewrite the last question so that it can be understood without the conversation before it. "
    "Reply with the question only."
)
MAX_TOKENS = 80


def rewrite(model: ChatModel, question: str, history: Sequence[Message]) -> str:
    """The question as the model makes it stand alone; as it was when the model returns nothing."""
    told = "\n".join(f"{turn['role']}: {turn['content']}" for turn in history)
    prompt = f"{told}\nuser: {question}\n\n{REWRITE}"
    return (
        "".join(model.stream([{"role": "user", "content": prompt}], MAX_TOKENS)).strip() or question
    )


def report(
    name: str, cases: Sequence[EvalCase], answers: Sequence[Answer], quoting: Assistant
) -> None:
    pairs = list(zip(cases, answers, strict=True))
    found = [mrr(case, answer, quoting.documents) or 0.0 for case, answer in pairs]
    cited = [citation_recall(case, answer, quoting.documents) or 0.0 for case, answer in pairs]
    print(f"{name:12} MRR of passages {fmean(found):.3f}  gold quotes cited {fmean(cited):.3f}")


def main() -> int:
    try:
        settings = Settings.load()
        model = load_chat_model(settings)
        if model is None:
            raise ModelError("There is no chat model to compare with.", "ots-assistant fetch")
        quoting = Assistant.from_settings(settings.with_values({"chat_model": "none"}))
        cases = [
            case
            for case in load_cases(QUESTIONS, quoting.documents)
            if case.kind == "follow-up" and case.language == "en" and case.gold
        ]
        logic = [quoting.ask(case.question, list(case.history)) for case in cases]
        seconds, rewritten = [], []
        for case in cases:
            began = time.perf_counter()
            alone = rewrite(model, case.question, list(case.history))
            seconds.append(time.perf_counter() - began)
            rewritten.append(quoting.ask(alone))
    except AssistantError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_code
    print(f"{len(cases)} follow-ups; {model.name} took {median(seconds):.1f} s each (median)")
    report("plain logic", cases, logic, quoting)
    report("rewritten", cases, rewritten, quoting)
    return 0


if __name__ == "__main__":
    sys.exit(main())
