"""The same statement in several places of the sources: said once, with all its places cited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from assistant.lexicon import POINTERS, PRONOUNS
from assistant.passages import Sentence
from assistant.text import tokens

_POINTING = POINTERS - {"the", "there", "both"}


def repeats(by_document: Iterable[Sequence[Sentence]]) -> Mapping[Sentence, tuple[Sentence, ...]]:
    """For each sentence that stands in several places, all of them in order.

    What "it" and "this" mean stands in the sentence before: a sentence that leans on that is the
    same only where that is the same, too.
    """
    places: dict[str, list[Sentence]] = defaultdict(list)
    for sentences in by_document:
        before = ""
        for sentence in sentences:
            words = [token.folded for token in tokens(sentence.shown)]
            leans = not PRONOUNS.isdisjoint(words) or not _POINTING.isdisjoint(words[:1])
            statement = " ".join(words)
            before = f"{before}. {statement}" if leans else statement
            if statement:
                places[before].append(sentence)
    return {sentence: tuple(same) for same in places.values() if len(same) > 1 for sentence in same}
