"""The safety rules of a conversation's domain, and the detection of crisis content in any.

The rules are data of the domain packs: what is asked of a crisis, of an arc, or always. What no
assistant may say in any domain is in `directives`. All checks are pattern searches: they select
what a person should review.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from brightrun.conversations.quality.directives import plain, sentences_of
from brightrun.conversations.quality.model import UNKNOWN_DOMAIN, Domain, TurnFlag
from brightrun.conversations.quality.transcript import SpeakerTexts, Utterance
from brightrun.core.fields import DEFAULT_DOMAIN
from brightrun.scaffolding.domain import domain_of_arc, domain_pack, installed_packs

if TYPE_CHECKING:
    from brightrun.scaffolding.pack import DomainPack, SafetyRule

IN_CRISIS, ALWAYS = "crisis", "always"
"""What a rule of a pack applies to, beside arcs."""


def _any(*patterns: str) -> re.Pattern[str]:
    """Match one of several patterns, written in lower case, in a plain text."""
    return re.compile("|".join(patterns))


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
    r"\bwant(?:s|ed)? to die\b|\bwish(?:es|ed)? (?:i|he|she|they) (?:was|were) dead\b",
    r"\bend it all\b|\bno reason to (?:live|go on)\b",
)
_OF_MYSELF = _any(
    r"\b(?:kill|harm|hang|shoot|hurt|cut)(?:ing)? myself\b",
    r"\b(?:end|tak)(?:e|ing)? my (?:own )?life\b",
    r"\bwithout me\b",
)
_BY_ANOTHER = (
    r"\b(?:he|she|they|who|(?:my|our|the|an?|his|her|their|one|another)"
    r" (?:(?!i\b)\w+ )?(?!i\b)\w+)"
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
_I = _any(r"\bi\b")


@dataclass(frozen=True, slots=True)
class SafetyResult:
    """The result of one rule, and a sentence that states it."""

    kept: bool
    sentence: str


def crisis_flags(said: Sequence[Utterance]) -> Iterator[TurnFlag]:
    """Flag turns that speak of suicide, self-harm or a crisis line, whoever speaks of whom."""
    lines = _compiled(
        tuple(one.pattern for pack in installed_packs() for one in pack.crisis_resources)
    )
    for one in said:
        text = plain(one.text)
        if match := _SUICIDALITY.search(text) or lines.search(text):
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


def domain_of_known_arc(arc_key: str | None) -> Domain:
    """The domain of a conversation of which only the arc is known; unknown if no pack has it."""
    return domain_of_arc(arc_key or "") or UNKNOWN_DOMAIN


def pack_of(domain: Domain) -> DomainPack:
    """The pack of a domain; the default one, which is v1's, if it is unknown."""
    return domain_pack(DEFAULT_DOMAIN if domain == UNKNOWN_DOMAIN else domain)


def is_crisis_arc(arc_key: str | None) -> bool:
    """Whether the client of an arc is in a crisis from the start."""
    return any(arc_key in pack.safety.crisis_arcs for pack in installed_packs())


def safety_rules(
    texts: SpeakerTexts, arc_key: str | None, domain: Domain = DEFAULT_DOMAIN
) -> list[SafetyResult]:
    """Check the rules of a domain that apply to a conversation of an arc."""
    pack = pack_of(domain)
    applying = {ALWAYS, arc_key}
    if arc_key in pack.safety.crisis_arcs or in_crisis(texts.client):
        applying.add(IN_CRISIS)
    return [
        _result(rule, pack, texts.consultant)
        for rule in pack.safety.rules
        if not applying.isdisjoint(rule.applies_to)
    ]


def _result(rule: SafetyRule, pack: DomainPack, consultant: Sequence[str]) -> SafetyResult:
    groups = rule.patterns
    if rule.names_crisis_resource:
        groups = (tuple(one.pattern for one in pack.crisis_resources),)
    searched = [_compiled(group) for group in groups]
    found = any(all(pattern.search(text) for pattern in searched) for text in consultant)
    kept = found is not rule.is_forbidden
    return SafetyResult(kept, rule.kept if kept else rule.broken)


@cache
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Compile at the first use: a cold start has no time for it."""
    return re.compile("|".join(patterns), re.IGNORECASE)
