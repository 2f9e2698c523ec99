"""The metrics, each a pure function of a case and its answer; the docstring is the definition.

A function returns None where its metric does not apply to the case, so that the case counts
neither for nor against it. Spans are compared by characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import ir_measures
from ir_measures import RR, Qrel, R, ScoredDoc, Success, nDCG

from assistant.text import fold, is_name, numbers, sentence_spans, tokens
from assistant.types import Answer, Citation, Claim, Document, ScoredPassage
from evals.types import EvalCase, GoldQuote, GoldSpan

Documents = Mapping[str, Document]
Measure = Callable[[EvalCase, Answer, Documents], float | None]

Statistic = Literal["mean", "f1", "p50", "p95"]

PERCENTILES: tuple[Statistic, ...] = ("p50", "p95")
ABSTAINED = ("not_in_sources", "off_topic", "corrected_premise")
ANSWERED = ("answered", "partial")
ENOUGH = 0.5
"""A span counts as overlapped when at least this share of its characters is."""
_ALSO: Mapping[str, Sequence[str]] = {
    "small-talk": ("about_the_assistant",),
    "advice": ("not_in_sources",),
}
"""Outcomes that are right for a kind besides: no advice is what is wanted."""
_QUOTE = re.compile(r"“[^”]{60,}”")
"""A whole sentence in quotation marks; what is shorter is a name or a title."""
_MARKER = re.compile(r"\s?\[\d+(?:\s*,\s*\d+)*\]")


# Retrieval


def hit_rate(case: EvalCase, answer: Answer, k: int) -> float | None:
    """Share of questions with a gold passage among the first k (Success@k)."""
    return _retrieval(case, answer.retrieved, Success @ k)


def recall(case: EvalCase, answer: Answer, k: int) -> float | None:
    """Share of a question's gold passages that are among the first k (R@k)."""
    return _retrieval(case, answer.retrieved, R @ k)


