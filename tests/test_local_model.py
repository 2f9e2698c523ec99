"""A handful of questions to the real local model, where it has been fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant import Assistant, Settings

WHERE = "Where was the Digital Economy Partnership Agreement signed?"


@pytest.fixture(scope="module")
def ready(model_cache: Path) -> Assistant:
    return Assistant.from_settings(Settings(cache_dir=model_cache))


@pytest.mark.local_model
def test_where_it_was_signed_and_sooner_the_second_time(ready: Assistant) -> None:
    answer = ready.ask(WHERE)
    assert "Bishkek" in answer.text
    assert "trend-digital-economy" in {cited.doc_id for cited in answer.citations}
    assert answer.outcome == "answered"
    assert answer.error_code == 0
    # Both ask about the same passages, which the model has read by now.
    second = ready.ask("Who led the Turkish delegation?")
    assert "Koch" in second.text
    assert second.timings["total"] < answer.timings["total"]


@pytest.mark.local_model
def test_the_words_that_tell_it_come_first(ready: Assistant) -> None:
    answer = ready.ask("Where is the General Secretariat of the OTS?")
    assert answer.text.startswith("Istanbul")
    assert "“The General Secretariat of OTS is situated in Istanbul, Türkiye.”" in answer.text


@pytest.mark.local_model
def test_what_the_sources_do_not_say(ready: Assistant) -> None:
    answer = ready.ask("How many people work at the General Secretariat of the OTS?")
    assert answer.outcome != "answered"
    assert answer.missing


@pytest.mark.local_model
def test_a_follow_up(ready: Assistant) -> None:
    first = ready.ask("Who signed the roadmap on digital transformation?")
    history = [
        {"role": "user", "content": first.question},
        {"role": "assistant", "content": first.plain_text},
    ]
    assert "September 14" in ready.ask("And when?", history).text


def test_without_weights_the_sources_are_quoted(tmp_path: Path) -> None:
    answer = Assistant.from_settings(Settings(cache_dir=tmp_path)).ask(WHERE)
    assert answer.quoted
    assert answer.notice
    assert answer.error_code == 0
    assert "Bishkek" in answer.text
    assert "trend-digital-economy" in {cited.doc_id for cited in answer.citations}
