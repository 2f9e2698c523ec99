"""What the adapter that selects sentences learns from, how it learns, and the file it becomes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from fakes import ScriptedChat
from gguf import GGUFReader
from torch import nn

from assistant import Assistant
from assistant.answer_selection import MOST
from assistant.types import ChatModel
from evals.dataset import load_cases
from evals.fit_selection import Example, Question, as_asked, loss, other, questions, train, varied
from evals.lora import RANK, Learner, LowRank

Make = Callable[[ChatModel | None], Assistant]


@pytest.fixture
def some(make_assistant: Make, monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """A few questions of each expectation, with their evidence."""

    def few(path: Path, documents: object) -> list[object]:
        cases = load_cases(path, documents)  # type: ignore[arg-type]
        kinds = ("answer", "partial", "correct", "decline")
        return [case for kind in kinds for case in [c for c in cases if c.expected == kind][:6]]

    monkeypatch.setattr("evals.fit_selection.load_cases", few)
    return list(questions(make_assistant(ScriptedChat())))


def _sentences(example: Example) -> list[str]:
    lettered = [line[3:] for line in example.prompt.splitlines() if line[1:3] == ". "]
    assert len(lettered) == example.count
    return lettered


def test_what_is_gold_stands_at_its_letter(some: list[Question]) -> None:
    assert {question.case.expected for question in some} == {
        "answer",
        "partial",
        "correct",
        "decline",
    }
    drawn = random.Random(0)
    for question in some:
        for example in [as_asked(question), *(varied(question, drawn) for _ in range(8))]:
            shown = _sentences(example)
            spans = [span for quote in question.case.gold for span in quote.spans]
            texts = {
                (s.doc_id, s.start): r
                for s, r in zip(question.sentences, question.read, strict=True)
            }
            gold = {
                text
                for (doc_id, start), text in texts.items()
                for span in spans
                if span.doc_id == doc_id and span.sentences[0] <= start < span.sentences[1]
            }
            assert {shown[at] for quote in example.gold for at in quote} <= gold
            if question.case.expected == "decline":
                assert example.answered is False
            if question.case.expected == "correct":
                assert example.answered is None


def test_with_its_gold_sentences_left_out_a_question_is_not_answered(some: list[Question]) -> None:
    drawn = random.Random(1)
    fact = next(q for q in some if q.case.expected == "answer" and len(q.case.gold) == 1)
    seen = {(bool(e.gold), e.answered) for e in (varied(fact, drawn) for _ in range(80))}
    assert seen == {(True, True), (False, False)}


def test_questions_about_other_text(tmp_path: Path) -> None:
    text = "The bridge was opened in May. It is 300 metres long. Crowds came."
    paragraph = {
        "context": text,
        "qas": [
            {
                "question": "How long is it?",
                "is_impossible": False,
                "answers": [{"answer_start": text.index("300"), "text": "300 metres"}],
            },
            {
                "question": "When was it closed?",
                "is_impossible": True,
                "answers": [],
                "plausible_answers": [{"answer_start": text.index("May"), "text": "May"}],
            },
        ],
    }
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "A_bridge", "paragraphs": [paragraph]}]}))
    found = {example.answered: example for example in other(path, random.Random(0))}
    assert found[True].gold == [[1]]
    assert found[False].gold == [[0]]
    assert "A bridge:\nA. The bridge was opened in May." in found[True].prompt


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
    examples = [Example("a bb", [[0]], True, 2), Example("a bbbb", [[1]], False, 2)] * 800
    shown = [example.prompt for example in examples[:2]]

    def mean() -> float:
        rows = learner.scores(shown, range(MOST + 2))
        return sum(float(loss(row, e).detach()) for row, e in zip(rows, examples, strict=False)) / 2

    first = mean()
    train(learner, examples, random.Random(0))
    assert mean() < 0.9 * first
    assert torch.equal(layer.base.weight, before)


def test_any_sentence_of_a_quote_will_do_and_each_quote_counts() -> None:
    scores = torch.tensor([5.0, 5.0, -5.0, 0.0, 0.0, 0.0, 9.0, -9.0])
    either = float(loss(scores, Example("", [[0, 1]], True, 3)))
    both = float(loss(scores, Example("", [[0], [1]], True, 3)))
    wrong = float(loss(scores, Example("", [[2]], None, 3)))
    assert either < 0.01 < both < 1 < wrong


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
