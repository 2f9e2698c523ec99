"""A chat assistant for the digital agreements of the Organization of Turkic States.

from assistant import Assistant, Settings
answer = Assistant.from_settings(Settings()).ask("Where was the agreement signed?")
"""

from assistant.settings import Settings, stay_offline

stay_offline()  # before any library that would call home is imported

from assistant.chat import Assistant  # noqa: E402
from assistant.errors import AssistantError  # noqa: E402
from assistant.types import Answer, Citation, Claim, Document, Passage, ScoredPassage  # noqa: E402

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
