"""Offline by construction: nothing tries to reach out, and with the network cut all still works."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import sys
from pathlib import Path

import network_guard
import pytest

from assistant.settings import OFFLINE

TESTS = Path(__file__).parent
WHERE = "Where was the Digital Economy Partnership Agreement signed?"
LO_UP = """
import fcntl, socket, struct, sys
flags = struct.pack("16sh14x", b"lo", 1)
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, flags)
"""
"""Brings up the loopback interface, which a new network namespace has down."""
ASK = f"""
import runpy, sys
sys.argv = ["ots-assistant", "ask", {WHERE!r}]
runpy.run_module("assistant.cli", run_name="__main__")
"""
PAGE = """
import asyncio
import httpx
import app
from fakes_page import FakeAssistant

async def get():
    served = httpx.ASGITransport(app.build_server(FakeAssistant()))
    async with httpx.AsyncClient(transport=served, base_url="http://127.0.0.1") as client:
        return await client.get("/")

page = asyncio.run(get())
print(page.status_code, app.TITLE in page.text)
"""


@functools.cache
def cut_off() -> tuple[str, ...]:
    """A command that runs another without any network but the loopback; none where forbidden."""
    command = ("unshare", "--map-root-user", "--net")
    try:
        allowed = subprocess.run([*command, "true"], capture_output=True).returncode == 0
    except OSError:
        return ()
    return command if allowed else ()


def run(script: str, folder: Path, isolated: tuple[str, ...] = (), **env: str) -> str:
    """What a script prints; it must succeed and may not have tried to leave this machine."""
    log = folder / "attempts"
    log.touch()
    environment = {k: v for k, v in os.environ.items() if k not in OFFLINE} | env
    environment[network_guard.LOG] = str(log)
    environment["PYTHONPATH"] = os.pathsep.join([os.environ["PYTHONPATH"], str(TESTS)])
    done = subprocess.run(
        [*isolated, sys.executable, "-c", LO_UP + script if isolated else script],
        capture_output=True,
        text=True,
        env=environment,
        cwd=TESTS.parent,
    )
    assert log.read_text(encoding="utf-8") == ""
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_guard_sees_what_it_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "attempts"
    log.touch()
    monkeypatch.setenv(network_guard.LOG, str(log))
    monkeypatch.setattr(network_guard, "attempts", [])
    with pytest.raises(PermissionError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(PermissionError):
        socket.getaddrinfo("example.org", 80)
    assert len(network_guard.attempts) == 2
    script = "import socket; socket.getaddrinfo('example.org', 80)"
    child = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert child.returncode != 0
    assert len(log.read_text(encoding="utf-8").splitlines()) == 3
    with socket.create_server(("127.0.0.1", 0)) as here:
        socket.create_connection(here.getsockname()).close()
    assert len(network_guard.attempts) == 2


def test_asking_stays_on_this_machine(tmp_path: Path) -> None:
    """From an empty cache on; where this system allows it, with the network cut as well."""
    said = run(
        ASK,
        tmp_path,
        cut_off(),
        OTS_ASSISTANT_CACHE_DIR=str(tmp_path / "cache"),
        OTS_ASSISTANT_CHAT_MODEL="none",
    )
    assert "[1]" in said
    assert "Bishkek" in said


def test_the_page_stays_on_this_machine(tmp_path: Path) -> None:
    assert run(PAGE, tmp_path, cut_off()).split() == ["200", "True"]


@pytest.mark.local_model
def test_the_local_model_stays_on_this_machine(tmp_path: Path, model_cache: Path) -> None:
    said = run(ASK, tmp_path, cut_off(), OTS_ASSISTANT_CACHE_DIR=str(model_cache))
    assert "Bishkek" in said
    assert "quoted, not written" not in said
