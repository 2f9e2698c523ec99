"""Raw results on disk: one line a question asked, written before anything is aggregated.

<runs>/<time>-<key>/run.json      what was run
<runs>/<time>-<key>/raw.jsonl     one line a case and repeat, with the whole answer or the error
<runs>/<time>-<key>/report.*      written last: a folder without report.json is unfinished
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from assistant.errors import StorageError
from assistant.types import Answer, Citation, Claim, Passage, ScoredPassage
from evals.types import EvalError

RUNS = Path(__file__).with_name("runs")
_IDENTITY = ("settings_fingerprint", "corpus", "selection", "model", "code", "repeat")


@dataclass(frozen=True, slots=True)
class Record:
    """One question asked once; `answer` is None when it failed."""

    case_id: str
    repeat: int
    answer: Answer | None
    error: str = ""


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw = path / "raw.jsonl"

    @classmethod
    def open(cls, runs: Path, meta: Mapping[str, Any]) -> RunFolder:
        """The unfinished run that asks the same of the same assistant, or a new one."""
        key = key_of(meta)
        unfinished = [f for f in sorted(runs.glob(f"*-{key}")) if not (f / "report.json").exists()]
        path = unfinished[-1] if unfinished else runs / f"{_now()}-{key}"
        try:
            path.mkdir(parents=True, exist_ok=True)
            (path / "run.json").write_text(_dump(meta, indent=2), encoding="utf-8")
        except OSError as fault:
            raise StorageError(
                f"The run folder {path} can't be written: {fault.strerror}.", "choose another --out"
            ) from None
        return cls(path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second process from asking the same questions into the same file."""
        try:
            with FileLock(self.path / ".lock", timeout=0):
                yield
        except Timeout:
            raise EvalError(
                f"Another process is at work on the run {self.path}.", "wait for it to end"
            ) from None

    def records(self) -> dict[tuple[str, int], Record]:
        """What was asked so far; a later line takes the place of an earlier one."""
        if not self.raw.exists():
            return {}
        found = {}
        # A line without its end was cut off by an interruption; its question is asked again.
        raw = self.raw.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if whole != raw:
            self.raw.write_bytes(whole)
        for number, line in enumerate(whole.decode().split("\n")[:-1], 1):
            try:
                record = _record(json.loads(line))
            except (ValueError, KeyError, TypeError) as fault:
                raise EvalError(
                    f"{self.raw}:{number}: this is no result ({type(fault).__name__}: {fault}).",
                    f"remove the folder {self.path} and run again",
                ) from None
            found[record.case_id, record.repeat] = record
        return found

    def append(self, record: Record) -> None:
        line = {
            "id": record.case_id,
            "repeat": record.repeat,
            "answer": record.answer.to_dict() if record.answer else None,
            "error": record.error,
        }
        with self.raw.open("a", encoding="utf-8") as file:
            file.write(_dump(line) + "\n")


def key_of(meta: Mapping[str, Any]) -> str:
    """Twelve hex digits that tell runs apart which may answer differently."""
    told = {name: meta[name] for name in _IDENTITY}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def finished_runs(runs: Path) -> list[Path]:
    """Folders of finished runs, oldest first."""
    return sorted(path.parent for path in runs.glob("*/report.json"))


def last_report(runs: Path, selection: str, before: Path | None = None) -> dict[str, Any] | None:
    """The newest report over the same questions, other than the one in `before`."""
    for folder in reversed(finished_runs(runs)):
        if folder != before:
            report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
            if report["meta"].get("selection") == selection:
                return report
    return None


def newest_page(runs: Path = RUNS) -> Path | None:
    """The HTML page of the newest finished run."""
    pages = [path / "report.html" for path in finished_runs(runs)]
    return next((page for page in reversed(pages) if page.exists()), None)


def answer_from_dict(raw: Mapping[str, Any]) -> Answer:
    """The answer that `Answer.to_dict` gave."""
    nested = {
        "claims": tuple(
            Claim(**(c | {"citations": tuple(Citation(**x) for x in c["citations"])}))
            for c in raw["claims"]
        ),
        "citations": tuple(Citation(**citation) for citation in raw["citations"]),
        "retrieved": tuple(
            ScoredPassage(**(hit | {"passage": Passage(**hit["passage"])}))
            for hit in raw["retrieved"]
        ),
    }
    return Answer(**(dict(raw) | nested))


def _record(raw: Mapping[str, Any]) -> Record:
    answer = answer_from_dict(raw["answer"]) if raw["answer"] is not None else None
    return Record(raw["id"], raw["repeat"], answer, raw["error"])


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def _dump(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
