"""The index: real Chroma on disk, built as a whole, refused when stale or damaged."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import BagOfWords, make_document, write_sources
from filelock import FileLock

from assistant import Assistant, Document, Settings, models
from assistant import index as search_index
from assistant.errors import IndexFault, StorageError
from assistant.index import SearchIndex, _build, build, indexed_text, up_to_date
from assistant.index_files import WAITING, NoIndex, Stale, clear_if_idle
from assistant.sources import load_documents
from assistant.types import silent

QUESTION = "Where did the signing take place?"


class Blind(BagOfWords):
    """An encoder of another size than the one that built the index."""

    def encode_query(self, text: str) -> list[float]:
        return [1.0, 0.0, 0.0]


def open_index(settings: Settings, documents: Mapping[str, Document]) -> SearchIndex:
    return SearchIndex.open(settings, documents, BagOfWords())


def folder_of(settings: Settings) -> Path:
    root = settings.cache_dir / "index"
    record = json.loads((root / "current.json").read_text(encoding="utf-8"))
    return root / str(record["folder"])


def builds(settings: Settings) -> set[Path]:
    return {p for p in (settings.cache_dir / "index").iterdir() if p.is_dir()}


def refusal(
    settings: Settings, documents: Mapping[str, Document], kind: type[IndexFault] = IndexFault
) -> str:
    with pytest.raises(kind) as caught:
        open_index(settings, documents)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.mend == "ots-assistant index"
    return line


@pytest.fixture
def built(settings: Settings, documents: Mapping[str, Document]) -> Settings:
    build(settings, documents, BagOfWords())
    return settings


# --- Building ---


def test_it_is_built_on_first_use_and_then_kept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "load_encoder", lambda _: BagOfWords())
    told: list[tuple[int, int]] = []

    def progress(what: str, done: int, total: int, unit: str) -> None:
        told.append((done, total))

    answer = Assistant.from_settings(settings, progress).ask(QUESTION)
    assert answer.retrieved
    assert told[0] == (0, told[-1][1])
    assert told[-1][0] == told[-1][1] > 0
    first = folder_of(settings)
    told.clear()
    Assistant.from_settings(settings, progress)
    assert told == []
    assert folder_of(settings) == first


def test_every_passage_is_in_both_halves(
    built: Settings, documents: Mapping[str, Document]
) -> None:
    index = open_index(built, documents)
    assert len(index.dense(QUESTION, 1000)) == len(index.passages)
    assert index.lexical("signing agreement the")
    assert set(index.lexical("signing agreement")) <= set(index.passages)
    assert index.lexical("the of xyzzy") == {}
    assert index.lexical("") == {}


def test_a_passage_is_nearest_to_itself(built: Settings, documents: Mapping[str, Document]) -> None:
    index = open_index(built, documents)
    for pid, passage in index.passages.items():
        scores = index.dense(passage.text, 3)
        assert max(scores, key=lambda found: scores[found]) == pid
        assert all(-1 <= score <= 1.0001 for score in scores.values())


def test_a_second_build_replaces_the_first(
    built: Settings, documents: Mapping[str, Document]
) -> None:
    build(built, documents, BagOfWords())
    assert builds(built) == {folder_of(built)}
    assert open_index(built, documents).dense(QUESTION, 3)


def test_a_build_that_is_read_stays_until_nobody_reads_it(
    built: Settings, documents: Mapping[str, Document]
) -> None:
    first, reader = folder_of(built), open_index(built, documents)
    build(built, documents, BagOfWords())
    second = folder_of(built)
    assert builds(built) == {first, second}
    assert reader.dense(QUESTION, 3)
    del reader
    up_to_date(built, documents, BagOfWords())
    assert builds(built) == {second}


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ZeroDivisionError, BrokenPipeError])
def test_what_stops_a_build_leaves_the_old_index(
    built: Settings, documents: Mapping[str, Document], fault: type[BaseException]
) -> None:
    before = folder_of(built)

    def stop(*_: object) -> None:
        raise fault

    with pytest.raises(fault):
        build(built, documents, BagOfWords(), stop)
    assert builds(built) == {before}
    assert not list(before.parent.glob("*.json.*"))
    assert open_index(built, documents).dense(QUESTION, 3)
    build(built, documents, BagOfWords())  # and the lock is free again


def test_a_stopped_first_build_leaves_no_index(
    settings: Settings, documents: Mapping[str, Document]
) -> None:
    def stop(what: str, done: int, total: int, unit: str) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(settings, documents, BagOfWords(), stop)
    assert not builds(settings)
    refusal(settings, documents, NoIndex)


def test_of_two_builders_one_waits_and_finds_it_done(
    settings: Settings, documents: Mapping[str, Document]
) -> None:
    root = settings.cache_dir / "index"
    root.mkdir(parents=True)
    waits, told = threading.Event(), []

    def progress(what: str, done: int, total: int, unit: str) -> None:
        told.append(what)
        waits.set()

    with ThreadPoolExecutor(1) as pool:
        with FileLock(root / "build.lock"):
            second = pool.submit(up_to_date, settings, documents, BagOfWords(), progress)
            assert waits.wait(60)
            _build(settings, documents, BagOfWords(), silent)
            first = folder_of(settings)
        assert second.result(60).dense(QUESTION, 3)
    assert set(told) == {WAITING}
    assert builds(settings) == {first}


@pytest.mark.parametrize("blocked", ["cache", "cache/index"])
def test_a_cache_that_can_not_be_written(
    settings: Settings, documents: Mapping[str, Document], tmp_path: Path, blocked: str
) -> None:
    (tmp_path / blocked).parent.mkdir(exist_ok=True)
    (tmp_path / blocked).write_text("a file where the folder should be")
    refusal(settings, documents, NoIndex)
    with pytest.raises(StorageError, match="can't be written") as caught:
        build(settings, documents, BagOfWords())
    assert "OTS_ASSISTANT_CACHE_DIR" in caught.value.mend


# --- Stale ---


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"embedding_model": "other"}, "bag-of-words"),
        ({"passage_chars": 300}, "700 characters"),
    ],
)
def test_an_index_of_other_settings_is_stale(
    built: Settings, documents: Mapping[str, Document], change: dict[str, object], named: str
) -> None:
    line = refusal(replace(built, **change), documents)  # type: ignore[arg-type]
    assert named in line
    assert "was built with" in line


def test_an_index_of_other_articles_is_stale(tmp_path: Path, settings: Settings) -> None:
    sources = write_sources(tmp_path, {"a": "One fact stands here.", "b": "Another one there."})
    build(settings, load_documents(sources), BagOfWords())
    open_index(settings, load_documents(sources))
    for change in ({"a": "One fact stood here."}, {"a": "One fact stands here."}):
        (tmp_path / "a.txt").write_text("", encoding="utf-8")
        changed = load_documents(write_sources(tmp_path, change))
        assert "other source articles" in refusal(settings, changed)


def test_an_index_of_another_version_is_stale(
    built: Settings, documents: Mapping[str, Document]
) -> None:
    current = built.cache_dir / "index" / "current.json"
    record = json.loads(current.read_text(encoding="utf-8"))
    record["manifest"]["format"] = 0
    current.write_text(json.dumps(record), encoding="utf-8")
    assert "earlier version" in refusal(built, documents)


# --- Brought up to date ---


class Counting(BagOfWords):
    def __init__(self) -> None:
        self.embedded: list[str] = []

    def encode_documents(self, texts: Sequence[str]) -> list[list[float]]:
        self.embedded += texts
        return super().encode_documents(texts)


def test_only_what_changed_is_embedded(tmp_path: Path, settings: Settings) -> None:
    texts = {"a": "One fact stands here.", "b": "Another one there."}
    up_to_date(settings, load_documents(write_sources(tmp_path, texts)), BagOfWords())
    for change, new in (
        ({"a": "One fact stood here."}, ["One fact stood here."]),
        ({"c": "A third one came."}, ["A third one came."]),
        ({"b": ""}, []),  # left out
    ):
        texts = {name: text for name, text in (texts | change).items() if text}
        documents, counting = load_documents(write_sources(tmp_path, texts)), Counting()
        index = up_to_date(settings, documents, counting)
        assert [text.splitlines()[-1] for text in counting.embedded] == new
        assert {p.doc_id for p in index.passages.values()} == set(texts)
        for passage_id, passage in index.passages.items():
            found = index.dense(indexed_text(passage, documents[passage.doc_id]), 1)
            assert found == {passage_id: pytest.approx(1, abs=1e-5)}


@pytest.mark.parametrize("change", [{"embedding_model": "other"}, {"passage_chars": 300}])
def test_other_settings_are_taken_up_too(
    built: Settings, documents: Mapping[str, Document], change: dict[str, object]
) -> None:
    other, counting = replace(built, **change), Counting()  # type: ignore[arg-type]
    index = up_to_date(other, documents, counting)
    assert set(change) == {"passage_chars"} or len(counting.embedded) == len(index.passages)
    assert open_index(other, documents).dense(QUESTION, 3)


def test_a_change_that_costs_minutes_asks_first(
    built: Settings, documents: Mapping[str, Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "AT_ONCE", 3)
    before, few = folder_of(built), dict(list(documents.items())[:1])
    up_to_date(built, few, BagOfWords())  # all of it is known
    with pytest.raises(Stale, match=r"other source articles\. To embed \d+ passages") as caught:
        up_to_date(built, documents, BagOfWords())
    assert caught.value.mend == "ots-assistant index"
    assert folder_of(built) != before
    open_index(built, few)


BUILD = """
import os, signal, sys
sys.path.insert(0, "tests")
from fakes import BagOfWords
from assistant import index
from assistant.settings import Settings
from assistant.sources import load_documents

