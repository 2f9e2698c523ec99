"""The browser page: `python app.py`.

This file is the frame of the page and its start. Each tab is a module of `assistant/page`; what is
said in answers is worked out in `assistant/chat.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from assistant.errors import AssistantError, SettingsError
from assistant.langchain_chat import is_loopback
from assistant.page import render
from assistant.page.guard import Guard
from assistant.page.rights import NOBODY, Rights
from assistant.page.server import HOST, PORT, has_display, listen, place, serve
from assistant.settings import Settings, gradio_at_ease, stay_offline

stay_offline()  # Gradio reads the environment when it is imported.

with gradio_at_ease():
    import gradio as gr
from fastapi import FastAPI, Request  # noqa: E402
from starlette.routing import Mount  # noqa: E402

from assistant.page.ask import AT_ONCE, ask_tab  # noqa: E402
from assistant.page.doors import answer_in_json, open_doors  # noqa: E402
from assistant.page.evals_tab import EvalRuns, evals_tab  # noqa: E402
from assistant.page.files import NoFiles, take_no_files  # noqa: E402
from assistant.page.limits import Limited  # noqa: E402
from assistant.page.offers import check_offers  # noqa: E402
from assistant.page.origins import OwnOrigin  # noqa: E402
from assistant.page.settings_tab import settings_tab  # noqa: E402
from assistant.page.sources_routes import PATH as SOURCES  # noqa: E402
from assistant.page.sources_routes import open_routes  # noqa: E402
from assistant.page.sources_tab import Sources, sources_tab  # noqa: E402
from assistant.page.store import FILE, Store  # noqa: E402
from assistant.page.timeline_tab import timeline_tab  # noqa: E402
from assistant.page.users import ADD, Users, load_users  # noqa: E402
from assistant.page.widgets import HIDDEN, LABELS, Answering, panel  # noqa: E402
from assistant.page.words import ENGLISH, in_language, words_of  # noqa: E402

log = logging.getLogger("ots_assistant.page")

PAGE = Path(render.__file__).parent
TITLE = ENGLISH("page.title")
PER_MINUTE = 20
"""Questions that one person may ask in a minute."""


@dataclass(frozen=True)
class Options:
    """Who may use the page, how often, and through which doors."""

    users: Users | None = None
    per_minute: int = PER_MINUTE
    mcp: bool = False
    names: tuple[str, ...] = ()
    """Host names under which the page is served, besides this machine's own."""
    rights: Rights = NOBODY


class Readiness:
    """Loads the models in the background and says in one line how far that is."""

    def __init__(self, assistant: Answering) -> None:
        self._assistant = assistant
        self.done = False
        self.line = "page.loading"
        """One line, or the key of a text."""

    def start(self) -> None:
        threading.Thread(target=self._warm, name="warm", daemon=True).start()

    def _warm(self) -> None:
        try:
            self._assistant.warm()
            self.line = ""
        except AssistantError as fault:
            self.line = str(fault)
        except Exception:
            log.exception("The models could not be loaded")
            self.line = "page.not_loaded"
        self.done = True

    async def lines(self, request: gr.Request) -> AsyncIterator[str]:
        """The line of the masthead, until all is loaded."""
        say = words_of(request)
        while not self.done:
            yield say.told(self.line)
            await asyncio.sleep(0.3)
        yield say.told(self.line)


def build_blocks(
    assistant: Answering,
    readiness: Readiness,
    runs: EvalRuns | None,
    sources: Sources | None,
    store: Store | None,
    rights: Rights,
) -> gr.Blocks:
    blocks: gr.Blocks
    with gr.Blocks(title=TITLE, fill_width=True, analytics_enabled=False) as blocks:
        with gr.Row(elem_id="masthead"):
            panel(
                str(LABELS("page.about")),
                '<div class="masthead"><h1>${label}</h1><p>${value}</p></div>',
                label=LABELS("page.title"),
            )
            ready = panel("", '<p role="status">${value}</p>', elem_id="ready")
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(LABELS("tabs.ask"), id="ask", elem_id="tab-ask"):
                ask_tab(assistant, blocks, store)
            with gr.Tab(LABELS("tabs.timeline"), id="timeline", elem_id="tab-timeline") as tab:
                timeline_tab(tab, assistant)
            if sources is not None:
                with gr.Tab(LABELS("tabs.sources"), id="sources", elem_id="tab-sources") as tab:
                    sources_tab(tab, sources, rights)
            if runs is not None:
                with gr.Tab(LABELS("tabs.evals"), id="evals", elem_id="tab-evals") as tab:
                    evals_tab(tab, runs)
            with (
                gr.Tab(LABELS("tabs.settings"), id="settings", elem_id="tab-settings") as tab,
                gr.Column(elem_classes="sheet"),
            ):
                settings_tab(tab, assistant, blocks)
        open_doors(assistant, blocks, AT_ONCE)
        blocks.load(readiness.lines, None, [ready], concurrency_limit=None, **HIDDEN)
    return blocks


def theme() -> gr.themes.Base:
    """Gradio's own parts in the page's colours; only fonts that the system has."""
    sans = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
    base = gr.themes.Base(font=sans, font_mono=("ui-monospace", "monospace"))
    return base.set(
        body_background_fill="#f6f4ef",
        body_background_fill_dark="#15181b",
        body_text_color="#20262b",
        body_text_color_dark="#e5e2da",
    )


