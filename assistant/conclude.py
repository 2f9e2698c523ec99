"""Verdicts, evidence and the model's own doubt -> outcome, and what is shown for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from assistant.answerability import is_hopeless, nearness
from assistant.compose import Composer
from assistant.evidence import Part, Ranked, holds, seen
from assistant.grounding import Verdict, is_fragment
from assistant.phrase import Phrase
from assistant.questions import (
    Query,
    Wanted,
    asks_for_more,
    assumes,
    declines_itself,
    parts,
)
from assistant.quoting import FITTING, block, chosen, instead, near_best, whole_list
from assistant.reading import Reading, Window
from assistant.text import known_names, normal_form
from assistant.turn import Judged
from assistant.types import Outcome

DONE = frozenset(normal_form(word) for word in "ratified adopted force effect".split())
UNDER_WAY = frozenset(normal_form(word) for word in "draft reading proposed".split())
STATUS = DONE | UNDER_WAY | {normal_form(w) for w in ("ratification", "approved", "rejected")}
"""Words for how far an agreement has come: those that claim most, those that claim least, all."""
SAME_THING = 0.3
"""Sentences that share this much of their words speak of the same thing."""
SAME_STATEMENT = 0.6
"""And this much, numbers aside, say the same."""
SURE = 0.7
"""The model's probability from which neither the words of a question nor the kind of thing it asks
for are held against it."""
PARTLY = 0.5
"""And from which the sources are taken to answer a part of a question only."""
MISTAKEN = 0.5
"""And from which a question is taken to rest on something that the sources contradict."""
MISSING, PRESENT = 0.2, 0.6
"""The model's probabilities below and from which a part of a question is not, and is, answered."""
SLIGHT = 0.01
"""And below which a sentence has no part in the answer at all."""
_YEAR = re.compile(r"(?:19|20)\d\d")
_NEAREST = 2
_NEARLY, _AGAINST = 0.85, 0.6
"""Sentences quoted where the sources do not answer, and how much of the best's score they need: a
premise is often contradicted by a sentence with few of its words."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What became of a question, what is missing in words, and what that rests on."""

    outcome: Outcome
    missing: str
    signals: dict[str, float]


def conclude(
    query: Query,
    ranked: Sequence[Ranked],
    verdicts: Sequence[Verdict],
    judged: Judged,
    composer: Composer,
    by_part: Sequence[Part] = (),
    phrase: Phrase | None = None,
) -> Conclusion:
    """Fill the composer with what is to be shown, and say what became of the question.

    `by_part` has the evidence for each question within the question, where there are several;
    `phrase` the words of it that answer by themselves.
    """
    for verdict in verdicts:
        if not verdict.supported:
            composer.withhold(verdict)
    if not ranked:
        return Conclusion("not_in_sources", composer.frame("not_in_sources"), {})
    near = nearness(query, ranked)
    # Without a chat model's own doubt nothing tells a near miss from an answer (docs/grounding.md
    # has the figures), so the best sentences are quoted and the reader is told so.
    probe = judged.probe
    signals = asdict(near) | {"answerability": 1.0 if probe is None else probe}
    # A question in none of the sources' words may still be answered by them: a sure model can tell.
    if near.off_topic and (probe is None or probe < SURE):
        return Conclusion("off_topic", composer.frame("off_topic"), signals)
    sure = _is_sure(judged)
    # A draft that declines is overruled by a sure model: it judges better than it writes.
    declines = not sure and bool(verdicts) and all(declines_itself(v.text) for v in verdicts)
    absent, alone = _unmentioned(query, ranked, composer)
    likely = not is_hopeless(probe) and not _in_no_part(judged, by_part)
    beside = not sure and beside_the_point(query, ranked)
    if (likely or _tells_apart(by_part)) and not declines and not alone and not beside:
        outcome, missing = _answer(query, ranked, verdicts, judged, composer, by_part, phrase)
        if absent and outcome == "answered":
            outcome, missing = "partial", composer.frame(*absent)
        return Conclusion(outcome, missing, signals)
    mistaken = assumes(query.now) or judged.false_premise >= MISTAKEN
    return Conclusion(*_decline(mistaken, ranked, composer, absent), signals)


def _is_sure(judged: Judged) -> bool:
    """Whether the model chose the sentences and has no doubt that they answer.

    What a question asks for is otherwise guessed from its words; a sure model has read it.
    """
    return bool(judged.relevance) and judged.probe is not None and judged.probe >= SURE


def _unmentioned(
    query: Query, ranked: Sequence[Ranked], composer: Composer
) -> tuple[list[str], bool]:
    """Which of a year and a country a question names that no source in view does.

    And whether that leaves nothing to answer: of two years the other may be there, but what is
    asked of one country is not told of another.
    """
    asked = Reading(query.now)
    said = frozenset().union(*(seen(hit.window) for hit in ranked))
    years = {number for number in asked.numbers if _YEAR.fullmatch(number)}
    # An article seldom names the year it was written in, and that may not be known.
    written = composer.documents[ranked[0].window.sentences[0].doc_id].published[:4]
    said |= {written} if _YEAR.fullmatch(written) else years
    other_country = any(t.word in known_names() and t.word not in said for t in asked.names)
    absent = ["other_year"] if years - said else []
    absent += ["other_country"] if other_country else []
    return absent, other_country or bool(years and not years & said)


