"""The chat models that whoever runs the page offers, under names for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

from assistant import models, weights
from assistant.errors import AssistantError, SettingsError
from assistant.langchain_chat import is_loopback
from assistant.page.choice import Offer
from assistant.settings import Settings
from assistant.types import ChatModel

Load = Callable[[], ChatModel | None]
QUOTES = "none"
"""The setting that asks no chat model."""


class Offers:
    """Each model under its name; one is loaded when first asked, once for all windows."""

    def __init__(self, settings: Settings, load: Load, others: Sequence[str] = ()) -> None:
        self._top_k = settings.top_k
        self._models: dict[str, tuple[str, Load]] = {}
        self._quotes = settings.chat_model == QUOTES
        if not self._quotes:
            self._add(settings.chat_model, load)
        for setting in dict.fromkeys(others):
            if setting != settings.chat_model:
                # The key of the settings is for their own model: no other host is told it.
                own = replace(settings, chat_model=setting, api_key="")
                self._add(setting, models.Later(partial(models.load_chat_model, own)).get)

    def _add(self, setting: str, load: Load) -> None:
        name, number = readable(setting), 2
        while name in self._models:
            name, number = f"{readable(setting)}, {number}", number + 1
        self._models[name] = setting, load

    @property
    def offer(self) -> Offer:
        here = frozenset(name for name, (setting, _) in self._models.items() if _is_file(setting))
        return Offer(tuple(self._models), self._top_k, self._quotes, here)

    def find(self, name: str) -> tuple[str, Load]:
        """The setting of a model and what loads it; without a name, those that ask none."""
        return self._models[name] if name else (QUOTES, lambda: None)


def _is_file(setting: str) -> bool:
    """Whether this process runs the model itself."""
    return setting == "local" or setting.endswith(".gguf")


def readable(setting: str) -> str:
    """What people are shown of a chat model's setting: no folder and no whole address.

    Where questions leave this computer, the place that they go to stands in brackets.
    """
    if setting == "local":
        return weights.CHAT_MODEL.name
    if setting.endswith(".gguf"):
        return Path(setting).stem
    if setting.startswith(("http://", "https://")):
        url, model = urldefrag(setting)
        host = urlsplit(url).hostname or ""
        return (model or "default") + ("" if is_loopback(host) else f" ({host})")
    provider, _, model = setting.partition(":")
    return f"{model} ({provider})"


def check_offers(settings: Sequence[str]) -> None:
    """Raise `SettingsError` for what can be no chat model, before anything is loaded."""
    for setting in settings:
        try:
            _check(setting)
        except (AssistantError, ValueError) as fault:
            told = fault.message if isinstance(fault, AssistantError) else f"{fault}."
            raise SettingsError(
                f"--offer {setting}: {told}",
                "give local, a .gguf path, http://host/v1#model or provider:model",
            ) from None


def _check(setting: str) -> None:
    if setting == QUOTES:
        raise SettingsError("Quotes only can be chosen anyway.")
    if setting.endswith(".gguf"):
        models.gguf_file(setting)
    elif setting.startswith(("http://", "https://")):
        if not urlsplit(setting).hostname:
            raise SettingsError("The address names no host.")
    elif setting != "local" and not all(setting.partition(":")):
        raise SettingsError("That is no chat model.")
