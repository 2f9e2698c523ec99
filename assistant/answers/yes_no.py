"""Yes or no, with the sentence that says so."""

from __future__ import annotations

from assistant.answers.request import Request
from assistant.compose import wording
from assistant.names import mentions
from assistant.passages import Sentence
from assistant.types import Outcome

SURE = 0.5
"""What the reader must give a sentence for it to be asked whether it says yes or no."""
YES, YES_ABROAD, NOT_YES = 0.75, 0.9, 0.5
"""The chat model's probability of a yes from which it is one, where the question is in the language
of the source and where it is not, and below which it may be a no. It can't tell a no from what is
not said (docs/kinds.md), so a no needs another name in its place."""


def make(request: Request) -> Outcome | None:
    """The word, then its proof; None where that is not sure: then the sentences are quoted."""
    relevance = request.relevance()
    best = max(relevance, key=lambda sentence: relevance[sentence], default=None)
    if best is None or relevance[best] < SURE:
        return None
    yes = request.says_yes(best)
    if yes is None:
        return None
    abroad = request.composer.language != request.documents[best.doc_id].language
    surely = yes >= (YES_ABROAD if abroad else YES)
    word = "yes" if surely else "no" if yes < NOT_YES and _names_another(request, best) else ""
    if not word:
        return None
    said = wording(request.composer.language, word)
    request.composer.tell(f"{said}: “{best.shown}”", [best])
    return "answered"


def _names_another(request: Request, sentence: Sentence) -> bool:
    """Whether a name of the question is none of the sentence, which has another of that kind."""
    asked, said = mentions(request.text), mentions(sentence.shown)
    missing = {kind for kind, name in asked if (kind, name) not in said}
    return any(kind in missing for kind, name in said if (kind, name) not in asked)
