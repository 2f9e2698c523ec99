"""The last answer again, in another form."""

from __future__ import annotations

from assistant.answers.numbers import number_in
from assistant.answers.request import Request
from assistant.types import Claim, Outcome


def shorten(request: Request) -> Outcome | None:
    """The first statement of the last answer alone, or so many as are asked for."""
    count = number_in(request.text)
    return _again(request, count or 1, "- {}" if count > 1 else "{}")


def list_up(request: Request) -> Outcome | None:
    """Each statement of the last answer on a line of its own."""
    return _again(request, number_in(request.text) or None, "- {}")


def _again(request: Request, most: int | None, shape: str) -> Outcome | None:
    last = request.again()
    shown: list[Claim] = [c for c in last.claims if c.status != "withheld"] if last else []
    if last is None or not shown:
        return None
    if last.outcome not in ("answered", "about_the_assistant"):
        request.composer.state(last.missing)
    for claim in shown[:most]:
        request.composer.repeat(claim, shape)
    return last.outcome
