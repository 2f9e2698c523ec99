"""The reader as a torch module: the embedding model's layers, the upper ones reading both texts.

The lower layers read question and passage apart, as the embedding model does, and are not fitted;
from layer `APART` on each text sees the other (as in PreTTR: MacAvaney et al., SIGIR 2020).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, gelu, scaled_dot_product_attention

WIDTH, HEADS, INNER, LAYERS = 384, 12, 1536, 12
APART = 4
"""Layers that read question and passage apart."""
DROPOUT = 0.1


class Layer(nn.Module):
    """One layer of BERT."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.dense = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.inner, self.outer = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.last = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`x` (texts, tokens, width); `mask` broadcasts to (texts, heads, tokens, tokens)."""
        texts, count, _ = x.shape

        def heads(y: Tensor) -> Tensor:
            return y.view(texts, count, HEADS, WIDTH // HEADS).transpose(1, 2)

        seen = scaled_dot_product_attention(
            heads(self.query(x)), heads(self.key(x)), heads(self.value(x)), attn_mask=mask
        )
        seen = self.dense(seen.transpose(1, 2).reshape(texts, count, WIDTH))
        x = self.norm(x + dropout(seen, DROPOUT, self.training))
        made = self.outer(gelu(self.inner(x)))
        return self.last(x + dropout(made, DROPOUT, self.training))


def head(width: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, WIDTH), nn.GELU(), nn.Dropout(DROPOUT), nn.Linear(WIDTH, out)
    )


class Heads(nn.Module):
    """What is read off the last states: each sentence, the verdict, where the answer's words are.

    `marks` is added to the states where the texts meet: which text a token is of, and whether the
    other has it too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.marks = nn.Parameter(torch.zeros(4, WIDTH))
        self.sentence, self.verdict = head(3 * WIDTH, 1), head(4 * WIDTH, 3)
        self.edges = nn.Linear(WIDTH, 2)

    def forward(self, y: Tensor, asked: Tensor, sentence: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of sentences (texts, sentences), verdicts (texts, 3), edges (texts, tokens, 2).

        `y` (texts, tokens, width); `asked` (texts, tokens) is true in the question; `sentence`
        (texts, tokens) is the number of the passage's sentence that a token is in, from 1 on.
        """
        numbers = torch.arange(1, sentence.max() + 1, device=y.device)
        pool = (sentence[:, None, :] == numbers[:, None]).to(y.dtype)
        there = pool.sum(-1)
        means = (pool / there.clamp(min=1)[..., None]) @ y
        first, question = y[:, 0], _mean(y, asked)
        beside = [t[:, None].expand_as(means) for t in (first, question)]
        logits = self.sentence(torch.cat([means, *beside], -1))[..., 0]
        share = logits.masked_fill(there == 0, -1e4).softmax(-1)[..., None]
        found = (share * means).sum(1)
        whole = torch.cat([found, first, question, _mean(y, sentence > 0)], -1)
        edges = self.edges(y).masked_fill((sentence == 0)[..., None], -1e4)
        return logits, self.verdict(whole), edges


class Reader(nn.Module):
    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        """`weights` are the embedding model's, as `training.pack` names them."""
        super().__init__()
        floats = {n: torch.from_numpy(w.astype(np.float32)) for n, w in weights.items()}
        self.words = nn.Embedding.from_pretrained(floats["words"], freeze=True)
        self.register_buffer("places", floats["places"])
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.norm.weight.data, self.norm.bias.data = floats["scale"], floats["shift"]
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        for number, layer in enumerate(self.layers):
            for name, part in layer.named_children():
                part.weight.data = floats[f"{number}.{name}.weight"]
                part.bias.data = floats[f"{number}.{name}.bias"]
        self.heads = Heads()
        for part in (self.norm, *self.layers[:APART]):
            part.requires_grad_(False)

    def forward(
        self, states: Tensor, tokens: Tensor, passage: Tensor, same: Tensor, sentence: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What `Heads` gives, of texts side by side.

        `states` (all tokens, width) is what `lower` made; the others are (texts, tokens): the row
        of `states`, -1 for none; whether of the passage; whether the other text has the token too;
        the number of the sentence, from 1 on.
        """
        return self.together(states[tokens.clamp(min=0)], tokens >= 0, passage, same, sentence)

    def together(
        self, x: Tensor, there: Tensor, passage: Tensor, same: Tensor, sentence: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """`x` (texts, tokens, width); `there` is true where a token is; the rest as above."""
        x = x + self.heads.marks[passage.long()] + self.heads.marks[2 + same.long()]
        for layer in self.layers[APART:]:
            x = layer(x, there[:, None, None, :])
        with torch.autocast(x.device.type, enabled=False):
            return self.heads(x.float(), there & ~passage, sentence)

    def lower(self, ids: Tensor, layers: int = APART) -> Tensor:
        """Texts by the embedding model's first layers; `ids` (texts, tokens), -1 for none."""
        x = self.norm(self.words(ids.clamp(min=0)) + self.places[: ids.shape[1]])
        for layer in self.layers[:layers]:
            was, layer.training = layer.training, False
            x = layer(x, (ids >= 0)[:, None, None, :])
            layer.training = was
        return x


def _mean(y: Tensor, which: Tensor) -> Tensor:
    weights = which[..., None].to(y.dtype)
    return (y * weights).sum(1) / weights.sum(1).clamp(min=1)
