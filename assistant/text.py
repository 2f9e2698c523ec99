"""Pure text functions: sentence spans, tokens with their offsets, names, numbers, negation.

Words are compared folded (no case, no diacritics, Turkic letters to their plain Latin cousins),
stemmed and with aliases replaced, but folding never touches the text itself: every token keeps the
span it has in the original, because lower-casing can change a string's length (`"İ".lower()`).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import Stemmer
from bm25s.stopwords import STOPWORDS_EN_PLUS
from sentencex import get_sentence_boundaries

from assistant.types import Span

INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
)
RAISED = "\u00b9\u00b2\u00b3\u2070\u2074-\u2079"
"""Characters, for use within a pattern's brackets, that nobody sees: soft hyphens, zero widths,
marks of byte order and of direction (not the joiners, which shape letters and emoji); and raised
digits, a footnote's or an exponent."""
# A raised or lowered number after a word is a footnote's or an exponent, and no part of it.
_LETTER = rf"[^\W_{RAISED}\u2080-\u2089]"
_TOKEN = re.compile(
    rf"{_LETTER}(?:[\u0300-\u036f]|{_LETTER}|[{INVISIBLE}\u200c\u200d]+(?={_LETTER}))*"
)
_LINE = re.compile(r"[^\n\r\f\v\x1c-\x1e\u0085\u2028\u2029]+")
_BLANK = r"[ \u00a0\u2007\u2009\u202f]"
_NUMBER = re.compile(
    rf"[1-9]\d{{0,2}}(?:{_BLANK}\d{{3}})+(?:[.,]\d+)?(?!\d)|\d(?:[\d.,]|['’](?=\d{{3}}(?!\d)))*\d|\d"
)
_GROUPED = re.compile(
    rf"(\d{{1,3}}(?:(?:{_BLANK}\d{{3}})+|(?:['’]\d{{3}})+|(?:,\d{{3}})+(?!,\d)"
    r"|(?:\.\d{3}){2,}|(?:\.\d{3})+(?=,\d)))([.,]\d+)?"
)
_DECIMAL_COMMA = re.compile(r"(\d+),(\d+)")
_LETTERS = str.maketrans({"ı": "i", "ə": "e", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae"})
_ORDINAL = re.compile(r"(\d+)(st|nd|rd|th)$")
_LAST_WORD = re.compile(r"(?:^|[^\w.\s]|(?:^|[^\d])\s)((?:[^\W\d_]+\.)*[^\W\d_]+)\.$")
_INITIAL = re.compile(r"(?:^|\.\s?)[^\W\d_]\.$")
"""A name's initial: one letter, and before it another, an abbreviated title or nothing."""
_ENUMERATOR = re.compile(r"\(?(?:\d{1,2}(?:\.\d{1,2})*|[^\W\d_])[.)]")
_ONLY_MARKS = re.compile(r"(?:\[\d{1,3}\]|\W)+")
"""What a splitter may leave alone after a sentence: a footnote's mark, a closing bracket."""
_CLAUSE_END = re.compile(r"[,;:.]\s+(?:and\s+)?|\s+[–—]\s+")

STOPWORDS = frozenset(STOPWORDS_EN_PLUS) | frozenset(
    "also among amongst may might shall would could must upon within without per via etc "
    "yes however moreover furthermore additionally overall therefore thus".split()
)
NEGATIONS = frozenset(
    "no not never nor neither none without cannot nobody nothing nowhere n t "
    "don doesn didn isn aren wasn weren hasn haven hadn won wouldn couldn shouldn "
    "fail failed fails except unable lack lacks lacked lacking refuse refused reject "
    "rejected".split()
)
_DAYS = "monday tuesday wednesday thursday friday saturday sunday"
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth"
)
MONTHS = (
    "january february march april may june july august september october november december".split()
)
_ABBREVIATED = {month[:3]: month for month in MONTHS if month != "may"} | {"sept": "september"}
SCALES = frozenset("hundred thousand million billion trillion dozen half percent double".split())
_PLURAL_SCALES = {scale + "s": scale for scale in SCALES}
_NUMBER_WORDS: dict[str, str] = (
    {word: str(value) for value, word in enumerate(_UNITS.split())}
    | {word: str(value * 10) for value, word in enumerate(_TENS.split(), 2)}
    | {word: f"{value}th" for value, word in enumerate(_ORDINALS.split(), 1)}
    | {word: word for word in (*SCALES, *MONTHS, *_DAYS.split())}
    | _PLURAL_SCALES
    | _ABBREVIATED
)
_CURRENCIES = {
    "dollar": "$", "dollars": "$", "usd": "$", "euro": "€", "euros": "€", "eur": "€",
    "manat": "₼", "manats": "₼", "azn": "₼", "lira": "₺", "liras": "₺", "tenge": "₸",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text; `text[start:end]` is how it stands there, `word` how it is compared."""

    start: int
    end: int
    surface: str
    folded: str
    word: str


def fold(word: str) -> str:
    """Without case and diacritics: `"Türkiye"` and `"TU\u0308RKI\u0307YE"` both give `turkiye`."""
    # Twice, since what decomposes may have a case of its own: "𝚨" is a capital alpha.
    once = unicodedata.normalize("NFKD", word.casefold())
    plain = unicodedata.normalize("NFKD", once.casefold())
    return "".join(
        c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) != "Cf"
    ).translate(_LETTERS)


def number_value(surface: str) -> str:
    """Digits in the one form in which they are compared: `"3 200 000"`, `"3,200,000"` -> 3200000.

    A comma before three digits parts thousands, any other comma decimals; one full stop does not
    tell which of the two it is, and stays.
    """
    plain = "".join(str(unicodedata.decimal(c, c)) for c in surface)
    if grouped := _GROUPED.fullmatch(plain):
        decimals = (grouped[2] or "").replace(",", ".")
        return re.sub(r"\D", "", grouped[1]) + decimals
    if decimal := _DECIMAL_COMMA.fullmatch(plain):
        return f"{decimal[1]}.{decimal[2]}"
    return plain


@lru_cache(1)
def _aliases() -> tuple[dict[str, str], frozenset[str]]:
    """Folded word -> what stands for it; and those that are names."""
    groups = tomllib.loads(Path(__file__).with_name("aliases.toml").read_text(encoding="utf-8"))
    table = {word: group[0] for kind in groups.values() for group in kind for word in group}
    return table, frozenset(group[0] for group in groups["names"])


_stem = Stemmer.Stemmer("english").stemWord


@lru_cache(50_000)
def normal_form(folded: str) -> str:
    """The form in which two words are compared: an alias's head, or the stem."""
    if ordinal := _ORDINAL.match(folded):
        return f"{ordinal[1]}th"
    if folded in _NUMBER_WORDS:
        return _NUMBER_WORDS[folded]
    table, _ = _aliases()
    head = table.get(folded)
    return str(_stem(head if head is not None else folded))


def tokens(text: str) -> list[Token]:
    """Words of a text in order, numbers with their decimals in one piece."""
    found = []
    position = 0
    while match := _TOKEN.search(text, position):
        number = _NUMBER.match(text, match.start())
        if number and number.end() >= match.end():
            match = number
        surface = match.group()
        folded = number_value(surface) if match is number else fold(surface)
        found.append(Token(match.start(), match.end(), surface, folded, normal_form(folded)))
        position = match.end()
    return found


def is_number(token: Token) -> bool:
    """Digits of any script, number words, scales, months and week days.

    The month of May and abbreviated months count only with their capital; `one` only as part of a
    larger number, since it is a pronoun far more often.
    """
    if any(c.isnumeric() for c in token.surface):
        return True
    if token.folded == "may" or token.folded in _ABBREVIATED:
        return token.surface[0].isupper()
    if token.folded == "march" and token.surface.islower():
        return False
    return token.folded in _NUMBER_WORDS and token.folded != "one"


def numbers(text: str, words: Iterable[Token] | None = None) -> set[str]:
    """Every number, amount and part of a date, comparable; with currencies and percents."""
    found = {t.word for t in (tokens(text) if words is None else words) if is_number(t)}
    found |= {_CURRENCIES[t.folded] for t in tokens(text) if t.folded in _CURRENCIES}
    found |= {c for c in text if unicodedata.category(c) == "Sc"}
    found |= {"percent"} if "%" in text else set()
    return found


def currency(token: Token) -> str:
    """The sign of the currency that a word names; none where it names none."""
    return _CURRENCIES.get(token.folded, "")


def is_name(token: Token, first: bool) -> bool:
    """A proper name or part of one: capitalised, or a known name in whatever case.

    `first` tells that the token opens a sentence, where a capital says nothing; what opens it is a
    name only if it is known as one or capitalised inside.
    """
    if is_number(token):
        return False
    if token.word in known_names():
        return True
    if first:
        return any(c.isupper() for c in token.surface[1:])
    return token.surface[0].isupper() and token.folded not in STOPWORDS


@lru_cache(1)
def known_names() -> frozenset[str]:
    """The names of the alias table, as `normal_form` gives them."""
    return frozenset(_stem(name) for name in _aliases()[1])


def is_content(token: Token) -> bool:
    """Neither a function word nor a lone letter."""
    return token.folded not in STOPWORDS and (len(token.folded) > 1 or token.folded.isnumeric())


def negated(words: Iterable[Token]) -> bool:
    return any(token.folded in NEGATIONS for token in words)


def line_spans(text: str) -> list[Span]:
    """Lines that hold more than white space, without the white space around them."""
    spans = (_trim(text, *match.span()) for match in _LINE.finditer(text))
    return [(start, end) for start, end in spans if start < end]


def sentence_spans(text: str, language: str = "en") -> list[Span]:
    """Sentences in order, never across a line break, without white space around them."""
    spans: list[Span] = []
    for start, end in line_spans(text):
        line: list[Span] = []
        for boundary in get_sentence_boundaries(language, text[start:end]):
            span = _trim(text, start + boundary["start_index"], start + boundary["end_index"])
            if span[0] == span[1]:
                continue
            if line and _goes_on(text[slice(*line[-1])], text[slice(*span)]):
                line[-1] = (line[-1][0], span[1])
            else:
                line.append(span)
        spans += line
    return spans


def _goes_on(before: str, after: str) -> bool:
    """Whether the full stop between two pieces ended no sentence ("15. maddede", "No. 7")."""
    if after[0].islower():
        return True
    if _ONLY_MARKS.fullmatch(after) or _ENUMERATOR.fullmatch(before):
        return True
    last = _LAST_WORD.search(before)
    if not last:
        return False
    word, table = last[1].casefold(), _abbreviations()
    if word in table["before_names"] or (word in table["before_numbers"] and after[0].isdecimal()):
        return True
    return bool(_INITIAL.search(before)) and before[-2].isupper() and after[0].isupper()


@lru_cache(1)
def _abbreviations() -> dict[str, frozenset[str]]:
    text = Path(__file__).with_name("abbreviations.toml").read_text(encoding="utf-8")
    return {
        key: frozenset(word for words in group.values() for word in words.casefold().split())
        for key, group in tomllib.loads(text).items()
    }


def clauses(text: str) -> list[str]:
    """A text, then what stands in it between commas, colons and dashes, single words left out."""
    pieces = _CLAUSE_END.split(text)
    return list(dict.fromkeys([text, *(p for p in pieces if len(p.split()) > 1)]))


def _trim(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
