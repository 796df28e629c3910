"""How good a conversation is to train on, from 1 to 5, by deterministic checks.

Six sub-scores are weighed; each says in a sentence what it found. Nothing is random and nothing is
asked of a model. Where a check has nothing to go by, such as an arc that nobody declared, it gives
no sub-score and its weight falls to the others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from brightrun.conversations.emotions import DeclaredArc, valence
from brightrun.conversations.model import is_cut_off, is_finished, literal_escape, same_words
from brightrun.conversations.quality.safety import CRISIS_ARC, safety_rules
from brightrun.conversations.quality.transcript import (
    BEST,
    WORST,
    Finding,
    Transcript,
    bounded,
    words_of,
)

_READABLE, _UNREADABLE = 20, 40
"""Mean words of a sentence: plain English keeps to 20, and at 40 nobody follows."""
_SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]*")
_FIGURE = re.compile(r"\d")
_CONCRETE = re.compile(
    r"\b(?:today|tonight|tomorrow|(?:this|next) (?:week|month|morning|evening|weekend)"
    r"|by (?:the weekend|noon|\w+day)|within (?:a|an|the|\d+)|minutes?|hours?"
    r"|write down|make (?:a|one) (?:list|call)|log in|call|phone|text|send|look up|set up|print"
    r"|schedule|open (?:the|an?|your)|step|list|sheet|page|letter|account|statement|form)\b",
    re.IGNORECASE,
)
_HEARD = re.compile(
    r"\b(?:feel\w*|felt|hear(?: you)?|understand\w*|makes? (?:\w+ )?sense|sorry|thank you for"
    r"|glad (?:that )?you|courage|brave|not alone|carry\w*|hard|heavy|natural"
    r"|(?:worr|fear|sham|guilt|anx|frustrat|overwhelm|confus|ang(?:er|ry)|scar|hurt)\w*)\b",
    re.IGNORECASE,
)


def specificity(talk: Transcript, key_concepts: Sequence[str], arc_key: str | None) -> Finding:
    """Whether the answers name concrete steps and figures, and the talk the topic's concepts.

    Steps count 2 points, figures and concepts 1 each; what half of the answers, or half of the
    concepts, have is full. In a crisis the money is left alone, so steps count alone.
    """
    answers = talk.texts("assistant")
    steps = _share(answers, _CONCRETE)
    if arc_key == CRISIS_ARC:
        return Finding(WORST + 4 * steps, f"Concrete help is named to {steps:.0%}.")
    figures = _share(answers, _FIGURE)
    terms = [same_words(concept) for concept in key_concepts]
    whole = " ".join(same_words(turn["content"]) for turn in talk.turns)
    named = sum(term in whole for term in terms)
    concepts = min(1.0, 2 * named / len(terms)) if terms else figures
    return Finding(
        WORST + 2 * steps + figures + concepts,
        f"Concrete steps are named to {steps:.0%} and figures to {figures:.0%} of what it takes; "
        f"{named} of the topic's {len(terms)} concepts come up.",
    )


def empathy(talk: Transcript) -> float | None:
    """The share of answers to a client in distress that speak to the feeling; None without any."""
    answered = [
        answer["content"]
        for turn, answer in zip(talk.turns, talk.turns[1:], strict=False)
        if (turn["role"], answer["role"]) == ("user", "assistant")
        and valence(turn["emotional_context"]["primary_emotion"]) == "negative"
    ]
    if not answered:
        return None
    heard = sum(bool(_HEARD.search(text)) for text in answered)
    return round(WORST + (BEST - WORST) * heard / len(answered), 1)


def clarity(talk: Transcript) -> float | None:
    """Five for sentences of 20 words or fewer on average, one for 40; None without an answer."""
    lengths = [
        len(words_of(sentence))
        for text in talk.texts("assistant")
        for sentence in _SENTENCE.findall(text)
        if words_of(sentence)
    ]
    if not lengths:
        return None
    over = max(0.0, sum(lengths) / len(lengths) - _READABLE) / (_UNREADABLE - _READABLE)
    return round(bounded(BEST - (BEST - WORST) * over), 1)


def _share(texts: Sequence[str], pattern: re.Pattern[str]) -> float:
    """The share of texts that have a pattern, full at a half."""
    if not texts:
        return 0.0
    return min(1.0, 2 * sum(bool(pattern.search(text)) for text in texts) / len(texts))


_CLIENT_WORDS, _CONSULTANT_WORDS = (6, 250), (25, 900)
"""What a turn holds; the longest of 465 answers of the original had 5,459 characters."""
_EXCHANGES = (2, 8)
"""What the arcs ask for, and the original's."""
_SHINGLE = 4
"""Words of a phrase that two turns share; shorter ones are shared by any two English texts."""
_SHARED, _SAME = 0.1, 0.6
"""Share of phrases that two turns may have in common, and that from which they are one."""
_Phrases = frozenset[tuple[str, ...]]


