"""Fit what reads the local model's doubt, `assistant/probe_head.json`.

    python -m evals.fit_probe SCORES [SQUAD]

Asks the default local model whether the sources state the answer to every English question of the
development split and of `evals/unseen.jsonl` (seven seconds each on two cores), and, if SQUAD names
a file in the format of SQuAD 2.0, to some of its questions, so that what is learned is not only
about these sources. The scores of the reply's first token are kept in SCORES, one line a question;
the same command goes on where it stopped. Questions with a false premise are left out.

Prints how well "yes" against "no" and the fitted head tell answerable questions from others, each
set of questions judged by a head that was fitted on the others.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant import Assistant, Settings, prompts, weights
from assistant.local_chat import LocalChat
from assistant.models import load_chat_model
from assistant.probe_head import ProbeHead, words_log_odds
from assistant.text import sentence_spans
from assistant.types import Message
from evals.dataset import QUESTIONS, load_cases, split_of

YES, NO = (9693, 9454, 7414, 9834), (2152, 2753, 2308, 902)
"""The tokens "yes", "Yes", " Yes", " yes" and the same of "no" in the model's vocabulary."""
_COMMON, _CHOSEN = 60_000, 512
"""So many tokens are drawn from the first and commonest: they span nearly all of the state."""
_SPREAD, _STRENGTH = 5.0, 0.3
"""Length of a typical row of scores, and inverse of the L2 penalty at that length."""
_OTHER_TEXT = 0.3
"""What a question about other text weighs."""
_TWINS = "unseen9"
"""Half of these are open questions made to look like the other half. Readers do not ask so: the
head learns from them, but how sure it may be is taken from the other sets."""
_PARAGRAPHS, _SENTENCES, _EACH = 40, range(3, 10), 5
"""Paragraphs of other text, the lengths they may have, and questions of each kind about each."""

Matrix = NDArray[np.float64]
Row = dict[str, Any]


def chosen_tokens() -> tuple[int, ...]:
    drawn = np.random.RandomState(0).choice(_COMMON, _CHOSEN, replace=False)
    return tuple(sorted({int(token) for token in drawn} | {*YES, *NO}))


@dataclass
class Listener:
    """A chat model that notes the scores it is probed for, and writes nothing."""

    model: LocalChat
    tokens: tuple[int, ...]
    scores: list[float] = field(default_factory=list)
    name: str = "listener"

    def stream(self, messages: Sequence[Message], max_tokens: int) -> Iterator[str]:
        yield from ()

    def probe(self, messages: Sequence[Message]) -> float:
        self.scores = self.model.token_scores(messages, self.tokens)
        return 0.0


def ask_sources(listener: Listener, settings: Settings, known: set[str]) -> Iterator[Row]:
    """A row for each question about the sources."""
    quiet = Assistant.from_settings(settings.with_values({"chat_model": "none"}))
    assistant = quiet.twin("local", lambda: listener, settings.top_k)
    unseen = QUESTIONS.with_name("unseen.jsonl")
    cases = [c for c in load_cases(QUESTIONS, quiet.documents) if split_of(c.id) == "development"]
    grouped = [(case, "development") for case in cases]
    # The ids of the unseen ones begin with their writer's set.
    grouped += [(c, re.sub(r"-\d+$", "", c.id)) for c in load_cases(unseen, quiet.documents)]
    for case, group in grouped:
        asked = case.expected in ("answer", "partial", "decline") and case.language == "en"
        if asked and case.id not in known:
            assistant.ask(case.question, list(case.history))
            yield _row(case.id, group, case.expected != "decline", listener.scores)


def ask_squad(listener: Listener, path: Path, known: set[str]) -> Iterator[Row]:
    """A row for some questions about each of some paragraphs, all of its sentences in view."""
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    paragraphs = [p for article in articles for p in article["paragraphs"]]
    drawn = random.Random(5)
    drawn.shuffle(paragraphs)
    fitting = (p for p in paragraphs if len(_sentences(p["context"])) in _SENTENCES)
    for paragraph in islice(fitting, _PARAGRAPHS):
        leads, questions = _sentences(paragraph["context"]), paragraph["qas"]
        content = f"{prompts.SYSTEM}\n\nArticle 1 (Wikipedia):\n\n{paragraph['context']}"
        drawn.shuffle(questions)
        for kind in (False, True):
            for asked in [q for q in questions if q["is_impossible"] == kind][:_EACH]:
                if asked["id"] not in known:
                    sources: Message = {"role": "system", "content": content}
                    listener.probe(prompts.render_answerable(sources, asked["question"], leads))
                    yield _row(asked["id"], "squad", not kind, listener.scores)


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


def _row(row_id: str, group: str, answerable: bool, scores: Sequence[float]) -> Row:
    rounded = [round(score, 3) for score in scores]
    return {"id": row_id, "group": group, "answerable": answerable, "scores": rounded}


