"""The question set: lines of JSON in, checked `EvalCase`s out."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from assistant.passages import Sentence, sentences
from assistant.types import Document
from evals.types import (
    EXPECTED,
    KINDS,
    LANGUAGES,
    REQUEST_KINDS,
    EvalCase,
    EvalError,
    Expected,
    GoldQuote,
    GoldSpan,
    Split,
)

QUESTIONS = Path(__file__).with_name("questions.jsonl")
REQUESTS = QUESTIONS.with_name("requests.jsonl")
GENERAL = QUESTIONS.with_name("general.jsonl")
_TEXTS = ("id", "question", "language", "kind", "expected", "gold_answer")
_LISTS = ("history", "accept", "reject", "gold_quotes")
_KNOWN = {*_TEXTS, *_LISTS, "direct", "bullets", "table", "note"}
_KINDS = (*KINDS, *REQUEST_KINDS)
_NEEDS_NO_QUOTE = ("metadata", "advice", "small-talk", "summary", "form")


def load_cases(path: Path, documents: Mapping[str, Document]) -> list[EvalCase]:
    """Every case of the file, in its order. Raises `EvalError` naming the line that is wrong."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise EvalError(
            f"The question set {path} can't be read: {fault}.", "give the path of a JSONL file"
        ) from None
    citable = {doc_id: sentences(document) for doc_id, document in documents.items()}
    cases: list[EvalCase] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        case = parse_case(line, where, documents, citable)
        if case.id in seen:
            raise EvalError(
                f"{where}: the id '{case.id}' already stands in line {seen[case.id]}.",
                "give each case its own id",
            )
        seen[case.id] = number
        cases.append(case)
    return cases


def parse_case(
    line: str,
    where: str,
    documents: Mapping[str, Document],
    citable: Mapping[str, Sequence[Sentence]],
) -> EvalCase:
    """One line of the set; `where` is its file and line for the error."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError) as fault:  # int() refuses absurdly long numbers
        raise EvalError(
            f"{where}: this is not JSON ({fault}).",
            "write one JSON object a line",
        ) from None
    _check_shape(raw, where)
    gold = tuple(_gold_quote(entry, where, documents, citable) for entry in raw["gold_quotes"])
    quoted = raw["expected"] in ("answer", "partial", "correct")
    if not gold and quoted and raw["kind"] not in _NEEDS_NO_QUOTE:
        raise EvalError(
            f"{where}: a case that expects '{raw['expected']}' has no gold quote.",
            "copy the sentence that says so from the source into gold_quotes",
        )
    told = {name: raw[name] for name in sorted(_KNOWN - {"note"}) if name in raw}
    return EvalCase(
        id=raw["id"],
        question=raw["question"],
        history=tuple(raw["history"]),
        language=raw["language"],
        kind=raw["kind"],
        expected=cast(Expected, raw["expected"]),
        gold_answer=raw["gold_answer"],
        accept=tuple(tuple(group) for group in raw["accept"]),
        reject=tuple(raw["reject"]),
        gold=gold,
        direct=tuple(tuple(group) for group in raw.get("direct", [])),
        bullets=raw.get("bullets", 0),
        table=raw.get("table", False),
        note=str(raw.get("note", "")),
        digest=_sha256(json.dumps(told, sort_keys=True))[:12],
    )


def _check_shape(raw: Any, where: str) -> None:
    if not isinstance(raw, dict):
        raise EvalError(f"{where}: this is no JSON object.", "write one JSON object a line")
    if unknown := sorted(raw.keys() - _KNOWN):
        raise EvalError(f"{where}: there is no field '{unknown[0]}'.", f"use {sorted(_KNOWN)}")
    for name in _TEXTS:
        if not isinstance(raw.get(name), str) or not raw[name].strip():
            raise EvalError(f"{where}: '{name}' is missing or no text.", f'add "{name}": "…"')
    for name in _LISTS:
        if not isinstance(raw.get(name), list):
            raise EvalError(f"{where}: '{name}' is missing or no list.", f'add "{name}": […]')
    for name, known in (("kind", _KINDS), ("expected", EXPECTED), ("language", LANGUAGES)):
        if raw[name] not in known:
            raise EvalError(
                f"{where}: the {name} '{raw[name]}' is unknown.", f"use one of: {', '.join(known)}"
            )
    _check_lists(raw, where)


def _check_lists(raw: Mapping[str, Any], where: str) -> None:
    if not all(_is_turn(turn) for turn in raw["history"]):
        raise EvalError(
            f"{where}: a turn of 'history' is malformed.",
            'write {"role": "user" or "assistant", "content": "…"}',
        )
    direct = raw.get("direct", [])
    groups = [*raw["accept"], raw["reject"], *(direct if isinstance(direct, list) else [direct])]
    if not all(isinstance(g, list) and all(isinstance(s, str) and s for s in g) for g in groups):
        raise EvalError(
            f"{where}: 'accept', 'reject' or 'direct' holds something else than texts.",
            'write "accept": [["any", "of these"], ["and one of these"]], "reject": ["none"]',
        )
    if [] in raw["accept"] or [] in direct:
        raise EvalError(f"{where}: a group of 'accept' or 'direct' is empty.", "fill or remove it")
    for name, kind in (("bullets", int), ("table", bool)):
        value = raw.get(name, kind())
        if type(value) is not kind or value < 0:  # True is an int, but no number
            raise EvalError(f"{where}: '{name}' is no {kind.__name__}.", f'write "{name}": …')


def _is_turn(turn: Any) -> bool:
    return (
        isinstance(turn, dict)
        and turn.get("role") in ("user", "assistant")
        and isinstance(turn.get("content"), str)
    )


def _gold_quote(
    entry: Any,
    where: str,
    documents: Mapping[str, Document],
    citable: Mapping[str, Sequence[Sentence]],
) -> GoldQuote:
    if not isinstance(entry, dict) or not isinstance(entry.get("alt", []), list):
        raise EvalError(
            f"{where}: a gold quote is malformed.", 'write {"doc_id": "…", "quote": "…"}'
        )
    spans: list[GoldSpan] = []
    for option in (entry, *entry.get("alt", [])):
        spans += _find(option, where, documents, citable)
    first = spans[0]
    quote = entry.get("quote") or documents[first.doc_id].text[first.start : first.end]
    return GoldQuote(quote, tuple(spans))


def _find(
    option: Any,
    where: str,
    documents: Mapping[str, Document],
    citable: Mapping[str, Sequence[Sentence]],
) -> list[GoldSpan]:
    """Every place where a quote stands in its source; citing any of them is right."""
    doc_id = str(option.get("doc_id")) if isinstance(option, dict) else ""
    if doc_id not in documents:
        raise EvalError(
            f"{where}: a gold quote names the source '{doc_id}', which is not in the manifest.",
            f"use one of: {', '.join(documents)}",
        )
    if "start" in option:
        return [_at(option, where, documents[doc_id], citable[doc_id])]
    quote = option.get("quote")
    if not isinstance(quote, str) or not quote.strip():
        raise EvalError(f"{where}: a gold quote is empty.", "copy a sentence from the source")
    text = documents[doc_id].text
    found = [match.span() for match in re.finditer(re.escape(quote), text)]
    if not found:
        raise EvalError(
            f"{where}: the gold quote '{quote[:60]}' does not stand in '{doc_id}'.",
            "copy it from the source character by character",
        )
    return [
        GoldSpan(doc_id, start, end, _whole(start, end, citable[doc_id])) for start, end in found
    ]


def _at(
    option: Mapping[str, Any], where: str, document: Document, citable: Sequence[Sentence]
) -> GoldSpan:
    """A gold quote told by where it stands, for texts that are not the project's own."""
    start, end = option["start"], option.get("end")
    if type(start) is not int or type(end) is not int:
        raise EvalError(f"{where}: a gold quote's offsets are no numbers.", 'write "start": 1, …')
    if not 0 <= start < end <= len(document.text):
        raise EvalError(
            f"{where}: {start} to {end} lies outside '{document.doc_id}'.", "correct the offsets"
        )
    return GoldSpan(document.doc_id, start, end, _whole(start, end, citable))


