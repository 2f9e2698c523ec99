"""Documents of every format: their text, what they say of themselves, and why some are refused."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator

import made
import pytest
from fuzz import fuzz

from assistant.documents.extracted import Extracted, Unreadable
from assistant.documents.formats import extract
from assistant.documents.metadata import date_of, language_of_text, title_of
from assistant.documents.reading import DocumentReader
from assistant.layout import blocks

PDF = made.pdf([made.FERRY, "It was long awaited."], ["Second page.", made.LATER])


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


def said(found: Extracted) -> list[str]:
    return [
        one.row.said if one.row and one.row.said else one.shown.text for one in blocks(found.text)
    ]


def test_text_is_as_it_is(reader: DocumentReader) -> None:
    text = f"A ferry\r\n\r\n{made.FERRY}\r\n"
    found = reader.read(b"\xef\xbb\xbf" + text.encode(), "ferry.txt")
    assert (found.text, found.title, found.kind, found.encoding) == (
        text, "A ferry", "text", "utf-8"
    )  # fmt: skip


def test_markdown_has_a_heading_for_its_title(reader: DocumentReader) -> None:
    found = reader.read(f"# A *ferry*\n{made.FERRY}\n".encode(), "x.md")
    assert (found.title, found.kind) == ("A *ferry", "Markdown")


def test_html_is_read_without_menus_and_hidden_orders(reader: DocumentReader) -> None:
    found = reader.read(made.HTML.encode(), "page.html")
    assert (found.title, found.publisher, found.author) == (
        "The ferry agreement", "Harbour News", "Ada Quill"
    )  # fmt: skip
    assert (found.published, found.language) == ("2023-05-04", "en")
    lines = said(found)
    assert made.FERRY in lines and made.LATER in lines and "Fares" in lines
    assert "Ticket: Adult; Fare: 12" in lines
    assert "- one bag" in lines
    for left_out in ("Sports", "cancelled", "rights reserved"):
        assert left_out not in found.text


@pytest.mark.parametrize("encoding", ["utf-16", "cp1254", "cp1251"])
def test_html_in_other_encodings(encoding: str) -> None:
    words = "Anlaşma İstanbul'da imzalandı" if encoding != "cp1251" else "Соглашение подписано"
    page = f'<html><head><meta charset="{encoding}"></head><body><p>{words}.</p></body></html>'
    assert words in extract(page.encode(encoding), "a.html").text


def test_a_pdf_has_pages(reader: DocumentReader) -> None:
    found = reader.read(PDF, "report.pdf")
    assert (found.title, found.published, found.kind) == ("Ferry report", "2023-05-04", "PDF")
    first, second = found.pages
    assert found.text[first:].startswith("The ferry agreement")
    assert found.text[second:].startswith("Second page.")
    assert found.text[second - 1] == "\f"
    assert found.text.index(made.LATER) > second


def test_a_docx_has_headings_lists_and_tables(reader: DocumentReader) -> None:
    found = reader.read(made.docx_file(), "ferry.docx")
    assert (found.title, found.author, found.kind) == ("The ferry agreement", "Ada Quill", "DOCX")
    lines = said(found)
    assert lines[:3] == ["The ferry agreement", made.FERRY, made.LATER]
    assert "- one bag" in lines and "Ticket: Child; Fare: 6" in lines
    assert "Ignore" not in found.text


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (made.mail(), made.FERRY),
        (made.mail(html=made.HTML), made.FERRY),
        (made.mail(text="", html=made.HTML), "Ticket"),
        (made.mail("Anlaşma İstanbul'da imzalandı."), "Anlaşma İstanbul'da"),
    ],
)
def test_an_e_mail(raw: bytes, words: str) -> None:
    found = extract(raw, "letter.eml")
    assert (found.title, found.author, found.kind) == (
        "The ferry agreement", "Ada Quill", "e-mail"
    )  # fmt: skip
    assert (found.published, found.publisher) == ("2023-05-04", "harbour.example")
    assert words in found.text


def test_bytes_tell_a_format_before_a_name() -> None:
    for raw, kind in ((PDF, "PDF"), (made.docx_file(), "DOCX"), (made.HTML.encode(), "HTML")):
        assert extract(raw, "lies.txt").kind == kind


BAD = {
    "empty": (b"", "a.txt", "it is empty"),
    "blank": (b" \n\t ", "a.txt", "it is empty"),
    "zero bytes": (b"\0" * 100, "a.txt", "zero bytes"),
    "null bytes": (b"A text\0with a zero byte.", "a.txt", "byte 6 is zero"),
    "binary": (bytes(random.Random(1).randbytes(5000)), "a.txt", "it is no text"),
    "picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "a.png", "a picture (PNG)"),
    "mixed encodings": ("Şişli çağrısı ".encode() * 20 + b"\xfe", "a.txt", "it is UTF-8 but for 1"),
    "300 MB": (b"x" * 300_000_000, "a.txt", "300,000,000 bytes, more than 50,000,000"),
    "too long": (b"A text. " * 700_000, "a.txt", "5,600,000 characters"),
    "encrypted PDF": (made.encrypted_pdf(PDF), "a.pdf", "it is encrypted"),
    "scanned PDF": (made.pdf([], []), "a.pdf", "no text on its 2 pages"),
    "damaged PDF": (b"%PDF-1.4\nnothing of the kind", "a.pdf", "it is damaged"),
    "half a DOCX": (made.docx_file()[:3000], "a.docx", "it is damaged"),
    "zip bomb": (made.zip_bomb(), "a.docx", "it unpacks to more than 200,000,000 bytes"),
    "old Office": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "a.doc", "old Office"),
    "all script": (b"<html><script>let a = 1</script></html>", "a.html", "it has no text"),
    "no body": (b"<!doctype html>", "a.html", "it has no text"),
    "mail without text": (made.mail(text=""), "a.eml", "it has no text"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_the_reason(reader: DocumentReader, name: str) -> None:
    raw, file, reason = BAD[name]
    with pytest.raises(Unreadable, match=re.escape(reason)) as caught:
        reader.read(raw, file)
    line = str(caught.value)
    assert "\n" not in line and len(line) < 200
    assert reader.read(made.FERRY.encode(), "next.txt").text == made.FERRY


def test_deeply_nested_html_ends(reader: DocumentReader) -> None:
    deep = b"<html><body>" + b"<div>" * 300_000 + b"A text." + b"</div>" * 300_000
    began = time.monotonic()
    with pytest.raises(Unreadable, match="it has no text"):
        reader.read(deep, "deep.html")
    assert time.monotonic() - began < 30


def test_what_takes_too_long_is_given_up_and_the_next_is_read() -> None:
    with DocumentReader(timeout_s=0.05) as reader:
        with pytest.raises(Unreadable, match=r"longer than 0\.05 s"):
            reader.read(made.FERRY.encode(), "a.txt")  # the process alone takes longer to start
        reader._timeout_s = 60.0
        assert reader.read(made.FERRY.encode(), "b.txt").text == made.FERRY


def test_a_process_that_dies_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with DocumentReader() as reader:
        reader.read(made.FERRY.encode(), "a.txt")
        assert reader._process is not None
        reader._process.kill()
        with pytest.raises(Unreadable, match="broke off"):
            reader.read(made.FERRY.encode(), "a.txt")
        assert reader.read(made.FERRY.encode(), "a.txt").text == made.FERRY


@pytest.mark.parametrize(
    ("told", "date"),
    [
        ("2021-09-15T10:00:00Z", "2021-09-15"),
        ("D:20210915120000+03'00'", "2021-09-15"),
        ("2021-09", "2021-09"),
        ("2021", "2021"),
        ("2021-13-40", "2021"),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_dates(told: str, date: str) -> None:
    assert date_of(told) == date


def test_a_title_is_the_first_line_or_the_file_name() -> None:
    assert title_of("A ferry\n\nIt runs.", "x.txt") == "A ferry"
    assert title_of("It runs twice.\n\nAnd so on.", "ferry_report 2.txt") == "ferry report 2"
    assert title_of("", "..") == ".."
    assert title_of("x" * 200, "") == "Untitled"


def test_one_foreign_letter_does_not_tell_a_language() -> None:
    english = "The minister of digital development has met his guests.\n" * 5
    assert language_of_text(english + "Əli Əliyev was there and spoke to all.\n") == "en"
    assert language_of_text("Sənəd martın üçündə imzalandı və qüvvəyə mindi.\n" * 3) == "az"


def test_broken_documents_are_read_or_refused() -> None:
    counted = fuzz(200)
    assert counted.total() == 200
