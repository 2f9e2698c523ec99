"""Bytes -> text: which format a document is in, told by its bytes before its name."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import PurePath

from assistant.documents.extracted import (
    MOST_BYTES,
    MOST_CHARACTERS,
    MOST_UNPACKED,
    Extracted,
    Unreadable,
)
from assistant.documents.metadata import date_of, language_of_text, one_line, title_of
from assistant.encodings import NotText, decode

Reader = Callable[[bytes, str], Extracted]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_MAIL = re.compile(rb"(?:[A-Za-z][\w-]*:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n){2,}\r?\n")
_MAIL_FIELD = re.compile(rb"^(?:from|received|message-id|return-path):", re.I | re.M)
_PARTS = {"word/document.xml": "docx", "ppt/presentation.xml": "pptx", "xl/workbook.xml": "xlsx"}
_MOST_PARTS = 10_000
_OTHERS = {
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"\x1f\x8b": "packed (gzip)",
    b"7z\xbc\xaf": "packed (7z)",
    b"Rar!": "packed (RAR)",
    b"{\\rtf": "in Rich Text Format: save it as DOCX",
    b"%!PS": "in PostScript: save it as PDF",
}


def extract(raw: bytes, name: str) -> Extracted:
    """The text of a document called `name`, and what it says of itself. Raises `Unreadable`."""
    if not raw.strip(b"\0 \t\r\n"):
        raise Unreadable("it is empty" if not raw.strip() else "it is nothing but zero bytes")
    if len(raw) > MOST_BYTES:
        raise Unreadable(too_large(len(raw)))
    found = _reader_of(raw, name)(raw, name)
    if not found.text.strip():
        raise Unreadable("it has no text")
    if len(found.text) > MOST_CHARACTERS:
        raise Unreadable(
            f"its text has {len(found.text):,} characters, more than {MOST_CHARACTERS:,}"
        )
    # Half of a surrogate pair is no character: it could be neither stored nor shown.
    text = found.text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
    return replace(
        found,
        text=text,
        title=one_line(found.title) or title_of(text, name),
        publisher=one_line(found.publisher),
        author=one_line(found.author),
        published=date_of(found.published),
        language=found.language.split("-")[0].lower() or language_of_text(text),
    )


def too_large(size: int) -> str:
    return f"it has {size:,} bytes, more than {MOST_BYTES:,}"


def _reader_of(raw: bytes, name: str) -> Reader:
    suffix = PurePath(name).suffix.lower()
    if b"%PDF-" in raw[:1024]:
        from assistant.documents.pdf import read_pdf

        return read_pdf
    if raw.startswith(b"PK\x03\x04"):
        return _packed(raw)
    if raw.startswith(_OLE):
        encrypted = "EncryptedPackage".encode("utf-16-le") in raw
        raise Unreadable(
            "it is encrypted" if encrypted else "it is of an old Office: save it as DOCX or PDF"
        )
    if other := next((told for mark, told in _OTHERS.items() if raw.startswith(mark)), ""):
        raise Unreadable(f"it is {other}")
    if _HTML.match(raw[:4096].lstrip(b"\xef\xbb\xbf")) or suffix in (".html", ".htm", ".xhtml"):
        from assistant.documents.html import read_html

        return read_html
    if suffix == ".eml" or (_MAIL.match(raw) and _MAIL_FIELD.search(raw[:4096])):
        from assistant.documents.mail import read_mail

        return read_mail
    return read_text


def read_text(raw: bytes, name: str) -> Extracted:
    """Plain text and Markdown, as they are; the byte-order mark is no part of them."""
    try:
        text, encoding = decode(raw)
    except NotText as fault:
        raise Unreadable(str(fault)) from None
    markdown = PurePath(name).suffix.lower() in (".md", ".markdown")
    return Extracted(text, "Markdown" if markdown else "text", encoding=encoding)


def _packed(raw: bytes) -> Reader:
    """Who reads a ZIP archive, unless it would not stop unpacking."""
    try:
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as fault:
        raise Unreadable(f"it is damaged ({one_line(str(fault))})") from None
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise Unreadable(f"it unpacks to more than {MOST_UNPACKED:,} bytes")
    kind = next((_PARTS[part.filename] for part in parts if part.filename in _PARTS), "")
    if kind == "docx":
        from assistant.documents.docx import read_docx

        return read_docx
    told = f"of a format that is not read ({kind.upper()})" if kind else "a ZIP archive"
    raise Unreadable(f"it is {told}: save it as DOCX or PDF")