settings = Settings(sources=sys.argv[2], cache_dir=sys.argv[1], embedding_model=BagOfWords.name)
documents = load_documents(settings.sources)
at, seen = sys.argv[3], []

def progress(*_):
    seen.append(1)
    if len(seen) > 1:
        end("embedded")

def end(where):
    if where == at:
        os.kill(os.getpid(), signal.SIGKILL)
    if at == "pause":
        print("reading", flush=True)
        sys.stdin.read()

if at == "swap":
    index.swap = lambda *_: end("swap")
if at == "clear":
    swap = index.swap
    index.swap = lambda *given: (swap(*given), end("clear"))
if at == "read":
    held = index.up_to_date(settings, documents, BagOfWords())
    print("reading", flush=True)
    sys.stdin.read()
    held.dense("signing", 3)
    print("still read", flush=True)
else:
    index.up_to_date(settings, documents, BagOfWords(), progress)
"""
"""Builds an index and is killed at a place, or keeps it open."""


def child(settings: Settings, at: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, settings.cache_dir, settings.sources, at],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_builds_lose_nothing_and_leave_nothing(tmp_path: Path, settings: Settings) -> None:
    texts = {"a": "One fact stands here.", "b": "Another one there."}
    settings = replace(settings, sources=write_sources(tmp_path, texts))

    def kill(at: str) -> None:
        with child(settings, at) as killed:
            killed.communicate()
        assert killed.returncode == -signal.SIGKILL

    kill("embedded")
    kill("swap")
    assert len(builds(settings)) == 1  # the second one cleared what the first one left
    documents = load_documents(settings.sources)
    up_to_date(settings, documents, BagOfWords())
    before = folder_of(settings)
    assert builds(settings) == {before}

    write_sources(tmp_path, texts | {"a": "One fact stood here."})
    kill("embedded")
    kill("swap")
    assert folder_of(settings) == before
    assert open_index(settings, documents).dense(QUESTION, 2)  # as it was
    kill("clear")
    after = load_documents(settings.sources)
    assert up_to_date(settings, after, BagOfWords()).dense(QUESTION, 2)
    assert builds(settings) == {folder_of(settings)}


def test_what_another_process_reads_or_builds_is_not_cleared(
    tmp_path: Path, settings: Settings
) -> None:
    texts = {"a": "One fact stands here."}
    settings = replace(settings, sources=write_sources(tmp_path, texts))
    with child(settings, "read") as reader:
        assert reader.stdout and reader.stdout.readline() == "reading\n"
        read = folder_of(settings)
        write_sources(tmp_path, {"a": "One fact stood here."})
        up_to_date(settings, load_documents(settings.sources), BagOfWords())
        current = folder_of(settings)
        assert builds(settings) == {read, current}
        write_sources(tmp_path, texts)
        with child(settings, "pause") as builder:
            assert builder.stdout and builder.stdout.readline() == "reading\n"
            built = builds(settings) - {read, current}
            assert len(built) == 1
            clear_if_idle(settings.cache_dir / "index")
            assert builds(settings) == built | {read, current}
            builder.communicate("")
        assert builder.returncode == 0
        assert builds(settings) == built | {read}
        assert reader.communicate("")[0] == "still read\n"
    up_to_date(settings, load_documents(settings.sources), BagOfWords())
    assert builds(settings) == built


# --- Damaged ---


def cut_database(folder: Path) -> None:
    database = folder / "chroma" / "chroma.sqlite3"
    database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])


def overwrite_database(folder: Path) -> None:
    database = folder / "chroma" / "chroma.sqlite3"
    content = bytearray(database.read_bytes())
    for start in range(4096 * 5, len(content), 4096 * 4):
        content[start : start + 4096] = b"\xa5" * 4096
    database.write_bytes(content)


def empty_database(folder: Path) -> None:
    (folder / "chroma" / "chroma.sqlite3").write_bytes(b"")


def drop_vectors(folder: Path) -> None:
    shutil.rmtree(folder / "chroma")


def drop_words(folder: Path) -> None:
    (folder / "lexical" / "vocab.index.json").unlink()


def cut_words(folder: Path) -> None:
    file = folder / "lexical" / "data.csc.index.npy"
    file.write_bytes(file.read_bytes()[:200])


@pytest.mark.parametrize(
    "harm",
    [cut_database, overwrite_database, empty_database, drop_vectors, drop_words, cut_words],
    ids=lambda harm: harm.__name__,
)
def test_damage_is_noticed(
    built: Settings, documents: Mapping[str, Document], harm: Callable[[Path], None]
) -> None:
    # Chroma keeps what it has open, so the damage is done to a copy that it has not seen.
    copy = replace(built, cache_dir=built.cache_dir.with_name("copy"))
    shutil.copytree(built.cache_dir, copy.cache_dir)
    harm(folder_of(copy))
    line = refusal(copy, documents)
    assert "is damaged" in line
    build(copy, documents, BagOfWords())
    assert open_index(copy, documents).dense(QUESTION, 3)


def test_half_a_lexical_index_is_noticed(
    built: Settings, documents: Mapping[str, Document]
) -> None:
    small = replace(built, cache_dir=built.cache_dir.with_name("small"))
    build(small, {"doc": make_document("One sentence only.")}, BagOfWords())
    shutil.rmtree(folder_of(built) / "lexical")
    shutil.copytree(folder_of(small) / "lexical", folder_of(built) / "lexical")
    assert re.search(r"damaged: 1 of \d+ passages", refusal(built, documents))


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "5", "{}", '{"folder": "gone", "manifest": {}}', '{"folder": 5}',
     '{"folder": "x", "manifest": ["format", "embedding_model", "passage_chars", "corpus"]}'],
)  # fmt: skip
def test_a_broken_record_is_noticed(
    built: Settings, documents: Mapping[str, Document], content: str
) -> None:
    (built.cache_dir / "index" / "current.json").write_text(content, encoding="utf-8")
    assert "is damaged" in refusal(built, documents)


def test_a_lost_folder_is_noticed(built: Settings, documents: Mapping[str, Document]) -> None:
    shutil.rmtree(folder_of(built))
    assert "is damaged" in refusal(built, documents)


def test_vectors_of_another_size_are_noticed(
    built: Settings, documents: Mapping[str, Document]
) -> None:
    index = SearchIndex.open(built, documents, Blind())
    with pytest.raises(IndexFault, match="is damaged") as caught:
        index.dense(QUESTION, 3)
    assert caught.value.mend == "ots-assistant index"


def test_no_silence_about_progress() -> None:
    silent("Embedding", 1, 2, "passages")  # tells nobody, and is what `build` does by default
