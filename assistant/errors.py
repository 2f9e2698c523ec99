"""Errors that a person can mend.

    AssistantError            exit code 1
    ├── SettingsError         2   a setting has a value that makes no sense
    ├── QuestionError         2   the question can't be taken as it is
    ├── SourceError           3   the manifest or an article can't be read
    ├── IndexFault            4   the index is missing, stale, locked or damaged
    ├── WeightsError          5   a model file is missing, truncated or not the file it should be
    ├── ModelError            6   the chat or embedding model did not answer
    └── StorageError          7   a folder can't be written

Each says in one line what happened, with the value at fault, and carries the command that mends it.
The command line prints that line and exits with the code; anything else keeps its traceback.
"""

from __future__ import annotations


class AssistantError(Exception):
    """An expected fault: `message` says what happened, `mend` what to do about it."""

    exit_code = 1

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message} To mend it: {self.mend}" if self.mend else self.message


class SettingsError(AssistantError):
    exit_code = 2


class QuestionError(AssistantError):
    exit_code = 2


class SourceError(AssistantError):
    exit_code = 3


class IndexFault(AssistantError):
    exit_code = 4


class WeightsError(AssistantError):
    exit_code = 5


class ModelError(AssistantError):
    exit_code = 6


class StorageError(AssistantError):
    exit_code = 7
