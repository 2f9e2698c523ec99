"""Files stay out: the ways by which Gradio takes, fetches or serves them are shut.

The page has no use for them: a saved conversation that is opened comes as text. Left open, they
would let a stranger fill the disk, or make the server fetch any address and serve it as its own.
"""

from __future__ import annotations

import re
from pathlib import Path

import gradio as gr
from gradio.blocks import Block
from starlette.responses import PlainTextResponse

from assistant.page.guard import App, Receive, Scope, Send

REFUSED = "This page takes and serves no files."
_SHUT = re.compile(
    r"/gradio_api/(upload|process_recording|component_server|file[=/]|proxy=|stream/|vibe-)"
)


class NoFiles:
    """ASGI middleware that refuses Gradio's routes for files."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _SHUT.search(scope["path"]):
            await PlainTextResponse(REFUSED, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def take_no_files() -> None:
    """Refuse a file where a value is expected: Gradio would fetch the address that it names."""
    Block.async_move_resource_to_block_cache = _refuse  # type: ignore[method-assign]


async def _refuse(self: Block, url_or_file_path: str | Path | None) -> str | None:
    raise gr.Error(REFUSED, print_exception=False)
