"""What the adapter that selects sentences learns from, how it learns, and the file it becomes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from fakes import ScriptedChat
from gguf import GGUFReader
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from assistant import Assistant
from assistant.answer_selection import TOKENS
from assistant.types import ChatModel
from evals.dataset import load_cases
from evals.fit_selection import corpus, go_on, loss, questions, train
from evals.lora import RANK, Learner, LowRank, Row
from evals.selection_packs import (
    VERDICTS,
    Corpus,
    Pack,
    Question,
    Shown,
    Target,
    other_text,
    pack,
    varied,
)
from evals.types import EvalCase

Make = Callable[[ChatModel | None], Assistant]
SQUAD = {
    "data": [
        {
            "title": "A_bridge",
            "paragraphs": [
                {
                    "context": "The bridge was opened in May. It is 300 metres long. Crowds came.",
                    "qas": [
                        {
                            "question": "How long is it?",
                            "is_impossible": False,
                            "answers": [{"answer_start": 40, "text": "300 metres"}],
                        },
                        {
                            "question": "When was it closed?",
                            "is_impossible": True,
                            "answers": [],
                            "plausible_answers": [{"answer_start": 25, "text": "May"}],
                        },
                    ],
                }
            ],
        }
    ]
}


@pytest.fixture
def some(
    make_assistant: Make, monkeypatch: pytest.MonkeyPatch
) -> tuple[Corpus, list[tuple[EvalCase, Question]]]:
    """The sources, and a few questions of each expectation about them."""

    def few(path: Path, documents: object) -> list[EvalCase]:
        cases = load_cases(path, documents)  # type: ignore[arg-type]
        kinds = ("answer", "partial", "correct", "decline")
        return [case for kind in kinds for case in [c for c in cases if c.expected == kind][:6]]

    monkeypatch.setattr("evals.fit_selection.load_cases", few)
    assistant = make_assistant(ScriptedChat())
    sources, sentences = corpus(assistant)
    return sources, [(case, asked) for _, case, asked in questions(assistant, sentences)]


def _sentences(packed: Pack) -> list[str]:
    lettered = [line[3:] for line in packed.prompt.splitlines() if line[1:3] == ". "]
    assert len(lettered) == packed.count
    return [line.removesuffix("<|im_end|>") for line in lettered]


def test_what_is_gold_stands_at_its_letter(
    some: tuple[Corpus, list[tuple[EvalCase, Question]]],
) -> None:
    sources, asked = some
    texts = {shown.key: shown.text for shown in sources}
    only = [question for _, question in asked]
    assert {question.verdict for question in only} == set(VERDICTS)
    drawn, other = random.Random(0), other_text(SQUAD["data"], random.Random(0))
    for packed in [pack(sources, only), *(varied(sources, only, other, drawn) for _ in range(30))]:
        shown = _sentences(packed)
        for question, target in zip(only, packed.targets, strict=False):
            gold = {texts[key] for quote in question.gold for key in quote}
            assert {shown[at] for quote in target.gold for at in quote} <= gold
            if question.verdict == "no":
                assert target.verdict == VERDICTS.index("no")
            elif target.verdict == VERDICTS.index("yes"):
                assert len(target.gold) == len(question.gold)


def test_gold_quotes_are_found_among_the_sentences(
    some: tuple[Corpus, list[tuple[EvalCase, Question]]],
) -> None:
    sources, asked = some
    texts = {shown.key: shown.text for shown in sources}
    for case, question in asked:
        for quote in question.gold:
            said = " ".join(texts[key] for key in quote)
            assert any(gold.quote[:30] in said or said[:30] in gold.quote for gold in case.gold)


ONE, TWO = (Shown(("d", at), "T", f"Sentence {at}.") for at in (1, 2))
FIRST, SECOND = frozenset({ONE.key}), frozenset({TWO.key})


@pytest.mark.parametrize(
    ("shown", "question", "verdict"),
    [
        ([ONE, TWO], Question("?", (), [FIRST], "yes"), "yes"),
        ([TWO], Question("?", (), [FIRST], "yes"), "no"),
        ([TWO], Question("?", (), [FIRST | SECOND], "yes"), "yes"),
        ([TWO], Question("?", (), [FIRST, SECOND], "yes", needs_several=True), "part"),
        ([TWO], Question("?", (), [FIRST, SECOND], "yes"), None),
        ([TWO], Question("?", (), [FIRST], "false"), None),
        ([ONE], Question("?", (), [FIRST], "false"), "false"),
        ([ONE], Question("?", (), [FIRST], "part"), "part"),
        ([ONE], Question("?", (), [], "no"), "no"),
    ],
)
def test_without_its_gold_sentences_a_question_is_not_answered(
    shown: Corpus, question: Question, verdict: str | None
) -> None:
    found = pack(shown, [question]).targets[0].verdict
    assert (None if found is None else VERDICTS[found]) == verdict


def test_sentences_are_left_out_and_put_in_another_order_but_not_always(
    some: tuple[Corpus, list[tuple[EvalCase, Question]]],
) -> None:
    sources, asked = some
    only = [question for _, question in asked]
    drawn, other = random.Random(1), other_text(SQUAD["data"], random.Random(0))
    packed = [varied(sources, only, other, drawn) for _ in range(80)]
    prompts = Counter(one.prompt for one in packed)
    assert prompts[pack(sources, only).prompt] > 20
    assert len(prompts) > 20
    assert min(one.count for one in packed) < 12
    assert any("A bridge:" in one.prompt for one in packed)


def test_questions_about_other_text() -> None:
    shown, asked = next(other_text(SQUAD["data"], random.Random(0)))
    packed = pack(shown, asked)
    found = {target.verdict: target for target in packed.targets}
    assert found[VERDICTS.index("yes")].gold == [[1]]
    assert found[VERDICTS.index("no")].gold == [[0]]
    assert "A bridge:\nA. The bridge was opened in May." in packed.prompt


class Words:
    """A tokenizer that knows a few words, for a model that reads nothing else."""

    def encode(self, text: str) -> list[int]:
        return [len(word) % 8 for word in text.split()]


def _learner() -> Learner:
    torch.manual_seed(0)
    layer = LowRank(nn.Linear(16, 16).requires_grad_(False))
    embedding = nn.Embedding(8, 16).requires_grad_(False)

    def inner(input_ids: torch.Tensor, **_: object) -> SimpleNamespace:
        return SimpleNamespace(last_hidden_state=layer(embedding(input_ids)))

    head = SimpleNamespace(weight=torch.randn(10_000, 16))
    model = SimpleNamespace(model=inner, lm_head=head)
    return Learner(model, Words(), {"blk.12.attn_q.weight": layer})


def test_training_lowers_the_loss_and_leaves_the_model_as_it_was() -> None:
    learner = _learner()
    layer = learner.adapter["blk.12.attn_q.weight"]
    before = layer.base.weight.clone()
    assert torch.equal(layer.b, torch.zeros(16, RANK))  # at first it adds nothing
    targets = [Target([[0]], 0), Target([[1]], 2)]
    asked = Pack("a bb", ["a bb", "a bbbb"], targets, 2)

    def mean() -> float:
        rows = learner.scores(asked.prompt, asked.requests, TOKENS)
        return sum(float(loss(row, asked, at).detach()) for at, row in enumerate(rows)) / 2

    first = mean()
    train(learner, [asked] * 100)
    assert mean() < 0.9 * first
    assert torch.equal(layer.base.weight, before)


def test_any_sentence_of_a_quote_will_do_and_each_quote_counts() -> None:
    scores = torch.zeros(len(TOKENS))
    scores[:4] = torch.tensor([9.0, 9.0, -9.0, -9.0])
    scores[-4] = 9.0
    golds = [[[0, 1]], [[0], [1]], [[0, 1, 2]], [[0], [1], [2]], [[0]], [[2]]]
    asked = Pack("", [""] * 6, [Target(gold, 0) for gold in golds], 4)
    found = [float(loss(scores, asked, at)) for at in range(6)]
    assert max(found[:3]) < 0.01  # any of a quote, all of the quotes
    assert 9 < found[3] < 10  # a quote without its sentence
    assert 9 < found[4] < 10  # a sentence that belongs to none
    assert found[5] > 20
    undecided = float(loss(scores, Pack("", [""], [Target([[0, 1]], None)], 4), 0))
    assert undecided <= found[0]


def test_an_adapter_goes_on_from_its_file(tmp_path: Path) -> None:
    learner, other = _learner(), _learner()
    layer, again = learner.adapter["blk.12.attn_q.weight"], other.adapter["blk.12.attn_q.weight"]
    layer.b.data.normal_()
    learner.save(tmp_path / "adapter.gguf")
    other.load(tmp_path / "adapter.gguf")
    assert torch.allclose(layer.a, again.a, atol=1e-3)
    assert torch.allclose(layer.b, again.b, atol=1e-2)


def test_going_on_ends_at_the_mean_of_runs_from_the_same_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = _learner()
    start, asked, ends = learner.weights, [], []

    def run(learner: Learner, packs: list[Pack], out: Path, rate: float = 1.0) -> None:
        assert all(map(torch.equal, learner.weights, start))
        for part in learner.parameters:
            part.data += len(ends) + 1
        ends.append(learner.weights)

    monkeypatch.setattr("evals.fit_selection.train", run)
    go_on(learner, lambda rounds, times: asked.append((rounds, times)) or [], tmp_path / "out")
    assert asked == [(1, 2)] * 5 + [(3, 1)]
    for begun, part in zip(start, learner.weights, strict=True):
        assert torch.allclose(part, begun + (3 + 6) / 2, atol=1e-5)  # of 1 to 5, and of that and 6


def test_a_step_whose_gradient_is_no_number_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = _learner()
    before = learner.weights
    monkeypatch.setattr(
        learner, "scores", lambda *_: learner.parameters[0].sum() * torch.full((1, 57), torch.nan)
    )
    train(learner, [Pack("a", ["bb"], [Target([[0]], 0)], 2)] * 3)
    assert all(map(torch.equal, learner.weights, before))


@given(st.integers(1, 5), st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_a_request_sees_its_prompt_and_itself_only(prompt: int, requests: list[int]) -> None:
    row = Row()
    parts: list[tuple[int, int]] = []
    for request, length in enumerate([prompt, *requests]):
        row.add(list(range(length)))
        parts += [(request, at + bool(request) * prompt) for at in range(length)]
    seen = row.mask()[0, 0] == 0
    for here, (request, position) in enumerate(parts):
        assert row.positions[here] == position
        for there, (other_request, other_position) in enumerate(parts):
            expected = other_request in (0, request) and other_position <= position
            assert bool(seen[here, there]) == expected
    assert len(row.ends) == 1 + len(requests)


def test_the_adapter_is_a_file_that_llama_cpp_knows(tmp_path: Path) -> None:
    path = tmp_path / "adapter.gguf"
    _learner().save(path)
    found = GGUFReader(path)
    shapes = {tensor.name: tuple(map(int, tensor.shape)) for tensor in found.tensors}
    assert shapes == {
        "blk.12.attn_q.weight.lora_a": (16, RANK),
        "blk.12.attn_q.weight.lora_b": (RANK, 16),
    }
    assert found.fields["adapter.type"].contents() == "lora"
