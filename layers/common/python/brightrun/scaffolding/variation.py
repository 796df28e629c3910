"""Hints that make conversations of one persona, arc and topic differ from each other.

A hint is worked out of a seed and a number alone, so that it can be told again from what a plan and
an item hold.  The hints are about no domain: what is talked about stays the topic's, and who asks
is `the user`, the role that has this name in the prompts of every domain.
"""

from __future__ import annotations

import hashlib
import math

_AXES = (
    (
        "opening",
        (
            "the user begins with something that happened in the last few days",
            "the user begins with a direct question, and explains it only when asked",
            "the user begins with what somebody close has said about it",
            "the user begins with a decision that must be made soon",
            "the user begins with a number, a date or a message that lies in front of them",
        ),
    ),
    (
        "occasion",
        (
            "a short break in a working day",
            "late in the evening, after a long day",
            "right after a talk with a relative or a friend",
            "after reading or hearing something that unsettled them",
            "some weeks after a first attempt that came to nothing",
            "in the middle of a change in their life",
        ),
    ),
    (
        "what weighs most",
        (
            "the doubt of having understood the basics",
            "the fear of being judged",
            "somebody near them who sees it otherwise",
            "a mistake they made before",
            "the wish to manage it alone",
            "a deadline or a rule that others set",
            "what will be different in everyday life",
        ),
    ),
)
VARIATIONS = math.prod(len(choices) for _, choices in _AXES)
"""Different hints of one seed: the sizes of the axes have no common divisor."""


def variation_hint(seed: str, number: int) -> str:
    """The block for the `number`th repetition, from 1; neighbours differ in every line of it.

    The first VARIATIONS hints of a seed all differ; after them they recur.
    """
    drawn = hashlib.sha256(seed.encode()).digest()
    lines = []
    for at, (name, choices) in enumerate(_AXES):
        size = len(choices)
        # A step without a common divisor with the size visits every choice before one recurs.
        steps = [step for step in range(1, size) if math.gcd(step, size) == 1]
        start, step = drawn[2 * at], steps[drawn[2 * at + 1] % len(steps)]
        lines.append(f"{name}: {choices[(start + step * number) % size]}")
    return "\n".join(
        (
            "<variation>",
            "Others are written with the same persona, arc and topic. Make this one its own, in",
            "its wording, examples and order, and follow these lines where the arc allows it:",
            *lines,
            "</variation>",
        )
    )
