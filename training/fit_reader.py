"""Fit the reader: `python -m training.fit_reader PACK OUT [--minutes N] [--passes N] [--runs N]`.

PACK is what `training.pack` made, OUT the file of weights that is written, the mean of several
runs. On a GPU it takes minutes.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize
from torch.utils.data import DataLoader, Dataset

from training.network import APART, LAYERS, Reader

BATCH_TOKENS = 24_000
RATE, HEAD_RATE, DECAY_BY_LAYER = 1.3e-4, 6e-4, 0.93
WARM_UP = 150
SENTENCES, EDGES = 2.0, 0.3
"""How much the parts of the loss weigh beside the verdict's."""
NEIGHBOURS = 2
"""Passages near a question, by the embedding, that are not its own: hard negatives. They are of the
languages that its own passages are in: else the languages would tell what is answered."""
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
WORKERS = 5 if DEVICE == "cuda" else 0
QUESTION, PASSAGE, START, END, FIRST, LAST, VERDICT, SOURCE, TRIED, HEADER, PARAGRAPH, LANGUAGE = (
    0, 1, 2, 3, 4, 5, slice(6, 9), 9, 10, 11, 12, 13,
)  # fmt: skip
"""Columns of a row; see `training.pack`."""


class Pack(Dataset[tuple[Tensor, ...]]):
    """The examples; as a `Dataset` of `batches`, which makes them in other processes."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        self.e5 = {n.removeprefix("e5."): w for n, w in arrays.items() if n.startswith("e5.")}
        ends = np.cumsum(arrays["lengths"])
        self.starts = ends - arrays["lengths"]
        self.texts = np.split(arrays["tokens"], ends[:-1])
        self.spans, self.gold = arrays["spans"], arrays["gold"]
        self.names = [str(name) for name in arrays["sources"]]
        rows = arrays["rows"]
        self.rows = rows[rows[:, TRIED] == 0]
        self.tried = rows[rows[:, TRIED] == 1]
        self.batches: list[NDArray[np.int32]] = []

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int) -> tuple[Tensor, ...]:
        return self.batch(self.batches[number])

    def size(self, rows: NDArray[np.int32]) -> NDArray[np.int64]:
        lengths = np.array([len(text) for text in self.texts])
        return lengths[rows[:, QUESTION]] + lengths[rows[:, PASSAGE]]

    def batch(self, rows: NDArray[np.int32]) -> tuple[Tensor, ...]:
        """What the network takes; then targets of sentences, verdicts and edges; -1 is unknown."""
        longest = max(len(self.texts[r[QUESTION]]) + len(self.texts[r[PASSAGE]]) for r in rows)
        longest = -(-longest // 16) * 16
        most = max(int((rows[:, END] - rows[:, START]).max()), 1)
        shape = (len(rows), longest)
        tokens = np.full(shape, -1, np.int64)
        passage, same = np.zeros(shape, bool), np.zeros(shape, bool)
        sentence = np.zeros(shape, np.int16)
        gold = np.full((len(rows), most), -1, np.float32)
        edges = np.full((len(rows), 2), -1, np.int64)
        for at, row in enumerate(rows):
            asked, text = self.texts[row[QUESTION]], self.texts[row[PASSAGE]]
            split, end = len(asked), len(asked) + len(text)
            tokens[at, :split] = self.starts[row[QUESTION]] + np.arange(split)
            tokens[at, split:end] = self.starts[row[PASSAGE]] + np.arange(len(text))
            passage[at, split:end] = True
            # The first and last tokens only open and close a text.
            same[at, 1 : split - 1] = np.isin(asked[1:-1], text[1:-1])
            same[at, split + 1 : end - 1] = np.isin(text[1:-1], asked[1:-1])
            spans = self.spans[row[START] : row[END]]
            for number, (a, b) in enumerate(spans):
                sentence[at, split + a : split + b] = number + 1
            if row[TRIED] != 2:
                gold[at, : len(spans)] = self.gold[row[START] : row[END]]
            else:  # a neighbour: none of its sentences
                gold[at, : len(spans)] = 0
            if row[FIRST] >= 0:
                edges[at] = split + row[FIRST], split + row[LAST]
        verdict = rows[:, VERDICT].astype(np.float32) / 100
        verdict[verdict < 0] = -1
        arrays = tokens, passage, same, sentence, gold, verdict, edges
        return tuple(torch.from_numpy(array) for array in arrays)

    def packed(
        self, rows: NDArray[np.int32], tokens: int, rng: np.random.Generator | None
    ) -> list[NDArray[np.int32]]:
        """Batches of at most so many tokens, in each about equally long ones; shuffled by `rng`."""
        sizes = self.size(rows) + (rng.integers(0, 24, len(rows)) if rng else 0)
        found: list[list[int]] = [[]]
        for number in np.argsort(sizes):
            if (len(found[-1]) + 1) * sizes[number] > tokens:
                found.append([])
            found[-1].append(number)
        made = [rows[numbers] for numbers in found if numbers]
        if rng:
            rng.shuffle(made)  # type: ignore[arg-type]
        return made

    def loaded(self, batches: list[NDArray[np.int32]]) -> Iterator[tuple[Tensor, ...]]:
        self.batches = batches
        loader = DataLoader(self, batch_size=None, num_workers=WORKERS, pin_memory=WORKERS > 0,
                            prefetch_factor=4 if WORKERS else None)  # fmt: skip
        for batch in loader:
            yield tuple(tensor.to(DEVICE, non_blocking=True) for tensor in batch)


@torch.no_grad()
def states(net: Reader, pack: Pack, layers: int, texts: NDArray[np.int64] | None = None) -> Tensor:
    """What the embedding model's first layers make of every token of every text, or of some."""
    kind = torch.bfloat16 if DEVICE == "cuda" else torch.float32
    made = torch.zeros(sum(map(len, pack.texts)), 384, device=DEVICE, dtype=kind)
    order = np.argsort([len(text) for text in pack.texts])
    order = order if texts is None else order[np.isin(order, texts)]
    for start in range(0, len(order), 256):
        some = order[start : start + 256]
        ids = np.full((len(some), len(pack.texts[some[-1]])), -1)
        for row, number in enumerate(some):
            ids[row, : len(pack.texts[number])] = pack.texts[number]
        there = torch.from_numpy(ids >= 0).to(DEVICE)
        with torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
            x = net.lower(torch.from_numpy(ids).to(DEVICE), layers)
        where = [pack.starts[number] + np.arange(len(pack.texts[number])) for number in some]
        made[torch.from_numpy(np.concatenate(where)).to(DEVICE)] = x[there].to(kind)
    return made


