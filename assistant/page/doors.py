"""The other doors: the same functions over Gradio's API and as MCP tools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Any

import gradio as gr
from gradio.events import api

from assistant.errors import AssistantError, QuestionError, SourceError
from assistant.page.widgets import Answering
from assistant.types import Message

ROLES = ("user", "assistant")


def open_doors(assistant: Answering, at_once: int) -> None:
    """Name the public endpoints `ask`, `search_sources` and `read_source`.

    Their docstrings are what other programs are shown of them.
    """

    def ask(
        question: str,
        history: list[dict[str, str]] | None = None,
        sources: list[str] | None = None,
    ) -> dict[str, Any]:
        """Answer a question from the source articles, every sentence with its exact quote.

        Args:
            question: What to ask, in plain language.
            history: Earlier turns, oldest first: {"role": "user" or "assistant", "content": text}.
            sources: Ids of the only sources that may answer; all of them when left out.

        Returns:
            The Answer: its text, outcome, claims, citations with their spans, and what is missing.
        """
        with _told():
            stream = assistant.stream(question, _turns(history), sources)
            *_, answer = stream
            return answer.to_dict()

    def search_sources(query: str, sources: list[str] | None = None) -> list[dict[str, Any]]:
        """Find the passages of the source articles that bear on a query, best first.

        Args:
            query: Words or a question.
            sources: Ids of the only sources to search; all of them when left out.

        Returns:
            Passages with their source's id, exact offsets, text, score and rank.
        """
        with _told():
            stream = assistant.stream(query, (), sources)
            # The first snapshot has the evidence; no chat model is asked for it.
            with closing(stream) as snapshots:  # type: ignore[type-var]
                first = next(snapshots)
            return [asdict(found) for found in first.retrieved]

    def read_source(source: str) -> dict[str, Any]:
        """Read a whole source article.

        Args:
            source: Its id, as passages and citations name it.

        Returns:
            Title, publisher, author, date as far as it is known, language, address and full text.
        """
        with _told():
            found = assistant.documents.get(source)
            if found is None:
                known = ", ".join(assistant.documents)
                raise SourceError(f"There is no source '{source[:80]}'.", f"use one of: {known}")
            return asdict(found)

    api(ask, api_name="ask", concurrency_limit=at_once, concurrency_id="answer")
    api(search_sources, api_name="search_sources", concurrency_limit=at_once)
    api(read_source, api_name="read_source", concurrency_limit=None)


def answer_in_json(tools: Any) -> None:
    """Let Gradio's MCP tools answer in JSON; by themselves they write dicts as Python does."""

    def in_json(values: list[Any], _root: str) -> list[Any]:
        texts = (json.dumps(value, ensure_ascii=False) for value in values)
        return [tools.types.TextContent(type="text", text=text) for text in texts]

    tools.postprocess_output_data = in_json


def _turns(history: list[dict[str, str]] | None) -> list[Message]:
    for turn in history or []:
        told = isinstance(turn, dict) and turn.get("role") in ROLES
        if not told or not isinstance(turn.get("content"), str):
            raise QuestionError(
                f"A turn of the history is {str(turn)[:80]!r}.",
                'write each as {"role": "user" or "assistant", "content": "…"}',
            )
    return list(history or [])


@contextmanager
def _told() -> Iterator[None]:
    """What a person can mend reaches the caller as one line."""
    try:
        yield
    except AssistantError as fault:
        raise gr.Error(str(fault), print_exception=False) from None
