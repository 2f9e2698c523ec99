"""The index: real Chroma on disk, built as a whole, refused when stale or damaged."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import BagOfWords, make_document, write_sources
from filelock import FileLock

from assistant import Assistant, Document, Settings, models
from assistant.errors import IndexFault, StorageError
from assistant.index import NoIndex, SearchIndex, build
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
    first = folder_of(built)
    reader = open_index(built, documents)
    build(built, documents, BagOfWords())
    assert not first.exists()
    assert [p for p in first.parent.iterdir() if p.is_dir()] == [folder_of(built)]
    assert reader.lexical("agreement")
    assert open_index(built, documents).dense(QUESTION, 3)


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ZeroDivisionError, BrokenPipeError])
def test_what_stops_a_build_leaves_the_old_index(
    built: Settings, documents: Mapping[str, Document], fault: type[BaseException]
) -> None:
    before = sorted(p.name for p in (built.cache_dir / "index").iterdir())

    def stop(*_: object) -> None:
        raise fault

    with pytest.raises(fault):
        build(built, documents, BagOfWords(), stop)
    assert sorted(p.name for p in (built.cache_dir / "index").iterdir()) == before
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
    assert [p.name for p in (settings.cache_dir / "index").iterdir()] == ["build.lock"]
    refusal(settings, documents, NoIndex)


def test_two_builders_are_told_apart(settings: Settings, documents: Mapping[str, Document]) -> None:
    root = settings.cache_dir / "index"
    root.mkdir(parents=True)
    with (
        FileLock(root / "build.lock"),
        pytest.raises(IndexFault, match="Another process is building"),
    ):
        build(settings, documents, BagOfWords())
    assert build(settings, documents, BagOfWords()) > 0


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
