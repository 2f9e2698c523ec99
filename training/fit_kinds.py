"""Fit what tells kinds of request apart: `python -m training.fit_kinds [--table]`.

Reads `training/kinds.jsonl` and writes `assistant/weights_data/kinds.safetensors`. With `--table`
it prints how five-fold cross-validation went, by kind and by language, and writes nothing. The
same request in several languages is always in one fold, so that no translation is learnt from.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from assistant import Settings
from assistant.models import load_e5
from assistant.requests.kinds import LOOKUP, WEIGHTS, bound, vector

REQUESTS = Path(__file__).with_name("kinds.jsonl")
FOLDS = 5


def main() -> None:
    requests = [json.loads(line) for line in REQUESTS.read_text(encoding="utf-8").splitlines()]
    e5 = load_e5(Settings())
    x = np.stack([vector(e5, request["question"]) for request in requests])
    y = np.array([request["kind"] for request in requests])
    if "--table" in sys.argv:
        print(table(requests, x, y))
    else:
        write(_model().fit(x, y))


def write(model: Pipeline) -> None:
    """The classifier's weights, with the scaling before it worked into them."""
    scaler, classifier = model[0], model[1]
    weight = classifier.coef_ / scaler.scale_
    bias = classifier.intercept_ - weight @ scaler.mean_
    tensors = {
        "weight": np.ascontiguousarray(weight, np.float16),  # else it is saved out of order
        "bias": bias.astype(np.float32),
    }
    save_file(tensors, WEIGHTS, metadata={"kinds": " ".join(classifier.classes_)})


def table(requests: list[dict[str, str]], x: Any, y: Any) -> str:
    """Markdown tables of how held-out requests are told apart, sure ones only, as shipped."""
    told = np.full(len(y), LOOKUP, dtype=object)
    fold = np.array(_folds(requests))
    for number in range(FOLDS):
        model = _model().fit(x[fold != number], y[fold != number])
        shares = model.predict_proba(x[fold == number])
        best = model.classes_[shares.argmax(axis=1)]
        bounds = np.array([bound(kind) for kind in best])
        told[fold == number] = np.where(shares.max(axis=1) >= bounds, best, LOOKUP)
    lines = ["| kind | n | told | taken for lookup | taken for another |", "|---|---|---|---|---|"]
    for kind in sorted(set(y)):
        mine = told[y == kind]
        others = Counter(other for other in mine if other not in (kind, LOOKUP))
        wrong = ", ".join(f"{other} {count}" for other, count in others.most_common())
        missed = 0 if kind == LOOKUP else int((mine == LOOKUP).sum())
        row = [kind, len(mine), int((mine == kind).sum()), missed, wrong]
        lines.append(f"| {' | '.join(map(str, row))} |")
    lines += ["", "| language | n | right | wrong, not lookup |", "|---|---|---|---|"]
    language = np.array([request["language"] for request in requests])
    for name in sorted(set(language)):
        here = language == name
        right = (told[here] == y[here]).mean()
        wrong_here = ((told[here] != y[here]) & (told[here] != LOOKUP)).sum()
        lines.append(f"| {name} | {here.sum()} | {right:.2f} | {wrong_here} |")
    return "\n".join(lines)


def _folds(requests: list[dict[str, str]]) -> list[int]:
    """By place within kind and language: there the languages say much the same."""
    seen: Counter[tuple[str, str]] = Counter()
    folds = []
    for request in requests:
        key = (request["kind"], request["language"])
        folds.append(seen[key] % FOLDS)
        seen[key] += 1
    return folds


def _model() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=300))


if __name__ == "__main__":
    main()
