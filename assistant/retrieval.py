"""Query -> ranked passages.

Lexical and dense scores are fused by score, not by rank: each is scaled to [0, 1] by its best hit
and the two are weighted, so that a leg with nothing to say can't outvote the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping

from assistant.index import SearchIndex
from assistant.settings import Settings
from assistant.text import MONTHS, fold, numbers
from assistant.types import Document, Passage, ScoredPassage

_ISO = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_CANDIDATES = 200
"""Passages taken from the dense leg; the lexical leg scores all."""
_NAMED_BONUS = 0.25
"""Added to a passage whose publisher, or whole date of publication, the question names."""


class Retriever:
    """Finds passages in an index. Deterministic: ties keep the order of the sources."""

    def __init__(
        self, index: SearchIndex, documents: Mapping[str, Document], settings: Settings
    ) -> None:
        self._index = index
        self._documents = documents
        self._settings = settings
        self._order = {pid: place for place, pid in enumerate(index.passages)}

    def retrieve(
        self, query: str, limit: int, doc_ids: Collection[str] | None = None
    ) -> list[ScoredPassage]:
        """The best passages, best first, from all sources or those named."""
        # The nearest overall may all be of other sources than those named.
        wide = _CANDIDATES if doc_ids is None else len(self._index.passages)
        dense = self._index.dense(query, wide)
        lexical = self._index.lexical(query)
        weight = self._settings.dense_weight
        bonus = self._bonuses(query)
        scores = {
            pid: weight * dense_score
            + (1 - weight) * lexical_score
            + bonus[self._index.passages[pid].doc_id]
            for pid, dense_score, lexical_score in _scaled(dense, lexical)
            if doc_ids is None or self._index.passages[pid].doc_id in doc_ids
        }
        ranked = sorted(scores, key=lambda pid: (-scores[pid], self._order[pid]))
        named = {doc_id for doc_id, value in bonus.items() if value}
        ranked = interleave(ranked, self._publisher, {self._documents[d].publisher for d in named})
        return [
            ScoredPassage(self._index.passages[pid], scores[pid], rank)
            for rank, pid in enumerate(ranked[:limit], 1)
        ]

    def context(
        self, ranked: list[ScoredPassage], doc_ids: Collection[str] | None
    ) -> list[Passage]:
        """The passages a prompt shows, in the order of the sources.

        All of them where they fit: then every question shares one prompt prefix, which a local
        model has to read only once. Otherwise the best that fit.
        """
        budget = self._settings.prompt_chars
        everything = [
            p for p in self._index.passages.values() if doc_ids is None or p.doc_id in doc_ids
        ]
        if sum(len(p.text) for p in everything) <= budget:
            return everything
        chosen: list[Passage] = []
        for hit in ranked:
            if (budget := budget - len(hit.passage.text)) < 0 and chosen:
                break
            chosen.append(hit.passage)
        return self.in_order(chosen)

    def in_order(self, found: Iterable[Passage]) -> list[Passage]:
        """Passages in the order of the sources."""
        return sorted(found, key=lambda passage: self._order[passage.passage_id])

    def _publisher(self, pid: str) -> str:
        return self._documents[self._index.passages[pid].doc_id].publisher

    def _bonuses(self, query: str) -> dict[str, float]:
        """For each source, what its publisher or date being named in the query adds."""
        said, folded = _dates_said(query), fold(query)
        publishers = {document.publisher for document in self._documents.values()} - {""}
        named = {p for p in publishers if re.search(rf"\b{re.escape(fold(p))}\b", folded)}
        return {
            doc_id: _NAMED_BONUS
            * ((document.publisher in named) + _names_date(said, document.published))
            for doc_id, document in self._documents.items()
        }


def interleave(
    ranked: list[str], group_of: Callable[[str], str], wanted: Collection[str]
) -> list[str]:
    """Ranked ids with those of each wanted group taken in turn, when there are two or more.

    A question that compares two publishers needs passages of both, however well one matches.
    """
    if len(wanted) < 2:
        return ranked
    queues = {name: [pid for pid in ranked if group_of(pid) == name] for name in wanted}
    order = sorted(queues, key=lambda name: ranked.index(queues[name][0]) if queues[name] else 1e9)
    turns: list[str] = []
    while any(queues.values()):
        turns += [queues[name].pop(0) for name in order if queues[name]]
    return turns + [pid for pid in ranked if group_of(pid) not in wanted]


def _scaled(
    dense: Mapping[str, float], lexical: Mapping[str, float]
) -> list[tuple[str, float, float]]:
    """Both scores of every candidate, each leg divided by its best."""
    top_dense = max([*dense.values(), 1e-9])
    top_lexical = max([*lexical.values(), 1e-9])
    return [
        (pid, max(dense.get(pid, 0.0), 0.0) / top_dense, lexical.get(pid, 0.0) / top_lexical)
        for pid in {**dense, **lexical}
    ]


def _dates_said(query: str) -> frozenset[str]:
    """The numbers and months of a query, and dates written as 2021-09-15."""
    return frozenset(numbers(query)) | frozenset(_ISO.findall(query))


def _names_date(said: frozenset[str], published: str) -> bool:
    """Whether the numbers said have the whole date of publication: its year, month and day."""
    match = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", published)
    if not match:
        return False
    year, month, day = match.groups()
    return {year, MONTHS[int(month) - 1], str(int(day))} <= said or published in said
