"""The run: what is saved, resumed, counted as failed and shown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fakes import BagOfWords, WordReader
from fakes_evals import (
    DOCUMENTS,
    LINES,
    TEXT,
    ScriptedAssistant,
    cite_line,
    good,
    make_answer,
    quoting,
    raw_case,
    raw_cases,
    write_cases,
)
from hypothesis import given
from hypothesis import strategies as st

from assistant import models
from assistant.compose import Composer
from assistant.errors import ModelError, SourceError
from assistant.passages import passages, sentences
from assistant.settings import Settings
from assistant.types import Answer, Document
from evals.cli import main, run_evals
from evals.corpora import load_multihop_rag
from evals.feedback import draft_cases, export_drafts
from evals.plots import tradeoff_points
from evals.records import answer_from_dict, finished_runs, newest_page
from evals.report import Extras, pieces, render_html, render_markdown, write_report
from evals.run import Run, Selection, compare_runs, evaluate
from evals.types import EvalError, EvalReport

SETTINGS = Settings(chat_model="none")


def selection(path: Path, **changes: Any) -> Selection:
    questions = path / "questions.jsonl"
    path.mkdir(exist_ok=True)
    if not questions.exists():
        write_cases(questions, raw_cases())
    return Selection(**({"questions": questions, "runs": path / "runs"} | changes))


def run(path: Path, assistant: ScriptedAssistant, **changes: Any) -> Run:
    return evaluate(SETTINGS, selection(path, **changes), make=lambda *_: assistant)


def scored(report: EvalReport) -> dict[str, float | None]:
    return {score.name: score.value for score in report.scores}


def test_a_good_assistant_scores_full_marks(tmp_path: Path) -> None:
    values = scored(run(tmp_path, ScriptedAssistant()).report)
    for name in ("answer_acceptability", "citation_precision", "citation_recall", "abstention_f1"):
        assert values[name] == 1, name
    assert values["over_refusal"] == values["unsupported_tokens"] == 0


def test_a_second_run_gives_the_same_scores(tmp_path: Path) -> None:
    first = run(tmp_path, ScriptedAssistant())
    write_report(first.folder, first.report, DOCUMENTS)
    second = run(tmp_path, ScriptedAssistant())
    assert second.folder.path != first.folder.path
    assert second.report.scores == first.report.scores
    assert second.report.by_kind == first.report.by_kind


def test_history_reaches_the_assistant(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Which pact?"}]
    write_cases(tmp_path / "questions.jsonl", [raw_case(kind="follow-up", history=turns)])
    assistant = ScriptedAssistant()
    run(tmp_path, assistant)
    assert assistant.asked == [(raw_case()["question"], turns)]


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    asked = 0

    def interrupting(question: str) -> Answer:
        nonlocal asked
        asked += 1
        if asked == 8:
            raise KeyboardInterrupt
        return good(question)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, ScriptedAssistant(interrupting))
    (folder,) = (tmp_path / "runs").iterdir()
    raw = folder / "raw.jsonl"
    with raw.open("a") as file:
        file.write('{"id": "cut o')  # what a killed process may leave behind
    resumed = ScriptedAssistant()
    finished = run(tmp_path, resumed)
    assert len(resumed.asked) == 36 - 7
    assert finished.folder.path == folder
    assert len(raw.read_text().splitlines()) == 36
    assert scored(finished.report)["answer_acceptability"] == 1


@pytest.mark.parametrize("changes", [{"limit": 5}, {"repeat": 2}])
def test_another_selection_is_another_run(tmp_path: Path, changes: dict[str, Any]) -> None:
    first = run(tmp_path, ScriptedAssistant())
    assert run(tmp_path, ScriptedAssistant(), **changes).folder.path != first.folder.path


def test_a_damaged_result_names_its_line(tmp_path: Path) -> None:
    first = run(tmp_path, ScriptedAssistant())
    first.folder.raw.write_text("{}\n")
    with pytest.raises(EvalError, match=r"raw\.jsonl:1: "):
        run(tmp_path, ScriptedAssistant())


def test_failures_are_counted_and_not_scored(tmp_path: Path) -> None:
    def sometimes(question: str) -> Answer:
        if "1990" in question:
            raise ModelError("no reply", "try again")
        if "1991" in question:
            return make_answer(error_code=6, notice="The model is gone.")
        return good(question)

    report = run(tmp_path, ScriptedAssistant(sometimes)).report
    found = report.score("answer_acceptability")
    assert (found.value, found.n, found.failed) == (1, 34, 2)
    assert [r.verdict for r in report.results].count("failed") == 2


def test_failed_cases_are_asked_again_on_resumption(tmp_path: Path) -> None:
    def sometimes(question: str) -> Answer:
        if "1990" in question:
            raise ModelError("no reply")
        return good(question)

    run(tmp_path, ScriptedAssistant(sometimes))
    second = ScriptedAssistant()
    report = run(tmp_path, second).report
    assert len(second.asked) == 1
    assert report.score("answer_acceptability").failed == 0


def test_a_model_that_always_fails_is_an_error_and_soon(tmp_path: Path) -> None:
    def failing(question: str) -> Answer:
        raise ModelError("The model is gone.", "start it")

    assistant = ScriptedAssistant(failing)
    with pytest.raises(EvalError, match=r"first 5 questions failed.*The model is gone"):
        run(tmp_path, assistant)
    assert len(assistant.asked) == 5


def test_an_unexpected_exception_is_not_swallowed(tmp_path: Path) -> None:
    def broken(question: str) -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(tmp_path, ScriptedAssistant(broken))


def test_repeats_are_asked_and_their_spread_told(tmp_path: Path) -> None:
    assistant = ScriptedAssistant()
    found = run(tmp_path, assistant, repeat=3, limit=4).report.score("answer_acceptability")
    assert (len(assistant.asked), found.n, found.spread) == (12, 4, 0)
    with pytest.raises(EvalError, match="--repeat"):
        run(tmp_path, assistant, repeat=0)


def test_an_answer_survives_the_disk() -> None:
    answer = quoting(2)
    assert answer_from_dict(json.loads(json.dumps(answer.to_dict()))) == answer


def test_two_runs_are_compared(tmp_path: Path) -> None:
    before = run(tmp_path, ScriptedAssistant()).report
    after = run(tmp_path, ScriptedAssistant(lambda question: quoting(4)), repeat=2).report
    verdicts = {c.name: c.verdict for c in compare_runs(before, after)}
    assert verdicts["answer_acceptability"] == "worse"
    assert verdicts["mrr"] == "not separable"


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [v or "" for k, v in attrs if k in ("src", "href", "srcset", "action")]


def test_the_page_escapes_everything_and_asks_nobody(tmp_path: Path) -> None:
    evil = '<img src="https://evil.example/p.png" onerror="alert(1)">'
    write_cases(
        tmp_path / "questions.jsonl",
        [raw_case(question=evil, note=evil, gold_answer=evil, reject=[evil])],
    )
    reply = make_answer(evil, citations=[cite_line(1)], notice=evil)
    finished = run(tmp_path, ScriptedAssistant(lambda question: reply))
    page = render_html(finished.report, DOCUMENTS, Extras())
    links = _Links()
    links.feed(page)
    assert links.outside == []
    assert not {"img", "script", "link", "iframe"} & set(links.tags)
    assert "url(" not in page
    assert "&lt;img src=" in page
    assert "<img" not in render_markdown(finished.report, Extras())


def test_the_page_shows_case_reason_and_marked_source(tmp_path: Path) -> None:
    write_cases(tmp_path / "questions.jsonl", [raw_case()])
    finished = run(tmp_path, ScriptedAssistant(lambda question: quoting(1)))
    page = render_html(finished.report, DOCUMENTS, Extras())
    assert "it does not say &#39;Port Mira&#39;" in page
    assert re.search(rf'<mark class="cited ">{re.escape(LINES[1])}</mark>', page)
    assert re.search(rf'<mark class=" gold">{re.escape(LINES[0])}</mark>', page)
    assert "<svg" in page


spans = st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60)).map(sorted).map(tuple))


@given(st.integers(0, 50), st.integers(0, 50), spans, spans)
def test_pieces_put_together_are_the_text(a: int, b: int, cited: Any, gold: Any) -> None:
    start, end = sorted((a, b))
    cut = pieces(TEXT, start, end, cited, gold)
    assert "".join(piece.text for piece in cut) == TEXT[start:end]
    marked = {i for s, e in cited for i in range(max(s, start), min(e, end))}
    assert sum(len(piece.text) for piece in cut if piece.cited) == len(marked)


def test_the_tradeoff_runs_from_nothing_to_everything() -> None:
    points = tradeoff_points([(0.1, True), (0.4, False), (0.6, True), (0.9, False)])
    assert points[0] == (0, 0)
    assert points[-1] == (1, 1)
    assert points == sorted(points)
    assert tradeoff_points([(0.5, True), (0.5, False)]) == []
    assert tradeoff_points([(0.5, True), (0.6, True)]) == []


def test_the_page_draws_the_tradeoff_when_answers_carry_the_score(tmp_path: Path) -> None:
    def sure(question: str) -> Answer:
        return replace(good(question), signals={"answerability": len(question) / 100})

    for reply, drawn in ((good, False), (sure, True)):
        report = run(tmp_path / str(drawn), ScriptedAssistant(reply)).report
        assert ("Abstention trade-off" in render_html(report, DOCUMENTS, Extras())) is drawn


def test_the_command_writes_its_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = selection(tmp_path)
    for _ in range(2):
        assert run_evals(chosen, make=lambda *_: ScriptedAssistant())
    first, second = finished_runs(chosen.runs)
    assert {p.name for p in second.iterdir()} >= {"report.html", "report.md", "report.json"}
    assert newest_page(chosen.runs) == second / "report.html"
    assert "There is no earlier run" in (first / "report.html").read_text()
    assert "Hollow: the last run" in (second / "report.html").read_text()
    shown = capsys.readouterr().out
    assert "answer_acceptability" in shown
    assert str(second / "report.html") in shown


def test_two_configurations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = tmp_path / "a.toml", tmp_path / "b.toml"
    a.write_text('chat_model = "none"\ntop_k = 3\n')
    b.write_text('chat_model = "none"\ntop_k = 4\n')

    def make(settings: Settings, progress: object) -> ScriptedAssistant:
        return ScriptedAssistant(good if settings.top_k == 3 else lambda q: quoting(4))

    assert run_evals(selection(tmp_path), [a, b], make=make)
    assert re.search(r"answer_acceptability +1\.000 +0\.\d+ +worse +36", capsys.readouterr().out)
    with pytest.raises(EvalError, match="say the same"):
        run_evals(selection(tmp_path), [a, a], make=make)
    with pytest.raises(EvalError, match="3 configurations"):
        run_evals(selection(tmp_path), [a, b, a], make=make)


def test_a_baseline_is_of_the_whole_set(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="few questions"):
        run_evals(selection(tmp_path, limit=3), keep_baseline=True)


def test_the_gate_decides_what_the_command_returns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen, path = selection(tmp_path), tmp_path / "baseline.json"
    good_one, bad_one = ScriptedAssistant(), ScriptedAssistant(lambda question: quoting(4))
    assert run_evals(chosen, keep_baseline=True, make=lambda *_: good_one, baseline=path)
    assert run_evals(chosen, gated=True, make=lambda *_: good_one, baseline=path)
    assert "Gate passed." in capsys.readouterr().out
    assert not run_evals(chosen, gated=True, make=lambda *_: bad_one, baseline=path)
    assert "gate: answer_acceptability" in capsys.readouterr().err


def test_a_fault_is_one_line_and_a_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--drafts", str(tmp_path / "d.jsonl"), "--feedback", str(tmp_path / "none.jsonl")])
    assert ended.value.code == EvalError.exit_code
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("arguments", [
    ["--corpus", "general"], ["--folder", "x"], ["--corpus", "sources", "--folder", "x"],
])  # fmt: skip
def test_the_general_corpus_and_its_folder_go_together(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr()
    assert ended.value.code == EvalError.exit_code == 8
    assert said.out == "" and said.err.count("\n") == 1
    assert said.err.startswith("error: ") and "--folder" in said.err


def test_a_folder_without_a_corpus_is_said_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--corpus", "general", "--folder", str(tmp_path), "--out", str(tmp_path / "runs")])
    said = capsys.readouterr()
    assert ended.value.code == SourceError.exit_code
    assert "corpus.json" in said.err and "Traceback" not in said.err


@pytest.fixture
def general(tmp_path: Path) -> Selection:
    """Two articles of MultiHop-RAG, and a question on each whose gold is told by its place."""
    bodies = {
        "Coast Daily": "More people took the ferry this spring. It rained all summer long.",
        "Hill Weekly": "The council opened a bakery beside the old mill. Bread is sold daily.",
    }
    corpus = [
        {"title": f"News of {name}", "source": name, "published_at": "2023-10-01T00:00:00+00:00",
         "url": "", "author": None, "body": body}
        for name, body in bodies.items()
    ]  # fmt: skip
    (tmp_path / "corpus.json").write_text(json.dumps(corpus))
    told = {"Who took the ferry this spring?": "people", "Who opened a bakery?": "council"}
    asked = zip(told, told.values(), bodies.values(), strict=True)
    cases = [
        raw_case(id=f"general-{n:04}-1", question=question, accept=[[wanted]], direct=[[wanted]],
                 gold_quotes=[{"doc_id": f"article-{n:04}", "start": 0, "end": body.index(".")}])
        for n, (question, wanted, body) in enumerate(asked)
    ]  # fmt: skip
    path = write_cases(tmp_path / "general.jsonl", cases)
    return Selection(questions=path, runs=tmp_path / "runs", corpus=tmp_path)


def test_a_general_corpus_is_scored_by_the_places_of_its_quotes(general: Selection) -> None:
    assert general.corpus is not None
    documents = load_multihop_rag(general.corpus)

    def reply(question: str) -> Answer:
        document = documents["article-0000"]
        first = sentences(document)[0]
        composer = Composer(documents, passages(document, 400))
        composer.tell(first.text, [first])
        return make_answer(composer.text, "answered", composer.citations, retrieved=[])

    asker = ScriptedAssistant(reply)
    asker.documents = documents
    finished = evaluate(SETTINGS, general, make=lambda *_: asker)
    assert [asked for asked, _ in asker.asked] == [
        "Who took the ferry this spring?", "Who opened a bakery?"
    ]  # fmt: skip
    assert list(finished.documents) == ["article-0000", "article-0001"]
    values = scored(finished.report)
    for name in ("answer_acceptability", "direct", "citation_recall", "citation_precision"):
        assert values[name] == 0.5, name
    assert values["quote_fidelity"] == values["bare_quotes"] == 1


def test_the_assistant_is_asked_about_the_articles_of_the_folder(
    general: Selection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "load_encoder", lambda _: BagOfWords())
    monkeypatch.setattr(models, "load_reader", lambda _: WordReader())
    finished = evaluate(settings, general)
    assert list(finished.documents) == ["article-0000", "article-0001"]
    cited = [c.doc_id for r in finished.report.results if r.answer for c in r.answer.citations]
    assert cited == ["article-0000", "article-0001"]
    assert scored(finished.report)["citation_recall"] == 1


def test_feedback_becomes_drafts_that_do_not_count_yet(tmp_path: Path) -> None:
    down = {"question": "Why?", "history": [], "answer": "So.", "verdict": "down", "reason": "no"}
    feedback = tmp_path / "feedback.jsonl"
    feedback.write_text(
        "\n".join(json.dumps(r) for r in (down, down, down | {"question": "x", "verdict": "up"}))
    )
    (draft,) = draft_cases(feedback)
    assert draft["question"] == "Why?"
    assert "no" in draft["note"]
    drafts = tmp_path / "drafts.jsonl"
    assert export_drafts(feedback, drafts) == 1
    with pytest.raises(EvalError, match=r"drafts\.jsonl:1"):
        evaluate(SETTINGS, Selection(questions=drafts), make=lambda *_: ScriptedAssistant())


@pytest.mark.parametrize("line", ["{", "[]", '{"answer": 1}', "9" * 5000])
def test_bad_feedback_names_its_line(tmp_path: Path, line: str) -> None:
    feedback = tmp_path / "feedback.jsonl"
    feedback.write_text(f"\n{line}\n")
    with pytest.raises(EvalError, match=r"feedback\.jsonl:2"):
        draft_cases(feedback)


def test_the_sources_of_the_fakes_are_as_described() -> None:
    document: Document = DOCUMENTS["harbour"]
    assert all(line in document.text for line in LINES)
