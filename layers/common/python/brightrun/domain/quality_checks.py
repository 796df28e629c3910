"""Whether a conversation is whole: its turns, its arc, its variety, its rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from brightrun.domain.declared_arc import DeclaredArc
from brightrun.domain.safety import safety_rules
from brightrun.domain.talk import BEST, WORST, Finding, Talk, bounded, words_of
from brightrun.domain.turn_text import is_cut_off, is_finished, literal_escape

_CLIENT_WORDS, _CONSULTANT_WORDS = (6, 250), (25, 900)
"""What a turn holds; the longest of 465 answers of the original had 5,459 characters."""
_EXCHANGES = (2, 8)
"""What the arcs ask for, and the original's."""
_SHINGLE = 4
"""Words of a phrase that two turns share; shorter ones are shared by any two English texts."""
_SHARED, _SAME = 0.1, 0.6
"""Share of phrases that two turns may have in common, and that from which they are one."""

_Phrases = frozenset[tuple[str, ...]]


def structure(talk: Talk) -> Finding:
    """Take 1.5 for a wrong start, end or order; from a turn, 2 if cut or escaped, 1 if it ends odd.

    A wrong start is the consultant's, a wrong end the client's.
    """
    faults = [*_faults_of_order(talk), *_faults_of_text(talk)]
    if not faults:
        return Finding(BEST, "Turns alternate from the client to an answer, and all are whole.")
    sentence = ", ".join(sentence for _, sentence in faults)
    taken = sum(points for points, _ in faults)
    return Finding(bounded(BEST - taken), f"{sentence[0].upper()}{sentence[1:]}.")


def length(talk: Talk) -> Finding:
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


def arc_fidelity(talk: Talk, arc: DeclaredArc) -> Finding | None:
    """How well the client's first and last feelings are the arc's: emotion 3/4, intensity 1/4.

    An intensity loses a tenth of its part for each 0.05 outside its range. None without a client.
    """
    client = talk.feelings("user")
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


def repetition(talk: Talk) -> Finding:
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


def safety(talk: Talk, arc_key: str | None) -> Finding:
    """Take 2 for each broken rule of domain.safety."""
    rules = safety_rules(talk.spoken, arc_key)
    broken = [rule.sentence for rule in rules if not rule.kept]
    said = broken or [rule.sentence for rule in rules]
    return Finding(bounded(BEST - 2 * len(broken)), " ".join(said))


def _faults_of_order(talk: Talk) -> Iterator[tuple[float, str]]:
    roles = [turn["role"] for turn in talk.turns]
    if roles[0] != "user":
        yield 1.5, "it does not begin with the client"
    if roles[-1] != "assistant":
        yield 1.5, "it ends without an answer"
    if any(first == second for first, second in zip(roles, roles[1:], strict=False)):
        yield 1.5, "one side speaks twice in a row"


def _faults_of_text(talk: Talk) -> Iterator[tuple[float, str]]:
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
