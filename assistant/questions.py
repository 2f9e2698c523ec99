"""What a question asks for, read from its words alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz, process

from assistant.errors import QuestionError
from assistant.text import (
    Token,
    fold,
    is_content,
    is_name,
    is_number,
    normal_form,
    sentence_spans,
    tokens,
)
from assistant.types import Message

Wanted = Literal["date", "year", "number", "amount", "person", "place", "reason"]

MAX_QUESTION_CHARS = 4000
_WHICH = (
    r"\b(?:what|which) (?!(?:do|did|does|is|are|was|were|ha[sd]|have|can|could|will|would)\b)"
    r"(?:[\w'’-]+ ){0,2}?"
)
"""Asks for one of what follows, with up to two words that tell it apart."""
_OFFICES = (
    r"(?:minister|president|official|director|chair\w*|secretary|leader|ambassador|envoy"
    r"|spokes\w+|delegate|negotiator|signator\w+|author|reporter|journalist|expert)s?\b(?! of\b)"
)
"""Words for people by what they are: whose name is asked for, or which of them."""
_WANTED: tuple[tuple[Wanted, re.Pattern[str]], ...] = (
    ("year", re.compile(r"\b(what|which) year\b|\bthe year (that|when|in which|the|it)\b")),
    (
        "date",
        re.compile(
            r"\bwhen\b|\b(what|which|exact) (date|day|month)s?\b|\bdate of\b"
            r"|\bhow (soon|recently)\b|\bthe (date|day|month) (that|when|on which|the|it)\b"
            r"|\b(came|was|is) (first|earlier|later|older|newer|more recent)\b"
        ),
    ),
    ("number", re.compile(r"\bhow (many|often|long|old)\b|\bnumber of\b|\bhow (large|big) a\b")),
    (
        "amount",
        re.compile(
            r"\bhow (large|big|high)\b|\bworth\b|\bfigure\b"
            # A span of time or a degree is no amount.
            r"|\bhow much\b(?! (?:time|longer|later|earlier)\b)"
            r"(?!.*\b(?:matter|mean|differ|change|depend|help|care)s?\b)"
            r"|\b(what|which) (amount|sum|share|percentage|value)\b"
        ),
    ),
    (
        "person",
        re.compile(
            r"\bwho\b|\bwhom\b|\bwhose\b"
            rf"|\bnames? of (?:[\w'’-]+ ){{0,4}}?{_OFFICES}|{_WHICH}{_OFFICES}"
        ),
    ),
    (
        "place",
        re.compile(
            r"\bwhere\b(?!.*\b(?:stands?|ranks?|ranking)\b)"
            rf"|{_WHICH}(city|town|place|capital|venue)\b"
        ),
    ),
    ("reason", re.compile(r"\bwhy\b|\bwhat reason\b")),
)
_CHOICE = re.compile(r"\b[A-Z][\w’'-]*,? or (?:the |in |by |that of )?[A-Z]")
"""A choice between names, of which one is wanted."""
_INTERROGATIVE = re.compile(r"\b(?:who|whom|whose|when|where|which|why|(?:what|how)(?! about))\b")
_RELATIVE = re.compile(
    r"(?<!\bthe year)(?<!\bthe date)(?<!\bthe day)(?<!\bthe month)\s(?:when|where|who|whom|whose)\b"
)
_ASKS = re.compile(
    rf"{_INTERROGATIVE.pattern}|(?:^|[.!?:;] )(?:did|does|do|is|are|was|were|has|have|can|will)\b"
)
_ASSUMES = re.compile(
    r"^\s*why\b|^\s*how come\b|^\s*what (made|makes|explains|led|caused|had changed|was so)\b"
    r"|\b(since|given that|now that|seeing that|considering that|so why|after all)\b|\?.*\bexplain"
)
_COMPARES = re.compile(
    r"\b(?:than|versus|vs|compar\w+|differ\w*|contrast\w*|side by side|gap|above|below|how far|both"
    r"|opposed to|one hand|relative to|overt(?:ak|ook)\w*|surpass\w*|exceed\w*|outpac\w*"
    r"|respectively|or|(?:for|in) .{1,40}\band (?:for|in))\b"
)
_DECLINES = re.compile(
    r"\b(?:articles?|texts?|sources?|passages?)\b.{0,30}\b(?:not|n[’']t|no)\b.{0,20}"
    r"\b(?:state|say|mention|provide|specify|contain|include|indicate|give|information|address)"
    r"|\b(?:is|are) not (?:stated|mentioned|specified|provided|given)\b|\bno information",
    re.IGNORECASE,
)
_ANAPHORA = frozenset(
    "it its that they them their theirs there those these this he she his her him one ones same "
    "former latter both such then".split()
)
_OPENERS = re.compile(r"^(and|but|so|or|also|what about|how about|why|when|where|who|which one)\b")
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_PLACE_MEANT = re.compile(
    rf"\bthe ({'|'.join(_ORDINALS)}|\d\d?(?:st|nd|rd|th)|last|latter)"
    r"(?: one\b| of (?:them|these|those)\b|\s*[?.,:]|\s*$)"
)
_NAMES_LISTED = re.compile(
    r"\b[A-ZÀ-Ž][\w’'-]*(?: [\w’'-]+){0,3}(?:, [\w’' -]+)+,? (?:and|or) [\w’' -]+"
)
_BETWEEN_ITEMS = re.compile(r",? (?:and|or) |, ")
_THIN = 3
"""Content words that a question has at least, where it says itself what it is about."""
_MIN_RESPELT = 5
_RESPELL_RATIO = 90
"""Per cent of letters that must agree: "parliment" is mended, "minister" is not "ministry"."""
_PART = re.compile(
    r"(?:,?\s+and|,|;|\?)\s+"
    r"(?=(?:(?:with|by|in|at|on|for|to|from|of)\s+)?(?:who|whom|when|where|what|which|why|how)\b"
    r"|(?:did|does|is|was|has|have)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Query:
    """What evidence is sought for."""

    now: str
    """What is asked."""
    before: str = ""
    """What that leans on in the conversation before it; empty where it stands alone."""
    told: str = ""
    """What was answered to that."""

    @property
    def text(self) -> str:
        return f"{self.before} {self.now}".strip()

    @property
    def wanted(self) -> list[Wanted]:
        """The kinds of thing asked for; "And Turkey?" asks for what was asked before."""
        asks_itself = _INTERROGATIVE.search(fold(self.now))
        return wanted(self.now if asks_itself else self.text)


def wanted(question: str) -> list[Wanted]:
    """The kinds of thing a question asks for, such as a date; empty when any statement may do."""
    sentences = [question[start:end] for start, end in sentence_spans(question)]
    # Beside a question, "It was signed when they met." asks for no date.
    asking = " ".join(s for s in sentences if s.rstrip().endswith("?")) or question
    plain = "; ".join(_without_relatives(fold(part)) for part in parts(asking))
    found = [kind for kind, pattern in _WANTED if pattern.search(plain)]
    given = {"person", "place"} if _CHOICE.search(question) else set()
    given |= {"date"} if "year" in found else set()
    return [kind for kind in found if kind not in given]


def _without_relatives(part: str) -> str:
    """Only the first question word of a part asks: "What did they say when …" asks for no date."""
    first = _INTERROGATIVE.search(part)
    if not first:
        return part
    return part[: first.end()] + _RELATIVE.sub("", part[first.end() :])


def respell(question: str, vocabulary: Collection[str]) -> str:
    """The question with words that no source has replaced by one that differs in a letter or so.

    `vocabulary` holds folded words. Names spelt with a capital are left as they are: a name that is
    nearly another is another name.
    """
    pieces, last = [], 0
    for place, token in enumerate(tokens(question)):
        if (
            len(token.folded) < _MIN_RESPELT
            or token.folded in vocabulary
            or not is_content(token)
            or is_number(token)
            or is_name(token, place == 0)
        ):
            continue
        found = process.extractOne(
            token.folded, vocabulary, scorer=fuzz.ratio, score_cutoff=_RESPELL_RATIO
        )
        if found and normal_form(found[0]) != token.word:
            pieces += [question[last : token.start], found[0]]
            last = token.end
    return "".join([*pieces, question[last:]])


def parts(question: str) -> list[str]:
    """The questions within a question: "Who signed it, and when?" asks two."""
    found: list[str] = []
    for piece in _PART.split(question):
        if not tokens(piece):
            continue
        if found and not _ASKS.search(fold(found[-1])):
            found[-1] += f", {piece.strip(' ,;')}"  # what only led up to this question
        else:
            found.append(piece.strip(" ,;"))
    return found or [question]


def stands_alone(part: str) -> bool:
    """Whether a question within a question says what it asks for: "and by when?" hardly does."""
    return len(_content(part)) > 1


def essence(question: str) -> str:
    """The sentences that ask, where others stand beside them that they do not lean on.

    "It was signed in 2021. By whom?" needs both; of "I am writing a note. What is the bill called?"
    only the second is asked, and an order to the model before a question falls away. A question of
    hardly a word, such as "What is the figure?", leans on sentences that name something.
    """
    pieces = [question[start:end] for start, end in sentence_spans(question)]
    asking = [piece for piece in pieces if piece.rstrip("\"'”’) ").endswith("?")]
    if not asking or any(leans_on_history(piece) for piece in asking):
        return question
    if sum(len(_content(piece)) for piece in asking) < _THIN:
        asking = [piece for piece in pieces if piece in asking or _is_particular(piece)]
    return " ".join(asking)


def _content(text: str) -> list[Token]:
    return [token for token in tokens(text) if is_content(token) and not is_number(token)]


def _is_particular(sentence: str) -> bool:
    """Whether a sentence names or counts something."""
    return any(is_number(t) or is_name(t, place == 0) for place, t in enumerate(tokens(sentence)))


def leans_on_history(question: str) -> bool:
    """Whether a question can't be understood without the turns before it."""
    words = tokens(question)
    if any(token.folded in _ANAPHORA for token in words):
        return True
    content = _content(question)
    if _OPENERS.match(fold(question.strip())) and len(content) < 3:
        return True
    named = any(is_name(token, place == 0) for place, token in enumerate(words))
    return len(content) < 2 and not named


