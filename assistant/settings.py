"""Settings: one frozen value that everything is built from, and the only reader of the environment.

Each field is also an environment variable (`OTS_ASSISTANT_CHAT_MODEL=…`) and a key of a TOML file
(`OTS_ASSISTANT_CONFIG=path`, or `--config`); the environment wins over the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path, user_data_path

from assistant.errors import SettingsError

PREFIX = "OTS_ASSISTANT_"
CACHE = user_cache_path("ots-assistant")
DATA = user_data_path("ots-assistant")
ROOT = Path(__file__).resolve().parent.parent

OFFLINE = {
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    # Else its client passes by the proxies of the environment, and says so over the answer.
    "LANGCHAIN_OPENAI_TCP_KEEPALIVE": "0",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_OFFLINE": "1",
}
"""What keeps the libraries from calling home. They read it when imported, so it comes first."""


_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def stay_offline() -> None:
    """Turn off analytics, tracing and hub look-ups of every library in use.

    A proxy of the environment stays out of what is said to this machine itself.
    """
    os.environ.update(OFFLINE)
    named = {name.lower() for name, value in os.environ.items() if value}
    if named.isdisjoint(_PROXIES):
        return  # with NO_PROXY set, the proxies of the system's own settings would not be looked up
    told = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    direct = [*filter(None, map(str.strip, told.split(","))), *_LOOPBACK]
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(dict.fromkeys(direct))


@contextmanager
def gradio_at_ease() -> Iterator[None]:
    """Hide from Gradio, while it is imported, variables that it may fail on then.

    It makes a client of the proxies, although nothing here uses it, and a number of the port.
    """
    names = (*_PROXIES, "gradio_server_port")
    hidden = {name: os.environ.pop(name) for name in [*os.environ] if name.lower() in names}
    try:
        yield
    finally:
        os.environ.update(hidden)


@dataclass(frozen=True, slots=True)
class Settings:
    """How the assistant is put together. The defaults need no key and no network."""

    sources: Path = ROOT / "sources" / "manifest.toml"
    cache_dir: Path = CACHE
    data_dir: Path = DATA
    """What people made and can't be made anew, such as kept conversations: no cache."""
    embedding_model: str = "multilingual-e5-small"
    """The name above, or a sentence-transformers model by hub name or folder."""
    chat_model: str = "local"
    """`local`, `none`, a `.gguf` path, `http(s)://host/v1#model`, or `provider:model`."""
    api_key: str = field(default="", repr=False)
    """For a remote chat model; empty means the provider's own variable, such as OPENAI_API_KEY."""
    passage_chars: int = 700
    """Passages are packed up to this many characters, in whole sentences."""
    top_k: int = 8
    """How many passages are retrieved for a question."""
    dense_weight: float = 0.5
    """Weight of the dense score in the fusion, 0 (lexical only) to 1 (dense only)."""
    prompt_chars: int = 7000
    """At most this much source text goes into a prompt."""
    max_answer_tokens: int = 80
    timeout_s: float = 120.0
    """How long the chat model may stay silent before it counts as gone."""
    threads: int = 0
    """Threads of the local model; 0 means one per core."""

    def __post_init__(self) -> None:
        for name in ("sources", "cache_dir", "data_dir"):
            object.__setattr__(self, name, Path(getattr(self, name)))
        bounds: dict[str, tuple[float, float]] = {
            "passage_chars": (100, 4000),
            "top_k": (1, 50),
            "dense_weight": (0, 1),
            "prompt_chars": (500, 1_000_000),
            "max_answer_tokens": (16, 8192),
            "timeout_s": (0.01, 3600),
            "threads": (0, 512),
        }
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise SettingsError(
                    f"The setting {name} is {getattr(self, name)}, outside {low:g} to {high:g}.",
                    f"set {PREFIX}{name.upper()} to a value between them",
                )

    @classmethod
    def load(cls, config: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
        """Defaults, then the TOML file, then the environment."""
        env = os.environ if environ is None else environ
        if config is None and env.get(f"{PREFIX}CONFIG"):
            config = Path(env[f"{PREFIX}CONFIG"])
        values = _read_toml(config) if config else {}
        for name in cls.names():
            if (value := env.get(f"{PREFIX}{name.upper()}")) is not None:
                values[name] = value
        return cls().with_values(values)

    @classmethod
    def names(cls) -> list[str]:
        return [f.name for f in fields(cls)]

    def with_values(self, values: Mapping[str, Any]) -> Settings:
        """A copy with some fields replaced; strings are read as the field's type."""
        read: dict[str, Any] = {}
        for name, value in values.items():
            if name not in self.names():
                raise SettingsError(
                    f"There is no setting named '{name}'.",
                    f"use one of: {', '.join(self.names())}",
                )
            try:
                read[name] = _read_as(type(getattr(self, name)), value)
            except ValueError as fault:
                raise SettingsError(
                    f"The setting {name} is {value!r}, {fault}.",
                    f"correct {PREFIX}{name.upper()} or the settings file",
                ) from None
        return replace(self, **read)

    def fingerprint(self) -> str:
        """Twelve hex digits that change whenever a setting that can change an answer does."""
        shaping = {
            k: str(v)
            for k, v in asdict(self).items()
            if k not in ("cache_dir", "data_dir", "threads", "api_key")
        }
        return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:12]


def _read_as(kind: type, value: Any) -> Any:
    """A value of the environment (text) or of a TOML file (of a type) as a field's type."""
    if issubclass(kind, Path):
        if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
            raise ValueError("which is not a path")
        try:
            return Path(value).expanduser().absolute()
        except RuntimeError:
            raise ValueError("whose home folder is not known") from None
    if kind is str and isinstance(value, str):
        return value
    try:
        # A TOML value has a type already: int() would make 8 of 8.5, and 1 of true.
        if kind is int and isinstance(value, str | int) and not isinstance(value, bool):
            return int(value)
        if kind is float and isinstance(value, str | int | float) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    wanted = {int: "a whole number", float: "a number"}.get(kind, "a text")
    raise ValueError(f"which is not {wanted}")


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"The settings file {path} does not exist.", f"create it or unset {PREFIX}CONFIG"
        ) from None
    except (ValueError, OSError) as fault:
        raise SettingsError(
            f"The settings file {path} can't be read: {fault}.", "correct that line"
        ) from None
