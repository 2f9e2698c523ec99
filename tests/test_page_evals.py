"""The Evals tab: no report, a run with its progress, one at a time, cancelled, the report shown."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes_evals import ScriptedAssistant, good, raw_cases, write_cases
from fakes_page import FakeAssistant
from pages import serving
from test_app import Visit, browser  # noqa: F401  `browser` is a fixture

import app
from assistant.jobs import BusyError, Job
from assistant.settings import Settings
from assistant.types import Answer, Progress
from evals.background import BackgroundRuns
from evals.run import Selection
from evals.types import EvalError


class Held(ScriptedAssistant):
    """Answers only while `go` is set."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.go = threading.Event()
        self.go.set()

    def _answer(self, question: str) -> Answer:
        assert self.go.wait(20)
        return good(question)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def runs(held: Held, tmp_path: Path) -> BackgroundRuns:
    write_cases(tmp_path / "questions.jsonl", raw_cases())
    chosen = Selection(questions=tmp_path / "questions.jsonl", runs=tmp_path / "runs")
    return BackgroundRuns(held, Settings(chat_model="none"), chosen)


def ended(job: Job) -> Any:
    for thread in threading.enumerate():
        if thread.name == "eval run":
            thread.join(20)
    return job.state


def test_a_run_writes_the_report_that_is_shown(runs: BackgroundRuns) -> None:
    assert runs.page() == ("", "")
    runs.start("fact", 2)
    state = ended(runs.job)
    assert state.line == "evals.done"
    html, about = runs.page()
    assert "<h2>Scores</h2>" in html
    assert "2 questions" in about
    assert "model none" in about


def test_one_at_a_time_and_cancelled(runs: BackgroundRuns, held: Held) -> None:
    held.go.clear()
    runs.start("", 10)
    with pytest.raises(BusyError, match="going on already"):
        runs.start("", 1)
    runs.job.cancel()
    held.go.set()
    assert ended(runs.job).line == "job.cancelled"
    assert runs.page() == ("", "")
    asked = len(held.asked)
    runs.start("", 10)  # goes on where it stopped
    ended(runs.job)
    assert runs.page()[0]
    assert len({question for question, _ in held.asked}) == len(held.asked) > asked


def test_a_selection_of_nothing_is_a_plain_line(runs: BackgroundRuns) -> None:
    runs.start("injection", 5)
    state = ended(runs.job)
    assert state.failed
    assert "No case of" in state.line


def test_a_damaged_report_is_named(runs: BackgroundRuns, tmp_path: Path) -> None:
    runs.start("", 1)
    ended(runs.job)
    report = next((tmp_path / "runs").glob("*/report.json"))
    report.write_text("{", encoding="utf-8")
    with pytest.raises(EvalError, match=r"report\.html can't be read"):
        runs.page()


def test_a_surprise_ends_a_job_with_a_line(caplog: pytest.LogCaptureFixture) -> None:
    def work(progress: Progress) -> str:
        raise ZeroDivisionError("never shown")

    job = Job("eval run")
    job.start(work)
    state = ended(job)
    assert state.failed and "never shown" not in state.line
    assert "never shown" in caplog.text


@pytest.fixture
def visit(browser: Any, runs: BackgroundRuns) -> Iterator[Visit]:  # noqa: F811
    with serving(app.build_server(FakeAssistant(), runs)) as address:
        visit = Visit(browser, address)
        visit.page.click("#tab-evals-button")
        yield visit
        visit.context.close()
        visit.check()


@pytest.mark.browser
def test_the_tab(visit: Visit, held: Held) -> None:
    page = visit.page
    page.wait_for_selector("#tab-evals .nothing")
    assert "ots-assistant eval" in page.inner_text("#tab-evals .nothing")
    held.go.clear()
    page.click("#start-run")
    page.wait_for_selector("#tab-evals progress")
    assert "0 of" in page.inner_text("#tab-evals .progress")
    page.get_by_role("button", name="Cancel").click()
    held.go.set()
    page.wait_for_function("document.querySelector('#tab-evals').innerText.includes('Cancelled.')")
    page.click("#start-run")
    frame = page.frame_locator("#tab-evals iframe")
    frame.get_by_role("heading", name="Scores", exact=True).wait_for()
    assert page.get_attribute("#tab-evals iframe", "sandbox") == ""
    assert "model none" in page.inner_text("#tab-evals .about")
    assert page.is_visible("#start-run")
    assert "Done; the report" in page.inner_text("#tab-evals .progress")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
