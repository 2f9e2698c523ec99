"""`ots-assistant sources`: the documents that answers are drawn from, added to and taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.console import bar, err, faults_told, out
from assistant.dates import date_in_words
from assistant.errors import SourceError
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.documents.adding import Adding, Outcome
    from assistant.types import Document

sources_app = typer.Typer(no_args_is_help=True, help="The documents that answers are drawn from.")

Config = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done and leave all as it is.")
]
Ids = Annotated[list[str], typer.Argument(help="Sources, by the ids that `sources list` shows.")]


@sources_app.command()
def add(
    targets: Annotated[
        list[str], typer.Argument(metavar="PATH|URL|FOLDER|GLOB...", help="What to add.")
    ],
    title: Annotated[str, typer.Option(help="Its title, in place of its own.")] = "",
    publisher: Annotated[str, typer.Option(help="Its publisher.")] = "",
    author: Annotated[str, typer.Option(help="Its author.")] = "",
    published: Annotated[str, typer.Option("--date", help="Its date: 2021-09-15, 2021.")] = "",
    language: Annotated[str, typer.Option(help="Its language: en, tr, az, …")] = "",
    collection: Annotated[str, typer.Option(help="The collection it is to stand in.")] = "",
    dry_run: DryRun = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on adding what changes there, until Ctrl-C.")
    ] = False,
    config: Config = None,
) -> None:
    """Add documents: text, Markdown, HTML, PDF, DOCX or e-mail, from disk or from the web."""
    with faults_told():
        from assistant.documents.adding import Wishes, checked

        by_hand = checked(
            {
                "title": title,
                "publisher": publisher,
                "author": author,
                "published": published,
                "language": language,
            }
        )
        settings = Settings.load(config)
        wishes = Wishes(collection, by_hand, dry_run)
        with _adding(settings) as adding:
            with bar() as progress:
                counted = _tell(adding.add(targets, wishes, progress))
            _finish(settings, counted, dry_run)
            for _ in _changes(targets) if watch else ():
                counted = _tell(adding.add(targets, wishes), quiet=True)
                counted += _tell(adding.update(), quiet=True)
                _finish(settings, counted, dry_run)
        raise typer.Exit(SourceError.exit_code if counted["refused"] else 0)


@sources_app.command()
def update(
    doc_ids: Annotated[list[str] | None, typer.Argument(help="Only these sources.")] = None,
    dry_run: DryRun = False,
    config: Config = None,
) -> None:
    """Read added sources again: take in what changed where they came from, and out what is gone."""
    with faults_told():
        settings = Settings.load(config)
        with _adding(settings) as adding, bar() as progress:
            counted = _tell(adding.update(doc_ids or (), dry_run, progress), quiet=True)
        _finish(settings, counted, dry_run)
        raise typer.Exit(SourceError.exit_code if counted["refused"] else 0)


@sources_app.command()
def remove(
    doc_ids: Ids,
    for_good: Annotated[
        bool, typer.Option("--for-good", help="Delete it, so that it can't be restored.")
    ] = False,
    dry_run: DryRun = False,
    config: Config = None,
) -> None:
    """Take added sources out; `sources restore` brings them back."""
    with faults_told():
        from assistant.documents.adding import Outcome
        from assistant.documents.library import Library

        settings = Settings.load(config)
        library = Library.of(settings)
        origins = {one: library.entry(one).origin for one in doc_ids}
        if not dry_run:
            library.remove(list(origins), for_good)
        counted = _tell(Outcome("removed", origins[one], one) for one in origins)
        _finish(settings, counted, dry_run)


@sources_app.command()
def restore(doc_ids: Ids, config: Config = None) -> None:
    """Bring back what was removed, or the edition before this one."""
    with faults_told():
        from assistant.documents.adding import Outcome
        from assistant.documents.library import Library

        settings = Settings.load(config)
        library = Library.of(settings)
        found = [library.restore(one) for one in doc_ids]
        counted = _tell(Outcome("added", one.origin, one.doc_id) for one in found)
        _finish(settings, counted, False)


@sources_app.command()
def edit(
    doc_id: Annotated[str, typer.Argument(help="A source, by its id.")],
    title: Annotated[str | None, typer.Option()] = None,
    publisher: Annotated[str | None, typer.Option()] = None,
    author: Annotated[str | None, typer.Option()] = None,
    published: Annotated[str | None, typer.Option("--date")] = None,
    language: Annotated[str | None, typer.Option()] = None,
    config: Config = None,
) -> None:
    """Set what an added source is called, whose it is, of when and in which language."""
    with faults_told():
        from assistant.documents.adding import checked
        from assistant.documents.library import Library

        given = {
            "title": title,
            "publisher": publisher,
            "author": author,
            "published": published,
            "language": language,
        }
        settings = Settings.load(config)
        changes = {k: value for k, value in given.items() if value is not None}
        Library.of(settings).edit(doc_id, checked(changes, empty=True))
        _finish(settings, Counter({"changed": 1}), False)


@sources_app.command("list")
def list_sources(config: Config = None) -> None:
    """List the sources: the shipped articles and what was added."""
    with faults_told():
        from assistant.documents.library import load_sources

        for document in load_sources(Settings.load(config)).values():
            date = date_in_words(document.published)
            author = f", by {document.author}" if document.author else ""
            publisher = document.publisher or "publisher not given"
            about = f"{publisher}, {date}{author}: {document.title}"
            where = f", in {document.collection}" if document.added else ""
            out.print(f"{document.doc_id}  {about} ({document.encoding}{where})", markup=False)


@sources_app.command()
def show(
    doc_id: Annotated[str, typer.Argument(help="A source, by its id.")],
    text: Annotated[bool, typer.Option("--text", help="Print its text instead.")] = False,
    config: Config = None,
) -> None:
    """Show what is known of a source, or its text."""
    with faults_told():
        from assistant.documents.library import load_sources

        document = load_sources(Settings.load(config)).get(doc_id)
        if document is None:
            raise SourceError(f"There is no source '{doc_id}'.", "ots-assistant sources list")
        if text:
            typer.echo(document.text)
            return
        for name, value in _facts(document):
            out.print(f"{name:11} {value}", markup=False)


@sources_app.command()
def check(config: Config = None) -> None:
    """Hold every file, text, offset, vector and lexical entry against the others."""
    with faults_told():
        from assistant import models
        from assistant.documents.library import Library, load_sources
        from assistant.index import up_to_date

        settings = Settings.load(config)
        faults = list(Library.of(settings).faults())
        documents = load_sources(settings)
        with bar() as progress:
            # As for every reader: what a killed command left behind is caught up with first.
            index = up_to_date(settings, documents, models.load_encoder(settings), progress)
        faults += index.faults(documents)
        for line in faults:
            err.print(f"error: {line}", markup=False)
        if faults:
            raise SourceError(
                f"{len(faults)} things do not fit together.",
                "ots-assistant index; and remove and add again what is named",
            )
        out.print(f"{len(documents)} sources and {len(index.passages)} passages fit together.")


@sources_app.command("export")
def export_sources(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    collection: Annotated[str, typer.Option(help="Only this collection.")] = "",
    config: Config = None,
) -> None:
    """Write added sources with all that is known of them to one file."""
    with faults_told():
        from assistant.documents.exchange import export
        from assistant.documents.library import Library

        count = export(Library.of(Settings.load(config)), collection, file)
        out.print(f"{count} sources are in {file}.", markup=False)


@sources_app.command("import")
def import_sources(
    file: Annotated[Path, typer.Argument(help="A file of `sources export`.")],
    dry_run: DryRun = False,
    config: Config = None,
) -> None:
    """Add the sources of an exported file, under the ids that they had."""
    with faults_told():
        from assistant.documents.exchange import bring_in
        from assistant.documents.library import Library
        from assistant.documents.reading import DocumentReader

        settings = Settings.load(config)
        with DocumentReader() as reader:
            counted = _tell(bring_in(Library.of(settings), reader, file, dry_run))
        _finish(settings, counted, dry_run)
        raise typer.Exit(SourceError.exit_code if counted["refused"] else 0)


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    from assistant.documents.adding import printable

    yield "id", document.doc_id
    yield "title", document.title
    yield "publisher", document.publisher or "not given"
    yield "author", document.author or "not given"
    yield "date", date_in_words(document.published)
    yield "language", document.language
    yield "collection", document.collection
    pages = f", {len(document.pages)} pages" if document.pages else ""
    yield "format", f"{document.kind}{pages}, {document.encoding}"
    yield "text", f"{len(document.text):,} characters, sha256 {document.content_hash}"
    if document.origin:
        yield "from", printable(document.origin)
    if document.url:
        yield "address", document.url
    if document.added:
        yield "added", document.added


@contextmanager
def _adding(settings: Settings) -> Iterator[Adding]:
    from assistant.documents.adding import Adding
    from assistant.documents.library import Library
    from assistant.documents.reading import DocumentReader
    from assistant.documents.web import Web
    from assistant.sources import load_documents

    shipped = load_documents(settings.sources)
    with DocumentReader() as reader:
        yield Adding(Library.of(settings), reader, shipped, Web().fetch)


def _tell(outcomes: Iterable[Outcome], quiet: bool = False) -> Counter[str]:
    """A line for each document, of those that stay as they are only on request; counted."""
    from assistant.documents.adding import printable

    counted: Counter[str] = Counter()
    for one in outcomes:
        counted[one.what] += 1
        name = printable(one.name)
        if one.what == "refused":
            err.print(f"refused: {name}: {one.reason}", markup=False)
        elif one.what != "unchanged" or not quiet:
            because = f" ({one.reason})" if one.reason else ""
            out.print(f"{one.what}  {one.doc_id}  {name}{because}", markup=False)
    return counted


def _finish(settings: Settings, counted: Counter[str], dry_run: bool) -> None:
    """Embed what is new, and sum up."""
    from assistant.documents.adding import WHATS

    if not dry_run and (counted["added"] or counted["changed"] or counted["removed"]):
        from assistant import models
        from assistant.documents.library import load_sources
        from assistant.index import up_to_date

        documents = load_sources(settings)
        encoder = models.load_encoder(settings)
        with bar() as progress:
            up_to_date(settings, documents, encoder, progress, however_many=True)
    summary = ", ".join(f"{counted[what]} {what}" for what in WHATS)
    out.print(f"{summary}{'; nothing was done: a dry run' if dry_run else ''}.", markup=False)


def _changes(targets: list[str]) -> Iterator[object]:
    """Once for each change in the folders and files that are watched."""
    from watchfiles import watch

    there = [one for one in targets if Path(one).exists()]
    if not there:
        raise SourceError("There is no folder or file to watch.", "name one that exists")
    err.print("Watching; Ctrl-C ends it.")
    yield from watch(*there)
