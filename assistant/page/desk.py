"""What one window of the page has before it, and how it is kept."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from assistant.errors import StorageError
from assistant.page.choice import AS_USUAL, Choice
from assistant.page.conversation import Turn, as_title
from assistant.page.scope import Scope
from assistant.page.store import Kept, Store
from assistant.page.words import ENGLISH, Words

GONE = "past.elsewhere"


@dataclass
class Desk:
    """One window's conversation. Handlers change it in place.

    Several run at the same time, an answer and a verdict on an earlier one: a copy that each
    handed back would undo what the other did meanwhile.
    """

    owner: str = ""
    """Whose conversations are seen and kept: a browser's unguessable name, or a user's."""
    talk_id: str = ""
    """Given with the first question: Gradio copies one empty desk for every window."""
    title: str = ""
    turns: list[Turn] = field(default_factory=list)
    scope: Scope = field(default_factory=Scope)
    say: Words = ENGLISH
    """The words of the page's language."""
    kept: bool = False
    """True once the conversation is in the store."""
    unsaved: set[str] = field(default_factory=set)
    trouble: str = ""
    """Why it can't be kept, in one line or as the key of one; empty while all is well."""

    @property
    def growing(self) -> bool:
        return bool(self.turns) and self.turns[-1].growing

    def begin(
        self,
        question: str,
        doc_ids: tuple[str, ...] = (),
        scope: str = "",
        choice: Choice = AS_USUAL,
    ) -> Turn:
        """Put a question at the end."""
        turn = Turn(
            question,
            turn_id=new_id(),
            asked=time.time(),
            doc_ids=doc_ids,
            scope=scope,
            choice=choice,
        )
        self.talk_id = self.talk_id or new_id()
        self.title = self.title or as_title(question)
        self.turns = [*self.turns, turn]
        return turn

    def change(self, turn_id: str, how: Callable[[Turn], Turn]) -> Turn | None:
        """Put a changed turn in its place; None when it is no longer here."""
        for at, turn in enumerate(self.turns):
            if turn.turn_id == turn_id:
                changed = how(turn)
                self.turns = [*self.turns[:at], changed, *self.turns[at + 1 :]]
                return changed
        return None

    def drop(self, turn_id: str) -> None:
        self.turns = [turn for turn in self.turns if turn.turn_id != turn_id]
        self.unsaved.discard(turn_id)

    def clear(self) -> None:
        """An empty conversation of its own."""
        self.talk_id, self.title, self.turns = "", "", []
        self.kept, self.unsaved, self.trouble = False, set(), ""


def new_id() -> str:
    return secrets.token_urlsafe(12)


class Keeper:
    """Keeps what stands on a desk. Where that fails the desk says why and works on."""

    def __init__(self, store: Store | None) -> None:
        self._store = store

    def keep(self, desk: Desk, *turns: Turn) -> None:
        """Save these turns, and those that could not be saved before."""
        desk.unsaved |= {turn.turn_id for turn in turns}
        # A desk without an owner has not heard from its browser yet: that comes first.
        if self._store is None or not desk.owner or desk.trouble == GONE:
            return
        due = [turn for turn in desk.turns if turn.turn_id in desk.unsaved]
        try:
            there = self._store.save(desk.owner, desk.talk_id, desk.title, due, begin=not desk.kept)
        except StorageError as fault:
            desk.trouble = str(fault)
            return
        desk.trouble = "" if there else GONE
        if there:
            desk.kept = True
            desk.unsaved -= {turn.turn_id for turn in due}

    def past(self, desk: Desk) -> list[Kept]:
        """The owner's conversations, the latest first."""
        if self._store is None or not desk.owner:
            return []
        try:
            return self._store.conversations(desk.owner)
        except StorageError as fault:
            desk.trouble = str(fault)
            return []

    def open(self, desk: Desk, talk_id: str) -> bool:
        """Put a kept conversation on the desk; False when there is none of that name."""
        if self._store is None or not desk.owner:
            return False
        try:
            found = self._store.load(desk.owner, talk_id)
        except StorageError as fault:
            desk.trouble = str(fault)
            return False
        if found is None:
            return False
        desk.clear()
        desk.talk_id, (desk.title, desk.turns), desk.kept = talk_id, found, True
        return True

    def rename(self, desk: Desk, talk_id: str, title: str) -> None:
        title = as_title(title)
        if not title:
            return
        if talk_id == desk.talk_id:
            desk.title = title
        self._try(desk, lambda store: store.rename(desk.owner, talk_id, title))

    def delete(self, desk: Desk, talk_id: str) -> None:
        self._try(desk, lambda store: store.delete(desk.owner, talk_id))
        if talk_id == desk.talk_id and not desk.trouble:
            desk.clear()

    def _try(self, desk: Desk, what: Callable[[Store], None]) -> None:
        if self._store is None or not desk.owner:
            return
        try:
            what(self._store)
            desk.trouble = ""
        except StorageError as fault:
            desk.trouble = str(fault)
