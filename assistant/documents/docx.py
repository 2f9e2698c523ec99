"""DOCX -> text, by python-docx: headings, lists, and tables as rows."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import docx
from docx.document import Document as Docx
from docx.table import Table
from docx.text.paragraph import Paragraph

from assistant.documents.extracted import Extracted, Unreadable

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def read_docx(raw: bytes, name: str) -> Extracted:
    """The body in order; comments, hidden text and deleted text are no part of it."""
    try:
        document = docx.Document(BytesIO(raw))
        text = "\n".join(_lines(document))
        said = document.core_properties
        made = said.created
        return Extracted(
            text.strip(),
            "DOCX",
            title=said.title or "",
            author=said.author or "",
            published=made.date().isoformat() if made else "",
            language=said.language or "",
        )
    except (MemoryError, Unreadable):
        raise
    # Whatever is wrong inside the archive, the libraries raise what happens to break.
    except Exception as fault:
        told = " ".join(str(fault).split())[:80] or type(fault).__name__
        raise Unreadable(f"it is damaged ({told})") from None


def _lines(document: Docx) -> Iterator[str]:
    """A blank line between paragraphs; items and rows follow one another."""
    before = ""
    for part in document.iter_inner_content():
        if isinstance(part, Table):
            yield ""
            yield from _rows(part)
            yield ""
            before = "table"
            continue
        text = _shown(part)
        if not text:
            continue
        kind = "item" if _is_item(part) else "paragraph"
        if not (kind == before == "item"):
            yield ""
        yield f"- {text}" if kind == "item" else text
        before = kind


def _rows(table: Table) -> Iterator[str]:
    """As in Markdown: the names of the columns, a rule, and the rows."""
    for number, row in enumerate(table.rows):
        cells: list[str] = []
        seen: list[Any] = []
        for cell in row.cells:
            # A cell that spans several columns comes once for each.
            if not any(cell._tc is one for one in seen):
                seen.append(cell._tc)
                said = " ".join(filter(None, map(_shown, cell.paragraphs)))
                cells.append(said.replace("|", "\\|"))
        yield f"| {' | '.join(cells)} |"
        if number == 0:
            yield f"|{'---|' * len(cells)}"


def _is_item(paragraph: Paragraph) -> bool:
    properties = paragraph._p.pPr
    numbered = properties is not None and properties.numPr is not None
    style = paragraph.style.name if paragraph.style is not None else ""
    return numbered or (style or "").startswith("List")


def _shown(paragraph: Paragraph) -> str:
    """The text of a paragraph without what is set to be hidden, or is white on white."""
    pieces: list[str] = []
    for node in paragraph._p.iter(f"{_W}t", f"{_W}tab", f"{_W}br", f"{_W}cr"):
        run = node.getparent()
        if run is None or run.tag != f"{_W}r" or _is_hidden(run):
            continue
        pieces.append(node.text or "" if node.tag == f"{_W}t" else " ")
    return " ".join("".join(pieces).split())


def _is_hidden(run: Any) -> bool:
    look = run.find(f"{_W}rPr")
    if look is None:
        return False
    vanish, color = look.find(f"{_W}vanish"), look.find(f"{_W}color")
    shaded = look.find(f"{_W}shd") is not None or look.find(f"{_W}highlight") is not None
    white = color is not None and (color.get(f"{_W}val") or "").upper() == "FFFFFF"
    off = vanish is not None and vanish.get(f"{_W}val") in ("0", "false")
    return (vanish is not None and not off) or (white and not shaded)