def structure(talk: Transcript) -> Finding:
    """Take 1.5 for a wrong start, end or order; from a turn, 2 if cut or escaped, 1 if it ends odd.

    A wrong start is the consultant's, a wrong end the client's.
    """
    faults = [*_faults_of_order(talk), *_faults_of_text(talk)]
    if not faults:
        return Finding(BEST, "Turns alternate from the client to an answer, and all are whole.")
    sentence = ", ".join(sentence for _, sentence in faults)
    taken = sum(points for points, _ in faults)
    return Finding(bounded(BEST - taken), f"{sentence[0].upper()}{sentence[1:]}.")


def length(talk: Transcript) -> Finding:
    """The share of turns of a usual length; half a point off for too few or many exchanges."""
    usual = 0
    for turn in talk.turns:
        low, high = _CLIENT_WORDS if turn["role"] == "user" else _CONSULTANT_WORDS
        usual += low <= len(words_of(turn["content"])) <= high
    exchanges = len(talk.turns) // 2
    outside = not _EXCHANGES[0] <= exchanges <= _EXCHANGES[1]
    score = WORST + (BEST - WORST) * usual / len(talk.turns) - outside * 0.5
    return Finding(
        bounded(score),
        f"{usual} of {len(talk.turns)} turns have a usual length, in {exchanges} exchanges.",
    )


def arc_fidelity(talk: Transcript, arc: DeclaredArc) -> Finding | None:
    """How well the client's first and last feelings are the arc's: emotion 3/4, intensity 1/4.

    An intensity loses a tenth of its part for each 0.05 outside its range. None without a client.
    """
    client = talk.emotions("user")
    if not client:
        return None
    (first, at_first), (last, at_last) = client[0], client[-1]
    emotions = (arc.start_fit(first) + arc.end_fit(last)) / 2
    intensities = (
        _nearness(at_first, arc.starting_intensity) + _nearness(at_last, arc.ending_intensity)
    ) / 2
    return Finding(
        WORST + (BEST - WORST) * (0.75 * emotions + 0.25 * intensities),
        f"The client goes from {first} ({at_first:g}) to {last} ({at_last:g}); "
        f"the arc goes from {arc.starting_emotion} to {arc.ending_emotion}.",
    )


def repetition(talk: Transcript) -> Finding:
    """The largest share of four-word phrases that a turn has from another of the same side.

    A tenth is nothing; from there the score falls to 1 at six tenths.
    """
    worst, where = 0.0, ""
    for role in ("user", "assistant"):
        phrases = [_phrases(text) for text in talk.texts(role)]
        for later, earlier in _pairs(phrases):
            shared = _in_common(phrases[later], phrases[earlier])
            if shared > worst:
                worst, where = shared, f"{role} turns {earlier + 1} and {later + 1}"
    if worst <= _SHARED:
        return Finding(BEST, "Every turn says something new.")
    score = bounded(BEST - (BEST - WORST) * (worst - _SHARED) / (_SAME - _SHARED))
    return Finding(score, f"{worst:.0%} of the phrases of {where} are the same.")


def safety(talk: Transcript, arc_key: str | None) -> Finding:
    """Take 2 for each broken rule of domain.safety."""
    rules = safety_rules(talk.spoken, arc_key)
    broken = [rule.sentence for rule in rules if not rule.kept]
    said = broken or [rule.sentence for rule in rules]
    return Finding(bounded(BEST - 2 * len(broken)), " ".join(said))


