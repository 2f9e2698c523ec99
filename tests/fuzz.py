"""Documents that are broken in any way: `python -m tests.fuzz 10000`.

Half are mutations of real documents of each format, half are noise under their names.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
import made

from assistant.documents.extracted import Unreadable
from assistant.documents.reading import DocumentReader

LONGEST_S = 20.0


def documents() -> dict[str, bytes]:
    """One of each format."""
    pdf = made.pdf([made.FERRY, "It was long awaited."], [made.LATER])
    return {
        "a.txt": f"{made.FERRY}\n\n{made.LATER} Şişli, Баку.\n".encode(),
        "a.md": f"# Ferry\n\n{made.FERRY}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n".encode(),
        "a.html": made.HTML.encode(),
        "a.pdf": pdf,
        "b.pdf": made.encrypted_pdf(pdf),
        "a.docx": made.docx_file(),
        "a.eml": made.mail(html=made.HTML),
    }


def inputs(count: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    chance, real = random.Random(seed), documents()
    for at in range(count):
        name = chance.choice(list(real))
        if at % 2:
            yield (
                name,
                real[name][: chance.choice((4, 9, 60))] + chance.randbytes(chance.randrange(2000)),
            )
        else:
            yield name, _mutated(real[name], chance)


def _mutated(raw: bytes, chance: random.Random) -> bytes:
    out = bytearray(raw)
    for _ in range(chance.choice((1, 1, 3, 20))):
        at, size = chance.randrange(len(out) + 1), chance.randrange(1, 40)
        act = chance.randrange(5)
        if act == 0:
            del out[at : at + size]
        elif act == 1:
            out[at:at] = chance.randbytes(size)
        elif act == 2:
            out[at:at] = out[at : at + size] * chance.randrange(2, 50)
        elif act == 3:
            del out[max(at, 8) :]
        else:
            out[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(out)


def fuzz(count: int) -> Counter[str]:
    """Read so many; a crash, a hang or a reason of more than one line ends it."""
    counted: Counter[str] = Counter()
    with DocumentReader() as reader:
        for name, raw in inputs(count):
            began = time.monotonic()
            try:
                reader.read(raw, name)
                counted[f"{name}: read"] += 1
            except Unreadable as fault:
                told = str(fault)
                assert "\n" not in told and "broke off" not in told, (name, raw, told)
                counted[f"{name}: refused"] += 1
            assert time.monotonic() - began < LONGEST_S, (name, raw)
    return counted


if __name__ == "__main__":
    for line, number in sorted(fuzz(int(sys.argv[1])).items()):
        print(f"{number:6} {line}")
