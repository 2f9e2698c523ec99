"""Which of the page's languages a question is in, told by its letters and little words."""

from __future__ import annotations

from assistant.text import tokens

_LETTERS: tuple[tuple[str, str], ...] = (
    ("az", "ə"),
    ("kk", "ұіһәғ"),
    ("uz", "ўҳ"),
    ("kk", "қ"),
    ("ky", "ңөү"),
    ("ru", "абвгдежзийклмнопрстуфхцчшщъыьэюя"),
)
"""Letters that settle it, the surest first."""
_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "tr": "ve ile için nerede ne zaman kim hangi kaç mi mı mu mü nedir neden nasıl bir bu "
        "kadar hangisi kimler oldu olan nelerdir",
        "az": "və ilə üçün harada nə vaxt kim hansı neçə mi mı niyə necə bir bu qədər hansılar "
        "oldu olan nədir kimdir nələrdir haqqında",
        "uz": "va bilan uchun qayerda qachon kim qaysi qancha necha nima nega qanday bu qilgan "
        "edi haqida boʻldi bo'ldi nimalar kimlar yilda o'zi mi",
        "en": "the of in is was were did does do has have how what when where who which why and "
        "to for by on with there any it",
    }.items()
}
_TURKISH_LETTERS = frozenset("ğşıçöüİ")


def language_of(question: str) -> str:
    """`en`, `tr`, `az`, `ru`, `kk`, `ky` or `uz`; `en` where nothing tells."""
    small = question.lower()
    for language, letters in _LETTERS:
        if any(letter in small for letter in letters):
            return language
    words = [token.surface.lower() for token in tokens(question)]
    votes = {name: sum(word in known for word in words) for name, known in _WORDS.items()}
    best = max(votes, key=lambda name: votes[name])
    if votes["en"] < votes[best]:
        return best
    turkish = sum(any(c in _TURKISH_LETTERS for c in word) for word in words)
    return "tr" if turkish > votes["en"] and turkish > 1 else "en"