def mrr(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """One over the rank of the first gold passage, 0 when none was retrieved (MRR)."""
    return _retrieval(case, answer.retrieved, RR)


def ndcg(case: EvalCase, answer: Answer, k: int) -> float | None:
    """Gain of the gold passages among the first k, discounted by rank, over the best (nDCG@k)."""
    return _retrieval(case, answer.retrieved, nDCG @ k)


def gold_passages(gold: Sequence[GoldQuote], ranked: Sequence[ScoredPassage]) -> set[str]:
    """Ids of the passages that carry a case's gold quotes.

    A quote belongs to the best-ranked passage that holds at least half of it or of an alternative;
    a quote that no retrieved passage holds gets an id that is never retrieved.
    """
    found = set()
    for place, quote in enumerate(gold):
        carriers = [hit for hit in ranked if any(_holds(hit, span) for span in quote.spans)]
        best = min(carriers, key=lambda hit: hit.rank, default=None)
        found.add(best.passage.passage_id if best else f"missing {place}")
    return found


def _holds(hit: ScoredPassage, span: GoldSpan) -> bool:
    passage = hit.passage
    shared = _overlap((passage.start, passage.end), (span.start, span.end))
    return passage.doc_id == span.doc_id and shared >= ENOUGH * (span.end - span.start)


def _retrieval(
    case: EvalCase, ranked: Sequence[ScoredPassage], measure: ir_measures.Measure
) -> float | None:
    if not case.gold:
        return None
    if not ranked:
        return 0.0
    gold = [Qrel(case.id, pid, 1) for pid in sorted(gold_passages(case.gold, ranked))]
    # Minus the rank as the score: equal scores must not be put in another order.
    run = [ScoredDoc(case.id, hit.passage.passage_id, -float(hit.rank)) for hit in ranked]
    return float(ir_measures.calc_aggregate([measure], gold, run)[measure])


# Answers


def objections(case: EvalCase, answer: Answer) -> list[str]:
    """Why an answer is not acceptable, in words; empty when it is."""
    allowed = {
        "answer": ANSWERED,
        "partial": ANSWERED,
        "decline": ABSTAINED,
        "correct": (*ANSWERED, *ABSTAINED),
        "off_topic": ("off_topic", "not_in_sources"),
    }[case.expected]
    allowed = (*allowed, *_ALSO.get(case.kind, ()))
    found = []
    if answer.outcome not in allowed:
        found.append(f"the outcome is {answer.outcome}, expected was {case.expected}")
    shown = comparable(answer.text)
    if not case.declinable:
        found += [
            f"it does not say {' or '.join(repr(option) for option in group)}"
            for group in case.accept
            if not any(contains(shown, option) for option in group)
        ]
    return found + [f"it says {bad!r}" for bad in case.reject if contains(shown, bad)]


def answer_acceptability(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """Share of answers that say all they must, nothing they must not, with the outcome expected."""
    return float(not objections(case, answer))


def followup_resolution(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """Answer acceptability on questions that can't be understood without the turns before."""
    return float(not objections(case, answer)) if case.kind == "follow-up" else None


def direct(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """Share of answers whose own first sentence, or form, is what was asked for."""
    # A quote of a whole sentence is not the answer's own.
    if not (case.direct or case.bullets or case.table):
        return None
    own = _QUOTE.sub(" ", answer.text)
    line = next((line for line in own.splitlines() if line.strip(" *#|-:")), "")
    first = comparable(line[slice(*next(iter(sentence_spans(line)), (0, 0)))])
    said = all(any(contains(first, option) for option in group) for group in case.direct)
    bullets = len(re.findall(r"^\s*[-*•] ", answer.text, re.MULTILINE))
    table = re.search(r"^\|.*\|\s*$", answer.text, re.MULTILINE) is not None
    return float(
        said and (not case.bullets or bullets == case.bullets) and (not case.table or table)
    )


def bare_quotes(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """Share of the answers that say nothing but what they quote."""
    if answer.outcome not in ANSWERED or not answer.supported:
        return None
    return float(
        all(
            claim.text in " ".join(c.as_shown for c in claim.citations)
            for claim in answer.supported
        )
    )


def comparable(text: str) -> str:
    """Shown text without citation markers, case, diacritics and the differences between quotes."""
    plain = unicodedata.normalize("NFKC", _MARKER.sub("", text))
    for variants, one in (("‘’ʼʻ`´", "'"), ("“”„«»", '"'), ("–—‑", "-")):
        plain = re.sub(f"[{variants}]", one, plain)
    return " ".join(fold(plain).split())


def contains(shown: str, wanted: str) -> bool:
    """Whether comparable text has the words, from a word's start on and with numbers whole."""
    plain = comparable(wanted)
    before = r"(?<!\w)" if plain[:1].isalnum() else ""
    before += r"(?<!\d[.,])" if plain[:1].isdigit() else ""
    after = r"(?!\d|[.,]\d)" if plain[-1:].isdigit() else ""
    return bool(plain) and re.search(before + re.escape(plain) + after, shown) is not None


# Citations


def citation_precision(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """Share of an answer's citations with at least half their characters in gold sentences."""
    if not case.gold or not answer.citations:
        return None
    gold: dict[str, set[int]] = {}
    for quote in case.gold:
        for span in quote.spans:
            gold.setdefault(span.doc_id, set()).update(range(*span.sentences))
    good = sum(
        len(gold.get(c.doc_id, set()).intersection(range(c.start, c.end)))
        >= ENOUGH * max(c.end - c.start, 1)
        for c in answer.citations
    )
    return good / len(answer.citations)


def citation_recall(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """Share of gold quotes of which, or of an alternative, at least half is cited."""
    if not case.gold:
        return None
    cited = _characters(answer.citations)
    return sum(_cited(quote, cited) for quote in case.gold) / len(case.gold)


def _cited(quote: GoldQuote, cited: Mapping[str, set[int]]) -> bool:
    return any(
        len(cited.get(span.doc_id, set()).intersection(range(span.start, span.end)))
        >= ENOUGH * (span.end - span.start)
        for span in quote.spans
    )


def quote_fidelity(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """Share of citations whose quote is, character for character, what stands at their span."""
    cited = list(_every_citation(answer))
    if not cited:
        return None
    return sum(
        c.doc_id in documents and documents[c.doc_id].text[c.start : c.end] == c.quote
        for c in cited
    ) / len(cited)


def unsupported_tokens(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """Numbers and names in a shown claim that its cited quotes don't have, per answer."""
    if not answer.supported:
        return None
    return float(sum(len(unsupported(claim)) for claim in answer.supported))


def unsupported(claim: Claim) -> set[str]:
    """The numbers and names of a claim that don't stand in its own citations."""
    quotes = "\n".join(c.as_shown if c.of_card else c.quote for c in claim.citations)
    return set(_unsupported(_MARKER.sub("", claim.text), quotes))


@lru_cache(4096)
def _unsupported(text: str, quotes: str) -> frozenset[str]:
    evidence = {token.word for token in tokens(quotes)}
    opening = _opening_words(text)
    names = {t.word for t in tokens(text) if is_name(t, t.start in opening)}
    return frozenset((numbers(text) - numbers(quotes)) | (names - evidence))


def _opening_words(text: str) -> set[int]:
    starts = [start for start, _ in sentence_spans(text)]
    words = tokens(text)
    return {next((w.start for w in words if w.start >= start), -1) for start in starts}


def _every_citation(answer: Answer) -> Iterable[Citation]:
    yield from answer.citations
    for claim in answer.supported:
        yield from claim.citations


def _characters(citations: Sequence[Citation]) -> dict[str, set[int]]:
    cited: dict[str, set[int]] = {}
    for citation in citations:
        cited.setdefault(citation.doc_id, set()).update(range(citation.start, citation.end))
    return cited


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> int:
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))


# Abstention. A false premise may be answered or declined, so `correct` cases stay out of it.


def abstention_precision(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """Share of declined questions that the sources indeed don't answer."""
    if case.expected == "correct" or answer.outcome not in ABSTAINED:
        return None
    return float(case.declinable)


def abstention_recall(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """Share of the questions that the sources don't answer which were declined."""
    return float(answer.outcome in ABSTAINED) if case.declinable else None


def abstention_f1(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """Harmonic mean of abstention precision and recall."""
    abstained = answer.outcome in ABSTAINED
    if case.expected == "correct" or not (abstained or case.declinable):
        return None
    return float(abstained and case.declinable)


def over_refusal(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
    """Share of the questions that the sources answer which were declined."""
    return float(answer.outcome in ABSTAINED) if case.expected == "answer" else None


# Latency


def latency(answer: Answer, moment: str) -> float | None:
    """Seconds from the question to that moment; no value where the answer has no such moment."""
    return answer.timings.get(moment)


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure and how its values become one number."""

    name: str
    measure: Measure
    explanation: str
    higher_is_better: bool = True
    statistic: Statistic = "mean"


def _metric(
    measure: Measure, higher_is_better: bool = True, statistic: Statistic = "mean"
) -> Metric:
    name = measure.__name__
    return Metric(name, measure, measure.__doc__ or "", higher_is_better, statistic)


def _at(rate: Callable[[EvalCase, Answer, int], float | None], k: int) -> Metric:
    def measure(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
        return rate(case, answer, k)

    explanation = (rate.__doc__ or "").replace("first k", f"first {k}").replace("@k", f"@{k}")
    return Metric(f"{rate.__name__}@{k}", measure, explanation)


def _moment(moment: str, statistic: Statistic) -> Metric:
    def measure(case: EvalCase, answer: Answer, documents: Documents) -> float | None:
        return latency(answer, moment)

    what = {"total": "end"}.get(moment, moment.replace("_", " "))
    explanation = f"Seconds from the question to the {what}: {statistic[1:]}th percentile."
    return Metric(f"latency_{moment}_{statistic}", measure, explanation, False, statistic)


METRICS: tuple[Metric, ...] = (
    _metric(answer_acceptability),
    _metric(followup_resolution),
    _metric(direct),
    _metric(bare_quotes, higher_is_better=False),
    _metric(citation_precision),
    _metric(citation_recall),
    _metric(quote_fidelity),
    _metric(unsupported_tokens, higher_is_better=False),
    _metric(abstention_precision),
    _metric(abstention_recall),
    _metric(abstention_f1, statistic="f1"),
    _metric(over_refusal, higher_is_better=False),
    _at(hit_rate, 1),
    _at(hit_rate, 3),
    _at(recall, 3),
    _at(recall, 8),
    _metric(mrr),
    _at(ndcg, 8),
    *(
        _moment(moment, statistic)
        for moment in ("first_evidence", "first_token", "total")
        for statistic in PERCENTILES
    ),
)
BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS}
HEADLINE = (
    "answer_acceptability",
    "direct",
    "citation_precision",
    "citation_recall",
    "abstention_recall",
    "over_refusal",
)
"""What the tables by kind and by language show."""


def measure_case(case: EvalCase, answer: Answer, documents: Documents) -> dict[str, float | None]:
    """Every metric that applies to a case."""
    measured = {metric.name: metric.measure(case, answer, documents) for metric in METRICS}
    return {name: value for name, value in measured.items() if value is not None}
