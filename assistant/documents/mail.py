"""E-mail -> its subject and text."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr, parsedate_to_datetime

from assistant.documents.extracted import Extracted, Unreadable
from assistant.documents.html import read_html
from assistant.encodings import NotText, decode


def read_mail(raw: bytes, name: str) -> Extracted:
    """The plain text where there is one, else the HTML; attachments are files of their own."""
    try:
        message = BytesParser(policy=policy.default).parsebytes(raw)
        assert isinstance(message, EmailMessage)
        body = message.get_body(("plain", "html"))
        if body is None:
            raise Unreadable("it is an e-mail without text")
        content = body.get_payload(decode=True)
        kind, charset = body.get_content_type(), body.get_content_charset()
        sender, address = parseaddr(str(message.get("From", "")))
        subject, when = str(message.get("Subject", "")), str(message.get("Date", ""))
    except (Unreadable, MemoryError):
        raise
    # The parser fails in many ways on headers that were broken on purpose.
    except Exception as fault:
        raise Unreadable(f"it is damaged ({type(fault).__name__})") from None
    payload = content if isinstance(content, bytes) else b""
    if kind == "text/html":
        text, encoding = read_html(payload, name).text, "utf-8"
    else:
        text, encoding = _decoded(payload, charset)
    return Extracted(
        text.replace("\r\n", "\n"),
        "e-mail",
        title=subject,
        author=sender or address,
        publisher=address.rpartition("@")[2],
        published=_date(when),
        encoding=encoding,
    )


def _decoded(payload: bytes, charset: str | None) -> tuple[str, str]:
    try:
        return payload.decode(charset or "utf-8"), charset or "utf-8"
    except (LookupError, UnicodeError):
        pass  # what a mail says of its encoding is often wrong: its bytes tell
    try:
        return decode(payload)
    except NotText as fault:
        raise Unreadable(str(fault)) from None


def _date(said: str) -> str:
    try:
        return parsedate_to_datetime(said).date().isoformat()
    except (ValueError, IndexError, TypeError, OverflowError):
        return ""
