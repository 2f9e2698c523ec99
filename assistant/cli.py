"""The command line. Turns an `AssistantError` into one line on stderr and an exit code."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from assistant.dates import date_in_words
from assistant.errors import AssistantError, QuestionError
from assistant.questions import check_question
from assistant.settings import Settings
from evals.cli import eval_command

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.types import Answer, Message

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
sources_app = typer.Typer(no_args_is_help=True, help="The source articles.")
app.add_typer(sources_app, name="sources")
app.command("eval")(eval_command)
out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
_INTERRUPTED = 130

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
    config: Config = None,
) -> None:
    """Answer a question from the sources, every sentence cited."""
    with faults_told():
        first = _given(question)
        check_question(first)  # before anything is loaded
        assistant = _assistant(config)
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
                _tell(fault)
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
        from assistant.sources import load_documents

        settings = Settings.load(config)
        documents = load_documents(settings.sources)
        encoder = models.load_encoder(settings)
        with _bar() as progress:
            count = search_index.build(settings, documents, encoder, progress)
        out.print(f"Indexed {count} passages of {len(documents)} sources in {settings.cache_dir}.")


@app.command()
def fetch(config: Config = None) -> None:
    """Fetch the local chat model (1.1 GB), once."""
    with faults_told():
        from assistant import weights

        settings = Settings.load(config)
        with _bar() as progress:
            path = weights.fetch(weights.CHAT_MODEL, settings.cache_dir, progress)
        out.print(f"{weights.CHAT_MODEL.name} is at {path}.")


@app.command()
def user(
    file: Annotated[Path, typer.Argument(help="The file for `python app.py --users`.")],
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
) -> None:
    """Let a user log in to the page, or give one another password."""
    with faults_told():
        from assistant.page.users import add_user

        add_user(file, name, typer.prompt("Password", hide_input=True, confirmation_prompt=True))
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


@sources_app.command("list")
def list_sources(config: Config = None) -> None:
    """List the source articles."""
    with faults_told():
        from assistant.sources import load_documents

        for document in load_documents(Settings.load(config).sources).values():
            date = date_in_words(document.published)
            author = f", by {document.author}" if document.author else ""
            about = f"{document.publisher}, {date}{author}: {document.title}"
            out.print(f"{document.doc_id}  {about} ({document.encoding})", markup=False)


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


@contextmanager
def faults_told() -> Iterator[None]:
    """One line and an exit code for what a person can mend; a traceback for anything else."""
    try:
        yield
    except AssistantError as fault:
        _tell(fault)
        raise typer.Exit(fault.exit_code) from None
    except KeyboardInterrupt:
        err.print("Stopped.")
        raise typer.Exit(_INTERRUPTED) from None


def _tell(fault: AssistantError) -> None:
    err.print(f"error: {fault}", markup=False)


def _assistant(config: Path | None) -> Assistant:
    with _bar() as progress:
        from assistant.chat import Assistant

        return Assistant.from_settings(Settings.load(config), progress)


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
            where = f"{cited.publisher}, {date_in_words(cited.published)}, {cited.title}"
            place = f"{cited.doc_id}, characters {cited.start}-{cited.end}"
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


class _bar:  # noqa: N801  a context manager, used as a verb
    """A progress bar on stderr that is a `Progress`; it shows once there is something to say."""

    def __enter__(self) -> _bar:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            console=err,
        )
        self._tasks: dict[str, int] = {}
        return self

    def __exit__(self, *fault: object) -> None:
        if self._tasks:
            self._bar.stop()

    def __call__(self, what: str, done: int, total: int, unit: str) -> None:
        if not self._tasks:
            self._bar.start()
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(what, total=total, unit=unit)
        self._bar.update(self._tasks[what], completed=done, total=total)  # type: ignore[arg-type]


def main() -> None:
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows few characters shows the others as `?`.
            stream.reconfigure(errors="surrogateescape" if stream is sys.stdin else "replace")
    app()


if __name__ == "__main__":
    main()
