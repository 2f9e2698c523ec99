"""The assistant in use: one whose sources can be indexed anew while others are asking it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from assistant.answers.write import Writer
from assistant.assembly import assemble
from assistant.chat import Assistant
from assistant.documents.adding import Adding, Outcome, checked
from assistant.documents.extracted import Unreadable
from assistant.documents.gather import Given, is_address
from assistant.documents.library import Library, load_sources
from assistant.documents.reading import DocumentReader
from assistant.documents.web import Web
from assistant.errors import AssistantError, IndexFault
from assistant.index import SearchIndex, build, up_to_date
from assistant.index_files import built_at
from assistant.jobs import Job
from assistant.page.choice import Choice, Offer, writer
from assistant.page.offers import Offers
from assistant.passages import passages
from assistant.reader import Reads
from assistant.settings import Settings
from assistant.sources import load_documents
from assistant.types import Answer, ChatModel, Document, Encoder, Message, Progress, silent

log = logging.getLogger("ots_assistant.page")


class Shelf:
    """Answers as the `Assistant` it holds, and swaps it for another in one step."""

    def __init__(
        self,
        documents: Mapping[str, Document],
        index: SearchIndex,
        encoder: Encoder,
        reader: Callable[[], Reads],
        chat_model: Callable[[], ChatModel | None],
        settings: Settings,
        answering: Writer | None = None,
        others: Sequence[str] = (),
    ) -> None:
        """`others` are settings of chat models that may be chosen too."""
        self._encoder = encoder
        self._reader = reader
        self._chat_model = chat_model
        self._settings = settings
        self._writer = answering
        self._offers = Offers(settings, chat_model, others)
        self._assistant = self._over(documents, index)
        self._library = Library.of(settings)
        self._seen = self._library.changed_at()
        self._changing = threading.Lock()
        self._files = DocumentReader()
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
        self._catch_up()
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
        self._catch_up()
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

    # --- Sources that people add to the page ---

    def take_file(self, person: str, name: str, raw: bytes) -> Outcome:
        """Add an uploaded file; the same person's next file of that name is a new edition."""
        return self._take(Given(f"upload:{person}/{name}", name, raw))

    def take_address(self, address: str) -> Outcome:
        if not is_address(address):
            return Outcome("refused", address, reason="it does not start with http:// or https://")
        try:
            return self._take(Web().fetch(address))
        except Unreadable as fault:
            return Outcome("refused", address, reason=str(fault))

    def remove(self, doc_id: str) -> Outcome:
        with self._changing:
            title = self._library.entry(doc_id).title
            self._library.remove([doc_id])
            self._refresh()
        return Outcome("removed", title, doc_id)

    def restore(self, doc_id: str) -> Outcome:
        """Undo: bring back what was removed, or the edition before this one."""
        with self._changing:
            back = self._library.restore(doc_id)
            self._refresh()
        return Outcome("added", back.title, doc_id)

    def edit(self, doc_id: str, changes: Mapping[str, str]) -> Outcome:
        with self._changing:
            self._library.edit(doc_id, checked(changes, empty=True))
            self._refresh()
        return Outcome("changed", self.documents[doc_id].title, doc_id)

    def _take(self, given: Given) -> Outcome:
        with self._changing:
            shipped = load_documents(self._settings.sources)
            adding = Adding(self._library, self._files, shipped, Web().fetch)
            (outcome,) = adding.take([given], 1)
            if outcome.what != "unchanged":
                self._refresh()
        return replace(outcome, name=given.name)

    def _catch_up(self) -> None:
        """Take in, beside this question, what another process did to the library."""
        if self._library.changed_at() != self._seen and self._changing.acquire(blocking=False):
            threading.Thread(target=self._caught_up, name="catching up", daemon=True).start()

    def _caught_up(self) -> None:
        try:
            self._refresh()
        except AssistantError as fault:
            log.warning("The library has changed, but: %s", fault)
        finally:
            self._changing.release()

    def _refresh(self) -> None:
        """Answer from the sources as they are now; only what is new is embedded."""
        self._seen = self._library.changed_at()
        documents = load_sources(self._settings)
        index = up_to_date(self._settings, documents, self._encoder, however_many=True)
        self._assistant = self._over(documents, index)

    def _over(self, documents: Mapping[str, Document], index: SearchIndex) -> Assistant:
        return Assistant(
            documents,
            index,
            self._encoder,
            self._reader,
            self._chat_model,
            self._settings,
            self._writer,
        )
