"""Draft -> claims -> supported or withheld, with the exact spans that say so.

A claim is supported by one source sentence or by two that stand side by side (a list's introduction
counts as beside each of its items), if no rule of `rules.py` objects.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.passages import Sentence
from assistant.reading import Reading, Window, windows_of
from assistant.rules import RULES, Rule
from assistant.text import sentence_spans, tokens

_MAX_DRAFT_CHARS = 6000
_URL = re.compile(
    r"https?:|www\.|\b[\w-]+\.(?:com|org|net|io|ru|az|tr|gov|info)\b|[<>{}]|\]\(|@", re.I
)
_MARKUP = re.compile(r"\*\*|__|`+|^#+\s*|^>\s*|^\||\|$", re.MULTILINE)
_MARKER = re.compile(
    r"\s?[\[【(]\s*(?:\^|sources?\s|passages?\s|articles?\s)?\d+(?:\s*[,;–-]\s*\d+)*\s*[\]】)]",
    re.I,
)
_BULLET = re.compile(r"^\s*(?:[-–—•*·]|\d{1,2}[.)])\s+")


@dataclass(frozen=True)
class Verdict:
    """What became of a claim: its evidence when supported, the objection when not."""

    text: str
    window: Window | None
    objection: str = ""
    coverage: float = 0.0

    @property
    def supported(self) -> bool:
        return self.window is not None and not self.objection


class Grounder:
    """Judges claims against the sentences of the sources in view."""

    def __init__(self, sentences: Sequence[Sentence], rules: Sequence[Rule] = RULES) -> None:
        self.windows = list(windows_of(sentences))
        self._rules = rules

    def judge(self, text: str) -> Verdict:
        """The best evidence for a claim; an objection where even that does not carry it."""
        claim = Reading(text)
        if _URL.search(text):
            return Verdict(text, None, "it carries a link or markup")
        if not claim.words:
            return Verdict(text, None, "it says nothing that can be checked")
        judged = (self._against(claim, window) for window in self.windows)
        return max(judged, key=_strength, default=Verdict(text, None, "there is no source in view"))

    def _against(self, claim: Reading, window: Window) -> Verdict:
        covered = sum(token.word in window.words for token in claim.content)
        objection = next((said for rule in self._rules if (said := rule(claim, window))), "")
        return Verdict(claim.text, window, objection, covered / max(len(claim.content), 1))


def _strength(verdict: Verdict) -> tuple[bool, int, float]:
    """One sentence that carries a claim is better evidence than two; else the words decide."""
    size = len(verdict.window.sentences) if verdict.window else 9
    if verdict.supported:
        return True, -size, verdict.coverage
    return False, 0, round(verdict.coverage, 3) - size / 10_000


def clean(draft: str) -> str:
    """A draft without citation markers and markup."""
    return _MARKUP.sub("", _MARKER.sub("", draft))


def split_claims(draft: str) -> list[str]:
    """The sentences of a draft, list bullets taken off, each only once."""
    text = clean(draft[:_MAX_DRAFT_CHARS])
    claims: list[str] = []
    for line in text.splitlines():
        body = _BULLET.sub("", line).strip()
        claims += [body[start:end] for start, end in sentence_spans(body)]
    return list(dict.fromkeys(claims))


def markers(draft: str) -> list[str]:
    """The numbers of every citation marker in a draft."""
    return [n for m in _MARKER.finditer(draft) for n in re.findall(r"\d+", m.group())]


def is_fragment(text: str) -> bool:
    """A draft too short to be a statement of its own, such as `2021` or `Yes.`"""
    return len(tokens(text)) < 5
