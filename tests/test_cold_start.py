"""One question of a new process: what it does not import, for those libraries take seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import WHERE, environment
from fakes_openai import KEY, openai_server

from assistant import Settings

NOT_IMPORTED = {
    *("torch", "sentence_transformers", "transformers"),
    *("langchain", "langchain_core", "langchain_chroma", "langchain_openai"),
    *("langgraph", "langsmith", "openai", "tiktoken"),
    *("gradio", "plotly", "pandas", "uvicorn", "fastapi", "starlette"),
    *("ir_measures", "trafilatura", "docx", "pypdfium2", "lxml"),
}
ASK = f"""
import sys
from assistant import local_chat
from assistant.cli import app
local_chat._start_server = lambda *_: (None, sys.argv[1])
local_chat.secrets.token_urlsafe = lambda _: {KEY!r}
app(["ask", {WHERE!r}], standalone_mode=False)
print(*{{name.partition(".")[0] for name in sys.modules}}, file=sys.stderr)
"""
"""Asks, where the local model is the server that is named, and tells what was imported."""


@pytest.mark.parametrize("model", ["none", "some.gguf"])
def test_a_question_imports_nothing_that_is_only_for_others(tmp_path: Path, model: str) -> None:
    weights = tmp_path / model
    weights.write_bytes(b"GGUF")
    given = environment(tmp_path / "cache") | {
        "OTS_ASSISTANT_CHAT_MODEL": model if model == "none" else str(weights),
        "OTS_ASSISTANT_EMBEDDING_MODEL": Settings().embedding_model,
    }
    with openai_server() as server:
        done = subprocess.run(
            [sys.executable, "-c", ASK, server.root],
            capture_output=True,
            text=True,
            env=os.environ | {name: value for name, value in given.items() if value},
            cwd=Path(__file__).parent.parent,
        )
    assert done.returncode == 0, done.stderr
    assert "Bishkek" in done.stdout
    assert bool(server.asked) == (model != "none")
    imported = set(done.stderr.splitlines()[-1].split())
    assert {"chromadb", "onnxruntime", "assistant"} <= imported
    assert not imported & NOT_IMPORTED
