"""What a browser says of itself: who it is, which conversation it has open, and what is chosen."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assistant.page.choice import AS_USUAL, Choice, read_choice
from assistant.page.scope import Scope, read_scope

_BROWSER = re.compile(r"[0-9a-f]{64}")

# The first thing that runs in a page. A browser that lets nothing be stored gets a name that
# lasts until it leaves; a window remembers its own conversation, so that two don't share one.
ARRIVE = """(...inputs) => {
  const attempt = (what) => { try { return what(); } catch { return null; } };
  window.otsHere ??= () => {
    const fresh = () => [...crypto.getRandomValues(new Uint8Array(32))]
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");
    window.otsBrowser ??= attempt(() => localStorage.getItem("ots-browser")) ?? fresh();
    attempt(() => localStorage.setItem("ots-browser", window.otsBrowser));
    return JSON.stringify({
      browser: window.otsBrowser,
      conversation: attempt(() => sessionStorage.getItem("ots-conversation")) ?? "",
      scope: attempt(() => JSON.parse(localStorage.getItem("ots-scope"))),
      choice: attempt(() => JSON.parse(localStorage.getItem("ots-choice"))) ?? window.otsChoice,
    });
  };
  return [window.otsHere(), ...inputs.slice(1)];
}"""
MOST_SENT = 500_000
"""Characters of a paste that are sent: it is refused as no question, not as a huge request."""
WITH_HERE = f"""(question, here, ...rest) => [
  question.length > {MOST_SENT} ? [...question].slice(0, {MOST_SENT}).join("") : question,
  window.otsHere?.() ?? "", ...rest]"""

# What the server made is saved by the browser, so that no copy of it lies on the server.
SAVE = """({ name, type, text }) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}"""


@dataclass(frozen=True, slots=True)
class Here:
    browser: str = ""
    """A name that nobody can guess; empty when it is none."""
    conversation: str = ""
    scope: Scope = field(default_factory=Scope)
    choice: Choice = AS_USUAL


def read_here(text: str) -> Here:
    """What a browser sent; what makes no sense in it is passed over."""
    try:
        said = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return Here()
    if not isinstance(said, Mapping):
        return Here()
    browser, conversation = said.get("browser"), said.get("conversation")
    known = isinstance(browser, str) and _BROWSER.fullmatch(browser)
    return Here(
        str(browser) if known else "",
        conversation if isinstance(conversation, str) else "",
        read_scope(said.get("scope")),
        read_choice(said.get("choice")),
    )


def owner_of(browser: str, request: Any) -> str:
    """Whose conversations they are: the user's who has logged in, else the browser's."""
    if username := getattr(request, "username", None):
        return f"user:{username}"
    return f"browser:{browser}" if browser else ""
