"""Make what `training.fit_reader` fits: `python -m training.pack BENCH PACK`.

BENCH is the folder of public sets (docs/reader.md says which). PACK is one file with the examples
as tokens and with the embedding model's weights, of its word table only the rows in use, so that
fitting needs nothing but numpy and torch and can be done where there is a GPU.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from assistant.e5 import E5, LAYERS_IN_ALL, PARTS
from assistant.e5_package import find_folder
from assistant.models import load_e5
from assistant.reader import question_ids, shape
from assistant.settings import Settings
from training.examples import Example
from training.sets import training_examples, tried_examples

SEED = 11


class Packed:
    """Examples as flat arrays; a text that several share is stored once."""

    def __init__(self, e5: E5) -> None:
        self._e5 = e5
        self._texts: dict[tuple[int, ...], int] = {}
        self._pieces: dict[str, list[int]] = {}
        self.rows: list[tuple[int, ...]] = []
        self.spans: list[tuple[int, int]] = []
        self.gold: list[int] = []
        self.sources: list[str] = []
        self._numbers: dict[str, int] = {"": 0}

    def add(self, example: Example, tried: bool) -> None:
        """Question, passage, where its sentences stand, and what is to be made of them."""
        question = self._text(question_ids(self._e5, example.question, example.claim))
        ids, spans = shape(self._e5, example.header, example.sentences)
        if not spans:
            return
        answer = self._answer(example, spans)
        verdict = (round(100 * part) for part in example.verdict)
        source = f"{example.source} {example.language}"
        if source not in self.sources:
            self.sources.append(source)
        start = len(self.spans)
        self.spans += spans
        self.gold += example.gold[: len(spans)]
        self.rows.append(
            (question, self._text(ids), start, len(self.spans), *answer, *verdict,
             self.sources.index(source), int(tried), self._number(example.header),
             self._number(example.paragraph), self._number(f"in {example.text_language}"))
        )  # fmt: skip

    def _text(self, ids: Sequence[int]) -> int:
        return self._texts.setdefault(tuple(ids), len(self._texts))

    def _number(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    def _answer(self, example: Example, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
        """The tokens of the answer's words in its gold sentence; -1 where there are none."""
        answer = " ".join(example.answer.split())
        for sentence, gold, (start, end) in zip(
            example.sentences, example.gold, spans, strict=False
        ):
            at = sentence.find(answer) if answer and gold == 1 else -1
            if at >= 0:
                tokens = self._e5.offsets(sentence)[: end - start]
                inside = [
                    start + i for i, (a, b) in enumerate(tokens) if a < at + len(answer) and at < b
                ]
                if inside:
                    return inside[0], inside[-1]
        return -1, -1

    def arrays(self) -> dict[str, Any]:
        texts = list(self._texts)
        flat = np.concatenate([np.array(ids, np.int32) for ids in texts])
        words, tokens = np.unique(flat, return_inverse=True)
        return {
            "words": words,
            "tokens": tokens.astype(np.int32),
            "lengths": np.array([len(ids) for ids in texts], np.int32),
            "rows": np.array(self.rows, np.int32),
            "spans": np.array(self.spans, np.int32),
            "gold": np.array(self.gold, np.int8),
            "sources": np.array(self.sources),
        }


def embedding_model(words: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.float16]]]:
    """Its weights as `Reader` takes them, with the rows of these words."""
    tensors = load_file(find_folder(Settings().cache_dir) / "model.safetensors")
    tables = "embeddings."
    yield "e5.words", tensors[f"{tables}word_embeddings.weight"][words]
    yield (
        "e5.places",
        (
            tensors[f"{tables}position_embeddings.weight"]
            + tensors[f"{tables}token_type_embeddings.weight"][0]
        ),
    )
    yield "e5.scale", tensors[f"{tables}LayerNorm.weight"]
    yield "e5.shift", tensors[f"{tables}LayerNorm.bias"]
    for layer in range(LAYERS_IN_ALL):
        for ours, theirs in PARTS.items():
            for kind in ("weight", "bias"):
                tensor = tensors[f"encoder.layer.{layer}.{theirs}.{kind}"]
                yield f"e5.{layer}.{ours}.{kind}", tensor


def main() -> None:
    bench, out = map(Path, sys.argv[1:])
    e5 = load_e5(Settings())
    packed = Packed(e5)
    for example in training_examples(bench, random.Random(SEED)):
        packed.add(example, tried=False)
    for example in tried_examples(bench):
        packed.add(example, tried=True)
    arrays = packed.arrays()
    np.savez_compressed(out, **arrays, **dict(embedding_model(arrays["words"])))
    print(len(packed.rows), "examples,", len(arrays["lengths"]), "texts,",
          len(arrays["words"]), "words,", out.stat().st_size >> 20, "MiB")  # fmt: skip


if __name__ == "__main__":
    main()
