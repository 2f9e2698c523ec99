"""Other documents to ask about than the sources: `general`, the articles of MultiHop-RAG."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from assistant.errors import SourceError
from assistant.types import Document


def load_multihop_rag(folder: Path) -> dict[str, Document]:
    """The articles of a MultiHop-RAG folder; publisher and date are what questions name."""
    return {
        f"article-{number:04d}": Document(
            doc_id=f"article-{number:04d}",
            title=article["title"],
            publisher=article["source"],
            author=article.get("author") or "",
            published=article["published_at"][:10],
            url=article["url"],
            language="en",
            text=article["body"],
            content_hash=hashlib.sha256(article["body"].encode()).hexdigest(),
        )
        for number, article in enumerate(read_json(folder / "corpus.json"))
    }


def read_json(path: Path) -> Any:
    """What a file of the data set holds."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise SourceError(f"{path} can't be read: {fault}.", "give a MultiHop-RAG folder") from None
