"""The manifest: what it says is taken as it is, and each mistake is one line that names it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import MANIFEST

from assistant.errors import SourceError
from assistant.sources import load_documents

GOOD = {"id": '"a"', "title": '"T"', "publisher": '"P"', "file": '"a.txt"'}


def write(folder: Path, *sources: dict[str, str], text: bytes = b"Some text.\n") -> Path:
    (folder / "a.txt").write_bytes(text)
    tables = ["[[source]]\n" + "\n".join(f"{k} = {v}" for k, v in s.items()) for s in sources]
    manifest = folder / "manifest.toml"
    manifest.write_text("\n\n".join(tables), encoding="utf-8")
    return manifest


def fault(manifest: Path) -> str:
    with pytest.raises(SourceError) as caught:
        load_documents(manifest)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.mend
    return line


def test_the_real_manifest() -> None:
    documents = load_documents(MANIFEST)
    trend, azernews = documents["trend-digital-economy"], documents["azernews-roadmap"]
    assert (trend.publisher, trend.published) == ("Trend", "--03-18")
    assert (azernews.published, azernews.author) == ("2021-09-15", "Ayya Lmahamad")
    hidden = [azernews.text[a:b] for a, b in azernews.furniture]
    assert hidden == ["date 2021-09-15 By Azernews", "By Ayya Lmahamad"]
    file = MANIFEST.parent / "articles" / "000_53a752991c09e830.txt"
    assert trend.text.encode() == file.read_bytes()


def test_text_is_the_file_but_for_its_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeffOne line.\r\nİ ə 😀\r\n"
    manifest = write(tmp_path, GOOD, text=text.encode())
    assert load_documents(manifest)["a"].text == text[1:]


def test_furniture_is_whole_lines_wherever_they_stand(tmp_path: Path) -> None:
    text = "Menu\n\nMenu prices rose. See the Menu.\n  Menu \nEnd."
    manifest = write(tmp_path, GOOD | {"furniture": '["Menu"]'}, text=text.encode())
    document = load_documents(manifest)["a"]
    assert [document.text[a:b] for a, b in document.furniture] == ["Menu", "Menu"]
    assert document.furniture[0] == (0, 4)
    assert document.furniture[1][0] == text.index("  Menu") + 2


@pytest.mark.parametrize("published", ["2021-09-15", "2021-09", "2021", "--02-29", ""])
def test_dates_as_far_as_they_are_known(tmp_path: Path, published: str) -> None:
    manifest = write(tmp_path, GOOD | {"published": f'"{published}"'})
    assert load_documents(manifest)["a"].published == published


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"published": '"2021-13-01"'}, "2021-13-01"),
        ({"published": '"2021-02-30"'}, "2021-02-30"),
        ({"published": '"--00-10"'}, "--00-10"),
        ({"published": '"March"'}, "March"),
        ({"title": "5"}, "title"),
        ({"language": "true"}, "language"),
        ({"title": '""'}, "title"),
        ({"id": '"a b"'}, "a b"),
        ({"id": '"a\\nb"'}, "id"),
        ({"file": '"none.txt"'}, "none.txt"),
        ({"file": '"."'}, "can't be read"),
        ({"file": '"a\\u0000b"'}, "can't be read"),
        ({"furniture": '"Menu"'}, "furniture"),
        ({"furniture": "[5]"}, "furniture"),
        ({"furniture": '["Some"]'}, "'Some'"),
        ({"furniture": '[""]'}, "''"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: dict[str, str], named: str) -> None:
    assert named in fault(write(tmp_path, GOOD | change))


@pytest.mark.parametrize("key", ["id", "title", "publisher", "file"])
def test_what_is_left_out_is_named(tmp_path: Path, key: str) -> None:
    assert f"no {key}" in fault(write(tmp_path, {k: v for k, v in GOOD.items() if k != key}))


@pytest.mark.parametrize(
    ("text", "named"), [(b"", "empty"), (b" \n\n", "empty"), (bytes(range(256)), "byte 0 is zero")]
)
def test_an_article_that_is_none(tmp_path: Path, text: bytes, named: str) -> None:
    assert named in fault(write(tmp_path, GOOD, text=text))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "names no source"),
        (b"[[source]\n", "can't be read"),
        (b"\xff", "can't be read"),
        (b"source = 5", "[[source]]"),
        (b'source = ["a"]', "[[source]]"),
        (b'[source]\nid = "a"', "[[source]]"),
    ],
)
def test_a_manifest_that_is_none(tmp_path: Path, content: bytes, named: str) -> None:
    manifest = tmp_path / "manifest.toml"
    manifest.write_bytes(content)
    assert named in fault(manifest)


def test_no_manifest_at_all(tmp_path: Path) -> None:
    assert str(tmp_path / "none.toml") in fault(tmp_path / "none.toml")
    assert "can't be read" in fault(tmp_path)


def test_an_id_stands_once(tmp_path: Path) -> None:
    assert "twice" in fault(write(tmp_path, GOOD, GOOD))
