"""The other doors: Gradio's API and MCP, a login, limits on how often and how much."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from commands import WHERE
from fakes_page import FakeAssistant
from fakes_shelf import make_shelf
from gradio_client import Client
from pages import serving
from test_app import CHROMIUM, browser  # noqa: F401  `browser` is a fixture
from typer.testing import CliRunner

import app
from assistant.cli import app as commands
from assistant.errors import QuestionError, SettingsError
from assistant.page import limits
from assistant.page.guard import MOST_BYTES, Guard
from assistant.page.limits import Limited
from assistant.page.rate import Rate
from assistant.page.shelf import Shelf
from assistant.page.users import add_user, load_users
from assistant.page.words import ENGLISH
from assistant.questions import MAX_QUESTION_CHARS

DOCS = Path(__file__).resolve().parent.parent / "docs" / "api.md"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(app.build_server(FakeAssistant(), options=app.Options(per_minute=6))) as where:
        yield where


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


def test_the_example_of_the_docs(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    exec(code[1].replace("http://127.0.0.1:7860/", address), {})
    assert "Bishkek" in capsys.readouterr().out


def test_only_the_three_functions_are_public(client: Client) -> None:
    told = client.view_api(return_format="dict")
    assert set(told["named_endpoints"]) == {"/ask", "/search_sources", "/read_source"}
    assert not told["unnamed_endpoints"]


def test_search_and_read(client: Client) -> None:
    found = client.predict(query="electronic signatures", api_name="/search_sources")
    assert [one["rank"] for one in found] == list(range(1, len(found) + 1))
    passage = found[0]["passage"]
    article = client.predict(source=passage["doc_id"], api_name="/read_source")
    assert article["text"][passage["start"] : passage["end"]] == passage["text"]


def test_faults_are_one_line_that_says_how_to_mend_them(client: Client) -> None:
    with pytest.raises(Exception, match=r"There is no source 'x'.*use one of: trend"):
        client.predict(source="x", api_name="/read_source")
    with pytest.raises(Exception, match="A turn of the history is"):
        client.predict(question="Why?", history=[{"role": "system"}], api_name="/ask")


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page over the real articles that may be asked often."""
    shelf, _ = make_shelf(tmp_path_factory.mktemp("patient"))
    with serving(app.build_server(shelf, options=app.Options(per_minute=1000))) as where:
        yield where


def call(where: str, name: str, *data: Any) -> tuple[str, Any]:
    """What curl gets: the last event of a call, and what is said in it."""
    address = f"{where}gradio_api/call/{name}"
    event = httpx.post(address, json={"data": data}, timeout=60).json()["event_id"]
    told = httpx.get(f"{address}/{event}", timeout=60).text
    said = re.findall(r"^event: (.*)\ndata: (.*)$", told, re.MULTILINE)
    return said[-1][0], json.loads(said[-1][1])


@pytest.mark.parametrize("data", [[], [None], [[], None], [None, ["trend-digital-economy"]]])
def test_what_is_optional_may_be_left_out(patient: str, data: list[Any]) -> None:
    event, (answer,) = call(patient, "ask", WHERE, *data)
    assert event == "complete"
    assert "Bishkek" in answer["text"]
    event, (found,) = call(patient, "search_sources", "electronic signatures")
    assert event == "complete" and found


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("ask", [], "The question is missing."),
        ("search_sources", [], "The query is missing."),
        ("read_source", [], "The source is missing."),
        ("ask", [None], "The question is None. To mend it: "),
        ("ask", [5], "The question is 5. To mend it: "),
        ("ask", [" "], "empty"),
        ("ask", ["x" * (MAX_QUESTION_CHARS + 1)], "characters"),
        ("search_sources", [""], "empty"),
        ("ask", [WHERE, None, ["nowhere"]], "There is no source 'nowhere'. To mend it: "),
        ("search_sources", [WHERE, ["nowhere"]], "There is no source 'nowhere'. To mend it: "),
        ("ask", [WHERE, None, "nowhere"], "The sources are 'nowhere'. To mend it: "),
        ("ask", [WHERE, None, []], "No source is chosen. To mend it: "),
        ("ask", [WHERE, "before"], "The history is 'before'. To mend it: "),
        ("ask", [WHERE, [{"role": "system"}]], "A turn of the history is "),
        ("read_source", [None], "There is no source 'None'. To mend it: use one of: "),
        ("read_source", ["x"], "There is no source 'x'. To mend it: use one of: "),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_fault_says_what_is_wrong(patient: str, name: str, data: list[Any], told: str) -> None:
    event, said = call(patient, name, *data)
    assert event == "error"
    assert told in said["error"]
    assert "\n" not in said["error"]


