"""A scripted assistant for the page: real articles, answers that are known beforehand.

`python -m tests.fakes_page 7870` opens the page with it, to look at.
"""

from __future__ import annotations

import copy
import hashlib
import re
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.errors import ModelError, QuestionError
from assistant.page.article import paragraphs
from assistant.page.choice import AS_USUAL, Choice, Offer
from assistant.page.store import Store
from assistant.types import Answer, Citation, Claim, Document, Message, Passage, ScoredPassage

ARTICLES = Path(__file__).resolve().parent.parent / "sources" / "articles"

HOSTILE = """<script>window.hacked = "script"</script> Plain start of a hostile article.

<img src="https://evil.example/pixel.png" onerror="window.hacked = 'onerror'"> An image.

![pixel](https://evil.example/md.png) and [a link](https://evil.example/link) and ${window.hacked=1}

</p></div><a href="javascript:window.hacked='href'">press me</a> {{value}} `backtick` &amp; "quoted"
"""


def document(doc_id: str, title: str, publisher: str, published: str, text: str) -> Document:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Document(doc_id, title, publisher, published, "", "en", text, digest)


def real_documents() -> dict[str, Document]:
    trend = document(
        "trend-digital-economy",
        "Azerbaijani parliament ratifies digital economy agreement of Turkic states",
        "Trend",
        "--03-18",
        (ARTICLES / "000_53a752991c09e830.txt").read_text(encoding="utf-8"),
    )
    azernews = document(
        "azernews-roadmap",
        "Azerbaijan and Turkey sign roadmap on digital transformation",
        "Azernews",
        "2021-09-15",
        (ARTICLES / "002_5ffc16503ce88b6a.txt").read_text(encoding="utf-8"),
    )
    byline = re.match(r"\s*date .*?\n\s*By Ayya Lmahamad", azernews.text, re.DOTALL)
    assert byline is not None
    azernews = replace(azernews, furniture=((0, byline.end()),), author="Ayya Lmahamad")
    return {one.doc_id: one for one in (trend, azernews)}


@dataclass(frozen=True)
class Script:
    """What to say to one question: sentences, each with the quotes that carry it."""

    sentences: Sequence[tuple[str, Sequence[str]]]
    outcome: str = "answered"
    missing: str = ""
    withheld: Sequence[str] = ()
    notice: str = ""
    breaks: str = ""
    """When set, the chat model is gone after the first sentence, with this message."""


SCRIPTS = {
    "Where was": Script(
        [
            (
                "The agreement was signed in Bishkek, Kyrgyzstan, during the 11th Summit of the "
                "Organization of Turkic States.",
                ["during the 11th Summit of the OTS in Bishkek, Kyrgyzstan."],
            ),
            (
                "Its parties are Azerbaijan, Kazakhstan, Kyrgyzstan, Türkiye and Uzbekistan, and "
                "the Azerbaijani parliament has since ratified it.",
                [
                    "The parties to the document are all member states of the OTS—the governments "
                    "of Azerbaijan, Kazakhstan, Kyrgyzstan, Türkiye, and Uzbekistan.",
                    "The Azerbaijani parliament has ratified the",
                ],
            ),
        ],
    ),
    "electronic signatures": Script(
        [
            (
                "- Digital documents and electronic signatures are to be recognised mutually.",
                ["Ensuring mutual recognition of digital documents and electronic signatures"],
            ),
            ("- The legal framework is to be harmonised.", ["harmonizing the legal framework"]),
        ],
        outcome="partial",
        missing="when the recognition of electronic signatures takes effect.",
        withheld=("No source names a date for it.",),
        notice="No chat model is at hand: these are the sources' own sentences.",
    ),
    "September 2021": Script(
        [
            (
                "They signed a roadmap for the Azerbaijani-Turkish working group on digital "
                "transformation.",
                ["have signed a roadmap for the Azerbaijani-Turkish working group on digital"],
            ),
        ],
    ),
    "exchange rate": Script([], outcome="not_in_sources", missing="the exchange rate of the manat"),
    "gone": Script(
        [
            ("The document was signed on September 14.", ["on September 14"]),
            ("Turkey invests much.", ["second-largest investor"]),
        ],
        breaks="The chat model stopped answering.",
    ),
    "hostile": Script(
        [
            (
                '<img src="https://evil.example/a.png" onerror="window.hacked=2"> says '
                "<script>window.hacked=3</script> ![x](https://evil.example/b.png) "
                "[link](https://evil.example/c) ${1+1}",
                ['pixel.png" onerror="window.hacked = \'onerror\'">'],
            ),
        ],
        missing="<iframe src=https://evil.example/></iframe>",
    ),
}


