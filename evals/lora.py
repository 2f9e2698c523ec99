"""A low-rank adapter (LoRA) to the default chat model: trained in PyTorch, saved for llama.cpp.

The weights are those of the very GGUF file that answers are drafted with, brought back from their
quantised form, so the adapter corrects for what quantising lost as well. Two cores with AMX read
some 200 tokens a second in training, which takes 12 to 20 GB; set these for the C library, which
else spends most of the time giving memory back:

    MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=20000000000 MALLOC_TOP_PAD_=500000000
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

RANK, ALPHA = 4, 16.0
"""Rank of the adapter, and its scale times the rank."""
FIRST_LAYER = 12
"""The layers below read words; those from here on are where a question meets its text."""
_HIDDEN = -3e4
"""Added to the attention of a token that must not be seen; with an infinity the gradients of the
attention on a GPU are at times no numbers."""
_PARTS = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_NORMS = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
_OUTER = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}


class LowRank(nn.Module):
    """A frozen linear layer plus a product of two small matrices, at first zero."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.a = nn.Parameter(torch.randn(RANK, base.in_features) / math.sqrt(base.in_features))
        self.b = nn.Parameter(torch.zeros(base.out_features, RANK))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        added = (x @ self.a.to(x.dtype).T) @ self.b.to(x.dtype).T
        whole: torch.Tensor = self.base(x) + added * (ALPHA / RANK)
        return whole


@dataclass
class Learner:
    """A chat model with an adapter that can be trained; the rest of it stays as it is."""

    model: Any
    tokenizer: Any
    adapter: dict[str, LowRank]
    """By the names that llama.cpp gives the adapted weights."""

    @classmethod
    def of(cls, gguf: Path) -> Learner:
        """The model of a Qwen2 GGUF file with a new adapter; on a GPU where there is one."""
        from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
        from transformers.models.qwen2.modeling_qwen2 import Qwen2RotaryEmbedding

        where: dict[str, Any] = {
            "pretrained_model_name_or_path": gguf.parent,
            "gguf_file": gguf.name,
        }
        tokenizer, config = (
            AutoTokenizer.from_pretrained(**where),
            AutoConfig.from_pretrained(**where),
        )
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
                config, dtype=torch.bfloat16
            )
        model.load_state_dict(_weights(gguf), assign=True)
        model.model.rotary_emb = Qwen2RotaryEmbedding(config)
        model.requires_grad_(False)
        adapter: dict[str, LowRank] = {}
        for number, layer in enumerate(model.model.layers):
            for name, path in _PARTS.items() if number >= FIRST_LAYER else ():
                parent, _, last = path.rpartition(".")
                inside = layer.get_submodule(parent)
                adapter[f"blk.{number}.{name}.weight"] = LowRank(getattr(inside, last))
                setattr(inside, last, adapter[f"blk.{number}.{name}.weight"])
        model.to("cuda" if torch.cuda.is_available() else "cpu")
        return cls(model, tokenizer, adapter)

    def load(self, path: Path) -> None:
        """Become an adapter that was saved before."""
        from gguf import GGUFReader

        for tensor in GGUFReader(path).tensors:
            name, _, which = tensor.name.rpartition(".lora_")
            part: nn.Parameter = getattr(self.adapter[name], which)
            part.data.copy_(torch.from_numpy(tensor.data.astype(np.float32)))

    @property
    def parameters(self) -> list[nn.Parameter]:
        return [part for layer in self.adapter.values() for part in (layer.a, layer.b)]

    @property
    def weights(self) -> list[torch.Tensor]:
        """A copy of the adapter's weights, in the order of `parameters`."""
        return [part.detach().clone() for part in self.parameters]

    def take(self, weights: Sequence[torch.Tensor]) -> None:
        for part, values in zip(self.parameters, weights, strict=True):
            part.data.copy_(values)

    def scores(self, prompt: str, requests: Sequence[str], tokens: Sequence[int]) -> torch.Tensor:
        """Scores of these tokens as the first of each reply: (requests, tokens).

        The requests go on from the prompt and none sees the others, so the prompt is read once.
        """
        row = Row()
        for part in (prompt, *requests):
            row.add(self.tokenizer.encode(part))
        device = self.parameters[0].device
        states = self.model.model(
            input_ids=torch.tensor([row.ids], device=device),
            attention_mask=row.mask().to(device),
            position_ids=torch.tensor([row.positions], device=device),
            use_cache=False,
        )
        last = states.last_hidden_state[0, row.ends[1:]].float()
        found: torch.Tensor = last @ self.model.lm_head.weight[list(tokens)].float().T
        return found

    def save(self, path: Path) -> None:
        """Write the adapter as llama.cpp reads it."""
        from gguf import GGUFWriter

        writer = GGUFWriter(path, "qwen2")
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", ALPHA)
        for name, layer in self.adapter.items():
            for suffix, part in (("a", layer.a), ("b", layer.b)):
                values = part.detach().cpu().numpy().astype(np.float16)
                writer.add_tensor(f"{name}.lora_{suffix}", values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


@dataclass
class Row:
    """Tokens of a prompt and of requests that go on from it, side by side."""

    ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Where each part ends, the prompt first."""
    _parts: list[int] = field(default_factory=list)
    """Of each token; zero is the prompt."""

    def add(self, ids: Sequence[int]) -> None:
        """The prompt, then one request at a time."""
        before, part = self.ends[0] + 1 if self.ends else 0, len(self.ends)
        self.ids += ids
        self.positions += range(before, before + len(ids))
        self._parts += [part] * len(ids)
        self.ends.append(len(self.ids) - 1)

    def mask(self) -> torch.Tensor:
        """What is added to the attention of each token to each: (1, 1, tokens, tokens)."""
        part = torch.tensor(self._parts)
        seen = (part == 0) | (part[:, None] == part)
        hidden = torch.full(seen.shape, _HIDDEN, dtype=torch.bfloat16)
        return hidden.masked_fill(seen.tril(), 0.0)[None, None]


def mean(versions: Sequence[Sequence[torch.Tensor]]) -> list[torch.Tensor]:
    """The mean of the weights of several adapters that began as the same one."""
    return [torch.stack(same).mean(0) for same in zip(*versions, strict=True)]


def release() -> None:
    """Give back what the C library keeps, where it can: batches of many lengths add up."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _weights(gguf: Path) -> dict[str, torch.Tensor]:
    """Every tensor of the file in bfloat16, by the name that transformers gives it."""
    from gguf import GGUFReader
    from gguf.quants import dequantize

    found: dict[str, torch.Tensor] = {}
    for tensor in GGUFReader(gguf).tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        name = _OUTER.get(tensor.name)
        if name is None:
            _, layer, part, kind = tensor.name.split(".")
            name = f"model.layers.{layer}.{(_PARTS | _NORMS)[part]}.{kind}"
        found[name] = torch.from_numpy(values.copy()).to(torch.bfloat16)
    found.setdefault("lm_head.weight", found["model.embed_tokens.weight"])
    return found
