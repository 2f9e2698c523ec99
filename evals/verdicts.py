"""How well the verdict tells supported claims from others, and what each of its rules adds.

    python -m evals.verdicts [CLAIMS]

CLAIMS is a file of lines `{"claim": …, "supported": …}` over the sources, `evals/claims.jsonl` by
default; a line may bring the text it speaks of as `"paragraph"`. Prints every claim that is judged
otherwise than it is labelled, then precision and recall, with all rules and without each of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from assistant.grounding import Grounder, Verdict
from assistant.passages import Sentence, sentences
from assistant.rules import RULES, Rule
from assistant.settings import Settings
from assistant.sources import load_documents
from assistant.text import sentence_spans

CLAIMS = Path(__file__).with_name("claims.jsonl")

Case = dict[str, Any]


def load_claims(path: Path) -> list[Case]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def grounders(rules: Sequence[Rule] = RULES) -> Callable[[Case], Grounder]:
    """For a case the grounder over its paragraph, or over all sources where it has none."""
    documents = load_documents(Settings.load().sources)

    @cache
    def over(paragraph: str) -> Grounder:
        if not paragraph:
            return Grounder([s for d in documents.values() for s in sentences(d)], rules)
        spans = sentence_spans(paragraph)
        return Grounder([Sentence("", a, b, paragraph[a:b], block=0) for a, b in spans], rules)

    return lambda case: over(case.get("paragraph", ""))


def judge(claims: Sequence[Case], rules: Sequence[Rule] = RULES) -> list[Verdict]:
    over = grounders(rules)
    return [over(case).judge(case["claim"]) for case in claims]


def score(claims: Sequence[Case], verdicts: Sequence[Verdict]) -> str:
    """Precision and recall of "supported", with the counts behind them."""
    both = [(case["supported"], v.supported) for case, v in zip(claims, verdicts, strict=True)]
    labels = [label for label, _ in both]
    kept, missed = both.count((True, True)), both.count((False, True))
    return (
        f"precision {kept / max(kept + missed, 1):.2f}, recall {kept / max(sum(labels), 1):.2f}: "
        f"supported {kept} of {sum(labels)} true and {missed} of {labels.count(False)} false claims"
    )


def main(path: Path = CLAIMS) -> None:
    claims = load_claims(path)
    verdicts = judge(claims)
    for case, verdict in zip(claims, verdicts, strict=True):
        if case["supported"] != verdict.supported:
            label = "true, withheld" if case["supported"] else "false, supported"
            print(f"{label}: {case['claim']} {verdict.objection}")
    print(score(claims, verdicts))
    for rule in RULES:
        others = [other for other in RULES if other is not rule]
        print(f"without {rule.__name__}: {score(claims, judge(claims, others))}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
