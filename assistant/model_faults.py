"""Whatever the client of a chat model raises, told in one line with the way to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from assistant.errors import AssistantError, ModelError


@contextmanager
def faults_named(name: str, mend: str) -> Iterator[None]:
    """Turn whatever the client of the model `name` raises into a `ModelError`."""
    try:
        yield
    except AssistantError:
        raise
    except Exception as fault:
        raise _named(fault, name, mend) from fault


def _named(fault: Exception, name: str, mend: str) -> ModelError:
    kind = type(fault).__name__.lower()
    if getattr(fault, "status_code", None) in (401, 403):
        return ModelError(f"{name} refused the key: {line(fault)}.", mend)
    if "timeout" in kind:
        return ModelError(
            f"{name} did not answer in time.", "try again, or raise OTS_ASSISTANT_TIMEOUT_S"
        )
    if "connect" in kind:
        return ModelError(f"{name} can't be reached: {line(_root(fault))}.", mend)
    return ModelError(f"{name} failed: {line(fault)}.", mend)


def line(fault: BaseException) -> str:
    return (" ".join(str(fault).split()) or type(fault).__name__)[:160].rstrip(".")


def _root(fault: BaseException) -> BaseException:
    """What a fault was first of all: clients wrap "connection refused" in "connection error"."""
    while fault.__cause__:
        fault = fault.__cause__
    return fault
