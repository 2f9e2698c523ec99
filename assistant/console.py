"""What the commands share: where they print, how faults are told, and a progress bar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from assistant.errors import AssistantError

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
_INTERRUPTED = 130


@contextmanager
def faults_told() -> Iterator[None]:
    """One line and an exit code for what a person can mend; a traceback for anything else."""
    try:
        yield
    except AssistantError as fault:
        tell(fault)
        raise typer.Exit(fault.exit_code) from None
    except KeyboardInterrupt:
        err.print("Stopped.")
        raise typer.Exit(_INTERRUPTED) from None


def tell(fault: AssistantError) -> None:
    err.print(f"error: {fault}", markup=False)


class bar:  # noqa: N801  a context manager, used as a verb
    """A progress bar on stderr that is a `Progress`; it shows once there is something to say."""

    def __enter__(self) -> bar:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
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
