"""Bytes of any encoding: read as what they are, or refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_sources import GOOD, fault, write

from assistant.encodings import NotText, decode
from assistant.sources import load_documents

TURKISH = "Liman İdaresi'nin bütçesi 4,1 milyon avrodur. Şubesi Iğdır'dadır, ağı geniştir."
RUSSIAN = "Управление порта открыли в Мире. Бюджет составляет четыре миллиона евро."
KAZAKH = "Порт басқармасы Мирада ашылды. Оның қызметкерлері қырық жеті, ғимараты үлкен."
WESTERN = "“The café’s owner”, said Björn – naïve as ever. It cost 5 €…"
POLISH = "Urząd portu otwarto w Łodzi. Żółta łódź płynęła świątecznie."


@given(st.text(min_size=1), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_what_says_its_encoding_is_read_as_it_is(text: str, encoding: str) -> None:
    if any(ord(c) < 32 or c == "\ufeff" for c in text):
        return
    read, named = decode(text.encode(encoding))
    assert read == text
    assert named == encoding.removesuffix("-sig")


@given(st.binary(max_size=300))
def test_bytes_are_read_or_refused_and_nothing_else(raw: bytes) -> None:
    try:
        text, encoding = decode(raw)
    except NotText:
        return
    assert raw.decode(encoding).removeprefix("\ufeff") == text


@pytest.mark.parametrize("language", ["en", "declared"])
@pytest.mark.parametrize(
    ("text", "encoding", "declared", "named"),
    [
        (TURKISH, "cp1254", "tr", "windows-1254"),
        (RUSSIAN, "cp1251", "ru", "windows-1251"),
        (RUSSIAN, "koi8_r", "ru", "koi8-r"),
        (RUSSIAN, "cp866", "ru", "cp866"),
        (KAZAKH, "kz1048", "kk", "kz1048"),
        (WESTERN, "cp1252", "en", "windows-1252"),
        (POLISH, "cp1250", "pl", "windows-1250"),
        (RUSSIAN, "utf-16-le", "ru", None),
        (WESTERN, "utf-16-be", "en", "utf-16-be"),
    ],
)
def test_old_code_pages_are_told_by_their_letters(
    text: str, encoding: str, declared: str, named: str | None, language: str
) -> None:
    raw = text.encode(encoding)
    if named is None:  # half of it is no zero byte, and nothing else tells
        with pytest.raises(NotText):
            decode(raw, declared)
        return
    assert decode(raw, declared if language == "declared" else language) == (text, named)


def test_icelandic_is_read_as_such_where_it_is_said_to_be() -> None:
    text = "Það er góð bók um íþróttir og þýðingar."
    assert decode(text.encode("cp1252"), "is") == (text, "windows-1252")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (bytes(range(256)) * 2, "byte 0 is zero"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is zero"),
        (b"plain \x01\x02\x03\x04\x05\x06 bytes", "control codes"),
        (b"\xff\xfea", "byte-order mark says UTF-16"),
        ("Türkçe metin, bütçe, güç".encode() + b"\xff.", "UTF-8 but for 1"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(
    tmp_path: Path, raw: bytes, reason: str
) -> None:
    line = fault(write(tmp_path, GOOD, text=raw))
    assert reason in line
    assert str(tmp_path / "a.txt") in line


def test_a_document_tells_its_encoding(tmp_path: Path) -> None:
    manifest = write(tmp_path, GOOD, text=TURKISH.encode("cp1254"))
    document = load_documents(manifest)["a"]
    assert (document.text, document.encoding) == (TURKISH, "windows-1254")
    assert load_documents(write(tmp_path, GOOD))["a"].encoding == "utf-8"