def in_conversation(question: str, history: Sequence[Message]) -> Query:
    """A question with what it leans on in the turns before it, and what was answered there."""
    if not history or not leans_on_history(question):
        return Query(question)
    told = [turn["content"] for turn in history if turn["role"] == "assistant"][-1:]
    return Query(question, antecedent(question, history), " ".join(told))


def antecedent(question: str, history: Sequence[Message]) -> str:
    """What was last asked, with what that leaned on; or the thing that "the second one" means."""
    asked = [i for i, turn in enumerate(history) if turn["role"] == "user"]
    if not asked:
        return ""
    last = history[asked[-1]]["content"].rstrip()
    place = _place_meant(question)
    if place is not None:
        back = "back to" in fold(question)
        items = [] if back else _listed(history[-1]["content"])
        if -len(items) <= place < len(items):
            return f"{last} {items[place]}:"
        if 0 <= place < len(asked) > 1:
            return history[asked[place]]["content"].rstrip()
    if leans_on_history(last):
        return f"{antecedent(last, history[: asked[-1]])} {last}".strip()
    return last


def _place_meant(question: str) -> int | None:
    """The index that "the second one" or "the last" means."""
    found = _PLACE_MEANT.search(fold(question))
    if not found:
        return None
    if found[1] in _ORDINALS:
        return _ORDINALS.index(found[1])
    return int(found[1][:-2]) - 1 if found[1][0].isdecimal() else -1


