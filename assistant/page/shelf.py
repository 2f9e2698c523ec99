"""The assistant in use: one whose sources can be indexed anew while others are asking it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from assistant.chat import Assistant, assemble
from assistant.documents.library import load_sources
from assistant.errors import IndexFault
from assistant.index import SearchIndex, build
from assistant.index_files import built_at
from assistant.jobs import Job
from assistant.page.choice import Choice, Offer, writer
from assistant.page.offers import Offers
from assistant.passages import passages
from assistant.settings import Settings
from assistant.types import Answer, ChatModel, Document, Encoder, Message, Progress, silent


class Shelf:
    """Answers as the `Assistant` it holds, and swaps it for another in one step."""

    def __init__(
        self,
        documents: Mapping[str, Document],
        index: SearchIndex,
        encoder: Encoder,
        chat_model: Callable[[], ChatModel | None],
        settings: Settings,
        others: Sequence[str] = (),
    ) -> None:
        """`others` are settings of chat models that may be chosen too."""
        self._encoder = encoder
        self._chat_model = chat_model
        self._settings = settings
        self._offers = Offers(settings, chat_model, others)
        self._assistant = self._over(documents, index)
        self.job = Job("re-indexing")

    @classmethod
    def from_settings(
        cls, settings: Settings, progress: Progress = silent, others: Sequence[str] = ()
    ) -> Shelf:
        """As `Assistant.from_settings`, with the parts kept to put another together."""
        return cls(*assemble(settings, progress), others)

    @property
    def offer(self) -> Offer:
        return self._offers.offer

    @property
    def documents(self) -> Mapping[str, Document]:
        return self._assistant.documents

    def warm(self) -> None:
        self._assistant.warm()

    def ask(self, question: str, history: Sequence[Message] = ()) -> Answer:
        return self._assistant.ask(question, history)

    def quoting(self) -> Assistant:
        return self._assistant.quoting()

    def choosing(self, choice: Choice) -> Assistant:
        setting, load = self._offers.find(writer(choice, self.offer))
        return self._assistant.twin(setting, load, choice.passages or self.offer.passages)

    def stream(
        self,
        question: str,
        history: Sequence[Message] = (),
        doc_ids: Collection[str] | None = None,
    ) -> Iterator[Answer]:
        return self._assistant.stream(question, history, doc_ids)

    def passage_count(self, doc_id: str) -> int:
        return len(passages(self.documents[doc_id], self._settings.passage_chars))

    def indexed(self) -> datetime | None:
        """When the index in use was built; None when it is gone."""
        try:
            return datetime.fromtimestamp(built_at(self._settings), UTC)
        except IndexFault:
            return None

    def reindex(self) -> None:
        """Read the sources again and index them, in the background."""
        self.job.start(self._reindex)

    def _reindex(self, progress: Progress) -> str:
        documents = load_sources(self._settings)
        build(self._settings, documents, self._encoder, progress)
        index = SearchIndex.open(self._settings, documents, self._encoder)
        self._assistant = self._over(documents, index)
        return "job.done"

    def _over(self, documents: Mapping[str, Document], index: SearchIndex) -> Assistant:
        return Assistant(documents, index, self._encoder, self._chat_model, self._settings)
