"""Who may add sources to the page and take them out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


@dataclass(frozen=True, slots=True)
class Rights:
    """Users who were given the right; or, where nobody logs in, whoever sits at this computer."""

    editors: Collection[str] = ()
    alone: bool = False
    """Whether the page has no login and only this computer reaches it."""

    def may_change(self, user: str | None, headers: Mapping[str, str]) -> bool:
        if user is not None:
            return user in self.editors
        # Behind a proxy, everyone seems to sit at this computer.
        return self.alone and not any(name in headers for name in _FORWARDED)


NOBODY = Rights()
