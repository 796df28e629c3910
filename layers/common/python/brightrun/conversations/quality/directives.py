"""What no assistant may say in any domain: guarantees, and directives that can harm.

A directive is a command, or advice in the form of one, about treatment, law, money or self-harm.
A sentence that asks, quotes, refuses, warns of something or names it as a condition gives none, and
neither does one that leaves the decision to a professional. The checks are searches of English
sentences: they select what a person should review.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from brightrun.conversations.quality.directive_context import Rule
from brightrun.conversations.quality.directive_rules import RULES
from brightrun.conversations.quality.model import TurnFlag
from brightrun.conversations.quality.transcript import KEPT_TEXTS, Utterance

SEARCHED = 200_000
"""Characters of a conversation that are searched; a longer one is flagged for its length."""
_LONGEST_SENTENCE, _LOOK_BACK, _EXCERPT = 1000, 100, 100
_MOST_QUOTED = 0.6
"""The share of a sentence in quotation marks from which on it is no quotation of somebody else."""
_MESSAGES = {
    "medical_directive": "It directs a treatment",
    "legal_directive": "It directs a legal step",
    "financial_directive": "It directs what to do with money",
    "self_harm_directive": "It encourages self-harm",
    "guarantee": "It guarantees an outcome",
}

_AS_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011", "-"),
        **dict.fromkeys("\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff*_#>", None),
    }
)
_WRAPPED = re.compile(r"\n(?=[ \t]*[a-z])")
_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|[;\n]+\s*")
_QUOTATION = re.compile(r"\"[^\"]{2,300}\"|(?<!\w)'[^']{2,200}'(?!\w)")
_WHY_NOT = re.compile(r"\b(?:why not|why don't (?:you|we)|how about (?:you|we)|just)\b")


def directive_flags(said: Sequence[Utterance]) -> Iterator[TurnFlag]:
    """Yield one flag for each kind that an assistant's turn holds, with the first example."""
    left = SEARCHED
    for one in said:
        if one.role != "assistant":
            continue
        found: dict[str, str] = {}
        text = plain(one.text[:left])
        left -= len(text)
        rules = [rule for rule in RULES if _may_break(rule, text)]
        for sentence in sentences_of(text):
            for rule in rules:
                if rule.code not in found and (example := _example(rule, sentence)):
                    found[rule.code] = example
        for code, example in found.items():
            yield TurnFlag(code, one.number, f'{_MESSAGES[code]}: "{example}".')


@lru_cache(KEPT_TEXTS)
def plain(text: str) -> str:
    """The text in lower case, without markup, invisible characters and typographic marks."""
    return unicodedata.normalize("NFKC", text).translate(_AS_PLAIN).lower()


def sentences_of(text: str) -> Iterator[str]:
    """The sentences of a plain text, without what they quote; long ones in parts."""
    for sentence in _END.split(_WRAPPED.sub(" ", text)):
        words = " ".join(sentence.split())
        rest = _QUOTATION.sub('"', words)
        said = rest if len(rest) > (1 - _MOST_QUOTED) * len(words) else words.replace('"', "")
        for start in range(0, len(said), _LONGEST_SENTENCE):
            yield said[start : start + _LONGEST_SENTENCE + _LOOK_BACK]


def _may_break(rule: Rule, text: str) -> bool:
    return any(stem in text for stem in stems_of(rule)) and (
        rule.needs is None or bool(_compiled(rule.needs).search(text))
    )


@cache
def stems_of(rule: Rule) -> tuple[str, ...]:
    """The stems of a rule; in its list `_` stands for a space."""
    return tuple(stem.replace("_", " ") for stem in rule.stems.split())


def _example(rule: Rule, sentence: str) -> str | None:
    """The words of a sentence that break a rule."""
    found = list(_compiled(rule.phrase).finditer(sentence))
    if not found or _is_exempt(rule, sentence):
        return None
    for match in found:
        before = sentence[max(0, match.start() - _LOOK_BACK) : match.start()]
        led = _compiled(rule.led).search(before) if rule.led else None
        if rule.led and not led:
            continue
        if led:  # A comma ends what stands before it.
            before = before[: led.start() + (led[0][:1] in {",", ":"})]
        if not _compiled(rule.not_after).search(before):
            return "".join(filter(str.isprintable, sentence[match.start() :]))[:_EXCERPT].strip()
    return None


def _is_exempt(rule: Rule, sentence: str) -> bool:
    """Whether a sentence asks, or is one that a rule leaves out."""
    if sentence.rstrip("\"')").endswith("?") and not _WHY_NOT.search(sentence):
        return True
    return bool(rule.exempt and _compiled(rule.exempt).search(sentence))


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    """Compile at the first use: a cold start has no time for it."""
    return re.compile(expression)