def beside_the_point(query: Query, ranked: Sequence[Ranked]) -> bool:
    """Whether one thing is asked for, such as a date, and no good evidence holds one."""
    kinds = query.wanted
    return (
        len(parts(query.now)) == 1 and bool(kinds) and all(hit.lacking for hit in near_best(ranked))
    )


def _answer(
    query: Query,
    ranked: Sequence[Ranked],
    verdicts: Sequence[Verdict],
    judged: Judged,
    composer: Composer,
    by_part: Sequence[Part],
    phrase: Phrase | None,
) -> tuple[Outcome, str]:
    supported = [v for v in verdicts if v.supported]
    asked = Reading(query.text)
    picks = chosen(ranked)
    relevant = _relevant(supported, ranked, composer, _known(query), picks)
    _show(relevant, [v for v in verdicts if not v.supported], ranked, composer, asked)
    told = [part for part in by_part if not _is_missing(part)] or by_part
    some_missing = len(told) < len(by_part)
    if not composer.shows:
        picks = picks or ([_best(told[0])] if some_missing else instead(query, verdicts, ranked))
        if phrase and any(set(phrase.sentences) & set(window.sentences) for window in picks):
            composer.tell(phrase.text, phrase.sentences)
        else:
            composer.frame("says")
    for window in picks:
        composer.quote(window)
    for part in told if len(told) > 1 else ():
        if not _is_beside(part, ranked):
            composer.quote(_best(part))
    _add_status(query, ranked, composer)
    _add_differing(ranked, composer)
    return _with_missing(query, judged, composer, some_missing)


def _with_missing(
    query: Query, judged: Judged, composer: Composer, some_missing: bool
) -> tuple[Outcome, str]:
    """Say what of the question is not answered by what is shown, if anything."""
    partly = judged.partly >= PARTLY
    unnamed = ["rest"] if partly or some_missing else []
    lacking: list[str] = []
    if unnamed or not _is_sure(judged):
        lacking += _lacking(query.wanted, composer, Reading(query.text))
    missing = composer.frame(*(lacking or unnamed))
    if missing and not partly and len(parts(query.now)) == 1:
        return "not_in_sources", missing
    return ("partial" if missing else "answered"), missing


def _best(part: Part) -> Window:
    """The sentence that fits a part of the question best, of those with what it asks for if any."""
    singles = [hit for hit in part.ranked if len(hit.window.sentences) == 1]
    fitting = near_best(singles, FITTING)
    return next((hit.window for hit in fitting if not hit.lacking), singles[0].window)


def _is_beside(part: Part, ranked: Sequence[Ranked]) -> bool:
    """Whether what fits a part read by itself has nothing of the choice for the whole question.

    Or the model was not asked about that part, and chose for the whole.
    """
    relevance = {hit.window: hit.relevance for hit in ranked}
    chose = any(relevance.values())
    return chose and (part.probe is None or relevance.get(_best(part), 0.0) < SLIGHT)


def _is_missing(part: Part) -> bool:
    return part.probe is not None and part.probe < MISSING


def _tells_apart(by_part: Sequence[Part]) -> bool:
    """Whether one part of a question is as good as answered and another as good as not."""
    sure = any(part.probe is not None and part.probe >= PRESENT for part in by_part)
    return sure and any(_is_missing(part) for part in by_part)


def _in_no_part(judged: Judged, by_part: Sequence[Part]) -> bool:
    """Whether the sources are taken to answer a part of a question, and yet none of its parts."""
    return judged.partly >= PARTLY and bool(by_part) and all(map(_is_missing, by_part))


def _add_status(query: Query, ranked: Sequence[Ranked], composer: Composer) -> None:
    """Where a source gives the thing shown another status elsewhere, show that as well.

    A model that chose the sentences has weighed that, and is overruled for caution only: who asks
    what was ratified learns of a first reading, but who asks for the reading has the answer.
    """
    singles = [hit.window for hit in ranked if len(hit.window.sentences) == 1]
    shown = [w for w in singles if composer.has_shown(w.sentences) and w.words & STATUS]
    chose = any(hit.relevance for hit in ranked)
    for window in shown[:1]:
        others = [
            other
            for other in singles
            if (other.words & STATUS) - window.words
            and other.sentences[0].doc_id == window.sentences[0].doc_id
        ]
        closest = max(others, key=lambda other: _overlap(window, other), default=window)
        careful = Reading(query.text).words & window.words & DONE and closest.words & UNDER_WAY
        if (careful or not chose) and _overlap(window, closest) >= SAME_THING:
            composer.quote(closest)