class FakeAssistant:
    """Plays `SCRIPTS`; `pause` seconds lie between snapshots, `hold` keeps it before sentences."""

    def __init__(
        self,
        pause: float = 0.02,
        extra: Sequence[Document] = (),
        models: tuple[str, ...] = ("Scripted-1B",),
    ) -> None:
        self.offer = Offer(models, passages=6, quotes=not models)
        self.choice = AS_USUAL
        self.documents = real_documents() | {one.doc_id: one for one in extra}
        self.pause = pause
        self.hold = threading.Event()
        self.hold.set()
        self.asked: list[tuple[str, list[Message]]] = []
        self.scopes: list[tuple[str, ...] | None] = []
        self.choices: list[Choice] = []
        self.closed = 0
        self.warmed = threading.Event()

    def warm(self) -> None:
        time.sleep(self.pause)
        self.warmed.set()

    def quoting(self) -> FakeAssistant:
        """Answers at once, whatever `hold` says; what it is asked is not noted."""
        twin = FakeAssistant(0)
        twin.documents = self.documents
        return twin

    def choosing(self, choice: Choice) -> FakeAssistant:
        """Shares all that is noted; in quotes only, `hold` does not keep it."""
        if choice == AS_USUAL:
            return self
        twin = copy.copy(self)
        twin.choice = choice
        return twin

    def stream(
        self,
        question: str,
        history: Sequence[Message] = (),
        doc_ids: Collection[str] | None = None,
    ) -> Iterator[Answer]:
        self.asked.append((question, list(history)))
        self.scopes.append(tuple(doc_ids) if doc_ids is not None else None)
        self.choices.append(self.choice)
        if not question.strip():
            raise QuestionError("The question is empty.", "type a question")
        if len(question) > 4000:
            raise QuestionError(f"The question has {len(question):,} characters.", "shorten it")
        started = time.monotonic()
        script = next((s for key, s in SCRIPTS.items() if key in question), SCRIPTS["Where was"])
        answer = self._first(question)
        try:
            time.sleep(self.pause)
            yield answer
            for said, claim in enumerate(self._claims(script, answer)):
                if self.choice.mode != "quotes":
                    self.hold.wait(20)
                time.sleep(self.pause * 4)
                if script.breaks and said:
                    raise ModelError(script.breaks, "start it again")
                answer = _grown(answer, claim)
                yield answer
            withheld = tuple(Claim("", "withheld", (), reason) for reason in script.withheld)
            yield replace(
                answer,
                outcome=script.outcome,
                claims=answer.claims + withheld,
                missing=script.missing,
                notice=script.notice,
                timings={"total": time.monotonic() - started},
            )
        finally:
            self.closed += 1

    def _first(self, question: str) -> Answer:
        wanted = set(re.findall(r"\w{4,}", question.lower()))
        pieces = [
            Passage(f"{doc.doc_id}:{a}-{b}", doc.doc_id, doc.text[a:b], a, b)
            for doc in self.documents.values()
            for a, b in paragraphs(doc.text)
            if not any(a < y and x < b for x, y in doc.furniture)
        ]
        scored = sorted(
            ((len(wanted & set(re.findall(r"\w{4,}", p.text.lower()))), p) for p in pieces),
            key=lambda pair: -pair[0],
        )
        best = scored[: self.choice.passages or self.offer.passages]
        found = [ScoredPassage(p, float(s), n) for n, (s, p) in enumerate(best, start=1)]
        return Answer("", "pending", (), (), tuple(found), question, "", {}, "fake", question)

    def _claims(self, script: Script, answer: Answer) -> Iterator[Claim]:
        marker = 0
        for sentence, quotes in script.sentences:
            citations = []
            for quote in quotes:
                marker += 1
                citations.append(self._cite(marker, quote))
            yield Claim(sentence, "supported", tuple(citations))

    def _cite(self, marker: int, quote: str) -> Citation:
        for doc in self.documents.values():
            start = doc.text.lower().find(quote.lower())
            if start >= 0:
                end = start + len(quote)
                passage = next(
                    f"{doc.doc_id}:{a}-{b}" for a, b in paragraphs(doc.text) if a <= start < b
                )
                return Citation(
                    marker, doc.doc_id, passage, start, end, doc.text[start:end],
                    doc.title, doc.publisher, doc.published,
                )  # fmt: skip
        raise AssertionError(f"no document says: {quote}")


def _grown(answer: Answer, claim: Claim) -> Answer:
    marks = "".join(f"[{citation.marker}]" for citation in claim.citations)
    joint = "\n" if claim.text.startswith("- ") else " "
    return replace(
        answer,
        text=f"{answer.text}{joint}{claim.text} {marks}".lstrip(),
        claims=(*answer.claims, claim),
        citations=(*answer.citations, *claim.citations),
    )


def hostile_document() -> Document:
    return document("hostile", "<b onclick=x>Title</b>", '"><img src=x>', "2024-01", HOSTILE)


if __name__ == "__main__":
    import app

    offered = ("Scripted-1B", "scripted-large (models.example)")
    slow = FakeAssistant(0.4, [hostile_document()], offered)
    listener = app.listen("127.0.0.1", int(sys.argv[1]), public=False)
    kept = Store(Path(tempfile.gettempdir()) / f"ots-page-{sys.argv[1]}.sqlite3")
    app.serve(app.build_server(slow, store=kept), listener, open_browser=False)
