"""What the answers are made of: concrete steps, an ear for the client, readable sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from brightrun.domain.safety import CRISIS_ARC
from brightrun.domain.talk import BEST, WORST, Finding, Talk, bounded, words_of
from brightrun.domain.turn_text import same_words
from brightrun.domain.valence import valence

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


def specificity(talk: Talk, key_concepts: Sequence[str], arc_key: str | None) -> Finding:
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


def empathy(talk: Talk) -> float | None:
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


def clarity(talk: Talk) -> float | None:
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
