"""Fit the adapter that selects answer sentences, `assistant/answer_selection.gguf`.

    python -m evals.fit_selection OUT [SQUAD]

Needs the extra `fit` and the default local model. Learns from every English question of the
development split and of `evals/unseen.jsonl` but for the sets in `HELD_OUT`, and, if SQUAD names a
file in the format of SQuAD 2.0, from some of its questions, so that what is learned is not only
about these sources. Takes three quarters of an hour on two cores; `evals/lora.py` says what makes
it fast. Writes the adapter to OUT and prints how well it does on the sets held out.
"""

from __future__ import annotations

import json
import math
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from assistant import Assistant, Settings, answer_selection, prompts, weights
from assistant.answer_selection import LETTERS, MOST, TOKENS
from assistant.evidence import Ranked
from assistant.passages import Sentence
from assistant.text import sentence_spans
from assistant.turn import Turn
from assistant.types import Message
from evals.dataset import QUESTIONS, load_cases, split_of
from evals.lora import Learner, release
from evals.types import EvalCase, GoldQuote

HELD_OUT = ("unseen6", "unseen10", "unseen11")
_ROUNDS = 1.25
"""How often each question about the sources is seen, each time among other sentences."""
_OTHER, _OTHER_SENTENCES = 500, range(2, 11)
"""Questions about other text, and the sentences their paragraphs have."""
_BATCH, _SORTED = 8, 32
"""Questions a step, and how many are sorted by length so that little is padded."""
_TIDIED = 40
"""Steps after which memory that the C library holds on to is given back."""
_RATE, _WARM = 3.5e-4, 12
"""Learning rate, and the steps in which it rises to that; then it falls along a cosine."""
_DRAWN_FROM = 14
"""The best so many sentences are what the others are drawn from."""
_STRANGE, _WITHOUT_GOLD, _WITH_GOLD = 0.12, 0.1, 0.6
"""How likely a sentence gives way to a worse one, the gold ones are left out (the answer is then
"no"), and one that was not among the best is added."""
_NEED_SEVERAL = ("comparison", "multi-hop", "conflict")


@dataclass(frozen=True)
class Example:
    """One request and what is right: for each gold quote the letters of it, and yes or no."""

    prompt: str
    gold: list[list[int]]
    answered: bool | None
    """None where neither is right, as for a question with a false premise."""
    count: int


@dataclass(frozen=True)
class Question:
    """A question about the sources with its best sentences, best first."""

    case: EvalCase
    group: str
    asked: str
    history: list[Message]
    sentences: list[Sentence]
    read: list[str]
    titles: list[str]

    def gold(self) -> list[list[int]]:
        """For each gold quote, the sentences that hold it."""
        return [
            [at for at, sentence in enumerate(self.sentences) if _holds(sentence, quote)]
            for quote in self.case.gold
        ]


def _holds(sentence: Sentence, quote: GoldQuote) -> bool:
    """Whether most of a sentence belongs to a gold quote."""
    return any(
        span.doc_id == sentence.doc_id
        and min(span.sentences[1], sentence.end) - max(span.sentences[0], sentence.start)
        > (sentence.end - sentence.start) / 2
        for span in quote.spans
    )


def questions(assistant: Assistant) -> Iterator[Question]:
    """Every English question that may be learnt from, or that is held out."""
    unseen = QUESTIONS.with_name("unseen.jsonl")
    development = [
        case
        for case in load_cases(QUESTIONS, assistant.documents)
        if split_of(case.id) == "development"
    ]
    grouped = [(case, "development") for case in development]
    # The ids of the unseen ones begin with their writer's set.
    grouped += [
        (case, re.sub(r"-\d+$", "", case.id)) for case in load_cases(unseen, assistant.documents)
    ]
    for case, group in grouped:
        if case.language == "en":
            turn, ranked = assistant.evidence(case.question, case.history)
            yield _question(assistant, case, group, turn, ranked)


