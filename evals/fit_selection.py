"""Fit the adapter that selects answer sentences, `assistant/answer_selection.gguf`.

    python -m evals.fit_selection OUT SQUAD [FROM SET...]

Needs the extra `fit`, the default local model and, as SQUAD, a file in the format of SQuAD 2.0, so
that what is learned is not only about these sources. Learns from every English question of the
development split and of `evals/unseen.jsonl` but for the sets in `HELD_OUT`, each asked four times.
Takes two hours on two cores with AMX, minutes on a GPU; `evals/lora.py` says what makes it fast.
With FROM it goes on from that adapter several times over and takes the mean of where that ends
(`go_on`), twice the work; the questions of the SETs are asked more often then. Writes the adapter
to OUT and prints how well it does on the sets held out.
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch.nn.functional import softplus

from assistant import Assistant, Settings, answer_selection, weights
from assistant.answer_selection import MOST, REST, TOKENS
from assistant.evidence import Ranked
from assistant.passages import Sentence
from evals.dataset import QUESTIONS, load_cases, set_of, split_of
from evals.lora import Learner, mean, release
from evals.selection_packs import (
    Corpus,
    Key,
    Pack,
    Question,
    Shown,
    Verdict,
    other_text,
    pack,
    varied,
)
from evals.types import EvalCase, GoldQuote

HELD_OUT = tuple(f"unseen{number}" for number in (6, 10, 11, 22, 23, 26, 31, 36, 37, 41))
_ROUNDS = 4
"""How often each question about the sources is asked, each time beside other questions."""
_SHORT_RUNS, _LONG_ROUNDS = 5, 3
"""Going on: how many runs of one round there are, and the rounds of the one that is longer."""
_TOGETHER = 24
"""Questions that are asked of the same sentences in one step."""
_OTHER, _OTHER_HELD_OUT = 18, 6
"""Packs of other text that are learnt from in each round, and of the article that is held out."""
_TIDIED = 8
"""Steps after which memory that the C library holds on to is given back, and the adapter saved."""
_RATE, _WARM = 4e-4, 12
"""Learning rate, and the steps in which it rises to that; then it falls along a cosine. Short runs
take half of it."""
_NEED_SEVERAL = ("comparison", "multi-hop", "conflict")
OtherText = tuple[Corpus, list[Question]]
_VERDICTS: dict[str, Verdict] = {"answer": "yes", "partial": "part", "correct": "false"}


def corpus(assistant: Assistant) -> tuple[Corpus, list[Sentence]]:
    """The sources as the model is shown them."""
    _, ranked = assistant.evidence("digital agreements")
    found = answer_selection.options(ranked, whole=True)
    return _shown(assistant, found, ranked), found


def _shown(assistant: Assistant, found: Sequence[Sentence], ranked: Sequence[Ranked]) -> Corpus:
    return [
        Shown(
            (sentence.doc_id, sentence.start),
            assistant.documents[sentence.doc_id].title,
            answer_selection.as_read(sentence, ranked),
        )
        for sentence in found
    ]


def questions(
    assistant: Assistant, found: Sequence[Sentence]
) -> Iterator[tuple[str, EvalCase, Question]]:
    """Every English question that may be learnt from, or that is held out, with its set."""
    unseen = QUESTIONS.with_name("unseen.jsonl")
    grouped = [
        (case, "development")
        for case in load_cases(QUESTIONS, assistant.documents)
        if split_of(case.id) == "development"
    ]
    grouped += [(case, set_of(case.id)) for case in load_cases(unseen, assistant.documents)]
    for case, group in grouped:
        if case.language == "en":
            turn, _ = assistant.evidence(case.question, case.history)
            yield (
                group,
                case,
                Question(
                    turn.asked,
                    turn.history,
                    [held for quote in case.gold if (held := _holding(quote, found))],
                    _VERDICTS.get(case.expected, "no"),
                    case.kind in _NEED_SEVERAL,
                ),
            )


def _holding(quote: GoldQuote, found: Sequence[Sentence]) -> frozenset[Key]:
    """The sentences of which most belongs to a gold quote."""
    return frozenset(
        (sentence.doc_id, sentence.start)
        for sentence in found
        for span in quote.spans
        if span.doc_id == sentence.doc_id
        and min(span.sentences[1], sentence.end) - max(span.sentences[0], sentence.start)
        > (sentence.end - sentence.start) / 2
    )


def loss(scores: torch.Tensor, asked: Pack, number: int) -> torch.Tensor:
    """How far the scores of `TOKENS` are from what is right; any sentence of a quote will do."""
    target = asked.targets[number]
    total = scores.new_zeros(())
    if target.gold:
        outweighs = scores[: asked.count] - scores[TOKENS.index(REST)]
        told = {at for quote in target.gold for at in quote}
        rest = [at for at in range(asked.count) if at not in told]
        total = total + softplus(outweighs[rest]).sum()
        for quote in target.gold:
            total = total + softplus(-torch.logsumexp(outweighs[quote], 0))
    if target.verdict is not None:
        total = total - torch.log_softmax(scores[-4:], 0)[target.verdict]
    return total


def train(
    learner: Learner, packs: Sequence[Pack], out: Path | None = None, rate: float = _RATE
) -> None:
    optimiser = torch.optim.AdamW(learner.parameters, lr=_RATE, betas=(0.9, 0.99))
    began = time.monotonic()
    for step, asked in enumerate(packs):
        fallen = 0.525 + 0.475 * math.cos(math.pi * step / len(packs))
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / _WARM) * fallen
        scores = learner.scores(asked.prompt, asked.requests, TOKENS)
        average = torch.stack([loss(row, asked, at) for at, row in enumerate(scores)]).mean()
        average.backward()  # type: ignore[no-untyped-call]
        if torch.nn.utils.clip_grad_norm_(learner.parameters, 1.0).isfinite():
            optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        took = time.monotonic() - began
        print(f"step {step + 1}/{len(packs)}: loss {average.item():.3f}, {took:.0f} s", flush=True)
        if step % _TIDIED == _TIDIED - 1:
            release()
            if out:
                learner.save(out)


def report(learner: Learner, name: str, packs: Sequence[Pack]) -> None:
    """Print the AUC of yes against no, and how often the first choice is a gold sentence."""
    from sklearn.metrics import roc_auc_score

    labels: list[bool] = []
    sure: list[float] = []
    chosen: list[bool] = []
    for asked in packs:
        with torch.no_grad():
            scores = learner.scores(asked.prompt, asked.requests, TOKENS)
        for row, target in zip(scores, asked.targets, strict=True):
            best = int(row[: asked.count].argmax())
            chosen += [any(best in quote for quote in target.gold)] if target.gold else []
            if target.verdict in (0, 1, 2):
                labels.append(target.verdict != 2)
                sure.append(float(torch.logsumexp(row[[-4, -3]], 0) - row[-2]))
    auc, right = roc_auc_score(labels, sure), sum(chosen) / max(len(chosen), 1)
    print(
        f"{name}: AUC {auc:.3f} (n={len(labels)}), first choice right {right:.3f} of {len(chosen)}",
        flush=True,
    )


def together(asked: Sequence[Question]) -> Iterator[list[Question]]:
    for start in range(0, len(asked), _TOGETHER):
        yield list(asked[start : start + _TOGETHER])


def go_on(learner: Learner, draw: Callable[[int, int], list[Pack]], out: Path) -> None:
    """Learn from the same start several times, and become the mean of what that comes to.

    `draw` gives the packs of some rounds, in which questions of new sets are asked so many times.
    The mean does better on questions that were held out than any of the runs, or than a longer one.
    """
    start = learner.weights
    ends = []
    for rounds, times, rate in [(1, 2, _RATE / 2)] * _SHORT_RUNS + [(_LONG_ROUNDS, 1, _RATE)]:
        learner.take(start)
        train(learner, draw(rounds, times), out, rate)
        ends.append(learner.weights)
    learner.take(mean([mean(ends[:-1]), ends[-1]]))


def drawing(
    sources: Corpus, asked: Sequence[tuple[Question, bool]], other: Iterator[OtherText]
) -> Callable[[int, int], list[Pack]]:
    """What draws packs of questions about the sources, each new or not, and of other text."""
    drawn = random.Random(1)

    def draw(rounds: int, times: int) -> list[Pack]:
        packs: list[Pack] = []
        for _ in range(rounds):
            packs += [_of_other(next(other)) for _ in range(_OTHER)]
            learnt = [question for question, new in asked for _ in range(times if new else 1)]
            drawn.shuffle(learnt)
            packs += [varied(sources, few, other, drawn) for few in together(learnt)]
        drawn.shuffle(packs)
        print(f"{len(asked)} questions about the sources, {len(packs)} steps", flush=True)
        return packs

    return draw


def main(out: str, squad: str, start: str = "", *new: str) -> None:
    torch.manual_seed(0)
    settings = Settings.load()
    found = weights.find(weights.CHAT_MODEL, settings.cache_dir)
    if found is None:
        sys.exit(f"There is no local model to adapt; run: {weights.FETCH_COMMAND}")
    assistant = Assistant.from_settings(settings.with_values({"chat_model": "none"}))
    sources, sentences = corpus(assistant)
    every = list(questions(assistant, sentences))
    learnt = [(asked, group in new) for group, _, asked in every if group not in HELD_OUT]
    *articles, last = json.loads(Path(squad).read_text(encoding="utf-8"))["data"]
    draw = drawing(sources, learnt, other_text(articles, random.Random(5)))
    learner = Learner.of(found)
    if start:
        learner.load(Path(start))
        go_on(learner, draw, Path(out))
    else:
        train(learner, draw(_ROUNDS, 1), Path(out))
    learner.save(Path(out))
    for group in HELD_OUT:
        asked = [question for other_group, _, question in every if other_group == group]
        if asked:
            report(learner, group, [pack(sources, few) for few in together(asked)])
            report(learner, f"{group}, {MOST} sentences", list(_as_few(assistant, every, group)))
    kept = other_text([last], random.Random(5))
    held = [_of_other(next(kept)) for _ in range(_OTHER_HELD_OUT)]
    report(learner, f"other text, {last['title']}", held)


def _of_other(found: OtherText) -> Pack:
    shown, asked = found
    return pack(shown, asked[:_TOGETHER])


def _as_few(
    assistant: Assistant, every: Sequence[tuple[str, EvalCase, Question]], held: str
) -> Iterator[Pack]:
    """Each question with only its best sentences, as of sources too long to be shown whole."""
    for group, case, question in every:
        if group == held:
            _, ranked = assistant.evidence(case.question, case.history)
            found = answer_selection.options(ranked, whole=False)
            yield pack(_shown(assistant, found, ranked), [question])


if __name__ == "__main__":
    main(*sys.argv[1:])
