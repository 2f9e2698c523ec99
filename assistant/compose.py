"""Verdicts and evidence -> what the reader is shown: claims, citations and the words around them.

The words of this file frame what the sources say and never carry a fact of their own: no number, no
date and no name stands in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assistant.grounding import Verdict, Window
from assistant.passages import Sentence
from assistant.questions import Wanted
from assistant.types import Citation, Claim, Document, Passage

QUOTING = "No chat model is at hand: these are the sources' own sentences, quoted, not written."
SAYS = "The sources say:"
NOT_IN_SOURCES = "The sources do not answer this."
NEAREST = "The nearest they come is:"
OFF_TOPIC = "This is outside what the sources are about."
CORRECTED = "The sources do not bear out what the question takes for granted. They say:"
MISSING: Mapping[Wanted, str] = {
    "year": "They do not give the year.",
    "date": "They do not give a date for this.",
    "number": "They do not give the number.",
    "amount": "They do not give the amount.",
    "person": "They do not say who.",
    "place": "They do not say where.",
    "reason": "They do not say why.",
}
PART_MISSING = "The sources do not say the rest of what was asked."


@dataclass
class Composer:
    """Collects what is shown for one question; markers count up as spans are first cited."""

    documents: Mapping[str, Document]
    passages: Sequence[Passage]
    claims: list[Claim] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)
    _citations: dict[tuple[str, int, int], Citation] = field(default_factory=dict)
    _shown: set[tuple[tuple[str, int, int], ...]] = field(default_factory=set)

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    @property
    def citations(self) -> tuple[Citation, ...]:
        return tuple(self._citations.values())

    def frame(self, words: str) -> None:
        """Words of our own, such as what is missing, on a line of their own."""
        if words and words not in self._lines:
            self._lines.append(words)

    def support(self, verdict: Verdict) -> None:
        """Show a supported claim in the model's words."""
        assert verdict.window is not None
        self._show(verdict.text, verdict.window.sentences, "{}")

    def quote(self, window: Window) -> None:
        """Show a window of evidence in the source's words."""
        if any(sentence.item for sentence in window.sentences):
            self.listing(window)
            return
        text = " ".join(sentence.text for sentence in window.sentences)
        self._show(text, window.sentences, "“{}”")

    def listing(self, window: Window) -> None:
        """Show items of a list, one a line, each citing its own span."""
        for sentence in window.sentences:
            if sentence.item:
                self._show(sentence.label, (sentence,), "- {}")
            else:
                self._show(sentence.text, (sentence,), "“{}”")

    def withhold(self, verdict: Verdict) -> None:
        self.claims.append(Claim(verdict.text, "withheld", (), verdict.objection))

    @property
    def shows(self) -> bool:
        return bool(self._shown)

    def has_shown(self, sentences: Sequence[Sentence]) -> bool:
        wanted = {(s.doc_id, s.start, s.end) for s in sentences}
        return any(wanted <= set(spans) for spans in self._shown)

    def _show(self, text: str, sentences: Sequence[Sentence], shape: str) -> None:
        spans = tuple((s.doc_id, s.start, s.end) for s in sentences)
        if any(c.text == text and c.status == "supported" for c in self.claims):
            return
        cited = tuple(self._cite(sentence) for sentence in sentences)
        marks = "".join(f"[{citation.marker}]" for citation in cited)
        self._shown.add(spans)
        self.claims.append(Claim(text, "supported", cited))
        self._lines.append(f"{shape.format(text)} {marks}")

    def _cite(self, sentence: Sentence) -> Citation:
        key = (sentence.doc_id, sentence.start, sentence.end)
        if key not in self._citations:
            document = self.documents[sentence.doc_id]
            self._citations[key] = Citation(
                marker=len(self._citations) + 1,
                doc_id=sentence.doc_id,
                passage_id=self._passage_of(sentence),
                start=sentence.start,
                end=sentence.end,
                quote=document.text[sentence.start : sentence.end],
                title=document.title,
                publisher=document.publisher,
                published=document.published,
            )
        return self._citations[key]

    def _passage_of(self, sentence: Sentence) -> str:
        return next(
            p.passage_id
            for p in self.passages
            if p.doc_id == sentence.doc_id and p.start <= sentence.start and sentence.end <= p.end
        )
