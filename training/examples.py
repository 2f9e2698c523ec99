"""Public question sets and the project's own questions as examples for the reader.

Every set is split by document, never by question: `is_kept_back` tells the documents that nothing
is learnt from, and the figures in `docs/reader.md` are of those alone.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant.text import sentence_spans

LANGUAGES = ("en", "tr", "az", "kk", "ky", "uz", "ru")
_XQUAD_QUESTIONS = ("en", "ru", "tr") * 3 + ("de", "es", "ro", "el", "ar", "vi", "zh")
_KEPT_BACK = 5
"""One document in so many is kept back."""
_MAX_CHARS = (500, 800, 1200, 1600)
"""A passage for training is cut to one of these lengths around its answer."""
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Example:
    """A question (or a claim) and a passage, with what the reader should make of them.

    `gold` holds 1 for each sentence that belongs to the answer. `verdict` is the probability that
    the passage answers, that it does so in part only, and that it contradicts what the question
    takes for granted (for a claim: what it states). Both are `UNKNOWN` where a set does not say.
    `answer` is the words of a gold sentence that give what was asked, if a set has them;
    `paragraph` names the text in all its translations, where a set has several of one title.
    """

    question: str
    header: str
    sentences: tuple[str, ...]
    gold: tuple[int, ...]
    verdict: tuple[float, float, float]
    source: str
    language: str
    """Of the question."""
    claim: bool = False
    answer: str = ""
    paragraph: str = ""
    text_language: str = "en"


ANSWERED = (1.0, 0.0, 0.0)
PARTLY = (1.0, 1.0, 0.0)
CONTRADICTED = (0.0, 0.0, 1.0)
UNANSWERED = (0.0, UNKNOWN, 0.0)
VERDICTS = {"yes": ANSWERED, "part": PARTLY, "false": CONTRADICTED, "no": (0.0, 0.0, 0.0)}


def is_kept_back(document: str) -> bool:
    """Whether a document, known by its title, is kept for measuring."""
    digest = hashlib.sha256(document.encode()).hexdigest()
    return int(digest, 16) % _KEPT_BACK == 0


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def split(text: str, language: str) -> tuple[list[str], list[tuple[int, int]]]:
    """The sentences of a text, and their spans in it."""
    spans = sentence_spans(text, language)
    return [" ".join(text[a:b].split()) for a, b in spans], spans


def holding(spans: Sequence[tuple[int, int]], starts: Iterable[int]) -> list[int]:
    """1 for each sentence in which an answer begins."""
    wanted = list(starts)
    return [int(any(a <= start < b for start in wanted)) for a, b in spans]


def cropped(example: Example, rng: random.Random) -> Example:
    """The example with sentences around its gold ones, as many as one length allows."""
    sizes = [len(sentence) for sentence in example.sentences]
    most = rng.choice(_MAX_CHARS)
    marked = [i for i, gold in enumerate(example.gold) if gold == 1]
    first = marked[0] if marked else rng.randrange(len(sizes))
    last = marked[-1] if marked else first
    while True:
        room = most - sum(sizes[first : last + 1])
        before = first > 0 and sizes[first - 1] <= room
        after = last + 1 < len(sizes) and sizes[last + 1] <= room
        if not before and not after:
            break
        if before and (not after or rng.random() < 0.5):
            first -= 1
        else:
            last += 1
    part = slice(first, last + 1)
    return replace(example, sentences=example.sentences[part], gold=example.gold[part])


def words(text: str) -> set[str]:
    return set(re.findall(r"\w{3,}", text.casefold()))


def nearest(question: str, own: int, bags: Sequence[set[str]]) -> int:
    """The other paragraph that shares most words with a question and its own paragraph."""
    asked, mine = words(question), bags[own]
    others = (i for i in range(len(bags)) if bags[i] != mine)
    return max(
        others, key=lambda i: (len(asked & bags[i]), len(mine & bags[i]) / len(bags[i] or {0}))
    )


def xquad(rows: Sequence[dict[str, Any]], rng: random.Random, draws: int) -> Iterator[Example]:
    """Each question in `draws` languages, on its paragraph and on one like it, in some language."""
    bags = [words(row["contexts"]["en"]) for row in rows]
    for own, row in enumerate(rows):
        for question in row["questions"]:
            other = nearest(question["question"]["en"], own, bags)
            for draw in range(draws):
                asked = rng.choice(_XQUAD_QUESTIONS)
                told = rng.choice(("en", "en", asked, rng.choice(_XQUAD_QUESTIONS)))
                for where in (own, other) if draw == 0 else (own,):
                    page = rows[where]
                    found, spans = split(page["contexts"][told], told)
                    start, answer = question["answer"][told]
                    yield Example(
                        question["question"][asked],
                        page["title"].replace("_", " "),
                        tuple(found),
                        tuple(holding(spans, [start]) if where == own else [0] * len(found)),
                        ANSWERED if where == own else UNANSWERED,
                        "xquad",
                        asked,
                        answer=answer if where == own else "",
                        paragraph=f"xquad {where}",
                        text_language=told,
                    )


def span_set(rows: Sequence[dict[str, Any]], source: str, language: str) -> Iterator[Example]:
    """Questions with an answer's offset in `context`, each on its own paragraph and one like it."""
    bags = [words(row["context"]) for row in rows]
    for own, row in enumerate(rows):
        other = nearest(row["question"], own, bags)
        for where in (own, other):
            found, spans = split(rows[where]["context"], language)
            starts = [start for start, _ in row["answers"]] if where == own else []
            yield Example(
                row["question"],
                rows[where]["title"],
                tuple(found),
                tuple(holding(spans, starts)),
                ANSWERED if where == own else UNANSWERED,
                source,
                language,
                answer=row["answers"][0][1] if where == own else "",
                text_language=language,
            )


