"""Vectors of the sources' sentences on disk, so that no new process has to make them again."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.types import Encoder

MOST, LEAST = 5000, 8
"""Vectors kept, some 8 MB, beyond which no more are; and how many new ones are worth writing the
file for: the few words that a question alone has are not."""


class KeptVectors:
    """An `Encoder` that keeps what it made of documents in a file; a damaged file is made anew."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self.name = encoder.name
        self.unrelated = encoder.unrelated
        self.encode_query = encoder.encode_query
        self._encoder = encoder
        self._file = folder / f"{hashlib.sha256(encoder.name.encode()).hexdigest()[:16]}.npz"
        self._known: dict[bytes, NDArray[np.float32]] | None = None

    def encode_documents(self, texts: Sequence[str]) -> list[list[float]]:
        if self._known is None:
            self._known = self._read()
        keys = [hashlib.sha256(text.encode()).digest()[:20] for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        made = dict(zip(new, self._encoder.encode_documents([*new.values()]), strict=True))
        if made and len(self._known) + len(made) <= MOST:
            self._known |= {key: np.array(vector, np.float32) for key, vector in made.items()}
            if len(made) >= LEAST:
                self._write(self._known)
        return [made[key] if key in made else self._known[key].tolist() for key in keys]

    def _read(self) -> dict[bytes, NDArray[np.float32]]:
        try:
            with np.load(self._file) as kept:
                vectors = kept["vectors"].astype(np.float32)
                keys = [key.tobytes() for key in kept["keys"]]
            return dict(zip(keys, vectors, strict=True))
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            return {}  # none yet, or damaged

    def _write(self, known: dict[bytes, NDArray[np.float32]]) -> None:
        keys = np.frombuffer(b"".join(known), np.uint8).reshape(len(known), -1)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._file.parent, delete=False) as file:
                np.savez(file, keys=keys, vectors=np.stack([*known.values()]))
            os.replace(file.name, self._file)
        except OSError:
            return  # a read-only cache or a full disk: they are made again next time
