"""An assistant over documents that are not kept: `ots-assistant ask --with report.pdf "…"`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from assistant.chat import Assistant
from assistant.documents.adding import Adding, printable
from assistant.documents.library import Library
from assistant.documents.reading import DocumentReader
from assistant.documents.web import Web
from assistant.errors import SourceError
from assistant.settings import Settings
from assistant.types import Progress


@contextmanager
def assistant_with(
    settings: Settings, targets: Sequence[str], progress: Progress
) -> Iterator[Assistant]:
    """Answers from these documents alone. Raises `SourceError` where one can't be read."""
    # Chroma may hold its files open until the process ends.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        library = Library(Path(folder) / "library")
        with DocumentReader() as reader:
            for one in Adding(library, reader, {}, Web().fetch).add(targets):
                if one.what == "refused":
                    raise SourceError(
                        f"{printable(one.name)} can't be read: {one.reason}.", "give another file"
                    )
        documents = library.documents()
        if not documents:
            raise SourceError(f"There is no document in {targets[0]}.", "give another folder")
        yield Assistant.from_settings(settings, progress, documents, Path(folder))
