"""How many: the items that a source lists, counted by the program."""

from __future__ import annotations

import re

from assistant.answers.request import Request
from assistant.passages import Sentence
from assistant.text import is_number, tokens
from assistant.types import Outcome

SURE = 0.35
"""What the reader must give a sentence for its list to be counted."""
_AND = frozenset("and or ve və и или және жана va ham".split())
_NAME = r"[^\W\d_a-zа-я][\w-]*(?: [^\W\d_a-zа-я][\w-]*)*"
_NAMES = re.compile(rf"(?<![’']s ){_NAME}(?:, {_NAME})+,? [^\W\d_]{{1,3}} {_NAME}(?=[.,;:]|$)")
"""Names parted by commas, the last by a short word such as "and": three or more of them."""


def make(request: Request) -> Outcome | None:
    """The number of things listed, then those; None where a number stands there or no list does."""
    relevance = request.relevance()
    if not relevance:
        return None
    best = max(relevance, key=lambda sentence: relevance[sentence])
    if relevance[best] < SURE:
        return None
    group = [s for s in request.sentences[best.doc_id] if s.block == best.block]
    items = [s for s in group if s.item] if best.shown.endswith(":") else []
    names = [s.label for s in items] or _names(best) or _listed(best)
    if len(names) < 2:
        return None
    cited = [best, *items] if items else [best]
    told = f"{len(names)}: {'; '.join(names) if items else ', '.join(names)}"
    request.composer.tell(told, cited, worked_out=True)
    return "answered"


def _listed(sentence: Sentence) -> list[str]:
    """What an item of a list lists in turn, after the dash or colon that parts its label from it.

    Nothing unless it is three or more, of which an "and" brings the last.
    """
    shown = sentence.shown.lstrip("-–—•*· ")
    rest = shown.removeprefix(sentence.label).strip(" –—-:.")
    *others, last = re.split(r",\s+", rest)
    word, _, last = last.partition(" ")
    if not sentence.item or rest == shown.strip(" .") or len(others) < 2 or word not in _AND:
        return []
    return [*others, last]


def _names(sentence: Sentence) -> list[str]:
    """The names a sentence lists; none where it has a number, which may be what is asked for."""
    found = _NAMES.findall(sentence.shown)
    if len(found) != 1 or any(is_number(token) for token in tokens(sentence.shown)):
        return []
    *most, last = re.split(r", ", found[0])
    pair = re.fullmatch(rf"(?:({_NAME}) )?[^\W\d_]{{1,3}} ({_NAME})", last)
    return [*most, *(name for name in pair.groups() if name)] if pair else []
