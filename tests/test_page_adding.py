"""Sources added on the page: by those who may, within limits, and answered from at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import made
import pytest
from fakes_shelf import make_shelf
from pages import serving
from test_app import Visit, browser  # noqa: F401  `browser` is a fixture

import app
from assistant.documents.library import Library
from assistant.page import sources_routes
from assistant.page.rights import NOBODY, Rights
from assistant.page.shelf import Shelf
from assistant.page.users import add_user, load_users

SIGNED = "Where was the ferry agreement signed?"
PDF = made.pdf(["The harbour was built in Eastmouth."], [made.FERRY])
AT_HOME = app.Options(rights=Rights(alone=True), per_minute=10_000)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return make_shelf(tmp_path)[0]


@pytest.fixture
def address(shelf: Shelf) -> Iterator[str]:
    with serving(app.build_server(shelf, sources=shelf, options=AT_HOME)) as where:
        yield f"{where}sources/"


def post(where: str, act: str, /, **said: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.post(where + act, json=said, timeout=60).json()
    return found


def drop(address: str, name: str, raw: bytes) -> dict[str, Any]:
    reply = httpx.post(f"{address}file", params={"name": name}, content=raw, timeout=60)
    found: dict[str, Any] = reply.json()
    return found


def test_a_file_is_answered_from_at_once(shelf: Shelf, address: str) -> None:
    drop(address, "warm.txt", b"The first one starts the process that reads.")
    began = time.monotonic()
    told = drop(address, "report.pdf", PDF)
    answer = shelf.ask(SIGNED)
    assert time.monotonic() - began < 3
    assert (told["what"], told["name"], told["reason"]) == ("added", "report.pdf", "")
    (cited,) = (one for one in answer.citations if one.doc_id == told["id"])
    assert (cited.quote, cited.page) == (made.FERRY, 2)


def test_a_new_edition_removal_and_undo(shelf: Shelf, address: str) -> None:
    first = drop(address, "ferry.txt", made.FERRY.encode())
    assert drop(address, "ferry.txt", made.FERRY.encode())["what"] == "unchanged"
    second = drop(address, "ferry.txt", made.LATER.encode())
    assert (second["what"], second["id"]) == ("changed", first["id"])
    assert post(address, "restore", id=first["id"])["what"] == "added"
    assert shelf.documents[first["id"]].text == made.FERRY
    assert post(address, "remove", id=first["id"])["what"] == "removed"
    assert first["id"] not in shelf.documents
    post(address, "restore", id=first["id"])
    assert shelf.documents[first["id"]].text == made.FERRY


def test_what_it_is_called_can_be_edited(shelf: Shelf, address: str) -> None:
    told = drop(address, "ferry.txt", made.FERRY.encode())
    said = {"title": "On ferries", "publisher": "Harbour News", "published": "2023-05"}
    assert post(address, "edit", id=told["id"], **said)["what"] == "changed"
    document = shelf.documents[told["id"]]
    assert (document.title, document.publisher, document.published) == tuple(said.values())
    refused = post(address, "edit", id=told["id"], published="soon")
    assert refused["what"] == "refused" and "'soon'" in refused["reason"]


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        ("a.pdf", b"%PDF-1.7 and no more", "it is damaged: PDFium can't open it"),
        ("a.exe", b"MZ\0\0" * 50, "it is no text: byte 2 is zero"),
        ("a.txt", b"", "it is empty"),
        ("a.txt", b"x" * 50_000_001, "it has 50,000,001 bytes, more than 50,000,000"),
    ],
)
def test_what_is_refused(shelf: Shelf, address: str, name: str, raw: bytes, reason: str) -> None:
    before = dict(shelf.documents)
    told = drop(address, name, raw)
    assert (told["what"], told["reason"]) == ("refused", reason)
    assert dict(shelf.documents) == before


def test_addresses_of_this_network_are_refused(address: str) -> None:
    for where, reason in (
        (
            "http://127.0.0.1:7860/",
            "127.0.0.1 is at 127.0.0.1, which is not on the public internet",
        ),
        ("file:///etc/passwd", "it does not start with http:// or https://"),
        ("", "it does not start with http:// or https://"),
    ):
        told = post(address, "address", address=where)
        assert (told["what"], told["reason"]) == ("refused", reason)


@pytest.mark.parametrize("act", ["remove", "restore", "edit"])
def test_a_source_that_is_not_there(address: str, act: str) -> None:
    told = post(address, act, id="trend-digital-economy")
    assert told["what"] == "refused" and "trend-digital-economy" in told["reason"]


@pytest.mark.parametrize(("body", "code"), [(b"[]", 400), (b"{", 400), (b"x" * 30_000, 413)])
def test_requests_that_are_none(address: str, body: bytes, code: int) -> None:
    assert httpx.post(f"{address}remove", content=body, timeout=60).status_code == code
    assert httpx.post(f"{address}explode", json={}, timeout=60).status_code == 404


def test_a_file_that_never_says_how_long_it_is(address: str) -> None:
    chunks = (b"A text. " * 125_000 for _ in range(60))
    said = httpx.post(f"{address}file?name=a.txt", content=chunks, timeout=60)
    assert said.status_code == 413


def test_other_sites_can_not_change_sources(address: str) -> None:
    for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
        said = httpx.post(f"{address}remove", json={"id": "x"}, headers=headers, timeout=60)
        assert said.status_code in (403, 421)


def test_so_many_changes_in_a_minute(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources_routes, "PER_MINUTE", 2)
    with serving(app.build_server(shelf, sources=shelf, options=AT_HOME)) as where:
        codes = [
            httpx.post(f"{where}sources/remove", json={"id": "x"}, timeout=60).status_code
            for _ in range(3)
        ]
    assert codes == [422, 422, 429]


# --- Rights ---


def test_nobody_may_on_a_public_page(shelf: Shelf) -> None:
    with serving(app.build_server(shelf, sources=shelf)) as where:
        said = httpx.post(f"{where}sources/file?name=a.txt", content=b"A text.", timeout=60)
        assert (said.status_code, said.json()["reason"]) == (403, sources_routes.NO_RIGHT)
    assert NOBODY.may_change(None, {}) is False


def test_a_proxy_in_front_makes_a_page_public(address: str) -> None:
    headers = {"x-forwarded-for": "203.0.113.7"}
    said = httpx.post(f"{address}remove", json={"id": "x"}, headers=headers, timeout=60)
    assert said.status_code == 403


@pytest.mark.parametrize(
    ("arguments", "alone"),
    [
        ([], True),
        (["--host", "localhost"], True),
        (["--host", "0.0.0.0", "--public-without-login"], False),
        (["--public-without-login"], False),
        (["--name", "ots.example.org"], False),
    ],
)
def test_who_may_by_default(arguments: list[str], alone: bool) -> None:
    assert app.chosen(app.parse(arguments)).rights == Rights((), alone)


def test_users_may_who_were_given_the_right(shelf: Shelf, tmp_path: Path) -> None:
    file = tmp_path / "users"
    add_user(file, "amina", "s3cret-s3", sources=True)
    add_user(file, "bek", "s3cret-s3")
    options = app.chosen(app.parse(["--users", str(file)]))
    assert load_users(file).editors == {"amina"}
    with serving(app.build_server(shelf, sources=shelf, options=options)) as where:
        codes = {}
        for name in ("amina", "bek", ""):
            with httpx.Client(base_url=where, timeout=60) as client:
                if name:
                    said = {"username": name, "password": "s3cret-s3"}
                    assert client.post("login", data=said).status_code == 200
                sent = client.post("sources/file", params={"name": "a.txt"}, content=b"A text.")
                codes[name] = sent.status_code
    assert codes == {"amina": 200, "bek": 403, "": 403}
    assert [one.origin for one in shelf.documents.values() if one.added] == [
        "upload:user amina/a.txt"
    ]


def test_what_another_process_adds_is_picked_up(shelf: Shelf, tmp_path: Path) -> None:
    from assistant.documents.adding import Adding

    (tmp_path / "ferry.txt").write_text(made.FERRY)
    library = Library(shelf._settings.data_dir / "library")
    list(Adding(library, shelf._files, {}, _no_web).add([str(tmp_path / "ferry.txt")]))
    shelf.ask(SIGNED)
    for thread in threading.enumerate():
        if thread.name == "catching up":
            thread.join(60)
    assert any(one.quote == made.FERRY for one in shelf.ask(SIGNED).citations)


def _no_web(address: str) -> Any:
    raise AssertionError(address)


# --- In a browser ---


@pytest.fixture
def visit(browser: Any, shelf: Shelf) -> Iterator[Visit]:  # noqa: F811
    with serving(app.build_server(shelf, sources=shelf, options=AT_HOME)) as where:
        visit = Visit(browser, where)
        yield visit
        visit.context.close()
        visit.check()


DROP = """([name, numbers]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(numbers)], name));
  for (const kind of ["dragover", "drop"])
    document.getElementById("source-drop").dispatchEvent(
      new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
}"""


@pytest.mark.browser
def test_a_pdf_is_dropped_asked_about_and_removed(visit: Visit) -> None:
    page = visit.page
    page.click("#tab-sources-button")
    page.wait_for_selector("#source-drop")
    page.evaluate(DROP, ["report.pdf", list(PDF)])
    page.wait_for_selector("#source-news >> text=report.pdf: added")
    card = page.locator("#tab-sources .cards li", has_text="Ferry report")
    card.wait_for()
    assert "From report.pdf, added on" in card.inner_text()
    page.click("#tab-ask-button")
    visit.ask(SIGNED, 1)
    page.click("#turn-1 a.cite >> nth=0")
    visit.mark_in_panel("quote-1-1")
    assert "Page 2" in page.inner_text("#evidence .article .body")
    page.click("#tab-sources-button")
    card.get_by_role("button", name="Edit").click()
    card.locator("input[name=publisher]").fill("Harbour News")
    card.get_by_role("button", name="Save").click()
    page.wait_for_selector("#tab-sources .cards >> text=Harbour News")
    card.get_by_role("button", name="Remove").click()
    page.wait_for_selector("#source-news >> text=Ferry report: removed")
    card.wait_for(state="detached")
    page.click("#source-news >> text=Undo")
    card.wait_for()
    page.set_input_files("#source-files", [
        {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 and no more"},
        {"name": "b.txt", "mimeType": "text/plain", "buffer": b"A text of its own."},
    ])  # fmt: skip
    page.wait_for_selector("#source-news >> text=b.txt: added")
    refused = page.inner_text("#source-news li.refused")
    assert refused == "a.pdf: refused; it is damaged: PDFium can't open it"


@pytest.mark.browser
def test_who_may_not_is_offered_nothing(browser: Any, shelf: Shelf) -> None:  # noqa: F811
    with serving(app.build_server(shelf, sources=shelf)) as where:
        visit = Visit(browser, where)
        visit.page.click("#tab-sources-button")
        visit.page.wait_for_selector("#tab-sources .cards li")
        assert not visit.page.locator("#source-drop").count()
        visit.context.close()
        visit.check()
