"""Words that the rules for claims go by, as they are compared (`_forms`) or as they are spelled."""

from __future__ import annotations

from assistant.text import normal_form


def _forms(words: str) -> frozenset[str]:
    return frozenset(normal_form(word) for word in words.split())


GENERIC = _forms(
    "according accordingly address addressed agreement area article aspect aspects call called "
    "concern concerns consist consists country cover covers describe described detail details "
    "focus focuses following happen happened held identify include includes including inform "
    "involve involves known list listed main meant mention mentioned name named note noted number "
    "occur occurred particular part particularly place point provide provides refer refers related "
    "report reported role said say says several specific specifically state stated take taken text "
    "thing things took topic use used various well document"
)
"""Words that say nothing of their own, so that a claim may use them freely."""
QUALIFIERS = _forms(
    "goal plan plans planned propose proposed proposal draft expect expected envisage readiness "
    "interest intend intends discuss discussed commit reading purpose strategic could would may "
    "should if unless negotiate consider possible"
)
"""Words that keep a sentence from stating a plain fact; a claim may not drop the only one."""
LIMITERS = frozenset(
    "except excluding only almost nearly partly partially months half quarter".split()
)
FORMER = _forms("previously formerly former once")
TOTALS = frozenset("all none nothing everything every everyone".split())
SOME = frozenset({"one", "among", "some"})
FORCE = frozenset(
    "all any always both each every only must should can could may might will shall would because "
    "since until till before after more most many few less least than same other another already "
    "still yet now again once soon ever".split()
)
"""Small words that make another claim of it; what says how sure, how many or when."""
TENSES = {
    "is": "present", "are": "present", "takes": "present", "was": "past", "were": "past",
    "took": "past", "will": "future", "shall": "future", "would": "future",
}  # fmt: skip
SPOKEN_OF = frozenset("on for about towards regarding concerning".split())
NOUNS = ("ment", "tion", "sion", "ance", "ence")
"""What stands before a thing that is only spoken of, as in "talks on the expansion", and how nouns
end that were made of verbs."""
BE = frozenset("is are was were be been being".split())
HAVE = frozenset("has have had".split())
IRREGULAR = frozenset(
    "led held won gave took met made said put set chose left built began brought bought drew fell "
    "fought found got grew kept knew lost paid ran rose saw sold sent spent spoke told thought "
    "wrote became came went".split()
)
"""Verbs in the past that no ending gives away."""
PREPOSITIONS = frozenset(
    "in at on during between of for with from within to among under since after before by".split()
)
PLACED = frozenset("in at within of from to across near".split())
"""What stands before a place in a source that puts something there."""
TIMING = frozenset("in at within on during".split())
"""What says where or when, and says the same wherever in a sentence it stands."""
CONTRASTS = frozenset("unlike than except versus despite besides instead without".split())
COORDINATORS = frozenset("and or between with as well both the of s".split())
PRONOUNS = frozenset("it its they their them he his him she her".split())
RELATIVES = frozenset("that which who".split())
POINTERS = PRONOUNS | frozenset("this that these those such there both the".split())
"""What refers back to the sentence before, where a sentence begins with it."""
