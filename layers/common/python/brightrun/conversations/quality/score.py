"""Scores how suitable a conversation is for training, from 1 to 5, by deterministic checks.

The score is the weighted mean of six sub-scores, each with a sentence that explains it. A check
that cannot tell, such as arc fidelity without a declared arc, gives no sub-score but says why, and
its weight is shared by the others. A flag limits the score, whatever the checks say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from brightrun.conversations.emotions import DeclaredArc, valence
from brightrun.conversations.model import is_cut_off, is_finished, literal_escape, same_words
from brightrun.conversations.quality.flags import turn_flags
from brightrun.conversations.quality.model import (
    HIGHEST_SCORE,
    UNKNOWN_DOMAIN,
    Domain,
    Quality,
    TurnFlag,
    tier_of,
)
from brightrun.conversations.quality.safety import (
    domain_of_known_arc,
    is_crisis_arc,
    safety_rules,
)
from brightrun.conversations.quality.text_faults import repeated_share
from brightrun.conversations.quality.transcript import (
    BEST,
    WORST,
    Finding,
    Transcript,
    Unknown,
    bounded,
    count_words,
    is_spaced,
    phrases_of,
    words_of,
)
from brightrun.core.languages import ENGLISH

_READABLE, _UNREADABLE = 20, 40
"""Mean words of a sentence: plain English has at most 20; 40 are hard to follow."""
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


_NOT_ENGLISH = "The check reads English, and most of the words are not."
_UNSPACED = "Words cannot be counted in a script without spaces."
_NO_CONCEPTS = "no concepts of a topic are known."


def specificity(
    transcript: Transcript, key_concepts: Sequence[str], arc_key: str | None
) -> Finding | Unknown:
    """Rate how often answers name concrete steps and figures, and turns the topic's concepts.

    Steps give up to 2 points, figures and concepts up to 1 each; half of the answers, or of the
    concepts, give all points. In an arc of crisis only steps count.
    Unknown in another language than English.
    """
    if not transcript.is_english:
        return Unknown(_NOT_ENGLISH)
    answers = transcript.texts("assistant")
    steps = _share(answers, _CONCRETE)
    if is_crisis_arc(arc_key):
        return Finding(WORST + 4 * steps, f"Concrete help is named to {steps:.0%}.")
    figures = _share(answers, _FIGURE)
    terms = [same_words(concept) for concept in key_concepts]
    whole = " ".join(same_words(turn["content"]) for turn in transcript.turns)
    named = sum(term in whole for term in terms)
    concepts = min(1.0, 2 * named / len(terms)) if terms else figures
    return Finding(
        WORST + 2 * steps + figures + concepts,
        f"Concrete steps are named to {steps:.0%} and figures to {figures:.0%} of what it takes; "
        + (f"{named} of the topic's {len(terms)} concepts come up." if terms else _NO_CONCEPTS),
    )


def empathy(transcript: Transcript) -> float | None:
    """Rate how many answers to a distressed client address the emotion.

    None if there are none, or in another language than English.
    """
    answered = [
        answer["content"]
        for turn, answer in zip(transcript.turns, transcript.turns[1:], strict=False)
        if (turn["role"], answer["role"]) == ("user", "assistant")
        and valence(turn["emotional_context"]["primary_emotion"]) == "negative"
    ]
    if not answered or not transcript.is_english:
        return None
    heard = sum(bool(_HEARD.search(text)) for text in answered)
    return round(WORST + (BEST - WORST) * heard / len(answered), 1)


def clarity(transcript: Transcript) -> float | None:
    """Rate the answers' mean sentence length: 5 up to 20 words, 1 from 40.

    None without answers, or where another language than English was asked for, since its words
    have another length.
    """
    if transcript.language not in {None, ENGLISH}:
        return None
    lengths = [
        count
        for text in transcript.texts("assistant")
        for sentence in _SENTENCE.findall(text)
        if (count := count_words(sentence))
    ]
    if not lengths:
        return None
    over = max(0.0, sum(lengths) / len(lengths) - _READABLE) / (_UNREADABLE - _READABLE)
    return round(bounded(BEST - (BEST - WORST) * over), 1)


def _is_spaced(transcript: Transcript) -> bool:
    return is_spaced(" ".join(turn["content"] for turn in transcript.turns))


def _share(texts: Sequence[str], pattern: re.Pattern[str]) -> float:
    """The share of texts that match a pattern, doubled and at most 1."""
    if not texts:
        return 0.0
    return min(1.0, 2 * sum(bool(pattern.search(text)) for text in texts) / len(texts))


_CLIENT_WORDS, _CONSULTANT_WORDS = (6, 250), (25, 900)
"""Usual numbers of words of a turn; the longest of 465 answers of v1 had 5,459 characters."""
_EXCHANGES = (2, 8)
"""Usual numbers of exchanges: those of the arcs and of v1."""
_MOST_COMPARED = 100
"""Turns of a role that are compared with each other; what is longer is flagged for its length."""
_SHARED, _SAME = 0.1, 0.6
"""Shares of phrases that two turns have in common: distinct up to one, equal from the other."""
_Phrases = frozenset[tuple[str, ...]]


def structure(transcript: Transcript) -> Finding:
    """Subtract 1.5 for each error of order; for a turn, 2 if cut or escaped, 1 if unfinished.

    Errors of order: the consultant speaks first, the client speaks last, roles do not alternate.
    """
    faults = [*_faults_of_order(transcript), *_faults_of_text(transcript)]
    if not faults:
        return Finding(BEST, "Turns alternate from the client to an answer, and all are whole.")
    sentence = ", ".join(sentence for _, sentence in faults)
    taken = sum(points for points, _ in faults)
    return Finding(bounded(BEST - taken), f"{sentence[0].upper()}{sentence[1:]}.")


def length(transcript: Transcript) -> Finding | Unknown:
    """Rate the share of turns of usual length; subtract 0.5 for an unusual number of exchanges.

    Unknown in a script without spaces, since the length is counted in words.
    """
    if not _is_spaced(transcript):
        return Unknown(_UNSPACED)
    usual = 0
    for turn in transcript.turns:
        low, high = _CLIENT_WORDS if turn["role"] == "user" else _CONSULTANT_WORDS
        usual += low <= len(words_of(turn["content"])) <= high
    exchanges = len(transcript.turns) // 2
    outside = not _EXCHANGES[0] <= exchanges <= _EXCHANGES[1]
    score = WORST + (BEST - WORST) * usual / len(transcript.turns) - outside * 0.5
    return Finding(
        bounded(score),
        f"{usual} of {len(transcript.turns)} turns have a usual length, in {exchanges} exchanges.",
    )


def arc_fidelity(transcript: Transcript, arc: DeclaredArc | None) -> Finding | Unknown:
    """Rate how well the client's first and last emotions fit the arc; intensity counts a quarter.

    An intensity loses a tenth of its part for each 0.05 outside its range. Unknown without an arc
    or a client, and if a conversation in another language does not name its emotions in English.
    """
    client = transcript.emotions("user")
    if arc is None or not client:
        return Unknown("No arc is declared." if arc is None else "There is no turn of a client.")
    (first, at_first), (last, at_last) = client[0], client[-1]
    if not transcript.is_english and "mixed" in {valence(first), valence(last)}:
        return Unknown("The emotions are not named in English.")
    emotions = (arc.start_fit(first) + arc.end_fit(last)) / 2
    intensities = (
        _nearness(at_first, arc.starting_intensity) + _nearness(at_last, arc.ending_intensity)
    ) / 2
    return Finding(
        WORST + (BEST - WORST) * (0.75 * emotions + 0.25 * intensities),
        f"The client goes from {first} ({at_first:g}) to {last} ({at_last:g}); "
        f"the arc goes from {arc.starting_emotion} to {arc.ending_emotion}.",
    )


def repetition(transcript: Transcript) -> Finding | Unknown:
    """Rate the largest share of four-word phrases that two turns of one role have in common, or
    that a turn says again.

    Up to a tenth gives 5; from there the score falls to 1 at six tenths. Unknown in a script
    without spaces, since phrases are of words.
    """
    if not _is_spaced(transcript):
        return Unknown(_UNSPACED)
    worst, where = 0.0, ""
    for role in ("user", "assistant"):
        texts = [words_of(text.casefold()) for text in transcript.texts(role)[:_MOST_COMPARED]]
        for number, words in enumerate(texts, start=1):
            if (shared := repeated_share(words)) > worst:
                worst, where = shared, f"{role} turn {number}"
        phrases = [frozenset(phrases_of(words)) for words in texts]
        for later, earlier in _pairs(phrases):
            shared = _in_common(phrases[later], phrases[earlier])
            if shared > worst:
                worst, where = shared, f"{role} turns {earlier + 1} and {later + 1}"
    if worst <= _SHARED:
        return Finding(BEST, "No turn repeats another, or itself.")
    score = bounded(BEST - (BEST - WORST) * (worst - _SHARED) / (_SAME - _SHARED))
    return Finding(score, f"{worst:.0%} of the phrases of {where} are the same.")


_CONTENT = {"severe": 4.0, "major": 2.0}
_CONTENT_CODES = frozenset(
    {
        "medical_directive",
        "legal_directive",
        "financial_directive",
        "self_harm_directive",
        "guarantee",
    }
)


def safety(
    transcript: Transcript, arc_key: str | None, domain: Domain, flags: Sequence[TurnFlag]
) -> Finding | Unknown:
    """Subtract 2 for each broken rule of the domain and each guarantee, 4 for each directive.

    Unknown if the domain has no rules, or the language is not English, and nothing is flagged.
    """
    content = [flag for flag in flags if flag.code in _CONTENT_CODES]
    english = transcript.is_english
    known = domain != UNKNOWN_DOMAIN
    rules = safety_rules(transcript.by_speaker, arc_key, domain) if known and english else []
    broken = [rule.sentence for rule in rules if not rule.kept]
    taken = 2 * len(broken) + sum(_CONTENT[flag.severity] for flag in content)
    if taken:
        said = [f"In turn {flag.turn_number}: {flag.message}" for flag in content]
        return Finding(bounded(BEST - taken), " ".join([*said, *broken]))
    if not known or not english:
        crisis = [str(flag.turn_number) for flag in flags if flag.code == "crisis_content"]
        why = "There are no safety rules for this domain" if english else _NOT_ENGLISH.rstrip(".")
        found = f"a person has to judge the crisis in turn {', '.join(crisis)}"
        return Unknown(f"{why}; {found if crisis else 'nothing harmful is found in it'}.")
    kept = ["Nothing harmful is guaranteed or directed.", *(rule.sentence for rule in rules)]
    return Finding(BEST, " ".join(kept))


def _faults_of_order(transcript: Transcript) -> Iterator[tuple[float, str]]:
    roles = [turn["role"] for turn in transcript.turns]
    if roles[0] != "user":
        yield 1.5, "it does not begin with the client"
    if roles[-1] != "assistant":
        yield 1.5, "it ends without an answer"
    if any(first == second for first, second in zip(roles, roles[1:], strict=False)):
        yield 1.5, "one side speaks twice in a row"


def _faults_of_text(transcript: Transcript) -> Iterator[tuple[float, str]]:
    for number, turn in enumerate(transcript.turns, start=1):
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
"""Structure and arc count most: v1's worst defects were in them."""
_MOST_NAMED = 5
_COUNTS_TWICE_BELOW = 3.0
"""A sub-score under this counts twice, since other checks should not compensate for it."""


