"""HTML -> its main text, by trafilatura."""

from __future__ import annotations

import codecs
import re
from copy import deepcopy

import trafilatura
from lxml import etree, html
from trafilatura.settings import DEFAULT_CONFIG

from assistant.documents.extracted import Extracted, Unreadable
from assistant.encodings import NotText, decode

_CHARSET = re.compile(rb"""<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.I)
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])",
    re.I,
)
_CONFIG = deepcopy(DEFAULT_CONFIG)
# Short pages are documents too; without this they come as one line without structure.
_CONFIG["DEFAULT"]["MIN_EXTRACTED_SIZE"] = _CONFIG["DEFAULT"]["MIN_OUTPUT_SIZE"] = "1"


def read_html(raw: bytes, name: str) -> Extracted:
    """The main text, a blank line between paragraphs, without what a page does not show."""
    source, encoding = _decoded(raw)
    tree = _tree(source)
    if tree is None:
        raise Unreadable("it has no text")
    language = tree.get("lang") or ""
    _drop_hidden(tree)
    found = trafilatura.bare_extraction(
        tree, include_comments=False, include_tables=True, with_metadata=True, config=_CONFIG
    )
    if found is None or isinstance(found, dict) or not found.text:
        raise Unreadable("it has no text: it is all scripts, menus or pictures")
    return Extracted(
        spaced(found.text),
        "HTML",
        title=found.title or "",
        publisher=found.sitename or "",
        author=found.author or "",
        published=found.date or "",
        language=language if re.fullmatch(r"[A-Za-z]{2,3}(-\w+)*", language) else "",
        url=found.url or "",
        encoding=encoding,
    )


def spaced(text: str) -> str:
    """A blank line between paragraphs; items and rows follow one another."""
    out: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        sign = line[0] if line[0] in "-|" else ""
        follows = bool(out) and sign and out[-1].startswith(sign)
        out += [line] if follows or not out else ["", line]
    return "\n".join(out)


def _decoded(raw: bytes) -> tuple[str, str]:
    declared = _CHARSET.search(raw[:4096])
    try:
        if declared and not raw.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE)):
            name = codecs.lookup(declared[1].decode("ascii")).name
            return raw.decode(name), name
    except (LookupError, UnicodeError):
        pass  # what a page says of its encoding is often wrong: its bytes tell
    try:
        return decode(raw)
    except NotText as fault:
        raise Unreadable(str(fault)) from None


def _tree(source: str) -> html.HtmlElement | None:
    # lxml refuses a text that declares an encoding.
    source = re.sub(r"^\s*<\?xml[^>]*\?>", "", source)
    try:
        return html.document_fromstring(source)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _drop_hidden(tree: html.HtmlElement) -> None:
    """Leave out what a browser would not show: nobody who read the page has seen it."""
    for one in [*tree.iter(etree.Element)]:
        style = one.get("style") or ""
        if one.tag == "template" or one.get("hidden") is not None or _HIDDEN.search(style):
            one.drop_tree()
