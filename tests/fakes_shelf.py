"""The real assistant over the real articles, with a bag of words for its embedding model.

`python -m tests.fakes_shelf 7870` opens the whole page with it, to look at.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from assistant import Settings
from assistant.index import SearchIndex, build
from assistant.page.shelf import Shelf
from assistant.sources import load_documents

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
from fakes import MANIFEST, BagOfWords, WordReader


def make_shelf(folder: Path) -> tuple[Shelf, Settings]:
    settings = Settings(
        sources=MANIFEST,
        cache_dir=folder / "cache",
        data_dir=folder / "data",
        embedding_model=BagOfWords.name,
        chat_model="none",
    )
    encoder, documents = BagOfWords(), load_documents(MANIFEST)
    build(settings, documents, encoder)
    index = SearchIndex.open(settings, documents, encoder)
    return Shelf(documents, index, encoder, WordReader, lambda: None, settings), settings


if __name__ == "__main__":
    import app
    from evals.background import BackgroundRuns
    from evals.run import Selection

    with tempfile.TemporaryDirectory() as name:
        shelf, chosen = make_shelf(Path(name))
        runs = BackgroundRuns(shelf, chosen, Selection(runs=Path(name) / "runs"))
        listener = app.listen("127.0.0.1", int(sys.argv[1]), public=False)
        app.serve(app.build_server(shelf, runs, shelf), listener, open_browser=False)