@dataclass
class Scaled:
    """Scores less their mean, and the words' log-odds, brought to one scale."""

    mean: Matrix
    spread: float
    words_mean: float
    words_spread: float

    @classmethod
    def to(cls, rows: Matrix, words: Matrix) -> Scaled:
        centred = rows - rows.mean(axis=1, keepdims=True)
        mean = centred.mean(axis=0)
        length = float(np.sqrt(((centred - mean) ** 2).sum(axis=1).mean()))
        return cls(mean, length / _SPREAD, float(words.mean()), float(words.std()))

    def __call__(self, rows: Matrix, words: Matrix) -> Matrix:
        state = (rows - rows.mean(axis=1, keepdims=True) - self.mean) / self.spread
        return np.column_stack([state, (words - self.words_mean) / self.words_spread])


class Table:
    """The rows as matrices."""

    def __init__(self, rows: Sequence[Row], tokens: Sequence[int]) -> None:
        self.scores = np.array([row["scores"] for row in rows])
        named: list[dict[int, float]] = [dict(zip(tokens, s, strict=True)) for s in self.scores]
        self.words = np.array([words_log_odds(scores, YES, NO) for scores in named])
        self.answerable = np.array([row["answerable"] for row in rows])
        self.groups = np.array([row["group"] for row in rows])

    def weights(self, chosen: NDArray[np.bool_]) -> Matrix:
        """Answerable questions and others count alike, other text less."""
        share = self.answerable[chosen].mean()
        even = np.where(self.answerable[chosen], 0.5 / share, 0.5 / (1 - share))
        weighed: Matrix = even * np.where(self.groups[chosen] == "squad", _OTHER_TEXT, 1.0)
        return weighed

    def fit(self, chosen: NDArray[np.bool_]) -> tuple[Scaled, Any]:
        from sklearn.linear_model import LogisticRegression

        scaled = Scaled.to(self.scores[chosen], self.words[chosen])
        model = LogisticRegression(C=_STRENGTH, max_iter=2000)
        rows = scaled(self.scores[chosen], self.words[chosen])
        return scaled, model.fit(rows, self.answerable[chosen], sample_weight=self.weights(chosen))


def report(table: Table) -> Matrix:
    """Print AUCs by group; returns each row's log-odds by a head fitted on the other groups."""
    from sklearn.metrics import roc_auc_score

    found = np.zeros(len(table.answerable))
    for group in sorted(set(table.groups)):
        inside = table.groups == group
        scaled, model = table.fit(~inside)
        found[inside] = model.decision_function(scaled(table.scores[inside], table.words[inside]))
        words = roc_auc_score(table.answerable[inside], table.words[inside])
        head = roc_auc_score(table.answerable[inside], found[inside])
        print(f"{group}: n={inside.sum()}, AUC of yes/no {words:.3f}, of the head {head:.3f}")
    ours = table.groups != "squad"
    words, head = (roc_auc_score(table.answerable[ours], v[ours]) for v in (table.words, found))
    print(f"all about the sources: AUC of yes/no {words:.3f}, of the head {head:.3f}")
    return found


def head_of(table: Table, tokens: tuple[int, ...], held_out: Matrix) -> ProbeHead:
    """The head fitted on everything, its log-odds no surer than they proved on other groups."""
    from sklearn.linear_model import LogisticRegression

    ours = ~np.isin(table.groups, ("squad", _TWINS))
    sure = LogisticRegression(C=1e6, class_weight="balanced")
    sure.fit(held_out[ours, None], table.answerable[ours])
    slope, shift = float(sure.coef_[0, 0]), float(sure.intercept_[0])
    scaled, model = table.fit(np.full(len(table.answerable), True))
    state = slope * model.coef_[0, :-1] / scaled.spread
    words = slope * float(model.coef_[0, -1]) / scaled.words_spread
    bias = shift + slope * float(model.intercept_[0]) - state @ scaled.mean
    return ProbeHead(
        file_name=weights.CHAT_MODEL.file_name,
        file_size=weights.CHAT_MODEL.size,
        tokens=tokens,
        weights=tuple(round(float(weight), 5) for weight in state),
        yes=YES,
        no=NO,
        words_weight=round(words, 5),
        bias=round(float(bias) - words * scaled.words_mean, 5),
    )


def collect(path: Path, squad: Path | None, tokens: tuple[int, ...]) -> list[Row]:
    """Every row, those that are not in the file yet asked for and added to it."""
    rows = (
        [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    )
    known = {row["id"] for row in rows}
    settings = Settings.load()
    model = load_chat_model(settings)
    if not isinstance(model, LocalChat):
        sys.exit(f"There is no local model to ask; run: {weights.FETCH_COMMAND}")
    listener = Listener(model, tokens)
    with path.open("a", encoding="utf-8") as stream:
        asked = [ask_sources(listener, settings, known)]
        asked += [ask_squad(listener, squad, known)] if squad else []
        for row in (row for rows_of in asked for row in rows_of):
            stream.write(json.dumps(row) + "\n")
            stream.flush()
            rows.append(row)
    return rows


def main(scores: str, squad: str = "") -> None:
    tokens = chosen_tokens()
    table = Table(collect(Path(scores), Path(squad) if squad else None, tokens), tokens)
    head = head_of(table, tokens, report(table))
    head.save()
    print("Wrote assistant/probe_head.json.")


if __name__ == "__main__":
    main(*sys.argv[1:])
