"""PDF -> text with its pages, by PDFium."""

from __future__ import annotations

import pypdfium2 as pdfium
from pypdfium2 import raw as pdfium_c

from assistant.documents.extracted import MOST_CHARACTERS, Extracted, Unreadable

PAGE_BREAK = "\f"
_MOST_PAGES = 5000
_FAULTS = {
    pdfium_c.FPDF_ERR_PASSWORD: "it is encrypted: save a copy without its password",
    pdfium_c.FPDF_ERR_SECURITY: "it is encrypted in a way that is not known",
}
_CHARACTERS = str.maketrans({"\r": None, "\ufffe": "-", "\x02": "-", "\0": None, "\f": "\n"})
"""PDFium has signs of its own for a hyphen at the end of a line."""


def read_pdf(raw: bytes, name: str) -> Extracted:
    """The text of all pages, a form feed between two."""
    try:
        document = pdfium.PdfDocument(raw)
    except pdfium.PdfiumError as fault:
        told = _FAULTS.get(fault.err_code or 0, "it is damaged: PDFium can't open it")
        raise Unreadable(told) from None
    try:
        pages = _pages(document)
        said = document.get_metadata_dict()
    finally:
        document.close()
    if not any(page.strip() for page in pages):
        raise Unreadable(
            f"it has no text on its {len(pages)} pages: if they are scanned, run it through OCR"
        )
    starts, at = [], 0
    for page in pages:
        starts.append(at)
        at += len(page) + len(PAGE_BREAK)
    return Extracted(
        PAGE_BREAK.join(pages),
        "PDF",
        title=said.get("Title", ""),
        author=said.get("Author", ""),
        published=said.get("CreationDate", ""),
        pages=tuple(starts),
    )


def _pages(document: pdfium.PdfDocument) -> list[str]:
    if len(document) > _MOST_PAGES:
        raise Unreadable(f"it has {len(document):,} pages, more than {_MOST_PAGES:,}")
    found: list[str] = []
    for number in range(len(document)):
        try:
            page = document[number]
            text = page.get_textpage().get_text_bounded()
            page.close()
        except pdfium.PdfiumError:
            raise Unreadable(f"it is damaged: its page {number + 1} can't be read") from None
        found.append(text.translate(_CHARACTERS).strip())
        if sum(map(len, found)) > MOST_CHARACTERS:
            break  # refused by whoever asked, without reading on
    return found
