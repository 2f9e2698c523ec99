"""The other doors: the same functions over Gradio's API and as MCP tools."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from inspect import signature
from typing import Any

import gradio as gr
from gradio.events import api

from assistant.errors import AssistantError, QuestionError, SourceError
from assistant.page.widgets import Answering
from assistant.page.words import ENGLISH
from assistant.types import Message

log = logging.getLogger("ots_assistant.page")

ROLES = ("user", "assistant")


def open_doors(assistant: Answering, blocks: gr.Blocks, at_once: int) -> None:
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
            stream = assistant.stream(_text(question), _turns(history), _ids(sources))
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
            stream = assistant.stream(_text(query), (), _ids(sources))
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
            found = assistant.documents.get(str(source))
            if found is None:
                known = ", ".join(assistant.documents)
                raise SourceError(
                    f"There is no source '{str(source)[:80]}'.", f"use one of: {known}"
                )
            return asdict(found)

    api(ask, api_name="ask", concurrency_limit=at_once, concurrency_id="answer")
    api(search_sources, api_name="search_sources", concurrency_limit=at_once)
    api(read_source, api_name="read_source", concurrency_limit=None)
    _fill_in(blocks, {door.__name__: door for door in (ask, search_sources, read_source)})


def _fill_in(blocks: gr.Blocks, doors: Mapping[str, Callable[..., Any]]) -> None:
    """Let a call leave out what has a default, and name what it may not leave out.

    Gradio's own clients fill in defaults before they call; the server takes all values or none.
    """
    check = blocks.validate_inputs

    def validate(called: Any, inputs: list[Any]) -> None:
        if door := doors.get(str(called.api_name)):
            for parameter in [*signature(door).parameters.values()][len(inputs) :]:
                if parameter.default is parameter.empty:
                    raise gr.Error(f"The {parameter.name} is missing.", print_exception=False)
                inputs.append(parameter.default)
        check(called, inputs)

    blocks.validate_inputs = validate  # type: ignore[method-assign, assignment]


def answer_in_json(tools: Any) -> None:
    """Let Gradio's MCP tools answer in JSON; by themselves they write dicts as Python does."""

    def in_json(values: list[Any], _root: str) -> list[Any]:
        texts = (json.dumps(value, ensure_ascii=False) for value in values)
        return [tools.types.TextContent(type="text", text=text) for text in texts]

    tools.postprocess_output_data = in_json


def _text(question: object) -> str:
    if not isinstance(question, str):
        raise QuestionError(f"The question is {str(question)[:80]}.", "write it as a string")
    return question


def _ids(sources: object) -> list[str] | None:
    if sources is None:
        return None
    if not isinstance(sources, list) or not all(isinstance(one, str) for one in sources):
        raise SourceError(
            f"The sources are {str(sources)[:80]!r}.", 'write them as a list of ids: ["…"]'
        )
    return sources


def _turns(history: object) -> list[Message]:
    if history is not None and not isinstance(history, list):
        raise QuestionError(f"The history is {str(history)[:80]!r}.", "write it as a list of turns")
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
    except Exception:
        log.exception("A call of the API failed")
        raise gr.Error(ENGLISH("turn.surprise"), print_exception=False) from None
