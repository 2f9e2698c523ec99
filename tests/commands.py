"""What tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fakes import BagOfWords
from typer.testing import Result

WHERE = "Where was the Digital Economy Partnership Agreement signed?"
Run = Callable[..., Result]
"""Runs a command in this process; keyword arguments are settings."""


def environment(cache: Path) -> dict[str, str | None]:
    return {
        "OTS_ASSISTANT_CACHE_DIR": str(cache),
        "OTS_ASSISTANT_DATA_DIR": str(cache.parent / "data"),
        "OTS_ASSISTANT_CHAT_MODEL": "none",
        "OTS_ASSISTANT_EMBEDDING_MODEL": BagOfWords.name,
    }


def one_line(result: Result, code: int, *named: str) -> None:
    """The one line of a fault: what happened, how to mend it, nothing else."""
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("error: ")
    assert "To mend it: " in line
    for words in named:
        assert words in line
