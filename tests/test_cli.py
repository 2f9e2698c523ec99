"""The command line: answers on stdout, one line for each fault on stderr, and its exit code."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import WHERE, Run, environment, one_line
from fakes import MANIFEST

from assistant import Answer, Assistant

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
