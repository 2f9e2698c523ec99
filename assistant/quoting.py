"""What to quote where a draft is withheld."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from assistant.evidence import Ranked, rarities, weight
from assistant.grounding import Verdict
from assistant.questions import Query, assumes, compares
from assistant.reading import Reading, Window

RELEVANT = 0.75
"""Evidence that scores at least this share of the best counts as nearly as good."""
FITTING = 0.5
"""The same for evidence that a supported draft rests on, or that holds what was asked for."""
LISTED = 2
"""A draft that names this many items of a list stands for the list."""
COMPARED = 0.6
"""The same for the second half of a comparison."""
DRAWN_ON = 0.4
"""The same for further sentences that a withheld draft draws on."""
CHOSEN, LIKELIEST = 0.3, 0.05
"""The model's probability from which a sentence belongs to the answer and is quoted for it; and
where none reaches that, the one from which the likeliest is."""
TOLD = 0.5
"""The share of the draft's own words that a sentence which tells the same has, at least."""
MOST_DRAWN_ON, ADDS = 2, 0.15
"""How many of those are quoted, and the share of the draft's own words that each must add."""


def instead(query: Query, verdicts: Sequence[Verdict], ranked: Sequence[Ranked]) -> list[Window]:
    """What to quote for a draft that was withheld: what fits the question best.

    Where nearly as good evidence holds the kind of thing asked for, that; then what else the draft
    draws on. A comparison takes two in any case. So does a question that takes something
    for granted, which the second may contradict, unless the first tells what the draft does.
    """
    likely = [hit for hit in near_best(ranked, FITTING) if not hit.lacking] or list(ranked[:1])
    listed = _listed(verdicts, ranked)
    told = _told(query, verdicts)
    first = likely[0].window
    quoted = [listed or _completed(first, ranked)]
    quoted += _drawn_on(told, ranked, quoted[0])
    tells = len(told & first.words) > TOLD * len(told)
    takes_two = compares(query.now) or (assumes(query.now) and not tells)
    if len(quoted) == 1 and takes_two:
        quoted += [
            hit.window for hit in near_best(ranked, COMPARED) if _is_other(hit.window, first)
        ][:1]
    return quoted


def chosen(ranked: Sequence[Ranked]) -> list[Window]:
    """The sentences that the model chose, likeliest first; most items of a list bring the whole."""
    picked = _picked(ranked)
    items, listed = _items(picked), _items([hit.window for hit in _singles(ranked)])
    found: list[Window] = []
    met: set[tuple[str, int]] = set()
    for window in picked:
        opens = window.sentences[0].shown.endswith(":")
        most = items[block(window)] > max(1, listed[block(window)] / 2)
        if opens and not most and block(window) in met:
            continue  # what introduces the items that were chosen adds nothing to them
        met.add(block(window))
        whole = whole_list(window, ranked) if most or opens else window
        found += [whole] if whole not in found else []
    return found


def _items(windows: Sequence[Window]) -> Counter[tuple[str, int]]:
    """How many items of each list there are."""
    return Counter(block(window) for window in windows if window.sentences[0].item)


def _singles(ranked: Sequence[Ranked]) -> list[Ranked]:
    return [hit for hit in ranked if len(hit.window.sentences) == 1]


def _picked(ranked: Sequence[Ranked]) -> list[Window]:
    singles = sorted(_singles(ranked), key=lambda hit: -hit.relevance)
    enough = max(LIKELIEST, min(CHOSEN, singles[0].relevance))
    return [hit.window for hit in singles if hit.relevance >= enough]


def _drawn_on(told: frozenset[str], ranked: Sequence[Ranked], first: Window) -> list[Window]:
    """Further sentences that a withheld draft draws on, for what it adds to the question.

    What a draft takes from several sentences no single one supports; together they may tell it.
    """
    rarity = rarities([hit.window for hit in ranked])
    told &= rarity.keys()
    near = [hit.window for hit in near_best(ranked, DRAWN_ON) if _is_other(hit.window, first)]
    near = [window for window in near if len(window.words & told) > 1]
    found: list[Window] = []
    while near and len(found) < MOST_DRAWN_ON:
        untold = told.difference(first.words, *(window.words for window in found))
        best = max(near, key=lambda window: weight(untold & window.words, rarity))
        if weight(untold & best.words, rarity) < ADDS * weight(told, rarity):
            break
        found.append(best)
    return found


def _told(query: Query, verdicts: Sequence[Verdict]) -> frozenset[str]:
    """The words that claims withheld for want of evidence add to the question."""
    withheld = [v for v in verdicts if v.window is not None and not v.supported]
    drafted = frozenset().union(*(Reading(verdict.text).words for verdict in withheld))
    return drafted - Reading(query.text).words


def _listed(verdicts: Sequence[Verdict], ranked: Sequence[Ranked]) -> Window | None:
    """The list that drafts name several items of, where it bears on the question: all of it."""
    words = frozenset().union(*(Reading(verdict.text).words for verdict in verdicts))
    good = {block(hit.window) for hit in near_best(ranked)}
    singles = [hit.window for hit in _singles(ranked)]
    named = [w for w in singles if w.sentences[0].item and _label_words(w) <= words]
    named = [window for window in named if block(window) in good]
    return whole_list(named[0], ranked) if len(named) >= LISTED else None


def _label_words(window: Window) -> frozenset[str]:
    return Reading(window.sentences[0].label).words


def _is_other(window: Window, first: Window) -> bool:
    return len(window.sentences) == 1 and window.sentences[0] not in first.sentences


def _completed(window: Window, ranked: Sequence[Ranked]) -> Window:
    """A window that introduces a list, with the list."""
    last = window.sentences[-1]
    if not last.item and last.shown.endswith(":"):
        return whole_list(window, ranked)
    return window


def whole_list(window: Window, ranked: Sequence[Ranked]) -> Window:
    """The list a window belongs to: its introduction and every item."""
    last = window.sentences[-1]
    members = {
        sentence.start: sentence
        for hit in ranked
        for sentence in hit.window.sentences
        if (sentence.doc_id, sentence.block) == (last.doc_id, last.block)
    }
    found = tuple(members[start] for start in sorted(members))
    return Window(found, tuple(Reading(sentence.shown) for sentence in found))


def near_best(ranked: Sequence[Ranked], share: float = RELEVANT) -> list[Ranked]:
    """Evidence nearly as good as the best."""
    return [hit for hit in ranked if hit.score >= share * ranked[0].score]


def block(window: Window) -> tuple[str, int]:
    return window.sentences[-1].doc_id, window.sentences[-1].block