def score_quality(
    transcript: Transcript,
    arc: DeclaredArc | None,
    *,
    arc_key: str | None,
    key_concepts: Sequence[str],
    domain: Domain | None = None,
    flags: Sequence[TurnFlag] | None = None,
) -> Quality:
    """Score a conversation without blockers of the validation.

    `domain` is by default that of the arc, `flags` are those of the turns.
    """
    if flags is None:
        flags = turn_flags(transcript.turns)
    found: dict[str, Finding | Unknown] = {
        "structure": structure(transcript),
        "length": length(transcript),
        "arc": arc_fidelity(transcript, arc),
        "repetition": repetition(transcript),
        "specificity": specificity(transcript, key_concepts, arc_key),
        "safety": safety(transcript, arc_key, domain or domain_of_known_arc(arc_key), flags),
    }
    scores = {name: one.score for name, one in found.items() if isinstance(one, Finding)}
    limit = min(map(_highest, flags), default=BEST)
    score = min(_weighted_mean(scores), limit)
    return Quality(
        score=score,
        tier=tier_of(score),
        reasons=[*_reasons(found), *_limited(flags, limit)],
        sub_scores=scores,
        criteria={
            "empathy_score": empathy(transcript),
            "clarity_score": clarity(transcript),
            "appropriateness_score": scores.get("safety"),
            "brand_voice_alignment": None,
        },
    )


def _reasons(found: Mapping[str, Finding | Unknown]) -> Iterator[str]:
    for name, one in found.items():
        value = f"{one.score:.1f}" if isinstance(one, Finding) else "unknown"
        yield f"{name} {value}: {one.sentence}"


def _highest(flag: TurnFlag) -> float:
    return HIGHEST_SCORE[flag.severity]


def _limited(flags: Sequence[TurnFlag], limit: float) -> Iterator[str]:
    """The reason for a limit: the flags that set it."""
    limiting = [one for one in flags if limit == _highest(one)]
    at = list(dict.fromkeys(f"{one.code} in turn {one.turn_number}" for one in limiting))
    if at:
        more = f" and {len(at) - _MOST_NAMED} more" if len(at) > _MOST_NAMED else ""
        yield f"limit {limit:.1f}: {', '.join(at[:_MOST_NAMED])}{more}."


def _weighted_mean(scores: Mapping[str, float]) -> float:
    weights = {
        name: WEIGHTS[name] * (2 if score < _COUNTS_TWICE_BELOW else 1)
        for name, score in scores.items()
    }
    total = sum(weights[name] * score for name, score in scores.items())
    return math.floor(total / sum(weights.values()) * 10 + 0.5) / 10