def test_a_fault_that_nobody_expects_is_told_and_logged(
    monkeypatch: pytest.MonkeyPatch, patient: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("never shown")

    monkeypatch.setattr(Shelf, "stream", broken)
    event, said = call(patient, "ask", WHERE)
    assert (event, said["error"]) == ("error", ENGLISH("turn.surprise"))
    assert "never shown" in caplog.text


def test_too_many_questions_are_refused(client: Client) -> None:
    def search() -> None:
        for _ in range(8):
            client.predict(query="signatures", api_name="/search_sources")

    with pytest.raises(Exception, match=r"within a minute \(6\).*Ask again in"):
        search()


def test_a_rate_is_kept_for_each_and_forgotten() -> None:
    now = [0.0]
    rate = Rate(2, lambda: now[0])
    assert [rate.wait("a"), rate.wait("a"), rate.wait("b")] == [0, 0, 0]
    now[0] = 20
    assert rate.wait("a") == 40
    now[0] = 60
    assert rate.wait("a") == 0


def test_people_do_not_share_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = Limited(FakeAssistant(), 1)
    monkeypatch.setattr(limits, "who", lambda: "user a")
    list(limited.stream("Where was it signed?"))
    with pytest.raises(QuestionError, match="Ask again"):
        limited.stream("Where was it signed?")
    monkeypatch.setattr(limits, "who", lambda: "user b")
    list(limited.stream("Where was it signed?"))


def test_a_huge_request_is_refused() -> None:
    read: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        read.extend([await receive(), await receive()])

    async def receive() -> Any:
        return {"type": "http.request", "body": b"x" * (MOST_BYTES // 2 + 1), "more_body": True}

    def post(headers: list[tuple[bytes, bytes]]) -> list[Any]:
        sent: list[Any] = []

        async def send(event: Any) -> None:
            sent.append(event)

        scope = {"type": "http", "path": "/", "headers": headers}
        asyncio.run(Guard(inner)(scope, receive, send))
        return sent

    for length in (str(MOST_BYTES + 1).encode(), b"many", "¹".encode(), b"9" * 5000):
        assert post([(b"content-length", length)])[0]["status"] == 413
    assert read == []
    for headers in ([], [(b"content-length", b"0" * 5000 + b"1")]):
        post(headers)
        assert [event["type"] for event in read] == ["http.request", "http.disconnect"]
        read.clear()


# --- Login ---


def test_users_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "users"
    run = CliRunner().invoke(commands, ["user", str(file), "amina"], input="s3cret-s3\ns3cret-s3\n")
    assert run.exit_code == 0, run.output
    assert "s3cret" not in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o077 == 0
    add_user(file, "bek", "another one")
    add_user(file, "amina", "changed it")
    users = load_users(file)
    assert users("amina", "changed it") and users("bek", "another one")
    assert not users("amina", "s3cret-s3")
    assert not users("nobody", "changed it")
    wrong = [users("bek", "x") for _ in range(12)]
    assert not any(wrong)
    assert not users("bek", "another one")  # too many tries in this minute


def test_a_users_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    file = tmp_path / "users"
    with pytest.raises(SettingsError, match="can't be read"):
        load_users(file)
    file.write_text("# nobody\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="names no user"):
        load_users(file)
    file.write_text("amina:plain\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"users:1: this is no line"):
        load_users(file)
    for name, password in (("a:b", "long enough"), ("amina", "short")):
        with pytest.raises(SettingsError):
            add_user(tmp_path / "new", name, password)


def test_options_that_make_no_sense_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for given in (["--per-minute", "0"], ["--mcp", "--users", "x"], ["--users", "/no/file"]):
        assert app.main([*given, "--port", "70000"]) == SettingsError.exit_code
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_login_allows_a_public_address() -> None:
    app.listen("0.0.0.0", 0, public=False, login=True).close()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    add_user(tmp_path / "users", "amina", "s3cret-s3")
    options = app.Options(users=load_users(tmp_path / "users"))
    with serving(app.build_server(FakeAssistant(), options=options)) as where:
        yield where


def test_nothing_is_told_without_a_login(guarded: str) -> None:
    for path in ("config", "gradio_api/info", "gradio_api/queue/data?session_hash=x"):
        assert httpx.get(guarded + path, timeout=60).status_code == 401, path
    said = {"data": ["Where?", None, None]}
    asked = httpx.post(guarded + "gradio_api/call/ask", json=said, timeout=60)
    assert asked.status_code == 401
    client = Client(guarded, auth=("amina", "s3cret-s3"), verbose=False)
    answer = client.predict(question="Where was it signed?", api_name="/ask")
    assert "Bishkek" in answer["text"]


@pytest.mark.browser
def test_the_login_page(guarded: str, browser: Any) -> None:  # noqa: F811
    page = browser.new_page()
    page.goto(guarded)
    page.get_by_label("username").fill("amina")
    page.get_by_label("password").fill("s3cret-s3")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector(".welcome")
    page.close()


# --- MCP ---


def test_mcp_tools() -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def use(where: str) -> tuple[set[str], list[Any]]:
        async with (
            streamable_http_client(f"{where}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = await session.list_tools()
            said = [
                await session.call_tool("ask", {"question": "Where was it signed?"}),
                await session.call_tool("search_sources", {"query": "electronic signatures"}),
                await session.call_tool("read_source", {"source": "trend-digital-economy"}),
                await session.call_tool("read_source", {"source": "x"}),
            ]
            return {tool.name for tool in tools.tools}, said

    built = app.build_server(FakeAssistant(), options=app.Options(mcp=True))
    # In a thread of its own: Playwright may have a loop running in this one.
    with serving(built) as where, ThreadPoolExecutor(1) as pool:
        names, said = pool.submit(asyncio.run, use(where)).result()
    assert names == {"ask", "search_sources", "read_source"}
    assert [one.isError for one in said] == [False, False, False, True]
    answer, found, article = (json.loads(one.content[0].text) for one in said[:3])
    assert "Bishkek" in answer["text"]
    for passage in [one["passage"] for one in found]:
        if passage["doc_id"] == "trend-digital-economy":
            assert article["text"][passage["start"] : passage["end"]] == passage["text"]
    assert "There is no source 'x'" in said[3].content[0].text
