"""How well the reader tells answering passages and sentences, on public question sets.

    python -m benchmarks.reader FOLDER [--json] [--kept-back]

FOLDER holds clapnq.jsonl, xquad.jsonl, kazqad.jsonl and tquad.jsonl, or some of them, in the form
that docs/reader.md describes. Where a set has no unanswerable questions, each is also asked of
another paragraph of the set, the one that shares most words with it. `--kept-back` takes only the
documents that nothing was learnt from.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from assistant.reader import Page, Reader
from assistant.settings import Settings, stay_offline
from training.examples import Example, clapnq, is_kept_back, read_lines, span_set, xquad_on_english

CALLED_ANSWERED = 0.5
_COLUMNS = (
    "n", "auc", "first_right", "answerable_called_answered", "unanswerable_called_not",
    "ms_per_passage",
)  # fmt: skip


@dataclass
class Tally:
    """What came of one set in one language."""

    answered: list[float] = field(default_factory=list)
    unanswered: list[float] = field(default_factory=list)
    first_right: list[bool] = field(default_factory=list)
    seconds: float = 0.0

    def figures(self) -> dict[str, float | None]:
        yes, no = np.array(self.answered), np.array(self.unanswered)
        beaten = np.subtract.outer(yes, no)
        count = len(yes) + len(no)
        return {
            "n": count,
            "auc": _share(np.where(beaten == 0, 0.5, beaten > 0)),
            "first_right": _share(np.array(self.first_right)),
            "answerable_called_answered": _share(yes >= CALLED_ANSWERED),
            "unanswerable_called_not": _share(no < CALLED_ANSWERED),
            "ms_per_passage": round(1000 * self.seconds / max(count, 1), 1),
        }


def _share(values: np.ndarray) -> float | None:  # type: ignore[type-arg]
    return round(float(values.mean()), 3) if values.size else None


def tally(reader: Reader, examples: Sequence[Example]) -> Tally:
    """Read each passage for its question; passages are read one by one, as they come."""
    found = Tally()
    for example in examples:
        page = Page(example.header, example.sentences)
        begun = time.perf_counter()
        (reading,) = reader.read(example.question, [page])
        found.seconds += time.perf_counter() - begun
        (found.answered if example.verdict[0] else found.unanswered).append(reading.answered)
        if any(example.gold):
            found.first_right.append(bool(example.gold[int(np.argmax(reading.sentences))]))
    return found


Rows = list[dict[str, Any]]
SETS: dict[str, Callable[[Rows], Iterator[Example]]] = {
    "clapnq": clapnq,
    "xquad": xquad_on_english,
    "kazqad": lambda rows: span_set(rows, "kazqad", "kk"),
    "tquad": lambda rows: span_set(
        [{**row, **question} for row in rows for question in row["questions"]], "tquad", "tr"
    ),
}


def measure(reader: Reader, folder: Path, kept_back: bool, limit: int) -> dict[str, Any]:
    """By set and language of the question, what `Tally.figures` gives."""
    result: dict[str, Any] = {}
    for name, examples_of in SETS.items():
        path = folder / f"{name}.jsonl"
        if not path.is_file():
            continue
        rows = read_lines(path)
        if kept_back and name != "tquad":  # of that set nothing was learnt
            rows = [row for row in rows if is_kept_back(row.get("title") or row["question"])]
        by_language: dict[str, list[Example]] = defaultdict(list)
        for example in examples_of(rows):
            by_language[example.language].append(example)
        for language, examples in by_language.items():
            if limit and len(examples) > limit:
                examples = random.Random(0).sample(examples, limit)
            result.setdefault(name, {})[language] = tally(reader, examples).figures()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--kept-back", action="store_true")
    parser.add_argument("--limit", type=int, default=0, help="ask at most so many of each")
    arguments = parser.parse_args()
    if not any((arguments.folder / f"{name}.jsonl").is_file() for name in SETS):
        wanted = ", ".join(f"{name}.jsonl" for name in SETS)
        sys.exit(f"There is none of {wanted} in {arguments.folder}.")
    stay_offline()
    from assistant.models import load_reader

    reader = load_reader(Settings())
    result = measure(reader, arguments.folder, arguments.kept_back, arguments.limit)
    if arguments.json:
        print(json.dumps(result, indent=1))
        return
    table = Table("set", "question in", *_COLUMNS)
    for name, languages in result.items():
        for language, figures in languages.items():
            table.add_row(name, language, *(str(figures[column]) for column in _COLUMNS))
    Console().print(table)


if __name__ == "__main__":
    main()
