"""What reads the local model's doubt: the head, and how it is fitted."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import Settings, weights
from assistant.local_chat import LocalChat
from assistant.models import load_chat_model
from assistant.probe_head import ProbeHead, head_for
from evals.fit_probe import NO, YES, Row, Table, chosen_tokens, head_of, report

HEAD = ProbeHead("m.gguf", 4, (1, 2, 3, 4), (0.5, -0.5, 1.0, 0.0), (1,), (2,), 0.3, 0.1)
scores = st.lists(st.floats(-60, 0), min_size=4, max_size=4)


@given(scores, st.floats(-20, 20))
def test_a_probability_that_depends_on_differences_only(found: list[float], shift: float) -> None:
    once, again = HEAD.probability(found), HEAD.probability([score + shift for score in found])
    assert 0 <= once <= 1
    assert once == pytest.approx(again, abs=1e-6)


def test_a_surer_yes_counts_for_more() -> None:
    assert HEAD.probability([-1, -3, -5, -5]) > HEAD.probability([-3, -1, -5, -5])


def test_the_head_belongs_to_one_file(tmp_path: Path) -> None:
    other = tmp_path / weights.CHAT_MODEL.file_name
    other.write_bytes(b"GGUF")
    assert head_for(other) is None


def _rows(group: str, count: int, drawn: random.Random) -> list[Row]:
    """Rows that the words tell nothing about, and two of the other tokens all."""
    tokens = chosen_tokens()
    telling = [i for i, token in enumerate(tokens) if token not in (*YES, *NO)][:2]
    rows = []
    for i in range(count):
        found = [drawn.gauss(-10, 1) for _ in tokens]
        found[telling[0]] += 4 if i % 2 else -4
        found[telling[1]] += -4 if i % 2 else 4
        row = {"id": f"{group}-{i}", "group": group, "answerable": bool(i % 2), "scores": found}
        rows.append(row)
    return rows


def test_a_fitted_head_reads_what_the_words_do_not_say(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = random.Random(0)
    rows = [row for group in ("one", "two", "squad") for row in _rows(group, 40, drawn)]
    table = Table(rows, chosen_tokens())
    head = head_of(table, chosen_tokens(), report(table))
    assert "of the head 1.000" in capsys.readouterr().out.splitlines()[-1]
    asked = _rows("new", 20, drawn)
    right = [(head.probability(row["scores"]) > 0.5) == row["answerable"] for row in asked]
    assert sum(right) >= 19


@pytest.mark.local_model
def test_the_real_model_is_surer_of_what_the_text_tells(model_cache: Path) -> None:
    model = load_chat_model(Settings(cache_dir=model_cache))
    assert isinstance(model, LocalChat)
    text = "The bridge was opened in May. It is 300 metres long."
    request = "Do these sentences explicitly state the answer to this question? Reply yes or no."
    asked = [
        [
            {"role": "system", "content": text},
            {"role": "user", "content": f"- {text}\n\nQuestion: {question}\n{request}"},
        ]
        for question in ("How long is the bridge?", "Who paid for the bridge?")
    ]
    tokens = chosen_tokens()
    once = model.token_scores(asked[0], tokens)
    assert sum(math.exp(score) for score in once) == pytest.approx(1, abs=1e-3)
    told, again, untold = (model.probe(messages) for messages in (asked[0], *asked))
    # A prompt that was read before is read in other pieces, which rounds otherwise.
    assert told == pytest.approx(again, abs=0.05)
    assert told is not None
    assert untold is not None
    assert told > untold
