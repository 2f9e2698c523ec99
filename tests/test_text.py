"""Text functions: whatever the letters, spans are those of the text as it stands."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.dates import date_in_words
from assistant.text import clauses, fold, line_spans, numbers, sentence_spans, tokens

WORDS = (
    "İstanbul ıssız Iğdır əmtəə ғылым ұлттық ўзбек Қазақстан Соглашение подписано Türkiye "
    "TU\u0308RKI\u0307YE e\u0301te\u0301 “curly” ‘quotes’ don’t e-commerce U.S. Dr. 2021 $2.5 "
    "15. 3,000 1.5% September Straße 😀 𝒜bc 👩‍👩‍👧 naïve O‘zbekiston a b"
).split()
GAPS = (" ", "  ", "\n", "\n\n", "\u00a0", "\t", "\r\n", "\u2028", " — ", ", ")
ENDS = ("", "", "", ".", "!", "?", "…", ".”", ":", ";")

mixed = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from(ENDS), st.sampled_from(GAPS)), max_size=40
).map(lambda parts: "".join("".join(part) for part in parts))
anything = st.one_of(mixed, st.text(max_size=200))


@given(anything)
def test_tokens_are_where_they_say(text: str) -> None:
    end = 0
    for token in tokens(text):
        assert text[token.start : token.end] == token.surface != ""
        assert token.start >= end
        end = token.end


@given(anything)
def test_sentences_lie_in_their_line_in_order_and_leave_no_word_out(text: str) -> None:
    lines, spans = line_spans(text), sentence_spans(text)
    ends = 0
    for start, end in spans:
        assert ends <= start < end
        assert text[start:end] == text[start:end].strip()
        assert any(first <= start and end <= last for first, last in lines)
        ends = end
    for token in tokens(text):
        assert any(start <= token.start and token.end <= end for start, end in spans)


@given(anything, st.sampled_from(["en", "tr", "az", "ru", "kk", "uz", "zz", ""]))
def test_a_language_never_costs_a_word(text: str, language: str) -> None:
    spans = sentence_spans(text, language)
    left = [c for i, c in enumerate(text) if not any(a <= i < b for a, b in spans)]
    assert not "".join(left).strip()


@given(mixed)
def test_composed_and_decomposed_letters_are_the_same_words(text: str) -> None:
    composed = [t.folded for t in tokens(unicodedata.normalize("NFC", text))]
    assert composed == [t.folded for t in tokens(unicodedata.normalize("NFD", text))]


@given(st.text(max_size=30))
def test_folding_twice_is_folding_once(word: str) -> None:
    assert fold(fold(word)) == fold(word)


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("İstanbul’da imzalandı. İkincisi Ankara’da.", "tr", 2),
        ("Anlaşma 15. maddede geçer. Sonra bitti.", "tr", 2),
        ("Соглашение подписано. Ещё одно предложение.", "ru", 2),
        ("Келісімге қол қойылды. Ұлттық банк ғой.", "kk", 2),
        ("Bitim imzalandı. Əmtəə dövriyyəsi artdı.", "az", 2),
        ("It grew 😀 fast. 𝒜nother 👩‍👩‍👧 one. “A third.” Fourth.", "en", 4),
        ("Dr. Koch paid $2.5 million to the U.S. office. Then he left.", "en", 2),
    ],
)
def test_sentences_of_many_scripts(text: str, language: str, wanted: int) -> None:
    spans = sentence_spans(text, language)
    assert len(spans) == wanted
    assert " ".join(text[start:end] for start, end in spans) == text


@given(anything)
def test_clauses_stand_in_their_text_which_comes_first(text: str) -> None:
    found = clauses(text)
    assert found[0] == text
    assert all(clause in text for clause in found)


def test_a_list_item_falls_into_its_parts() -> None:
    item = "Payments – Joining the 2,5 systems, cutting cost, and less paper; free."
    assert clauses(item)[1:] == ["Joining the 2,5 systems", "cutting cost", "less paper"]


def test_turkic_letters_fold_to_their_plain_cousins() -> None:
    assert {fold(w) for w in ("Türkiye", "TU\u0308RKI\u0307YE", "TÜRKİYE")} == {"turkiye"}
    assert fold("ıI") == "ii"
    assert fold("Əmtəə") == "emtee"


def test_numbers_keep_their_decimals_and_signs() -> None:
    assert numbers("$2.5 billion") == {"2.5", "$", "billion"}
    assert numbers("3,000 and 3000") == {"3000"}
    assert numbers("It may march on") == set()
    assert numbers("In May") == {"may"}
    assert numbers("on Sept. 14") == numbers("on 14 September") == {"14", "september"}
    assert numbers("to mar the deal, as they may") == set()


@pytest.mark.parametrize(
    ("published", "spoken"),
    [
        ("2021-09-15", "15 September 2021"),
        ("2021-09", "September 2021"),
        ("2021", "2021"),
        ("--03-18", "18 March (year not given)"),
        ("", "date not given"),
        ("2021-13-01", "2021-13-01"),
        ("2021-00-01", "2021-00-01"),
    ],
)
def test_dates_in_words(published: str, spoken: str) -> None:
    assert date_in_words(published) == spoken


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("3 200 000", "3200000"),
        ("3\u2009200\u2009000", "3200000"),
        ("3\u00a0200\u00a0000", "3200000"),
        ("3\u202f200\u202f000", "3200000"),
        ("3,200,000", "3200000"),
        ("3.200.000", "3200000"),
        ("3’200’000", "3200000"),
        ("3 200,5", "3200.5"),
        ("3,200.5", "3200.5"),
        ("3.200,5", "3200.5"),
        ("3,2", "3.2"),
        ("10.30", "10.30"),
        ("1,2,3", "1,2,3"),
        ("٣٢", "32"),
    ],
)
def test_numbers_are_compared_by_value(written: str, value: str) -> None:
    assert numbers(f"It cost {written} in all.") == {value}


def test_numbers_that_only_stand_side_by_side_stay_two() -> None:
    assert numbers("in 2021 300 people") == {"2021", "300"}
    assert numbers("on 4 May 2025") == {"4", "may", "2025"}


@given(st.integers(0, 10**12), st.sampled_from([",", " ", "\u00a0", "\u2009", "\u202f"]))
def test_thousands_however_parted_have_one_value(value: int, sign: str) -> None:
    assert numbers(f"{value:,}".replace(",", sign)) == {str(value)}


@pytest.mark.parametrize("c", "¹²³₂①½Ⅳ٣௧")
def test_digits_of_any_kind_raise_nothing(c: str) -> None:
    for text in (c, f"word{c}", f"{c}{c}{c}{c}", f"the {c}th one", f"[{c}]"):
        tokens(text), numbers(text), sentence_spans(text)


def test_what_nobody_sees_is_no_part_of_a_word() -> None:
    for text in ("memo\u00adrandum", "memo\u200brandum", "memo\u2060ran\u00addum", "memorandum¹"):
        assert [token.word for token in tokens(text)] == ["memorandum"]
    assert fold("\ufb01sh") == fold("fish")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (
            "Dr. Holm of the U.N. spoke at 9.15 p.m. in St. Mira.|No. 5 (cf. Art. 2) names it.",
            "en",
        ),
        ("Plan B. |Then we met.|It was late.", "en"),
        ("2. Fees are due.|The fee is 5 euro.", "en"),
        ("Bkz. No. 7 ve s. 12.|Prof. Dr. Ali Bey geldi.|Md. 4 geçerlidir.", "tr"),
        ("См. рис. 4.|Согласно ст. 12 и п. 3 это так.|Проф. А. С. Холмов сказал.", "ru"),
        ("См. рис. 4.|Согласно ст. 12 и п. 3 это так.|В г. Мира тепло.", "en"),
        ("Проф. Әлиев келді.|Қар. 4 бет.|Ол кетті.", "kk"),
    ],
)
def test_abbreviations_end_no_sentence(text: str, language: str) -> None:
    wanted = [piece.strip() for piece in text.split("|")]
    plain = " ".join(wanted)
    assert [plain[a:b] for a, b in sentence_spans(plain, language)] == wanted