def login_html() -> str:
    """What Gradio shows above its login form, which has neither a title nor the page's styles.

    `words.in_language` puts the texts in.
    """
    styles = joined("style.css", "login.css")
    return f"<title>{{page.title}}</title><style>{styles}</style>{{login.ask}}"


def joined(*names: str) -> str:
    return "".join((PAGE / name).read_text(encoding="utf-8") for name in names)


def build_server(
    assistant: Answering,
    runs: EvalRuns | None = None,
    sources: Sources | None = None,
    options: Options | None = None,
    store: Store | None = None,
) -> FastAPI:
    """The whole page as an ASGI application; the models start to load with it.

    Without a store, conversations last as long as their window.
    """
    options = options or Options()
    readiness = Readiness(assistant)
    assistant = Limited(assistant, options.per_minute)
    blocks = build_blocks(assistant, readiness, runs, sources, store, options.rights)
    blocks.queue(max_size=64, api_open=False)
    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    take_no_files()
    if sources is not None:
        open_routes(server, sources, options.rights, lambda request: user_of(server, request))
    server.add_middleware(NoFiles)
    server.add_middleware(Guard, edit=in_language, unlimited=SOURCES)
    server.add_middleware(OwnOrigin, names=options.names)
    gr.mount_gradio_app(
        server,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        pwa=False,
        show_error=False,
        max_file_size="1mb",
        favicon_path=str(PAGE / "icon.svg"),
        auth=options.users,
        auth_message=login_html() if options.users else None,
        mcp_server=options.mcp,
        theme=theme(),
        i18n=LABELS,
        css=joined("style.css", "conversation.css"),
        js=joined("script.js", "sources.js"),
    )
    if options.mcp:
        answer_in_json(blocks.mcp_server_obj)
    readiness.start()
    return server


def user_of(server: FastAPI, request: Request) -> str | None:
    """Who has logged in, as Gradio itself tells it."""
    (page,) = (one.app for one in server.routes if isinstance(one, Mount))
    names = (f"access-token-{kind}{page.cookie_id}" for kind in ("", "unsecure-"))
    tokens = (request.cookies.get(name) for name in names)
    return next((page.tokens[one] for one in tokens if one in page.tokens), None)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python app.py", description="Open the browser page.")
    parser.add_argument("--host", help=f"address to listen at (GRADIO_SERVER_NAME, or {HOST})")
    parser.add_argument("--port", help=f"port to listen at (GRADIO_SERVER_PORT, or {PORT})")
    parser.add_argument("--no-browser", action="store_true", help="don't open a browser window")
    parser.add_argument("--users", type=Path, help=f"ask for a login; make the file with: {ADD}")
    parser.add_argument(
        "--public-without-login",
        action="store_true",
        help="let anyone who can reach --host use the page",
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        help="serve the page under this host name too (again for each)",
    )
    parser.add_argument(
        "--offer",
        action="append",
        default=[],
        metavar="MODEL",
        help="let people choose this chat model too (again for each; named as the setting is)",
    )
    parser.add_argument(
        "--per-minute",
        type=int,
        default=PER_MINUTE,
        help="questions one person may ask in a minute (%(default)s)",
    )
    parser.add_argument(
        "--mcp", action="store_true", help="serve MCP tools too, at /gradio_api/mcp/"
    )
    return parser.parse_args(arguments)


def chosen(options: argparse.Namespace) -> Options:
    """The options that make sense together."""
    if options.per_minute < 1:
        raise SettingsError(f"--per-minute is {options.per_minute}.", "give a number from 1 on")
    if options.mcp and options.users:
        raise SettingsError("The MCP tools have no login.", "leave out --mcp or --users")
    if options.mcp and importlib.util.find_spec("mcp") is None:
        raise SettingsError("The package mcp is not installed.", "pip install -e '.[mcp]'")
    check_offers(options.offer)
    users = load_users(options.users) if options.users else None
    host = options.host or os.environ.get("GRADIO_SERVER_NAME") or HOST
    names = (*options.name, host)
    # A page with a name of its own is there for others, wherever it listens.
    alone = users is None and is_loopback(host) and not options.name
    rights = Rights(users.editors if users else (), alone and not options.public_without_login)
    return Options(users, options.per_minute, options.mcp, names, rights)


def show_progress(what: str, done: int, total: int, unit: str) -> None:
    """A `Progress` that keeps one line of the terminal up to date."""
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        print(f"\r{what}: {done:,} of {total:,} {unit}", end=end, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    given = parse(arguments)
    try:
        options = chosen(given)
        # The port comes first: better to hear of it before the models and the index load.
        login = options.users is not None
        host, port = place(given.host, given.port, os.environ)
        listener = listen(host, port, given.public_without_login, login)
        from assistant.page.shelf import Shelf
        from evals.background import BackgroundRuns

        settings = Settings.load()
        shelf = Shelf.from_settings(settings, show_progress, given.offer)
        store = Store(settings.data_dir / FILE)
        server = build_server(shelf, BackgroundRuns(shelf, settings), shelf, options, store)
        serve(server, listener, not given.no_browser and has_display())
    except AssistantError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def leave(code: int) -> NoReturn:
    """End the process at once; models that still load in threads would abort an orderly exit.

    Nothing is lost by it: whatever is kept is on disk before it is shown.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main())
