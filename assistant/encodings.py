"""Bytes -> text: which encoding a file is in, where it does not say so itself.

A byte-order mark or valid UTF-8 settles it. Otherwise every encoding that is likely is tried, and
the text with the fewest letters out of place is taken: a word of two scripts, a capital after a
small letter or a sign inside a word is what a wrong encoding looks like.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import cache

from charset_normalizer import from_bytes

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # UTF-32 first: its mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LIKELY = (
    "cp1252 cp1254 cp1251 cp1250 iso8859_15 kz1048 koi8_r cp866 cp857 cp1253 cp1256 cp1257 "
    "iso8859_2 iso8859_5 mac_roman mac_cyrillic"
).split()
"""In the order in which they are preferred among those with as few letters out of place."""
_OF_LANGUAGES = {
    "tr": ("cp1254",), "az": ("cp1254", "cp1251"), "ru": ("cp1251",), "uz": ("cp1254", "cp1251"),
    "kk": ("kz1048", "cp1251"), "ky": ("cp1251",), "uk": ("cp1251",), "bg": ("cp1251",),
    "pl": ("cp1250",), "cs": ("cp1250",), "hu": ("cp1250",), "ro": ("cp1250",), "el": ("cp1253",),
    "is": ("cp1252",), "fo": ("cp1252",),
}  # fmt: skip
_UNLIKELY = {("is", "fo"): re.compile("[ÐðÝýÞþ]"), ("sr", "mk"): re.compile("[ЃѓЌќЉљЊњЅѕЈјЋћЂђ]")}
"""Where Windows-1252 has the letters of Icelandic, Windows-1254 has the Turkish Ğ, ğ, İ, ı, Ş and
ş; where Windows-1251 has those of Serbian, the Kazakh code page has ғ, қ, ң and others. They are
assumed only where the source says that it is in these languages."""
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_SAMPLE = 100_000
"""Bytes that are tried in every encoding."""
_MOST_OUT_OF_PLACE = 0.2
"""Share of the bytes beyond ASCII that may be out of place in a text."""


class NotText(ValueError):
    """Bytes that are no text in any encoding; the message says why."""


def decode(raw: bytes, language: str = "en") -> tuple[str, str]:
    """The text of a file and the encoding it was taken to be in. Raises `NotText`."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _decoded(raw, encoding), encoding.removesuffix("-sig")
    if (wide := _wide(raw)) is not None:
        return wide
    if b"\x00" in raw:
        raise NotText(f"it is no text: byte {raw.index(0)} is zero")
    try:
        text, encoding = raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as fault:
        _refuse_damaged(raw, fault.start)
        text, encoding = _guessed(raw, language)
    controls = len(re.findall(r"[\x01-\x08\x0e-\x1a\x1c-\x1f]", text))
    if controls > 0.01 * len(text) and controls > 1:
        raise NotText(f"it is no text: {controls} of its {len(text)} characters are control codes")
    return text, encoding


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as fault:
        name = encoding.removesuffix("-sig").upper()
        raise NotText(f"its byte-order mark says {name}, but byte {fault.start} is not") from None


def _wide(raw: bytes) -> tuple[str, str] | None:
    """UTF-16 without a mark: every second byte of most texts is zero, or small."""
    half = len(raw) // 2
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if half > 1 and len(raw) % 2 == 0 and raw[first::2].count(0) > 0.4 * half:
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            if not _CONTROLS.search(text):
                return text, encoding
    return None


def _refuse_damaged(raw: bytes, at: int) -> None:
    """Raise where a text is UTF-8 nearly throughout: read as anything else, it would be wrong."""
    lenient = raw.decode("utf-8", "replace")
    broken = lenient.count("\ufffd")
    whole = sum(ord(c) > 127 for c in lenient) - broken
    if whole > 3 * broken:
        raise NotText(f"it is UTF-8 but for {broken} places, the first at byte {at}")


def _guessed(raw: bytes, language: str) -> tuple[str, str]:
    declared = _OF_LANGUAGES.get(language[:2].lower(), ())
    sample = raw[:_SAMPLE]
    also = [match.encoding for match in from_bytes(sample)]
    options = dict.fromkeys([*declared, *_LIKELY, *also])
    beyond = sum(byte > 127 for byte in sample)
    best, fewest = "", beyond + 1
    for encoding in options:
        text = _try(sample, encoding)
        if text is None:
            continue
        score = _out_of_place(text, language)
        if score < fewest:
            best, fewest = encoding, score
    text = _try(raw, best) if best else None
    if text is None or fewest > _MOST_OUT_OF_PLACE * beyond:
        raise NotText("it is no text in any encoding known")
    return text, _name(best)


@cache
def _name(encoding: str) -> str:
    """What an encoding is commonly called: `windows-1254`."""
    name = codecs.lookup(encoding).name
    return f"windows-{name[2:]}" if name.startswith("cp125") else name


def _try(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _out_of_place(text: str, language: str) -> int:
    """How many characters beyond ASCII can't be right where they stand."""
    wrong = 2 * len(_CONTROLS.findall(text))
    for languages, letters in _UNLIKELY.items():
        if language[:2].lower() not in languages:
            wrong += len(letters.findall(text))
    for word in re.findall(r"\S+", text):
        if not word.isascii():
            wrong += _wrong_in(word)
    return wrong


def _wrong_in(word: str) -> int:
    wrong = 0
    letters = [c for c in word if c.isalpha()]
    scripts = [unicodedata.name(c, "?").split()[0] for c in letters]
    common = max(scripts, key=scripts.count, default="")
    wrong += sum(script != common for script in scripts)
    if common == "LATIN" and len(letters) > 3:
        # Words of no language are all of accented letters.
        accented = sum(ord(c) > 127 for c in letters)
        wrong += accented if accented > 0.8 * len(letters) else 0
    for before, c, after in zip(" " + word[:-1], word, word[1:] + " ", strict=True):
        if before.isalpha() and before.islower() and c.isupper():
            wrong += 1
        # Dashes, quotation marks and apostrophes stand beside letters.
        inside = before.isalnum() and after.isalnum()
        if ord(c) > 127 and inside and not c.isalpha() and c not in "–—’‘“”·\u00a0\u00ad…":
            wrong += 1
        elif ord(c) > 127 and unicodedata.category(c) in ("So", "Sm", "Cn", "Co", "Sk", "No"):
            wrong += before.isalpha() or after.isalpha()
    return wrong
