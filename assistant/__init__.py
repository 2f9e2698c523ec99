"""A chat assistant for the digital agreements of the Organization of Turkic States.

from assistant import Assistant, Settings
answer = Assistant.from_settings(Settings()).ask("Where was the agreement signed?")
"""

from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError
from assistant.settings import Settings, stay_offline
from assistant.types import Answer, Citation, Claim, Document, Passage, ScoredPassage

if TYPE_CHECKING:
    from assistant.chat import Assistant

stay_offline()  # before any library that would call home is imported

__all__ = [
    "Answer",
    "Assistant",
    "AssistantError",
    "Citation",
    "Claim",
    "Document",
    "Passage",
    "ScoredPassage",
    "Settings",
]


def __getattr__(name: str) -> Any:
    """Import the assistant and its libraries once they are asked for: commands start at once."""
    if name == "Assistant":
        from assistant.chat import Assistant

        return Assistant
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
