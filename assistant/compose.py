"""Verdicts and evidence -> what the reader is shown: claims, citations and the words around them.

The words of `wording.toml` frame what the sources say and never carry a fact of their own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from assistant.grounding import Verdict
from assistant.layout import without
from assistant.passages import Sentence
from assistant.reading import Window
from assistant.shown import shown_text
from assistant.types import Citation, Claim, Document, Passage, Span


def wording(language: str, key: str) -> str:
    """A framing sentence in a language, or in English where there is none."""
    table = _wording()
    return table.get(language, table["en"])[key]


@cache
def _wording() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("wording.toml").read_text(encoding="utf-8"))


@dataclass
class Composer:
    """Collects what is shown for one question; markers count up as spans are first cited.

    `repeats` has all places of a sentence that stands in several, each of which is cited.
    """

    documents: Mapping[str, Document]
    passages: Sequence[Passage]
    language: str = "en"
    repeats: Mapping[Sentence, Sequence[Sentence]] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)
    _citations: dict[tuple[str, int, int], tuple[Citation, ...]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    @property
    def citations(self) -> tuple[Citation, ...]:
        return tuple(one for cited in self._citations.values() for one in cited)

    def frame(self, *keys: str) -> str:
        """Put words of our own, such as what is missing, on a line of their own; returns them."""
        words = " ".join(wording(self.language, key) for key in keys)
        if words and words not in self._lines:
            self._lines.append(words)
        return words

    def support(self, verdict: Verdict) -> None:
        """Show a supported claim in the model's words."""
        assert verdict.window is not None
        self._show(verdict.text, verdict.window.sentences, "{}")

    def quote(self, window: Window) -> None:
        """Show a window of evidence in the source's words."""
        if self.has_shown(window.sentences):
            return
        items = [sentence for sentence in window.sentences if sentence.item]
        if len(items) > 1:
            self.listing(window)
            return
        shown = items or window.sentences
        self._show(" ".join(sentence.shown for sentence in shown), shown, "“{}”")

    def listing(self, window: Window) -> None:
        """Show items of a list, one a line, each citing its own span."""
        for sentence in window.sentences:
            if sentence.item:
                self._show(sentence.label, (sentence,), "- {}")
            else:
                self._show(sentence.shown, (sentence,), "“{}”")

    def withhold(self, verdict: Verdict) -> None:
        self.claims.append(Claim(verdict.text, "withheld", (), verdict.objection))

    @property
    def shows(self) -> bool:
        return bool(self._citations)

    def has_shown(self, sentences: Sequence[Sentence]) -> bool:
        return all((s.doc_id, s.start, s.end) in self._citations for s in sentences)

    def _show(self, text: str, sentences: Sequence[Sentence], shape: str) -> None:
        if any(c.text == text and c.status == "supported" for c in self.claims):
            return
        places = [place for one in sentences for place in self.repeats.get(one, (one,))]
        cited = tuple(one for place in dict.fromkeys(places) for one in self._cite(place))
        marks = "".join(f"[{marker}]" for marker in dict.fromkeys(one.marker for one in cited))
        self.claims.append(Claim(text, "supported", cited))
        self._lines.append(f"{shape.format(text)} {marks}")

    def _cite(self, sentence: Sentence) -> tuple[Citation, ...]:
        """A citation for each stretch of a sentence between furniture; nearly always one."""
        key = (sentence.doc_id, sentence.start, sentence.end)
        if key not in self._citations:
            document = self.documents[sentence.doc_id]
            spans = without(document.furniture, document.text, sentence.start, sentence.end)
            marker = len(self._citations) + 1
            self._citations[key] = tuple(
                self._citation(marker, document, sentence, span, whole=len(spans) == 1)
                for span in spans
            )
        return self._citations[key]

    def _citation(
        self, marker: int, document: Document, sentence: Sentence, span: Span, whole: bool
    ) -> Citation:
        quote = document.text[slice(*span)]
        shown = sentence.shown if whole else shown_text(quote)
        return Citation(
            marker=marker,
            doc_id=sentence.doc_id,
            passage_id=self._passage_of(sentence),
            start=span[0],
            end=span[1],
            quote=quote,
            title=document.title,
            publisher=document.publisher,
            published=document.published,
            shown="" if shown == quote else shown,
            page=document.page(span[0]),
        )

    def _passage_of(self, sentence: Sentence) -> str:
        return next(
            p.passage_id
            for p in self.passages
            if p.doc_id == sentence.doc_id and p.start <= sentence.start and sentence.end <= p.end
        )