def _question(
    assistant: Assistant,
    case: EvalCase,
    group: str,
    turn: Turn,
    ranked: Sequence[Ranked],
) -> Question:
    singles = [hit.window.sentences[0] for hit in ranked if len(hit.window.sentences) == 1]
    found = singles[:_DRAWN_FROM]
    read = [answer_selection.as_read(sentence, ranked) for sentence in found]
    titles = [assistant.documents[sentence.doc_id].title for sentence in found]
    return Question(case, group, turn.asked, turn.history, found, read, titles)


def as_asked(question: Question) -> Example:
    """A question with the sentences that the assistant would show."""
    return _example(question, list(range(min(MOST, len(question.sentences)))), held_out=True)


def varied(question: Question, drawn: random.Random) -> Example:
    """A question with some of its best sentences, so that none is learnt by heart."""
    count, every = drawn.choice([4, 5, MOST, MOST]), len(question.sentences)
    shown = list(range(min(count, every)))
    for place in range(len(shown)):
        if drawn.random() < _STRANGE and every > count:
            shown[place] = drawn.choice(range(count, every))
    shown = list(dict.fromkeys(shown))
    gold = question.gold()
    if gold and question.case.kind not in _NEED_SEVERAL and drawn.random() < _WITHOUT_GOLD:
        right = {at for quote in gold for at in quote}
        shown = [at for at in shown if at not in right]
    else:
        for quote in gold:
            if quote and not set(quote) & set(shown) and drawn.random() < _WITH_GOLD:
                shown.append(drawn.choice(quote))
    return _example(question, shown[-len(LETTERS) :], held_out=False)


def _example(question: Question, shown: Sequence[int], held_out: bool) -> Example:
    order = sorted(
        shown, key=lambda at: (question.sentences[at].doc_id, question.sentences[at].start)
    )
    letter = {at: place for place, at in enumerate(order)}
    gold = [[letter[at] for at in quote if at in letter] for quote in question.gold()]
    present = [quote for quote in gold if quote]
    answered: bool | None = False
    if question.case.expected == "correct":
        answered = None
    elif question.case.expected in ("answer", "partial"):
        some = True if question.case.expected == "partial" else None
        answered = held_out or len(present) == len(gold) or (some if present else False)
    leads = [(question.titles[at], question.read[at]) for at in order]
    messages = prompts.render_selection(leads, question.asked, question.history)
    return Example(_as_text(messages), present, answered, len(order))


def other(path: Path, drawn: random.Random) -> list[Example]:
    """Questions about other text; of open ones the plausible answer is the nearest sentence."""
    found: list[Example] = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        title = article["title"].replace("_", " ")
        for paragraph in article["paragraphs"]:
            spans = sentence_spans(paragraph["context"])
            texts = [paragraph["context"][start:end] for start, end in spans]
            for asked in paragraph["qas"] if len(spans) in _OTHER_SENTENCES else ():
                answers = asked["answers"] or asked.get("plausible_answers") or []
                places = {answer["answer_start"] for answer in answers[:3]}
                right = [at for at, (s, e) in enumerate(spans) if any(s <= p < e for p in places)]
                if not right and not asked["is_impossible"]:
                    continue
                first = max(0, min(len(texts) - MOST, (right or [0])[0] - drawn.randrange(MOST)))
                leads = [(title, text) for text in texts[first : first + MOST]]
                gold = [at - first for at in right if first <= at < first + MOST]
                messages = prompts.render_selection(leads, asked["question"], [])
                found.append(
                    Example(
                        _as_text(messages),
                        [gold] if gold else [],
                        not asked["is_impossible"],
                        len(leads),
                    )
                )
    drawn.shuffle(found)
    return found


def _as_text(messages: Sequence[Message]) -> str:
    """Messages in the model's own chat format, up to where it replies."""
    turns = [f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages]
    return "".join(turns) + "<|im_start|>assistant\n"


