"""multilingual-e5-small on onnxruntime: embeddings, and the layers that the reader stands on.

The model's twelve layers run as three parts of one graph, `weights_data/layers.onnx`, into which
the weights are put when it is loaded. The word table stays on disk, mapped into memory: a question
needs a few dozen of its quarter of a million rows.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

LAYERS = Path(__file__).with_name("weights_data") / "layers.onnx"
WIDTH = 384
LAYERS_IN_ALL, LAYERS_IN_PART = 12, 4
MAX_TOKENS = 512
START, PAD, END = 0, 1, 2
_BATCH = 8
_REMEMBERED_QUERIES = 64
PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "dense": "attention.output.dense",
    "norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "last": "output.LayerNorm",
}
"""The parts of a layer: their names here, and those that `transformers` gives them."""
_DTYPES = {"F16": np.float16, "F32": np.float32}

Floats = NDArray[np.float32]


def session(
    graph: bytes, threads: int, weights: Mapping[str, NDArray[np.floating]] | None = None
) -> InferenceSession:
    """What runs an ONNX graph, with `weights` put into those of its places that are empty."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    values = {
        name: onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(w, np.float32))
        for name, w in (weights or {}).items()
    }
    options.add_external_initializers(list(values), list(values.values()))
    return onnxruntime.InferenceSession(graph, options)


class Part:
    """Some transformer layers with given weights: (texts, tokens, width) in and out."""

    def __init__(self, weights: Mapping[str, NDArray[np.floating]], threads: int) -> None:
        self._session = session(LAYERS.read_bytes(), threads, weights)

    def __call__(self, x: Floats, mask: NDArray[np.bool_]) -> Floats:
        made: Floats = self._session.run(None, {"x": x, "mask": mask})[0]
        return made


class E5:
    """The model as an `Encoder`, from a folder in the form of sentence-transformers."""

    name = "multilingual-e5-small"
    unrelated = 0.75

    def __init__(self, folder: Path, threads: int) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tensors = _mapped(folder / "model.safetensors")
        self._words = self._tensors["embeddings.word_embeddings.weight"]
        self._places = np.asarray(
            self._tensors["embeddings.position_embeddings.weight"], np.float32
        ) + np.asarray(self._tensors["embeddings.token_type_embeddings.weight"][0], np.float32)
        self._scale = np.asarray(self._tensors["embeddings.LayerNorm.weight"], np.float32)
        self._shift = np.asarray(self._tensors["embeddings.LayerNorm.bias"], np.float32)
        self._lower, *self._upper = (
            Part(self._part(first), threads) for first in range(0, LAYERS_IN_ALL, LAYERS_IN_PART)
        )
        self.encode_query = lru_cache(_REMEMBERED_QUERIES)(self._encode_query)

    def ids(self, text: str, special: bool = True) -> list[int]:
        """The tokens of a text, with those that open and close one if `special`."""
        found: list[int] = self._tokenizer.encode(text, add_special_tokens=special).ids
        return found

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Where the tokens of a text stand in it, special ones left out."""
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        found: list[tuple[int, int]] = encoded.offsets
        return found

    def lower_states(self, texts: Sequence[Sequence[int]]) -> list[Floats]:
        """What the lowest layers make of each text's tokens: (tokens, width)."""
        made: list[Floats] = [np.zeros((0, WIDTH), np.float32)] * len(texts)
        for numbers, x, mask in self._embedded(texts):
            for number, row in zip(numbers, self._lower(x, mask), strict=True):
                made[number] = row[: len(texts[number])]
        return made

    def states(self, ids: Sequence[int]) -> Floats:
        """What each part makes of a text's tokens, side by side: (tokens, 3 * width)."""
        ((_, x, mask),) = self._embedded([ids])
        made = []
        for part in (self._lower, *self._upper):
            x = part(x, mask)
            made.append(x[0])
        return np.concatenate(made, axis=-1)

    def encode_documents(self, texts: Sequence[str]) -> list[list[float]]:
        return self._encode([f"passage: {text}" for text in texts])

    def _encode_query(self, text: str) -> list[float]:
        return self._encode([f"query: {text}"])[0]

    def _encode(self, texts: Sequence[str]) -> list[list[float]]:
        ids = [[*self.ids(text)[:-1][: MAX_TOKENS - 1], END] for text in texts]
        made: list[list[float]] = [[]] * len(texts)
        for numbers, x, mask in self._embedded(ids):
            x = self._lower(x, mask)
            for part in self._upper:
                x = part(x, mask)
            for number, row in zip(numbers, x, strict=True):
                vector = row[: len(ids[number])].mean(axis=0)
                vector /= max(float(np.linalg.norm(vector)), 1e-9)
                made[number] = [float(value) for value in vector]
        return made

    def _embedded(
        self, texts: Sequence[Sequence[int]]
    ) -> Iterator[tuple[list[int], Floats, NDArray[np.bool_]]]:
        """Batches of about equally long texts: their numbers, embedded tokens, and which are."""
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for start in range(0, len(order), _BATCH):
            numbers = order[start : start + _BATCH]
            longest = len(texts[numbers[-1]])
            ids = np.full((len(numbers), longest), PAD)
            for row, number in enumerate(numbers):
                ids[row, : len(texts[number])] = texts[number]
            x = self._words[ids].astype(np.float32) + self._places[:longest]
            x -= x.mean(axis=-1, keepdims=True)
            x /= np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-12)
            yield numbers, x * self._scale + self._shift, ids != PAD

    def _part(self, first: int) -> dict[str, NDArray[np.floating]]:
        """The weights of one part's layers under the graph's names."""
        return {
            f"layers.{layer}.{ours}.{kind}": self._tensors[
                f"encoder.layer.{first + layer}.{theirs}.{kind}"
            ]
            for layer in range(LAYERS_IN_PART)
            for ours, theirs in PARTS.items()
            for kind in ("weight", "bias")
        }


def _mapped(path: Path) -> dict[str, NDArray[np.floating]]:
    """The tensors of a safetensors file, mapped into memory."""
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))
    data = np.memmap(path, np.uint8, "r", offset=8 + length)
    return {
        name: data[entry["data_offsets"][0] : entry["data_offsets"][1]]
        .view(_DTYPES[entry["dtype"]])
        .reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] in _DTYPES
    }
