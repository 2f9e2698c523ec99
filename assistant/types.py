"""The vocabulary of the project: what the parts hand to each other.

Frozen dataclasses and the few Protocols that models must satisfy. Nothing of a third party
appears here, so every other module may import this one. Offsets count characters (Unicode code
points) of `Document.text`, and `document.text[start:end]` is always the text they stand for.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Cosine = TypeVar("Cosine", float, "NDArray[np.float32]")

_MARKERS = re.compile(r"\s?\[\d+\]")

Span = tuple[int, int]
"""Start (inclusive) and end (exclusive) in characters."""

Message = Mapping[str, str]
"""One turn of a conversation: `{"role": "user" | "assistant" | "system", "content": "…"}`."""

Outcome = Literal[
    "pending",
    "answered",
    "partial",
    "corrected_premise",
    "not_in_sources",
    "off_topic",
    "about_the_assistant",
]
"""What became of a question. Only a streamed answer that still grows is `pending`."""


@dataclass(frozen=True, slots=True)
class Document:
    """One source article, its text exactly as the file has it."""

    doc_id: str
    title: str
    publisher: str
    published: str
    """ISO 8601, as far as it is known: `2021-09-15`, `2021-09`, or `--03-18` without a year."""
    url: str
    language: str
    text: str
    content_hash: str
    author: str = ""
    furniture: tuple[Span, ...] = ()
    """Spans of `text` that are page furniture (bylines, menus, running heads, page numbers): never
    indexed, never cited."""
    encoding: str = "utf-8"
    """What the file was read as, under its common name: `utf-8`, `utf-16`, `windows-1254`."""
    pages: tuple[int, ...] = ()
    """Where in `text` each page begins; none where the source has no pages."""
    kind: str = "text"
    """What it was read from: `text`, `Markdown`, `HTML`, `PDF`, `DOCX` or `e-mail`."""
    origin: str = ""
    """The path, address or upload that an added document came from; none for a shipped one."""
    added: str = ""
    """When it was added: `2026-11-27T10:00:00Z`."""
    collection: str = "shipped"

    def page(self, offset: int) -> int:
        """The number of the page on which a character stands, from 1; 0 without pages."""
        return bisect_right(self.pages, offset)


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences of one document, small enough to embed."""

    passage_id: str
    doc_id: str
    text: str
    start: int
    end: int
    heading: str = ""
    shown: str = ""
    """What a reader is shown and what is searched: lines joined, furniture left out, rows with the
    names of their columns. Empty where that is `text`."""

    @property
    def as_shown(self) -> str:
        return self.shown or self.text


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage found for a query; a higher score is better, rank 1 is the best."""

    passage: Passage
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class Citation:
    """An exact quote: `document.text[start:end] == quote`, in the passage `passage_id`.

    A sentence that a page's end breaks in two has a citation for each half, with one marker. What
    is cited of a source's card (title, publisher, author, date) has an empty quote, and the card
    is what is `shown`.
    """

    marker: int
    """The number shown in the answer, from 1."""
    doc_id: str
    passage_id: str
    start: int
    end: int
    quote: str
    title: str
    publisher: str
    published: str
    shown: str = ""
    """The quote as a reader is shown it: its lines joined, a row with the names of its columns.
    Empty where that is `quote`."""
    page: int = 0
    """The page of the source on which it begins, from 1; 0 where the source has no pages."""

    @property
    def as_shown(self) -> str:
        return self.shown or self.quote

    @property
    def of_card(self) -> bool:
        """Whether the source's card is cited and no span of its text."""
        return not self.quote


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of a draft and what became of it."""

    text: str
    status: Literal["supported", "worked_out", "withheld"]
    """`worked_out`: a number or an order in it was computed from what is cited."""
    citations: tuple[Citation, ...] = ()
    missing: str = ""
    """Why it was withheld, in words for the reader; empty when supported."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything known about one answered question; `text` is what a reader is shown.

    `claims` are the sentences drafted or quoted, in order. Those shown are `supported` and carry
    their citations, and so do those `worked_out`; those `withheld` are never part of `text`.
    """

    text: str
    outcome: Outcome
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    retrieved: tuple[ScoredPassage, ...]
    standalone_query: str
    missing: str
    """What was asked and is not in the sources; empty when all was found."""
    timings: Mapping[str, float]
    """Seconds since the question came in: `first_evidence`, `first_token`, `total`."""
    settings_fingerprint: str
    question: str = ""
    quoted: bool = False
    """True when every sentence shown is the sources' own: a chat model wrote none of them."""
    notice: str = ""
    """One line on how the answer came to be, such as that no chat model is at hand."""
    error_code: int = 0
    """Exit code of the fault that `notice` names; 0 when nothing went wrong."""
    model: str = ""
    dropped_markers: int = 0
    """Citation markers in the draft; none is believed, each claim's evidence is found anew."""
    signals: Mapping[str, float] = field(default_factory=dict)
    """What the outcome rests on: `answerability` and how near the question is, all in [0, 1]."""

    @property
    def supported(self) -> tuple[Claim, ...]:
        """The claims shown that the sources state; those worked out from them are not of these."""
        return tuple(claim for claim in self.claims if claim.status == "supported")

    @property
    def plain_text(self) -> str:
        """The text without its citation markers, as a later turn's history takes it."""
        return _MARKERS.sub("", self.text)

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON-ready values, nested as the fields are."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Answer:
        """The answer of `to_dict()`, also after a way through JSON.

        Raises `ValueError` naming the field that is missing or of another type. Fields it does
        not know are passed over: a later version may have written them.
        """
        answer = _read(cls, data, "answer")
        assert isinstance(answer, cls)
        return answer


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: Any, where: str) -> Any:
    """A JSON value as a field's type."""
    if is_dataclass(kind):
        return _read_fields(kind, value, where)
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal and isinstance(value, str) and value in args:
        return value
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_read(args[0], one, f"{where}[{at}]") for at, one in enumerate(value))
    if origin is Mapping and isinstance(value, Mapping):
        return {
            _read(args[0], k, where): _read(args[1], v, f"{where}.{k}") for k, v in value.items()
        }
    # True is no number here, although Python says it is one; a whole float is written as an int.
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):
            return float(value)
    if kind in (str, int, bool) and type(value) is kind:
        return value
    raise ValueError(f"{where} is not what it should be")


