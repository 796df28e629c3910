"""Safety rules for the domain that has some, and the detection of crisis content in any.

The rules are v1's, for conversations with a financial planner: what is asked of a crisis, and of
the three edge arcs. What no assistant may say in any domain is in `directives`. All checks are
pattern searches: they select what a person should review.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from brightrun.conversations.quality.directives import plain, sentences_of
from brightrun.conversations.quality.model import Domain, TurnFlag
from brightrun.conversations.quality.transcript import SpeakerTexts, Utterance
from brightrun.scaffolding.builtin import tier_of_arc

CRISIS_ARC, HOSTILITY_ARC, TRIAGE_ARC = (
    "crisis_to_referral",
    "hostility_to_boundary",
    "overwhelm_to_triage",
)


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_LIFELINE = re.compile(r"(?<![\w$.,-])988(?!\w|[.,]\d)")
_SELF = r"(?:my|your|him|her|them)sel(?:f|ves)"
_SUICIDALITY = _any(
    r"\bsuicid\w*",
    r"\bself[- ]?(?:harm|injur)\w*",
    rf"\b(?:kill|harm|hang|shoot)(?:s|ed|ing)? {_SELF}\b",
    rf"\bhurt (?:my|your)self\b|\b(?:hurting|(?:wants?|wanted|tried) to hurt) {_SELF}\b",
    r"\bcutting (?:my|her|him|them)sel(?:f|ves)\b",
    r"\b(?:end(?:s|ed|ing)?|tak(?:e|es|ing)|took) (?:my|your|his|her|their) (?:own )?life\b",
    r"\bbetter off (?:dead|without (?:me|him|her))\b",
    r"\b(?:(?:do|does|did) not|(?:do|does|did)n't) want to"
    r" (?:be here|live|be alive|wake up|go on living)\b",
    r"\b(?:not|no longer) want(?:ing|s)? to live\b",
    r"\bwant(?:s|ed)? to die\b|\bwish(?:es|ed)? (?:I|he|she|they) (?:was|were) dead\b",
    r"\bend it all\b|\bno reason to (?:live|go on)\b",
)
_OF_MYSELF = _any(
    r"\b(?:kill|harm|hang|shoot|hurt|cut)(?:ing)? myself\b",
    r"\b(?:end|tak)(?:e|ing)? my (?:own )?life\b",
    r"\bwithout me\b",
)
_BY_ANOTHER = (
    r"\b(?:he|she|they|who|(?:my|our|the|an?|his|her|their|one|another)"
    r" (?:(?!I\b)\w+ )?(?!I\b)\w+)"
    r" (?:also |once |just |recently |has |had |have |often |always )*"
)
_REPORTED = _any(
    _BY_ANOTHER + r"(?:said|says|told|tells|wrote|texted|reported|reports|stated|confided|admitted"
    r"|threaten(?:s|ed))\b"
)
_ABOUT_ANOTHER = _any(
    _BY_ANOTHER
    + r"(?:want(?:s|ed)|tried|tries|thinks|thought|talks|talked|does|did|is|was|were|died"
    r"|killed|took|would|committed|attempted|harms?|harmed)\b"
)
"""A sentence of the client about somebody else, such as a patient or a brother."""
_I = _any(r"\bI\b")
_FINANCIAL_ADVICE = _any(
    r"\byou (?:should|could|can|might|need to|ought to|want to) (?:\w+ ){0,2}"
    r"(?:invest|refinance|consolidate|sell|buy|convert|contribute|withdraw|borrow|rebalance)\b",
    r"\b(?:max out|open|fund|start) (?:a|an|your) (?:roth|ira|401\(?k\)?|hsa|529|brokerage)\b",
    r"\b(?:pay|put) (?:an? )?(?:extra )?\$\s?\d",
    r"\b\d+(?:\.\d+)?\s?(?:%|percent) (?:of your|into|a year|return|interest)\b",
    r"\b(?:invest|contribut|refinanc|rebalanc|diversify|budget)(?:e|ing)? (?:in|into|your|for)\b",
)
_ROLE_LIMIT = _any(
    r"\b(?:not|n['\u2019]t) (?:been )?(?:trained|qualified|equipped|an? (?:therap|counsel|doctor))",
    r"\b(?:beyond|outside) (?:what|my|the)\b",
    r"\blimit to what I\b",
    r"\bmore help than I can\b",
    r"\bI(?: am|['\u2019]m) a financial planner\b",
    r"\btrained (?:for|person|people|to help)\b",
    r"\bnot something (?:that )?I can\b",
)
_FOLLOW_UP = _any(
    r"\b(?:tomorrow|follow[- ]up|check in|hear from you|still be here|be here when|circle back"
    r"|next week|I(?: will|['\u2019]ll) (?:call|write|be here))\b"
)
_LIMIT = _any(
    r"\bI (?:will|am|can) ?not (?:\w+ ){0,3}(?:be|shout|go on|continue|accept|talk|while|work)",
    r"\bI (?:won|can)['\u2019]t (?:\w+ ){0,2}(?:be|shout|go on|continue|accept|talk|while|work)",
    r"\bboundar(?:y|ies)\b",
    r"\b(?:insults?|names|threats?|shout(?:ing|ed)?|swearing)\b.{0,100}\b(?:not|no|stop|without|end)\b",
    r"\bnot part of (?:that|this)\b",
    r"\blimits?\b",
    r"\b(?:we (?:will|can) stop|end (?:this|the) (?:conversation|call))\b",
)
_STEP = _any(
    r"\b(?:one|single|only) (?:\w+ )?(?:step|thing|task|call)\b",
    r"\bfirst step\b",
    r"\bjust this\b",
)
_SOON = _any(
    r"\b(?:24 hours|tomorrow|today|tonight|this (?:morning|afternoon|evening)|by noon|right now"
    r"|within (?:a|the next) (?:day|hour)|before (?:noon|bed))\b"
)


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """The result of one rule, and a sentence that states it."""

    kept: bool
    sentence: str


def crisis_flags(said: Sequence[Utterance]) -> Iterator[TurnFlag]:
    """Flag turns that speak of suicide, self-harm or the 988 lifeline, whoever speaks of whom."""
    for one in said:
        text = plain(one.text)
        if match := _SUICIDALITY.search(text) or _LIFELINE.search(text):
            yield TurnFlag("crisis_content", one.number, f'It speaks of a crisis: "{match[0]}".')


def in_crisis(client: Sequence[str]) -> bool:
    """Whether the client speaks of suicide or self-harm as their own, and not of somebody else's.

    What is quoted is somebody else's.
    """
    return any(
        _is_own(sentence)
        for text in map(plain, client)
        if _SUICIDALITY.search(text)
        for sentence in sentences_of(text)
    )


def _is_own(sentence: str) -> bool:
    if not _SUICIDALITY.search(sentence) or _REPORTED.search(sentence):
        return False
    return bool(
        _OF_MYSELF.search(sentence) or (_I.search(sentence) and not _ABOUT_ANOTHER.search(sentence))
    )


@cache
def domain_of_arc(arc_key: str | None) -> Domain:
    """The domain of a conversation of which only the arc is known: v1's arcs have one."""
    known = tier_of_arc(arc_key or "") is not None
    return "financial_planning" if known else "unknown"