def _add_differing(ranked: Sequence[Ranked], composer: Composer) -> None:
    """Where another source says the same with other numbers, show that as well: none wins."""
    singles = [hit.window for hit in ranked if len(hit.window.sentences) == 1]
    for window in [w for w in singles if composer.has_shown(w.sentences)]:
        for other in singles:
            if _differs(window, other) and not composer.has_shown(other.sentences):
                composer.frame("differ")
                composer.quote(other)


def _differs(a: Window, b: Window) -> bool:
    """Whether two sources say nearly the same, each with numbers that the other lacks."""
    if a.sentences[0].doc_id == b.sentences[0].doc_id:
        return False
    mine, yours = a.readings[0].numbers, b.readings[0].numbers
    said, heard = a.words - mine, b.words - yours
    alike = len(said & heard) / max(len(said | heard), 1)
    return alike >= SAME_STATEMENT and bool(mine - yours) and bool(yours - mine)


def _overlap(a: Window, b: Window) -> float:
    return len(a.words & b.words) / max(len(a.words | b.words), 1)


def _lacking(kinds: Sequence[Wanted], composer: Composer, asked: Reading) -> list[Wanted]:
    shown = [Reading(claim.text) for claim in composer.claims if claim.status == "supported"]
    return [kind for kind in kinds if not holds(kind, shown, asked)]


def _relevant(
    supported: Sequence[Verdict],
    ranked: Sequence[Ranked],
    composer: Composer,
    known: frozenset[str],
    picks: Sequence[Window],
) -> list[Verdict]:
    """Those whose evidence is not far from the best: a true sentence may miss the point.

    Where the model has picked sentences, it must be of those: what a claim borrows from another
    would be said to bear on the question as well, and the sentence picked says it without.

    And in a conversation those that tell more than was `known`.
    """
    good = [hit.window for hit in near_best(ranked, FITTING)]
    lists = {block(window) for window in good if window.sentences[-1].shown.endswith(":")}
    kept = []
    for verdict in supported:
        new = not Reading(verdict.text).words <= known
        near = verdict.window in good or (verdict.window and block(verdict.window) in lists)
        picked = not picks or _within(verdict.window, picks)
        if near and new and picked:
            kept.append(verdict)
        else:
            composer.withhold(replace(verdict, objection="it does not bear on the question"))
    return kept


def _within(window: Window | None, picks: Sequence[Window]) -> bool:
    picked = {sentence for pick in picks for sentence in pick.sentences}
    return window is not None and picked.issuperset(window.sentences)


def _known(query: Query) -> frozenset[str]:
    """The words of the turn before, where something else is asked now than whether it is so."""
    again = query.told and asks_for_more(query.now)
    return Reading(f"{query.text} {query.told}").words if again else frozenset()


def _show(
    supported: Sequence[Verdict],
    withheld: Sequence[Verdict],
    ranked: Sequence[Ranked],
    composer: Composer,
    asked: Reading,
) -> None:
    """Supported claims as drafted; fragments as the sentence they stand in; lists complete.

    Where something else that the draft drew from the same sentence was withheld, the sentence says
    both: what is left of the draft may be the lesser part of it.
    """
    lost = {s for v in withheld if v.window for s in v.window.sentences}
    labels = [v.window for v in supported if v.window is not None and _is_label(v)]
    for verdict in supported:
        window = verdict.window
        assert window is not None
        if _is_label(verdict):
            same = [w for w in labels if w.sentences[-1].block == window.sentences[-1].block]
            if len(same) > 1:
                composer.listing(whole_list(window, ranked))
            else:
                composer.quote(window)
        elif (
            is_fragment(verdict.text)
            or Reading(verdict.text).words <= asked.words
            or not lost.isdisjoint(window.sentences)
        ):
            if not composer.has_shown(window.sentences):
                composer.quote(window)
        else:
            composer.support(verdict)


def _is_label(verdict: Verdict) -> bool:
    """Whether a claim only names a list item."""
    item = verdict.window.sentences[-1] if verdict.window else None
    return bool(item and item.item and Reading(verdict.text).words <= Reading(item.label).words)


def _decline(
    mistaken: bool, ranked: Sequence[Ranked], composer: Composer, absent: Sequence[str]
) -> tuple[Outcome, str]:
    if mistaken:
        missing = composer.frame("corrected")
        outcome: Outcome = "corrected_premise"
    else:
        missing = composer.frame("not_in_sources", *absent)
        composer.frame("nearest")
        outcome = "not_in_sources"
    near = [hit.window for hit in _nearest(ranked, _AGAINST if mistaken else _NEARLY)]
    for window in (chosen(ranked) if mistaken else []) or near:
        composer.quote(window)
    return outcome, missing


def _nearest(ranked: Sequence[Ranked], share: float) -> list[Ranked]:
    """The best sentence, and the next where it is nearly as good."""
    singles = [hit for hit in ranked if len(hit.window.sentences) == 1]
    return [hit for hit in singles[:_NEAREST] if hit.score >= share * singles[0].score]
