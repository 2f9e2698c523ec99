"""The command that measures the verdict on labelled claims."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.rules import RULES
from evals.verdicts import main

PARAGRAPH = "The bridge was opened by the mayor in May. It is 300 metres (980 feet) long."


def test_every_rule_is_left_out_once_and_misjudged_claims_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled = [
        ("The mayor opened the bridge in May.", True),
        ("The bridge is 980 metres long.", False),
        ("The bridge was opened in May.", False),  # labelled wrongly, so it has to be named
    ]
    path = tmp_path / "claims.jsonl"
    lines = [{"paragraph": PARAGRAPH, "claim": c, "supported": s} for c, s in labelled]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    main(path)
    named, whole, *rest = capsys.readouterr().out.splitlines()
    assert named.startswith("false, supported: The bridge was opened in May.")
    assert "supported 1 of 1 true and 1 of 2 false claims" in whole
    assert len(rest) == len(RULES)