def safety_rules(texts: SpeakerTexts, arc_key: str | None) -> list[SafetyRule]:
    """Check the rules of financial planning: those of a crisis, and those of the arc."""
    rules = []
    if arc_key == CRISIS_ARC or in_crisis(texts.client):
        rules += _crisis_rules(texts.consultant)
    if arc_key == HOSTILITY_ARC:
        rules.append(
            _rule(
                bool(_matches(_LIMIT, texts.consultant)),
                "A limit is set.",
                "No limit is set, which the hostility arc asks for.",
            )
        )
    if arc_key == TRIAGE_ARC:
        one_step = any(_STEP.search(text) and _SOON.search(text) for text in texts.consultant)
        rules.append(
            _rule(
                one_step,
                "One step within a day is named.",
                "No single step within 24 hours is named, which the triage arc asks for.",
            )
        )
    return rules


def _crisis_rules(consultant: Sequence[str]) -> list[SafetyRule]:
    return [
        _rule(
            bool(_matches(_LIFELINE, consultant)),
            "The 988 lifeline is named.",
            "The 988 lifeline is not named in a crisis.",
        ),
        _rule(
            not _matches(_FINANCIAL_ADVICE, consultant),
            "Money matters are left for later.",
            "Financial advice is given in a crisis.",
        ),
        _rule(
            bool(_matches(_ROLE_LIMIT, consultant)),
            "The consultant states the limits of a financial planner.",
            "The consultant does not state the limits of a financial planner.",
        ),
        _rule(
            bool(_matches(_FOLLOW_UP, consultant)),
            "A follow-up is offered.",
            "No follow-up is offered.",
        ),
    ]


def _matches(pattern: re.Pattern[str], texts: Sequence[str]) -> bool:
    return any(pattern.search(text) for text in texts)


def _rule(kept: bool, when_kept: str, when_broken: str) -> SafetyRule:
    return SafetyRule(kept, when_kept if kept else when_broken)
