"""Fit the weights that tell whether the sources answer a question.

    python -m evals.fit_answerability RUN_FOLDER

Takes the signals of a run's answers over the development split and writes
`assistant/answerability.json`, the weights of a logistic model. Prints its cross-validated AUC,
with and without what a chat model adds, and what it loses when a feature is left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.answerability import Features
from assistant.settings import Settings
from assistant.sources import load_documents
from evals.dataset import QUESTIONS, load_cases, split_of
from evals.records import RunFolder

TARGET = Path(__file__).resolve().parent.parent / "assistant" / "answerability.json"
FEATURES = tuple(field.name for field in fields(Features))
USED = ("probe", "wanted_lacking", "draft_coverage")
"""What goes into the weights; the others tell an off-topic question and are only printed."""
NEEDS_MODEL = ("probe", "draft_coverage")
_STRENGTH = 0.3
"""Inverse of the L2 penalty: about a hundred questions bear no more."""

Matrix = NDArray[np.float64]


def fit(signals: Matrix, answerable: Matrix, names: Sequence[str]) -> dict[str, float]:
    """Logistic weights for raw feature values; classes count alike, so 0.5 is the fair cut."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = signals.mean(axis=0), signals.std(axis=0) + 1e-9
    model = LogisticRegression(C=_STRENGTH, class_weight="balanced")
    model.fit((signals - mean) / spread, answerable)
    weights = model.coef_[0] / spread
    bias = float(model.intercept_[0] - (weights * mean).sum())
    return {"bias": round(bias, 3)} | {
        name: round(float(w), 3) for name, w in zip(names, weights, strict=True)
    }


def auc(signals: Matrix, answerable: Matrix) -> float:
    """Area under the ROC curve of five-fold cross-validated scores."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=_STRENGTH, class_weight="balanced")
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores = cross_val_predict(model, signals, answerable, cv=folds, method="predict_proba")
    return float(roc_auc_score(answerable, scores[:, 1]))


def rows(run: Path) -> tuple[Matrix, Matrix]:
    """Signals and whether the sources answer, one row a development question of the run.

    A question with a false premise may be answered or declined, so it tells nothing here.
    """
    documents = load_documents(Settings.load().sources)
    cases = {case.id: case for case in load_cases(QUESTIONS, documents)}
    found: list[list[float]] = []
    labels: list[float] = []
    for record in RunFolder(run).records().values():
        if record.answer and record.answer.signals and split_of(record.case_id) == "development":
            expected = cases[record.case_id].expected
            if expected == "correct":
                continue
            found.append([record.answer.signals[name] for name in FEATURES])
            labels.append(float(expected in ("answer", "partial")))
    return np.array(found), np.array(labels)


def weigh(signals: Matrix, labels: Matrix) -> dict[str, float]:
    """The fitted weights, with what each feature adds printed on the way."""
    every = range(len(FEATURES))
    whole = auc(signals, labels)
    alone = [i for i in every if FEATURES[i] not in NEEDS_MODEL]
    print(f"AUC {whole:.3f} over {len(labels)} questions, {labels.sum():.0f} of them answerable")
    print(f"AUC {auc(signals[:, alone], labels):.3f} without a chat model")
    for i in every:
        without = auc(signals[:, [j for j in every if j != i]], labels)
        by_itself = auc(signals[:, [i]], labels)
        print(f"  {FEATURES[i]:16} alone {by_itself:.3f}, left out {without - whole:+.3f}")
    used = [FEATURES.index(name) for name in USED]
    print(f"AUC {auc(signals[:, used], labels):.3f} with what is used: {', '.join(USED)}")
    return fit(signals[:, used], labels, USED)


def main(run: str) -> None:
    fitted = weigh(*rows(Path(run)))
    TARGET.write_text(json.dumps(fitted, indent=2) + "\n", encoding="utf-8")
    print(f"Wrote {TARGET}.")


if __name__ == "__main__":
    main(sys.argv[1])
