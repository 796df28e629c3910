"""What makes a phrase a directive or not: what stands before it, and the rest of its sentence.

All of it is regular expressions of plain lower-case English, which are searched in one sentence of
bounded length, so that none can take long.
"""

from __future__ import annotations

from dataclasses import dataclass


def one_of(words: str) -> str:
    """An alternation of the words, which are regular expressions; `_` stands for a space."""
    return f"(?:{'|'.join(words.split()).replace('_', ' ')})"


_ADVERB = one_of(
    "really just simply now definitely absolutely immediately instead also always safely still "
    "all go_ahead_and even ever"
)
_SUBJECT = one_of(r"you he she they we your_\w+ the_(?:patient|child|baby|kid|boy|girl) him her")
_MUST = one_of(
    "should must shall needs?_to have_to has_to ought_to had_better better will are_going_to "
    "are_to might_as_well may_as_well had_best"
)
_MAY = one_of("can could may")
_OPENING = one_of(
    "then so but now please just simply instead first tonight today next again honestly seriously "
    "okay ok yes well look listen also really straight quickly quietly always rather"
)
_URGE = one_of(
    r"go_ahead_and why_not why_don't_you why_don't_we how_about_you how_about_we let's let_us "
    r"feel_free_to try_to remember_to be_sure_to make_sure_to make_sure_(?:that_)?you time_to "
    r"safe_to fine_to okay_to ok_to all_right_to best_to better_to smart_to wise_to (?:best"
    r"|smart)_(?:thing|move)(?:_now|_here)?_is_to (?:have|need)_to_do_is (?:advice|answer|solution"
    r"|plan)_is_to you_to i_suggest_you i_(?:say|suggest)"
)


def _lead(verbs: str) -> str:
    """What stands right before a command: nothing, an opening, or "you should" and its like."""
    return (
        rf"(?:^[\W\d]*|[,:()\u2013\u2014] ?| - ?|\b{_OPENING}[,:]? |\b{_URGE} (?:{_ADVERB} )?"
        rf"|\b{_SUBJECT}(?:'d|'ll)? ?(?:{_ADVERB} )?{verbs} (?:{_ADVERB} )*|\b(?:and|or) "
        rf"(?:{_OPENING} )?)$"
    )


COMMANDED = _lead(_MUST)
ALLOWED = _lead(f"(?:{_MUST}|{_MAY})")
"""Before a command; in medicine, what a client may do is a directive too."""
TOLD_NOT_TO = rf"{COMMANDED}|\b(?:you|he|she|they)(?:'d|'ll)? (?:{_ADVERB} |{_MUST} |can )*$"
"""Before "do not" and "don't need"."""
CONDITION = one_of("if when whenever whether unless because since who why people before")
NOT_MEANT = (
    rf"(?:\b{CONDITION}\b|\b"
    + one_of(
        "until once after how anyone anybody someone somebody not never nobody no_one nothing none "
        r"neither nor cannot without avoid\w* rather_than instead_of than tempt\w* urges? illegal "
        "dangerous unwise risky wrong refused?"
    )
    + r"\b|n't\b)(?:(?!\b(?:but|so|then)\b)[^,;:])*$"
)
"""Before what is refused, warned of, or only named as a condition."""
NOT_OF_YOU = rf"\b(?:that|{CONDITION}) (?:\w+ )?$|\b(?:i|we|i'd|i'll) (?:\w+ )?$"
DENIED = (
    r"(?:\b"
    + one_of(
        "if whether unless anyone anybody someone somebody people who not never nobody no_one "
        "nothing none neither nor cannot without rarely hardly few no nearly almost"
    )
    + r"\b|n't\b)(?:(?!\b(?:and|but|so)\b)[^,;:])*$|\b"
    + one_of(
        "claim\\w* tells? told advertis\\w+ sounds? scam\\w* fraud\\w* beware wary suspicious "
        "careful too_good believ\\w+(?!_me) pretend\\w* supposed\\w* so-called doubt\\w* hop(?:e"
        "|ed|ing) wish\\w* questions? ask\\w* wonder\\w* seems? (?<!i_)(?<!we_)promis(?:e|es|ed"
        "|ing) said says (?<!i_)(?<!can_)(?<!can't_)say"
    )
    + r"\b[^;:]*$"
)
"""Before a guarantee that is refused, doubted, or somebody else's."""