def clapnq(rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """Searches with the sentences that answer them, or with none."""
    for row in rows:
        gold = tuple(int(i in row["selected"]) for i in range(len(row["sentences"])))
        verdict = ANSWERED if row["answerable"] else UNANSWERED
        yield Example(
            row["question"],
            row.get("title", ""),
            tuple(row["sentences"]),
            gold,
            verdict,
            "clapnq",
            "en",
        )


def squad2(data: dict[str, Any], keep_back: Sequence[str]) -> Iterator[Example]:
    """SQuAD 2.0, its unanswerable questions among them; articles in `keep_back` left out."""
    for article in data["data"]:
        if article["title"] in keep_back:
            continue
        for number, paragraph in enumerate(article["paragraphs"]):
            found, spans = split(paragraph["context"], "en")
            for question in paragraph["qas"]:
                told = [] if question["is_impossible"] else question["answers"][:1]
                starts = [answer["answer_start"] for answer in told]
                yield Example(
                    question["question"],
                    article["title"].replace("_", " "),
                    tuple(found),
                    tuple(holding(spans, starts)),
                    ANSWERED if starts else UNANSWERED,
                    "squad2",
                    "en",
                    answer=told[0]["text"] if told else "",
                    paragraph=f"{article['title']} {number}",
                )


def facts(corpus: Sequence[dict[str, Any]], queries: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """Questions over several articles: each has a part of the answer, in its `fact`."""
    pages = {page["title"]: page for page in corpus}
    for query in queries:
        for evidence in query["evidence_list"]:
            page = pages.get(evidence["title"])
            if page is None or is_kept_back(page["title"]):
                continue
            start = page["body"].find(evidence["fact"][:60])
            if start < 0:
                continue
            found, spans = split(page["body"], "en")
            gold = holding(spans, [start])
            yield Example(
                query["query"],
                header(page["title"], page["source"], page["published_at"][:10]),
                tuple(found),
                tuple(gold),
                (UNKNOWN, UNKNOWN, 0.0),
                "facts",
                "en",
            )


def header(title: str, publisher: str = "", published: str = "") -> str:
    """What stands before a passage: its title, publisher and date, as far as they are known."""
    return ", ".join(part for part in (title, publisher, published) if part)


def xquad_on_english(rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
    """Each question in en, ru and tr on its English paragraph and on the one most like it."""
    bags = [words(row["contexts"]["en"]) for row in rows]
    texts = [split(row["contexts"]["en"], "en") for row in rows]
    for own, row in enumerate(rows):
        for question in row["questions"]:
            other = nearest(question["question"]["en"], own, bags)
            for language in ("en", "ru", "tr"):
                for where in (own, other):
                    found, spans = texts[where]
                    starts = [question["answer"]["en"][0]] if where == own else []
                    yield Example(
                        question["question"][language],
                        rows[where]["title"].replace("_", " "),
                        tuple(found),
                        tuple(holding(spans, starts)),
                        ANSWERED if where == own else UNANSWERED,
                        "xquad",
                        language,
                    )