def loss(scores: torch.Tensor, example: Example) -> torch.Tensor:
    """How far the scores of `TOKENS` are from what is right; any sentence of a quote will do."""
    shares = torch.log_softmax(scores[: example.count], 0)
    total = torch.zeros(())
    for quote in example.gold:
        total = total - torch.logsumexp(shares[quote], 0) / len(example.gold)
    if example.answered is not None:
        total = total + torch.nn.functional.binary_cross_entropy_with_logits(
            scores[-2] - scores[-1], torch.tensor(float(example.answered))
        )
    return total


def train(learner: Learner, examples: Sequence[Example], drawn: random.Random) -> None:
    optimiser = torch.optim.AdamW(learner.parameters, lr=_RATE, betas=(0.9, 0.99))
    batches = _batches(examples, drawn)
    began = time.monotonic()
    for step, batch in enumerate(batches):
        fallen = 0.525 + 0.475 * math.cos(math.pi * step / len(batches))
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min(1.0, (step + 1) / _WARM) * fallen
        scores = learner.scores([example.prompt for example in batch], TOKENS)
        found = [loss(row, example) for row, example in zip(scores, batch, strict=True)]
        mean = torch.stack(found).mean()
        mean.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learner.parameters, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        if step % _TIDIED == _TIDIED - 1:
            release()
        took = time.monotonic() - began
        print(
            f"step {step + 1} of {len(batches)}, loss {mean.item():.3f}, {took:.0f} s", flush=True
        )


def _batches(examples: Sequence[Example], drawn: random.Random) -> list[list[Example]]:
    batches: list[list[Example]] = []
    for start in range(0, len(examples), _SORTED):
        alike = sorted(examples[start : start + _SORTED], key=lambda example: len(example.prompt))
        cut = [alike[at : at + _BATCH] for at in range(0, len(alike), _BATCH)]
        drawn.shuffle(cut)
        batches += cut
    return batches


def report(learner: Learner, name: str, examples: Sequence[Example]) -> None:
    """Print the AUC of yes against no, and how often the first choice is a gold sentence."""
    from sklearn.metrics import roc_auc_score

    labels: list[bool] = []
    sure: list[float] = []
    chosen: list[bool] = []
    with torch.no_grad():
        for example in examples:
            scores = learner.scores([example.prompt], TOKENS)[0]
            best = int(scores[: example.count].argmax())
            chosen += [any(best in quote for quote in example.gold)] if example.gold else []
            if example.answered is not None:
                labels.append(example.answered)
                sure.append(float(scores[-2] - scores[-1]))
    auc, right = roc_auc_score(labels, sure), sum(chosen) / max(len(chosen), 1)
    print(
        f"{name}: AUC {auc:.3f} (n={len(labels)}), first choice right {right:.3f} of {len(chosen)}"
    )


def main(out: str, squad: str = "") -> None:
    torch.manual_seed(0)
    drawn = random.Random(1)
    settings = Settings.load()
    found = weights.find(weights.CHAT_MODEL, settings.cache_dir)
    if found is None:
        sys.exit(f"There is no local model to adapt; run: {weights.FETCH_COMMAND}")
    assistant = Assistant.from_settings(settings.with_values({"chat_model": "none"}))
    every = list(questions(assistant))
    learnt = [question for question in every if question.group not in HELD_OUT]
    rest = other(Path(squad), random.Random(5))[: _OTHER + 60] if squad else []
    drawn.shuffle(learnt)
    again = learnt[: int(len(learnt) * (_ROUNDS - 1))]
    examples = [varied(question, drawn) for question in learnt + again] + rest[60:]
    drawn.shuffle(examples)
    learner = Learner.of(found)
    train(learner, examples, drawn)
    learner.save(Path(out))
    for group in HELD_OUT:
        held_out = [as_asked(question) for question in every if question.group == group]
        if held_out:
            report(learner, group, held_out)
    if rest:
        report(learner, "other text", rest[:60])


if __name__ == "__main__":
    main(*sys.argv[1:])