def embedded(last: Tensor, pack: Pack, numbers: NDArray[np.int64]) -> Tensor:
    """The embedding of some texts, of unit length, from the last states of all tokens."""
    means = [
        last[pack.starts[n] : pack.starts[n] + len(pack.texts[n])].float().mean(0) for n in numbers
    ]
    return normalize(torch.stack(means), dim=-1)


def with_neighbours(net: Reader, pack: Pack) -> NDArray[np.int32]:
    """The rows, and each question beside the passages nearest to it that are not its own."""
    rows = pack.rows
    facts = [i for i, name in enumerate(pack.names) if name.startswith("facts")]
    asking = rows[(rows[:, VERDICT.start] != 0) & ~np.isin(rows[:, SOURCE], facts)]
    _, once = np.unique(asking[:, [QUESTION, LANGUAGE]], axis=0, return_index=True)
    own: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for row in asking:
        own[row[QUESTION]].add((row[HEADER], row[PARAGRAPH]))
    _, first = np.unique(rows[:, PASSAGE], return_index=True)
    pages = rows[first]
    last = states(net, pack, LAYERS)
    matrix = embedded(last, pack, pages[:, PASSAGE])
    asked = embedded(last, pack, asking[once, QUESTION])
    found = []
    for start in range(0, len(once), 1024):
        likeness = asked[start : start + 1024] @ matrix.T
        nearest = likeness.topk(min(400, len(pages)), dim=1).indices.cpu().numpy()
        for row, candidates in zip(asking[once[start : start + 1024]], nearest, strict=True):
            taken: set[tuple[int, int]] = set()
            for page in pages[candidates]:
                key = (page[HEADER], page[PARAGRAPH])
                # One title without paragraphs may answer anywhere in its text.
                if (
                    key in taken
                    or page[LANGUAGE] != row[LANGUAGE]
                    or any(
                        h == key[0] and (p == key[1] or not p or not key[1])
                        for h, p in own[row[QUESTION]]
                    )
                ):
                    continue
                taken.add(key)
                beside = page.copy()
                beside[QUESTION], beside[FIRST], beside[LAST] = row[QUESTION], -1, -1
                beside[VERDICT], beside[SOURCE], beside[TRIED] = (0, -100, 0), row[SOURCE], 2
                found.append(beside)
                if len(taken) == NEIGHBOURS:
                    break
    return np.concatenate([rows, np.stack(found)])


