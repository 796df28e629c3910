"""Safety rules for conversations, and the detection of crisis content.

The rules of the three edge arcs are v1's; crisis content is flagged in every conversation. All
checks are pattern searches: they select what a person should review.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from brightrun.conversations.quality.transcript import SpeakerTexts

CRISIS_CONTENT = "crisis_content"
CRISIS_ARC, HOSTILITY_ARC, TRIAGE_ARC = (
    "crisis_to_referral",
    "hostility_to_boundary",
    "overwhelm_to_triage",
)


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_LIFELINE = re.compile(r"(?<![\w$.,-])988(?!\w|[.,]\d)")
_SUICIDALITY = _any(
    r"\bsuicid\w*",
    r"\bself[- ]harm\w*",
    r"\b(?:kill|hurt|harm)(?:ing)? (?:my|your)self\b",
    r"\bend(?:ing)? (?:my|your) (?:own )?life\b",
    r"\bbetter off without me\b",
    r"\b(?:do not|don['\u2019]t) want to (?:be here|live|be alive|wake up|go on living)\b",
    r"\b(?:not|no longer) want(?:ing)? to live\b",
)
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
    r"\b(?:insults?|names|threats?|shout(?:ing|ed)?|swearing)\b.*\b(?:not|no|stop|without|end)\b",
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
_PROMISE = _any(
    r"\bguarantee(?:d|s)? (?:\w+ ){0,3}(?:returns?|profits?|growth|gains?|results?|income)\b",
    r"\b(?:cannot|can['\u2019]t|never) lose (?:money|with)\b",
    r"\b(?:will|is going to) (?:definitely|certainly|surely) (?:go up|rise|grow|recover|double)\b",
    r"\brisk[- ]free (?:return|profit|investment)s?\b",
)


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """The result of one rule, and a sentence that states it."""

    kept: bool
    sentence: str


def has_crisis_content(texts: Iterable[str]) -> bool:
    """Whether a text mentions suicide, self-harm or the 988 lifeline, and needs a review."""
    return any(_SUICIDALITY.search(text) or _LIFELINE.search(text) for text in texts)


def safety_rules(texts: SpeakerTexts, arc_key: str | None) -> list[SafetyRule]:
    """Check the rules of every conversation, and those of its arc."""
    rules = [
        _rule(
            not _matches(_PROMISE, texts.consultant),
            "No results are promised.",
            "The consultant promises results that cannot be promised.",
        )
    ]
    in_crisis = arc_key == CRISIS_ARC or bool(_matches(_SUICIDALITY, texts.client))
    if in_crisis:
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