def _faults_of_order(talk: Transcript) -> Iterator[tuple[float, str]]:
    roles = [turn["role"] for turn in talk.turns]
    if roles[0] != "user":
        yield 1.5, "it does not begin with the client"
    if roles[-1] != "assistant":
        yield 1.5, "it ends without an answer"
    if any(first == second for first, second in zip(roles, roles[1:], strict=False)):
        yield 1.5, "one side speaks twice in a row"


def _faults_of_text(talk: Transcript) -> Iterator[tuple[float, str]]:
    for number, turn in enumerate(talk.turns, start=1):
        text = turn["content"]
        if is_cut_off(text):
            yield 2.0, f"turn {number} is cut off"
        elif not is_finished(text):
            yield 1.0, f"turn {number} does not end as a sentence does"
        if literal_escape(text):
            yield 2.0, f"turn {number} holds escapes as text"


def _nearness(value: float, bounds: tuple[float, float]) -> float:
    outside = max(bounds[0] - value, value - bounds[1], 0.0)
    return max(0.0, 1 - 2 * outside)


def _pairs(texts: Sequence[object]) -> Iterator[tuple[int, int]]:
    return ((later, earlier) for later in range(len(texts)) for earlier in range(later))


def _phrases(text: str) -> _Phrases:
    words = [word.casefold() for word in words_of(text)]
    return frozenset(
        tuple(words[index : index + _SHINGLE]) for index in range(len(words) - _SHINGLE + 1)
    )


def _in_common(one: _Phrases, other: _Phrases) -> float:
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 0.0


WEIGHTS: Mapping[str, float] = {
    "structure": 0.25,
    "length": 0.10,
    "arc": 0.25,
    "repetition": 0.15,
    "specificity": 0.15,
    "safety": 0.10,
}
"""Structure and arc count most: they are what the original's worst defects broke."""
_FAULTS_COUNT_TWICE_BELOW = 3.0
"""A sub-score under this is a defect that no other virtue makes good, so its weight doubles."""
SEED, PRODUCTION, EXPERIMENTAL, REJECTED = "seed_dataset", "production", "experimental", "rejected"


@dataclass(frozen=True, slots=True)
class Quality:
    """A score of one decimal, its tier, a sentence for each check, and the four criteria.

    A criterion is None where no check of ours tells it.
    """

    score: float
    tier: str
    reasons: list[str]
    sub_scores: dict[str, float]
    criteria: dict[str, float | None]


def score_quality(
    talk: Transcript, arc: DeclaredArc | None, *, arc_key: str | None, key_concepts: Sequence[str]
) -> Quality:
    """Score a conversation that has passed validation's blockers."""
    found: dict[str, Finding | None] = {
        "structure": structure(talk),
        "length": length(talk),
        "arc": arc_fidelity(talk, arc) if arc else None,
        "repetition": repetition(talk),
        "specificity": specificity(talk, key_concepts, arc_key),
        "safety": safety(talk, arc_key),
    }
    told = {name: finding for name, finding in found.items() if finding is not None}
    score = _weighed({name: finding.score for name, finding in told.items()})
    return Quality(
        score=score,
        tier=tier_of(score),
        reasons=[f"{name} {one.score:.1f}: {one.sentence}" for name, one in told.items()],
        sub_scores={name: one.score for name, one in told.items()},
        criteria={
            "empathy_score": empathy(talk),
            "clarity_score": clarity(talk),
            "appropriateness_score": told["safety"].score,
            "brand_voice_alignment": None,
        },
    )


def tier_of(score: float | None) -> str:
    """Name the tier of a score (part 1.6 of the original's formats); unscored is experimental."""
    if not score:
        return EXPERIMENTAL
    if score >= 4.5:
        return SEED
    if score >= 3.5:
        return PRODUCTION
    return EXPERIMENTAL if score >= 2.5 else REJECTED


def whole_stars(score: float) -> int:
    """Round as the original's JavaScript does: halves go up."""
    return math.floor(score + 0.5)


def _weighed(scores: Mapping[str, float]) -> float:
    weights = {
        name: WEIGHTS[name] * (2 if score < _FAULTS_COUNT_TWICE_BELOW else 1)
        for name, score in scores.items()
    }
    total = sum(weights[name] * score for name, score in scores.items())
    return math.floor(total / sum(weights.values()) * 10 + 0.5) / 10
