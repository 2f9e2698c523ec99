"""A writer of the library that is killed at any moment: `python -m tests.killed 100`.

The child says of each change that it is done. Whatever it has said must be so when it is gone.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from assistant.documents.extracted import Extracted
from assistant.documents.library import Entry, Library

KEPT = 12
"""Documents that the child adds, changes and removes in turn."""


def write(folder: str) -> None:
    """Add, change and remove documents without end; each change is told once it is done."""
    library, turn = Library(Path(folder)), 0
    while True:
        doc_id, text = f"doc-{turn % KEPT}", f"The text of turn {turn}."
        if turn % 5 == 4 and doc_id in library.read().entries:
            library.remove([doc_id], for_good=turn % 2 == 0)
            print("removed", doc_id, flush=True)
        else:
            found = Extracted(text, "text", title="A title")
            entry = Entry.of(doc_id, f"/{doc_id}.txt", text.encode(), found)
            library.put([(entry, text.encode(), text)])
            print("put", doc_id, entry.text_sha256, flush=True)
        turn += 1


def kill_at_random(folder: Path, rounds: int) -> int:
    """Kill a writer so many times and look after each; returns how many changes were told."""
    code = f"import sys; sys.path[:] = {sys.path!r}; import killed; killed.write(sys.argv[1])"
    moments, told = random.Random(1), 0
    acknowledged: dict[str, str] = {}
    for _ in range(rounds):
        command = [sys.executable, "-c", code, str(folder)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        lines = [child.stdout.readline()]  # it writes from now on
        time.sleep(moments.uniform(0, 0.1))
        child.kill()
        lines += child.stdout.readlines()
        child.communicate()
        for line in lines:
            what, doc_id, *text = line.split()
            acknowledged |= {doc_id: text[0] if what == "put" else ""}
            told += 1
        _look(Library(folder), acknowledged)
    return told


def _look(library: Library, acknowledged: dict[str, str]) -> None:
    assert not list(library.faults())
    now = {one.doc_id: one.text_sha256 for one in library.read().entries.values()}
    # One change may have been done, and the child killed before it could say so.
    differing = [one for one in acknowledged if now.get(one, "") != acknowledged[one]]
    assert len(differing) <= 1, differing
    library.remove([])  # writes, and clears what was left behind
    assert not list(library.folder.rglob("*.new"))
    acknowledged |= {one: now.get(one, "") for one in differing}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    with tempfile.TemporaryDirectory() as name:
        rounds = int(sys.argv[1])
        print(f"{kill_at_random(Path(name) / 'library', rounds)} changes, {rounds} kills: all well")