def _read_fields(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} is not what it should be")
    hints, read = _hints(kind), {}
    for one in fields(kind):
        if one.name in value:
            read[one.name] = _read(hints[one.name], value[one.name], f"{where}.{one.name}")
        elif one.default is MISSING and one.default_factory is MISSING:
            raise ValueError(f"{where}.{one.name} is missing")
    return kind(**read)


@dataclass(frozen=True, slots=True)
class Selection:
    """A chat model's reading of a few sentences that may answer a question."""

    answered: float
    """Probability in [0, 1] that they state the answer."""
    relevance: tuple[float, ...]
    """Probability of each sentence to belong to the answer, whatever the others."""
    partly: float
    """Probability in [0, 1] that they state a part of the answer only."""
    false_premise: float
    """Probability in [0, 1] that the question takes something for granted that they contradict."""


@runtime_checkable
class Encoder(Protocol):
    """An embedding model. Vectors are of unit length, all of the same dimension."""

    name: str
    unrelated: float
    """Cosine similarity of two texts that have nothing to do with each other: 0 for most models."""

    def encode_documents(self, texts: Sequence[str]) -> list[list[float]]: ...

    def encode_query(self, text: str) -> list[float]: ...


def similarity(cosine: Cosine, encoder: Encoder) -> Cosine:
    """A cosine of two vectors as what it means: 1 for the same, 0 for unrelated texts."""
    return (cosine - encoder.unrelated) / (1 - encoder.unrelated)


@runtime_checkable
class ChatModel(Protocol):
    """A chat model. Raises a `ModelError` when it can't answer."""

    name: str

    def stream(self, messages: Sequence[Message], max_tokens: int) -> Iterator[str]:
        """Yield the reply in pieces as it is written."""
        ...

    def probe(self, messages: Sequence[Message]) -> float | None:
        """Probability in [0, 1] that the reply starts with "yes"; None where it can't be told."""
        ...

    def select(self, messages: Sequence[Message], count: int) -> Selection | None:
        """What the model makes of `count` lettered sentences; None where it has not learnt to."""
        ...


class Progress(Protocol):
    """Where long work reports how far it is: `done` of `total` in `unit`s."""

    def __call__(self, what: str, done: int, total: int, unit: str) -> None: ...


def silent(what: str, done: int, total: int, unit: str) -> None:
    """A `Progress` that tells nobody."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `ots-assistant doctor`."""

    name: str
    ok: bool
    detail: str
    mend: str = field(default="")
    """The command that mends it; empty when `ok`."""
