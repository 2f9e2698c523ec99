"""The library: what is added stays, once, in one step; what is refused keeps nothing else out."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import made
import pytest
from killed import kill_at_random

from assistant.documents import library as libraries
from assistant.documents.adding import Adding, Outcome, Wishes, id_of, printable
from assistant.documents.gather import Given
from assistant.documents.library import Library, load_sources
from assistant.documents.reading import DocumentReader
from assistant.errors import SourceError, StorageError
from assistant.settings import Settings

OTHER = "The harbour was built in Eastmouth in 1911."


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


def no_web(address: str) -> Given:
    raise AssertionError(address)


@pytest.fixture
def adding(library: Library, reader: DocumentReader) -> Adding:
    return Adding(library, reader, {}, no_web)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "given"
    (folder / "inner").mkdir(parents=True)
    (folder / "ferry.txt").write_text(made.FERRY)
    (folder / "inner" / "ferry.txt").write_text(OTHER)
    (folder / "report.pdf").write_bytes(made.pdf([made.LATER], ["The second page."]))
    return folder


def whats(outcomes: Iterator[Outcome]) -> list[str]:
    return [one.what for one in outcomes]


def test_a_folder_is_added_and_stays(adding: Adding, library: Library, folder: Path) -> None:
    assert whats(adding.add([str(folder)])) == ["added"] * 3
    documents = Library(library.folder).documents()
    assert {one.text for one in documents.values()} >= {made.FERRY, OTHER}
    pdf = next(one for one in documents.values() if one.kind == "PDF")
    assert pdf.page(pdf.text.index("The second page")) == 2
    assert pdf.origin == str(folder / "report.pdf")
    assert library.original(library.entry(pdf.doc_id)) == (folder / "report.pdf").read_bytes()
    assert len({one.doc_id for one in documents.values()}) == 3
    assert not list(library.faults())


def test_the_same_twice_is_one(adding: Adding, library: Library, folder: Path) -> None:
    list(adding.add([str(folder)]))
    before = library.read()
    copy = folder.parent / "copy.txt"
    copy.write_text(made.FERRY)
    assert (
        whats(adding.add([str(folder), str(folder / "ferry.txt"), str(copy)])) == ["unchanged"] * 4
    )
    assert library.read() == before


def test_a_new_edition_replaces_the_old_and_keeps_what_was_set_by_hand(
    adding: Adding, library: Library, folder: Path
) -> None:
    path = folder / "ferry.txt"
    (first,) = adding.add([str(path)], Wishes(by_hand={"title": "My title"}))
    path.write_text(f"{made.FERRY} {OTHER}")
    (second,) = adding.add([str(path)])
    assert (second.what, second.doc_id) == ("changed", first.doc_id)
    document = library.documents()[first.doc_id]
    assert (document.text, document.title) == (f"{made.FERRY} {OTHER}", "My title")
    assert library.restore(first.doc_id).text_sha256 != document.content_hash
    assert library.documents()[first.doc_id].text == made.FERRY


def test_update_touches_what_changed_and_what_is_gone(
    adding: Adding, library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for at in range(120):
        (folder / f"{at}.txt").write_text(f"{made.FERRY} This is report {at}.")
    assert whats(adding.add([str(folder)])) == ["added"] * 120
    for at in range(5):
        (folder / f"{at}.txt").write_text(f"{OTHER} This is report {at}.")
        (folder / f"{at + 50}.txt").unlink()
    before = library.read().entries
    dry = sorted((one.what, one.name) for one in adding.update(dry_run=True))
    assert library.read().entries == before
    told = sorted((one.what, one.name) for one in adding.update())
    assert told == dry
    assert [one[0] for one in told].count("changed") == 5
    assert {Path(name).name for what, name in told if what == "removed"} == {
        f"{at + 50}.txt" for at in range(5)
    }
    assert len(library.documents()) == 115


def test_an_unplugged_drive_loses_nothing(adding: Adding, library: Library, folder: Path) -> None:
    list(adding.add([str(folder / "inner")]))
    (folder / "inner").rename(folder / "elsewhere")
    assert whats(adding.update()) == ["refused"]
    assert len(library.documents()) == 1


def test_what_is_refused_keeps_nothing_out(
    adding: Adding, library: Library, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("Not of the folder.")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "loop.txt").symlink_to(folder / "loop.txt")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    (folder / "empty.txt").touch()
    os.mkfifo(folder / "pipe.txt")
    with (folder / "huge.txt").open("wb") as file:
        file.truncate(300_000_000)
    (folder / ".hidden.txt").write_text("Not to be read.")
    told = {Path(one.name).name: one for one in adding.add([str(folder), str(folder / "none.txt")])}
    reasons = {name: one.reason for name, one in told.items() if one.what == "refused"}
    assert reasons == {
        "link.txt": "it is a link that leads out of the folder",
        "loop.txt": reasons["loop.txt"],
        "broken.pdf": "it is damaged: PDFium can't open it",
        "empty.txt": "it is empty",
        "pipe.txt": "it is no regular file",
        "huge.txt": "it has 300,000,000 bytes, more than 50,000,000",
        "none.txt": "no such file or directory",
    }
    assert len(library.documents()) == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(adding: Adding, folder: Path) -> None:
    (folder / "ferry.txt").chmod(0)
    (one,) = adding.add([str(folder / "ferry.txt")])
    assert one.reason == "permission denied"


@pytest.mark.parametrize(
    "name",
    ["new\nline.txt", "..txt", "🚢.txt", "ə" * 120 + ".txt", "*.txt", "[a].txt", b"\xff.txt"],
)
def test_odd_names(adding: Adding, library: Library, tmp_path: Path, name: str | bytes) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/" + os.fsencode(name))
    Path(path).write_text(made.FERRY)
    (one,) = adding.add([path])
    assert one.what == "added"
    assert printable(one.name).isprintable()
    assert list(library.documents()) == [one.doc_id]
    assert whats(adding.update()) == ["unchanged"]


def test_globs(adding: Adding, folder: Path) -> None:
    told = list(adding.add([f"{folder}/**/*.txt", f"{folder}/*.doc"]))
    assert [one.what for one in told] == ["added", "added", "refused"]
    assert told[2].reason == "nothing has such a name"


def test_ids_are_plain_and_told_apart() -> None:
    assert id_of("/a/Ferry report (2).pdf", "Ferry report (2).pdf").startswith("ferry-report-2-")
    assert id_of("/a/Келісім.pdf", "Келісім.pdf").startswith("document-")
    assert id_of("/a/x.txt", "x.txt") != id_of("/b/x.txt", "x.txt")


def test_removed_and_restored(adding: Adding, library: Library, folder: Path) -> None:
    (one,) = adding.add([str(folder / "ferry.txt")])
    library.remove([one.doc_id])
    assert library.documents() == {}
    library.restore(one.doc_id)
    assert library.documents()[one.doc_id].text == made.FERRY
    library.remove([one.doc_id], for_good=True)
    with pytest.raises(SourceError, match="Nothing was removed"):
        library.restore(one.doc_id)
    assert not list((library.folder / "files").iterdir())
    with pytest.raises(SourceError, match="no added source"):
        library.remove([one.doc_id])


def test_the_shipped_articles_are_not_added_again(
    settings: Settings, reader: DocumentReader
) -> None:
    shipped = load_sources(settings)
    adding = Adding(Library.of(settings), reader, shipped, no_web)
    told = list(adding.add([str(settings.sources.parent / "articles")]))
    assert {(one.what, one.doc_id) for one in told} == {("unchanged", doc_id) for doc_id in shipped}


def test_added_documents_come_after_the_shipped(
    settings: Settings, reader: DocumentReader, folder: Path
) -> None:
    shipped = list(load_sources(settings))
    list(Adding(Library.of(settings), reader, {}, no_web).add([str(folder / "ferry.txt")]))
    assert list(load_sources(settings))[: len(shipped)] == shipped
    assert len(load_sources(settings)) == len(shipped) + 1


# --- Writing ---


def test_a_full_disk_leaves_all_as_it_was(
    adding: Adding, library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(adding.add([str(folder / "ferry.txt")]))
    before = library.read()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(libraries.os, "fsync", full)
        with pytest.raises(StorageError, match="No space left on device") as caught:
            list(adding.add([str(folder)]))
    assert "\n" not in str(caught.value)
    assert library.read() == before
    assert not list(library.folder.rglob("*.new"))
    assert whats(adding.add([str(folder)])) == ["unchanged", "added", "added"]


def test_a_second_writer_is_told_who_writes(adding: Adding, library: Library, folder: Path) -> None:
    hasty = Library(library.folder, wait_s=0.05)
    with library._writing(), pytest.raises(StorageError, match=rf"\({os.getpid()}, since 20"):
        hasty.remove([])


def test_two_writers_lose_nothing(library: Library, tmp_path: Path) -> None:
    def write(name: str) -> None:
        folder = tmp_path / name
        folder.mkdir()
        mine = Library(library.folder)
        with DocumentReader() as reader:
            adding = Adding(mine, reader, {}, no_web)
            for at in range(15):
                (folder / f"{at}.txt").write_text(f"{made.FERRY} By {name}, {at}.")
                list(adding.add([str(folder / f"{at}.txt")]))

    writers = [threading.Thread(target=write, args=(name,)) for name in ("Ann", "Bo")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(library.documents()) == 30
    assert not list(library.faults())


def test_a_writer_killed_at_any_moment_loses_nothing(library: Library) -> None:
    assert kill_at_random(library.folder, 6) > 6


def test_what_is_damaged_is_named(adding: Adding, library: Library, folder: Path) -> None:
    (one,) = adding.add([str(folder / "ferry.txt")])
    entry = library.entry(one.doc_id)
    (library.folder / "texts" / entry.text_sha256).write_text("Another text.")
    assert list(library.faults()) == [f"{one.doc_id}: its text is not the one that was read"]
    (library.folder / "texts" / entry.text_sha256).unlink()
    with pytest.raises(SourceError, match=f"The text of '{one.doc_id}' can't be read"):
        library.documents()


@pytest.mark.parametrize(
    ("content", "named"),
    [("{", "can't be read"), ("[]", "can't be read"), ('{"version": 9}', "later release")],
)
def test_a_library_that_is_none(library: Library, content: str, named: str) -> None:
    library.folder.mkdir()
    (library.folder / "library.json").write_text(content)
    with pytest.raises(SourceError, match=named):
        library.read()


def test_what_a_later_release_adds_to_an_entry_is_passed_over(
    adding: Adding, library: Library, folder: Path
) -> None:
    (one,) = adding.add([str(folder / "ferry.txt")])
    path = library.folder / "library.json"
    said = json.loads(path.read_text())
    said["sources"][0]["colour"] = "blue"
    path.write_text(json.dumps(said))
    assert list(library.documents()) == [one.doc_id]