def _listed(told: str) -> list[str]:
    """What an answer listed: lines that begin with a dash, or things parted by commas."""
    lines = [line.strip("-• ") for line in told.splitlines() if line.lstrip()[:1] in ("-", "•")]
    if lines:
        return lines
    found = _NAMES_LISTED.search(told)
    return [piece.strip() for piece in _BETWEEN_ITEMS.split(found[0])] if found else []


def asks_for_more(question: str) -> bool:
    """Whether a question asks for something, not only whether a thing is so."""
    return bool(_INTERROGATIVE.search(fold(question)))


def declines_itself(draft: str) -> bool:
    """Whether a draft says of itself that the sources do not tell."""
    return bool(_DECLINES.search(draft))


def assumes(question: str) -> bool:
    """Whether a question takes something for granted: "why did …", "since …", "now that …"."""
    return bool(_ASSUMES.search(fold(question)))


def compares(question: str) -> bool:
    """Whether a question sets two things against each other: "more than", "both", "X or Y"."""
    return bool(_COMPARES.search(fold(question)))


def check_question(question: str) -> None:
    """Raise `QuestionError` for a question that can't be taken."""
    if not question.strip():
        raise QuestionError("The question is empty.", 'ots-assistant ask "Where was …?"')
    if len(question) > MAX_QUESTION_CHARS:
        raise QuestionError(
            f"The question has {len(question):,} characters; at most {MAX_QUESTION_CHARS:,} can be "
            "taken.",
            "ask for one thing at a time",
        )
    if any("\ud800" <= c <= "\udfff" for c in question):
        raise QuestionError("The question has characters that are not text.", "type it again")
