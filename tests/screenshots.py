"""Takes the pictures in `docs/` anew: `python -m tests.screenshots`.

They show the real page over the real articles, answering with the sources' own sentences: a chat
model would word every answer a little differently on each machine.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
from pages import serving
from test_app import BOX, CHROMIUM, SWITCHES

import app
from assistant.page.shelf import Shelf
from assistant.page.store import FILE, Store
from assistant.settings import Settings
from evals.background import BackgroundRuns
from evals.run import Selection

DOCS = Path(__file__).resolve().parent.parent / "docs"
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
WHERE = "Where was the Digital Economy Partnership Agreement signed?"
PATIENCE = 300_000


def visit(browser: Any, address: str, **look: Any) -> Any:
    context = browser.new_context(reduced_motion="reduce", **look)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".starter")
    page.wait_for_function("document.querySelector('#ready').innerText.trim() === ''")
    return page


def ask(page: Any, question: str) -> None:
    page.fill(BOX, question)
    page.press(BOX, "Enter")
    page.wait_for_selector("#turn-1:not(.growing)")
    page.wait_for_selector("#more .starter")
    page.click("#turn-1 a.cite >> nth=0")
    page.wait_for_selector("#evidence mark.lit")


def take(page: Any, name: str) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    few = picture.quantize(128, dither=Image.Dither.NONE)
    few.save(DOCS / f"{name}.png", optimize=True)


def take_all(browser: Any, address: str) -> None:
    for scheme in ("light", "dark"):
        page = visit(browser, address, viewport=DESKTOP, color_scheme=scheme)
        ask(page, WHERE)
        take(page, f"ask-{scheme}")
        page.context.close()
    page = visit(browser, address, viewport=PHONE, color_scheme="light")
    ask(page, WHERE)
    page.locator("#turn-1").scroll_into_view_if_needed()
    take(page, "ask-phone")
    page.context.close()
    page = visit(browser, address, viewport=DESKTOP, color_scheme="light")
    page.click("#tab-timeline-button")
    page.wait_for_selector("#timeline .scatterlayer .point")
    page.click("#tab-timeline button.plain >> nth=2")
    page.wait_for_selector("#tab-timeline .reading")
    page.locator("#tab-timeline h2").first.scroll_into_view_if_needed()
    take(page, "timeline")
    page.click("#tab-sources-button")
    page.locator("#tab-sources button[data-index]").first.click()
    page.wait_for_selector("#tab-sources .reading")
    take(page, "sources")
    page.click("#tab-evals-button")
    page.click("#start-run")
    page.wait_for_selector("#report iframe")
    take(page, "evals")
    page.click("#tab-settings-button")
    page.get_by_label("Written by the chat model").check()
    page.get_by_label("Passages looked up for a question").fill("12")
    page.locator("#choices h3").last.click()
    page.get_by_text("from the next question on").wait_for()
    take(page, "settings")
    page.context.close()


def main() -> None:
    from playwright.sync_api import sync_playwright

    # From within the folder, so that no path of this computer gets into a picture.
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        settings = Settings(cache_dir=folder / "cache", chat_model="none")
        shelf = Shelf.from_settings(settings, others=["local", "ollama:qwen3:8b"])
        runs = BackgroundRuns(shelf, settings, Selection(runs=Path("evals", "runs")))
        built = app.build_server(shelf, runs, shelf, store=Store(folder / FILE))
        with serving(built) as address, sync_playwright() as run:
            browser = run.chromium.launch(executable_path=str(CHROMIUM), args=SWITCHES)
            take_all(browser, address)
            browser.close()


if __name__ == "__main__":
    main()
