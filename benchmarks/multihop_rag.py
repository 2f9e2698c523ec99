"""Retrieval measured on MultiHop-RAG (Tang and Yang, COLM 2024, arXiv 2401.15391).

    python -m benchmarks.multihop_rag FOLDER

FOLDER holds the data set's `corpus.json` and a file of its queries. Nothing of it is copied; the
index goes to a temporary folder, or to `--keep` so that a second run need not embed again. The
figures are comparable with the data set's own script, whose definitions `score_query` follows.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress as Bar
from rich.table import Table

import assistant  # noqa: F401  keeps the libraries offline
from assistant.errors import AssistantError, SourceError
from assistant.settings import Settings
from assistant.types import Document, Encoder, Progress
from evals.corpora import load_multihop_rag, read_json

COLUMNS = ("Hits@10", "Hits@4", "MAP@10", "MRR@10", "Rec@10", "Rec@4", "All@10")
DEPTH = 10
_SQUEEZE = str.maketrans("", "", " \n")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def score_query(facts: Sequence[str], ranked: Sequence[str]) -> dict[str, float]:
    """The metrics of one query, from its evidence and the texts of its passages, best first.

    A passage carries an evidence item when it contains it, spaces and line ends aside. Hits: any
    item found. MRR: one over the first rank with an item. MAP: one over the rank at which each item
    is first seen, over the number of items. Rec: share of items found. All: every item found.
    """
    wanted = [fact.translate(_SQUEEZE) for fact in facts]
    texts = [text.translate(_SQUEEZE) for text in ranked[:DEPTH]]
    first: dict[str, int] = {}
    for rank, text in enumerate(texts, 1):
        for fact in wanted:
            if fact in text:
                first.setdefault(fact, rank)
    best = min(first.values(), default=None)

    def share(k: int) -> float:
        return sum(first.get(fact, DEPTH + 1) <= k for fact in wanted) / len(wanted)

    return {
        "Hits@10": float(best is not None),
        "Hits@4": float(best is not None and best <= 4),
        "MAP@10": sum(1 / rank for rank in first.values()) / min(len(wanted), DEPTH),
        "MRR@10": 1 / best if best else 0.0,
        "Rec@10": share(10),
        "Rec@4": share(4),
        "All@10": float(share(10) == 1),
    }


def load_queries(path: Path, limit: int | None) -> list[dict[str, Any]]:
    """Queries with evidence, as the data set scores them; `limit` draws evenly, always the same."""
    queries = [q for q in read_json(path) if q["question_type"] != "null_query"]
    if limit is None or limit >= len(queries):
        return queries
    shuffled = sorted(queries, key=lambda q: hashlib.sha256(q["query"].encode()).digest())
    return shuffled[: max(limit, 0)]


def measure(
    documents: Mapping[str, Document],
    queries: Sequence[Mapping[str, Any]],
    encoder: Encoder,
    settings: Settings,
    progress: Progress,
) -> dict[str, dict[str, float]]:
    """Mean metrics of all queries and of each question type, with `n`."""
    from assistant.errors import IndexFault
    from assistant.index import SearchIndex, build
    from assistant.retrieval import Retriever

    try:
        index = SearchIndex.open(settings, documents, encoder)
    except IndexFault:  # none yet, or of another corpus or model
        build(settings, documents, encoder, progress)
        index = SearchIndex.open(settings, documents, encoder)
    retriever = Retriever(index, documents, settings)
    groups: dict[str, list[dict[str, float]]] = {"all": []}
    for done, query in enumerate(queries, 1):
        hits = retriever.retrieve(query["query"], DEPTH)
        facts = [item["fact"] for item in query["evidence_list"]]
        scored = score_query(facts, [hit.passage.text for hit in hits])
        groups["all"].append(scored)
        groups.setdefault(query["question_type"].removesuffix("_query"), []).append(scored)
        progress("Asking", done, len(queries), "queries")
    return {
        name: {"n": len(rows)} | {c: sum(r[c] for r in rows) / len(rows) for c in COLUMNS}
        for name, rows in groups.items()
        if rows
    }


def main(
    folder: Annotated[Path, typer.Argument(help="The MultiHop-RAG folder.")],
    queries: Annotated[str, typer.Option(help="Its file of queries.")] = "queries_dev.json",
    limit: Annotated[int | None, typer.Option(help="At most so many queries.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep the index here for the next run.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure the assistant's retrieval on MultiHop-RAG."""
    if not folder.is_dir():
        out.print(f"Skipped: there is no folder {folder}.", markup=False)
        return
    try:
        with tempfile.TemporaryDirectory(prefix="multihop-rag-") as temporary, _bar() as progress:
            settings = Settings.load(config).with_values({"cache_dir": keep or temporary})
            documents = load_multihop_rag(folder)
            asked = load_queries(folder / queries, limit)
            if not asked:
                raise SourceError("No query is left to ask (n=0).", "raise --limit")
            from assistant.models import load_encoder

            rows = measure(documents, asked, load_encoder(settings), settings, progress)
    except AssistantError as fault:
        err.print(f"error: {fault}", markup=False)
        raise typer.Exit(fault.exit_code) from None
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    else:
        _print(rows)


def _print(rows: Mapping[str, Mapping[str, float]]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("type")
    for column in ("n", *COLUMNS):
        table.add_column(column, justify="right")
    for name, row in rows.items():
        table.add_row(name, f"{row['n']:.0f}", *(f"{row[column]:.4f}" for column in COLUMNS))
    out.print(table)


class _bar:  # noqa: N801  a context manager, used as a verb
    """A progress bar on stderr."""

    def __enter__(self) -> Progress:
        self._bar = Bar(console=err)
        self._bar.start()
        tasks: dict[str, Any] = {}

        def progress(what: str, done: int, total: int, unit: str) -> None:
            if what not in tasks:
                tasks[what] = self._bar.add_task(what, total=total)
            self._bar.update(tasks[what], completed=done)

        return progress

    def __exit__(self, *fault: object) -> None:
        self._bar.stop()


if __name__ == "__main__":
    typer.run(main)
