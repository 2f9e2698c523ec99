"""Verdicts and evidence -> what the reader is shown: claims, citations and the words around them.

The words of `wording.toml` frame what the sources say and never carry a fact of their own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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


def languages() -> list[str]:
    """The languages that there are framing sentences in."""
    return list(_wording())


def card(document: Document) -> str:
    """What is known of a source besides its text, on one line."""
    known = (document.title, document.publisher, document.author, document.published)
    return "; ".join(part for part in known if part)


@cache
def _wording() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("wording.toml").read_text(encoding="utf-8"))


WHOLE = 0.7
"""A claim of this share of the sentence that it rests on says all of it."""
Cell = tuple[str, Sequence[Sentence]]
"""What a place in a table says and the sentences that say so; no text where none does."""


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
    _told: set[Sentence] = field(default_factory=set)
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
        self.state(words)
        return words

    def state(self, words: str) -> None:
        """Put words of our own that were made before on a line of their own."""
        if words and words not in self._lines:
            self._lines.append(words)

    def support(self, verdict: Verdict) -> None:
        """Show a supported claim in the model's words; of a short one the proof is quoted too."""
        assert verdict.window is not None
        sentences = verdict.window.sentences
        self._show(verdict.text, sentences, "{}")
        if len(verdict.text) < WHOLE * sum(len(sentence.shown) for sentence in sentences):
            self._told.difference_update(sentences)

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

    def tell(
        self,
        text: str,
        sentences: Sequence[Sentence] = (),
        cards: Sequence[str] = (),
        shape: str = "{}",
        worked_out: bool = False,
    ) -> None:
        """Show a claim made by the program from sentences and from the cards of sources by id."""
        cited = [one for sentence in sentences for one in self._cite(sentence)]
        cited += [self._cite_card(doc_id) for doc_id in cards]
        self._claim(text, tuple(dict.fromkeys(cited)), shape, worked_out)

    def table(self, head: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]]) -> None:
        """Show rows of claims, each under its column; an empty cell says that nothing was found."""
        lines = [[_in_cell(name) for name in head], ["---"] * len(head)]
        for name, cells in rows:
            line = [_in_cell(name)]
            for text, sentences in cells:
                if not sentences:
                    line.append(wording(self.language, "not_found"))
                    continue
                cited = tuple(one for sentence in sentences for one in self._cite(sentence))
                self.claims.append(Claim(text, "supported", cited))
                line.append(f"{_in_cell(text)} {_marks(cited)}")
            lines.append(line)
        self._lines += [f"| {' | '.join(line)} |" for line in lines]

    def repeat(self, claim: Claim, shape: str) -> None:
        """Show a claim of an earlier answer again, its citations numbered anew."""
        by_marker: dict[int, list[Citation]] = {}
        for citation in claim.citations:
            by_marker.setdefault(citation.marker, []).append(citation)
        cited: list[Citation] = []
        for group in by_marker.values():
            key = (group[0].doc_id, group[0].start, group[-1].end)
            if key not in self._citations:
                marker = len(self._citations) + 1
                self._citations[key] = tuple(replace(one, marker=marker) for one in group)
            cited += self._citations[key]
        self._claim(claim.text, tuple(cited), shape, claim.status == "worked_out")

    def withhold(self, verdict: Verdict) -> None:
        self.claims.append(Claim(verdict.text, "withheld", (), verdict.objection))

    @property
    def shows(self) -> bool:
        return bool(self._citations)

    def has_shown(self, sentences: Sequence[Sentence]) -> bool:
        """Whether their statements stand in the answer, in their own words or others."""
        return self._told.issuperset(sentences)

    def _show(self, text: str, sentences: Sequence[Sentence], shape: str) -> None:
        if any(c.text == text and c.status == "supported" for c in self.claims):
            return
        places = [place for one in sentences for place in self.repeats.get(one, (one,))]
        self._told |= {*sentences, *places}
        cited = tuple(one for place in dict.fromkeys(places) for one in self._cite(place))
        self._claim(text, cited, shape)

    def _claim(
        self, text: str, cited: tuple[Citation, ...], shape: str, worked_out: bool = False
    ) -> None:
        self.claims.append(Claim(text, "worked_out" if worked_out else "supported", cited))
        note = f" ({wording(self.language, 'worked_out')})" if worked_out else ""
        self._lines.append(f"{shape.format(text)} {_marks(cited)}{note}")

    def _cite_card(self, doc_id: str) -> Citation:
        key = (doc_id, 0, 0)
        if key not in self._citations:
            document = self.documents[doc_id]
            about = (document.title, document.publisher, document.published, card(document))
            marker = len(self._citations) + 1
            self._citations[key] = (Citation(marker, doc_id, "", 0, 0, "", *about),)
        return self._citations[key][0]

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


def _marks(cited: Sequence[Citation]) -> str:
    return "".join(f"[{marker}]" for marker in dict.fromkeys(one.marker for one in cited))


def _in_cell(text: str) -> str:
    """A text that ends no cell of a table and no line."""
    return " ".join(text.replace("|", "¦").split())