def _whole(start: int, end: int, citable: Sequence[Sentence]) -> tuple[int, int]:
    touched = [s for s in citable if s.start < end and start < s.end]
    if not touched:
        return start, end
    return min(start, touched[0].start), max(end, touched[-1].end)


def split_of(case_id: str) -> Split:
    """Which half a case belongs to, by its id alone: adding cases moves none of the others.

    Questions on one article of `general` are all in one half.
    """
    if re.fullmatch(r"general-\d+-\d+", case_id):
        case_id = case_id.rpartition("-")[0]
    return "development" if int(_sha256(case_id), 16) % 2 == 0 else "test"


def set_of(case_id: str) -> str:
    """The set of questions a case was written in: its id without the number."""
    return re.sub(r"-\d+$", "", case_id)


def select(
    cases: Sequence[EvalCase],
    kinds: Collection[str] = (),
    languages: Collection[str] = (),
    split: Split | None = None,
    limit: int | None = None,
) -> list[EvalCase]:
    """The cases asked for, in the order of the file; `limit` draws evenly, always the same ones."""
    for name, values, known in (("kind", kinds, _KINDS), ("language", languages, LANGUAGES)):
        if unknown := sorted(set(values) - set(known)):
            raise EvalError(
                f"There is no {name} '{unknown[0]}'.", f"use one of: {', '.join(known)}"
            )
    chosen = [
        case
        for case in cases
        if (not kinds or case.kind in kinds)
        and (not languages or case.language in languages)
        and (split is None or split_of(case.id) == split)
    ]
    if limit is not None:
        shuffled = sorted(chosen, key=lambda case: _sha256("limit" + case.id))
        drawn = {case.id for case in shuffled[: max(limit, 0)]}
        chosen = [case for case in chosen if case.id in drawn]
    if not chosen:
        raise EvalError(
            f"No case of {len(cases)} fits the selection (n=0).",
            "loosen --kind, --language, --split or --limit",
        )
    return chosen


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