_CARER = one_of(
    "doctors? physicians? pharmacists? prescriber gp nurse specialist cardiologist psychiatrist "
    "provider midwife vet dermatologist oncologist neurologist p(?:a)?ediatrician team"
)
_SAID = one_of(
    "said says told recommend\\w* wants? advis\\w+ agree\\w* approves? confirms? allows? decides? "
    "states?"
)
DEFERS = (
    r"\b(?:as|than|what|like|that|dose|exactly) (?:\w+ ){0,2}"
    + one_of("prescribed directed ordered recommended instructed")
    + rf"\b|\b(?:\w+ )(?:\w+ )?(?:{_CARER}|label|leaflet|packag\w+|protocol|guidelines?"
    rf"|prescription|chart|order|manufacturer) (?:\w+ )?{_SAID}\b"
    r"|(?<!not )(?<!don't )(?<!never )(?<!to )\b"
    + one_of(
        "ask(?:ing)? talk(?:ing)?_to speak(?:ing)?_(?:to|with) check(?:ing)?_with consult(?:ing)? "
        "discuss\\w* see(?:ing)? with after under by call(?:ing)? phone confirm\\w* until"
    )
    + rf" (?:it |this |that |about )?(?:with )?(?:your|the|a|an|his|her|their|my) (?:\w+ "
    rf"){{0,2}}(?:{_CARER}|supervision)\b"
    r"|(?<!not )(?<!don't )(?<!never )\b(?:call|dial|phone) (?:911|999|112|an ambulance)"
)
"""A sentence that leaves the treatment to a professional, or repeats what one has decided."""
PRESCRIBED = (
    rf"{DEFERS}|\b{_CARER} (?:has |had )?(?:prescribed|ordered|gave|set)\b"
    r"|\bprescribed (?:dose|amount)"
)
EXCEPTED = (
    r"\b(?:unless|until|except|again|only if|for (?:a|an) (?:\w+ )?(?:mild|minor|simple|small))\b"
)
ANY = r"(?:the|an?|any|your|his|her|their|that|some|another|those|all)"
THE = rf"(?:(?:to|on|with|from) )?(?:{ANY} )?"
_DO_NOT = (
    one_of(
        r"do_not don't never must_not mustn't should_not shouldn't (?:do_not|don't)_(?:need"
        r"|have)_to need_not needn't no_need_to no_reason_to no_point_in ought_not_to "
        r"won't_(?:need|have)_to better_not not_(?:need|have)_to"
    )
    + rf"(?: {_ADVERB})?(?: bother(?: to)?| go| waste (?:your )?(?:time|money)(?: on)?)?"
)
_THERE_IS = rf"{TOLD_NOT_TO}|\bthere(?:'s| is) $"


@dataclass(frozen=True, slots=True)
class Rule:
    """A phrase; `led` must and `not_after` must not match what stands before it in its sentence.

    `exempt` must not match the sentence; `needs`, if it is given, must match the whole turn. A text
    with the phrase has one of the `stems` in it, which are searched first since that is fast.
    """

    code: str
    stems: str
    phrase: str
    led: str | None = COMMANDED
    not_after: str = NOT_MEANT
    exempt: str | None = None
    needs: str | None = None


def told_not_to(code: str, stems: str, phrase: str, exempt: str = "", led: str = _THERE_IS) -> Rule:
    """A rule against "do not" and the phrase."""
    exempt = f"{EXCEPTED}|{exempt}" if exempt else EXCEPTED
    return Rule(code, stems, rf"\b{_DO_NOT} {phrase}", led, NOT_OF_YOU, exempt)