def loss_of(logits: Sequence[Tensor], batch: Sequence[Tensor]) -> Tensor:
    """Binary cross-entropy of sentences and verdicts and cross-entropy of edges, where known."""
    gold, verdict, edges = batch[4:]
    parts = []
    for found, wanted in zip(logits, (gold, verdict), strict=False):
        known = (wanted >= 0).float()
        target = wanted.clamp(min=0)
        each = binary_cross_entropy_with_logits(found, target, reduction="none")
        parts.append((each * known).sum() / known.sum().clamp(min=1))
    loss = SENTENCES * parts[0] + parts[1]
    if (edges >= 0).any():
        both = [
            cross_entropy(logits[2][..., side], edges[:, side], ignore_index=-1) for side in (0, 1)
        ]
        loss = loss + EDGES * (both[0] + both[1]) / 2
    return loss


@torch.no_grad()
def judged(
    net: Reader, pack: Pack, lower: Tensor, rows: NDArray[np.int32]
) -> list[tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
    """Of each row, in batches of any order: row, sentences' gold, their logits, the verdict's."""
    net.eval()
    made = []
    batches = pack.packed(rows, 4 * BATCH_TOKENS, None)
    for some, batch in zip(batches, pack.loaded(batches), strict=True):
        with torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
            sentences, verdicts, _ = net(lower, *batch[:4])
        gold = batch[4][:, : sentences.shape[1]]
        for parts in zip(some, gold.cpu().numpy(), sentences.float().cpu().numpy(),
                         verdicts.float().cpu().numpy(), strict=True):  # fmt: skip
            made.append(parts)
    net.train()
    return made


def measure(found: Sequence[tuple[NDArray, ...]], names: Sequence[str]) -> dict[str, list[float]]:  # type: ignore[type-arg]
    """By set: how many, AUC of answered against not, a gold sentence first, called right at .5."""
    yes, no, first = defaultdict(list), defaultdict(list), defaultdict(list)
    for row, gold, sentences, verdict in found:
        name = names[row[SOURCE]]
        if row[VERDICT.start] >= 0:
            (yes if row[VERDICT.start] > 50 else no)[name].append(float(verdict[0]))
        if (gold == 1).any():
            best = int(np.where(gold < 0, -np.inf, sentences).argmax())
            first[name].append(float(gold[best] == 1))
    result = {}
    for name in sorted(yes):
        a, b = np.array(yes[name]), np.array(no[name])
        pairs = np.subtract.outer(a, b)
        auc = float((pairs > 0).mean() + (pairs == 0).mean() / 2) if pairs.size else math.nan
        figures = [auc, float(np.mean(first[name] or [math.nan])), (a > 0).mean(), (b < 0).mean()]
        result[name] = [len(a) + len(b), *(round(float(figure), 3) for figure in figures)]
    return result


def fit(
    net: Reader,
    pack: Pack,
    lower: Tensor,
    rows: NDArray[np.int32],
    minutes: float,
    passes: float,
    seed: int,
) -> None:
    """Steps until the time is up or so many passes are made, the rate along a cosine of it.

    `lower` is what `states` gives of the layers that read the texts apart.
    """
    rng = np.random.default_rng(seed)
    groups = [{"params": net.heads.parameters(), "lr": HEAD_RATE, "weight_decay": 0.01}]
    for number, layer in enumerate(net.layers):
        if number >= APART:
            rate = RATE * DECAY_BY_LAYER ** (LAYERS - 1 - number)
            groups.append({"params": layer.parameters(), "lr": rate, "weight_decay": 0.01})
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=DEVICE == "cuda")
    rates = [group["lr"] for group in optimizer.param_groups]
    begun, step, done, told = time.monotonic(), 0, 0.0, time.monotonic()
    losses: list[Tensor] = []
    net.train()
    while done < 1:
        batches = pack.packed(rows, BATCH_TOKENS, rng)
        for batch in pack.loaded(batches):
            spent = (time.monotonic() - begun) / 60 / minutes
            done = max(spent, step / len(batches) / passes)
            if done >= 1:
                break
            falling = min(1, (step + 1) / WARM_UP) * max(0.02, (1 + math.cos(math.pi * done)) / 2)
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * falling
            with torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
                logits = net(lower, *batch[:4])
            loss = loss_of(logits, batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            step += 1
            losses.append(loss.detach())
            if time.monotonic() - told > 20:
                told = time.monotonic()
                mean = torch.stack(losses[-100:]).mean()
                print(f"step {step} of {len(batches)} a pass, {done:.2f}, {mean:.4f}", flush=True)


def mean_of(nets: Sequence[Reader]) -> dict[str, Tensor]:
    """The mean of each weight over several runs from the same start."""
    all_weights = [net.state_dict() for net in nets]
    return {
        name: torch.stack([weights[name].float() for weights in all_weights]).mean(0)
        for name in all_weights[0]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=3, help="of each run, at most")
    parser.add_argument("--passes", type=float, default=4)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--limit", type=int, default=0, help="examples, to try the script")
    arguments = parser.parse_args()
    begun = time.monotonic()
    torch.set_float32_matmul_precision("high")
    pack = Pack(arguments.pack)
    if arguments.limit:
        pack.rows, pack.tried = pack.rows[: arguments.limit], pack.tried[::40]
    start = Reader(pack.e5).to(DEVICE)
    rows = with_neighbours(start, pack)
    lower = states(start, pack, APART)
    print(len(rows), "examples", f"{time.monotonic() - begun:.0f} s", flush=True)

    def tell(name: str, net: Reader) -> None:
        print(name, f"{time.monotonic() - begun:.0f} s", flush=True)
        found = judged(net, pack, lower, pack.tried)
        for source, figures in measure(found, pack.names).items():
            print(f"  {source:14}", *figures, flush=True)

    nets = []
    for run in range(arguments.runs):
        torch.manual_seed(arguments.seed + run)
        net = Reader(pack.e5).to(DEVICE)
        fit(net, pack, lower, rows, arguments.minutes, arguments.passes, arguments.seed + run)
        tell(f"run {run}", net)
        nets.append(net)
        start.load_state_dict(mean_of(nets))
        kept = {
            name: tensor.half().cpu()
            for name, tensor in start.state_dict().items()
            if name.startswith(("heads.", "layers."))
            and not name.startswith(tuple(f"layers.{number}." for number in range(APART)))
        }
        torch.save(kept, arguments.out)
    tell("mean", start)


if __name__ == "__main__":
    main()
