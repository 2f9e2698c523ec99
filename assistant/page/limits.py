"""How often one person may ask."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence

from gradio.context import LocalContext

from assistant.errors import QuestionError
from assistant.page.choice import Choice, Offer
from assistant.page.rate import Rate
from assistant.page.widgets import Answering
from assistant.page.words import words_of
from assistant.types import Answer, Document, Message


class Limited:
    """An assistant that each person, or each address where there is no login, may ask so often."""

    def __init__(self, assistant: Answering, per_minute: int) -> None:
        self._assistant = assistant
        self._rate = Rate(per_minute)

    @property
    def documents(self) -> Mapping[str, Document]:
        return self._assistant.documents

    def warm(self) -> None:
        self._assistant.warm()

    def quoting(self) -> Answering:
        """Without limits: the page asks it of its own accord, to check what it suggests."""
        return self._assistant.quoting()

    @property
    def offer(self) -> Offer:
        return self._assistant.offer

    def choosing(self, choice: Choice) -> Answering:
        """However people want it answered, a question counts against one and the same limit."""
        twin = copy.copy(self)
        twin._assistant = self._assistant.choosing(choice)
        return twin

    def stream(
        self,
        question: str,
        history: Sequence[Message] = (),
        doc_ids: Collection[str] | None = None,
    ) -> Iterator[Answer]:
        if wait := self._rate.wait(who()):
            say, often = words_of(LocalContext.request.get(None)), self._rate.per_minute
            raise QuestionError(say("ask.too_many", n=often, seconds=f"{wait:.0f}"))
        return self._assistant.stream(question, history, doc_ids)


def who() -> str:
    """The user's name, or the address of the browser; a session's name could be made up."""
    request = LocalContext.request.get(None)
    if request is None:
        return ""
    name = getattr(request, "username", None)
    client = getattr(request, "client", None)
    return f"user {name}" if name else f"address {getattr(client, 'host', '')}"
