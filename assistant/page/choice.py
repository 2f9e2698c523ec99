"""How a person wants questions answered: by which model, from how many passages, in quotes only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assistant.page.words import Words

MOST_PASSAGES = 20
"""As many may be chosen, or the operator's own number where that is larger."""
_LONGEST_NAME = 200

Mode = Literal["", "written", "quotes"]


@dataclass(frozen=True, slots=True)
class Offer:
    """What there is to choose from, and what holds where nothing is chosen."""

    models: tuple[str, ...] = ()
    """Names for people; the first writes unless another is chosen."""
    passages: int = 8
    quotes: bool = True
    """Whether answers come in quotes only, unless chosen otherwise."""
    in_turn: frozenset[str] = frozenset()
    """Models that write one answer at a time, as those on this computer do."""

    @property
    def most(self) -> int:
        return max(MOST_PASSAGES, self.passages)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person has chosen; what is empty is left to the operator."""

    mode: Mode = ""
    model: str = ""
    passages: int = 0


AS_USUAL = Choice()


def read_choice(data: Any) -> Choice:
    """The choice that a browser remembered or a file has; what makes no sense is passed over."""
    if not isinstance(data, Mapping):
        return AS_USUAL
    mode, model, passages = (data.get(name) for name in ("mode", "model", "passages"))
    if not isinstance(passages, int) or isinstance(passages, bool):
        passages = 0
    return Choice(
        mode if mode in ("written", "quotes") else "",
        model if isinstance(model, str) and len(model) <= _LONGEST_NAME else "",
        passages if 0 < passages < 1000 else 0,
    )


def settled(choice: Choice, offer: Offer) -> Choice:
    """What of a choice is on offer and differs from what holds anyway."""
    passages = choice.passages if choice.passages <= offer.most else 0
    passages = 0 if passages == offer.passages else passages
    quotes = choice.mode == "quotes" or (not choice.mode and offer.quotes) or not offer.models
    if quotes:
        return Choice("" if offer.quotes else "quotes", "", passages)
    model = choice.model if choice.model in offer.models else offer.models[0]
    usual = not offer.quotes and model == offer.models[0]
    return Choice("written" if offer.quotes else "", "" if usual else model, passages)


def writer(choice: Choice, offer: Offer) -> str:
    """The model that writes the answer; empty where it comes in quotes only."""
    if choice.mode == "quotes" or (offer.quotes and not choice.model):
        return ""
    return choice.model or offer.models[0]


def choice_line(say: Words, choice: Choice) -> str:
    """`Settings for this answer: quotes only, 4 passages`; empty where nothing was chosen."""
    told = [say("choice.quotes")] if choice.mode == "quotes" else []
    told += [choice.model] if choice.model else []
    told += [say.count("count.passages", choice.passages)] if choice.passages else []
    return say("choice.line", told=", ".join(told)) if told else ""
