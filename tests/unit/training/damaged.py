"""Ways to damage a good conversation, each as real data was damaged or as a lazy writer would."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

Turns = list[dict[str, Any]]

FILLER = (
    "That is a great question, and many people wonder about it. It really depends on a lot of "
    "different things, and everybody is different in the end. The important thing is to think "
    "about what matters, to stay positive, and to keep going. Things usually work out for people "
    "who plan ahead and stay on track, so just do what feels right for you.",
    "There is a lot to consider here, as always. In general it is good to be careful, to look at "
    "the big picture and not to rush anything. Every situation has its pros and its cons, and "
    "both sides have a point. With the right mindset you will surely find a way that suits you.",
    "Absolutely, that makes sense. Planning is a journey and not a destination, and being aware "
    "is half the battle. It is always wise to do some research and to keep an open mind. Remember "
    "that nobody is perfect, and that small improvements add up for those who believe in them.",
    "I could not agree more with that. What counts is the bigger goal and a good attitude towards "
    "it. There are many options out there, and all of them can be good ones. Take your time, trust "
    "the process, and things will become clearer as they go along for you and everybody else.",
)


def reversed_arc(turns: Turns) -> Turns:
    """The exchanges in the opposite order, feelings included."""
    exchanges = [turns[start : start + 2] for start in range(0, len(turns), 2)]
    return _numbered([turn for exchange in reversed(exchanges) for turn in exchange])


def cut_turns(turns: Turns) -> Turns:
    """Two answers that stop in the middle of a word; the second with the decoder's backslash."""
    answers = [turn for turn in turns if turn["role"] == "assistant"]
    for turn, end in zip(answers[-2:], ("", "\\"), strict=False):
        words = turn["content"].split()
        turn["content"] = " ".join(words[: max(3, len(words) // 3)]).rstrip(".,!?;:") + end
    return turns


def repeated_turns(turns: Turns) -> Turns:
    """The second exchange said again in the place of the last."""
    for offset in (0, 1):
        turns[-2 + offset]["content"] = turns[offset]["content"]
    return turns


def literal_escapes(turns: Turns) -> Turns:
    """Every answer escaped twice, as JSON rules in a prompt made Claude do."""
    for turn in turns:
        if turn["role"] == "assistant":
            text = turn["content"].replace("\n", "\\n").replace('"', '\\"')
            turn["content"] = text if "\\" in text else text.replace(". ", ".\\n\\n", 1)
    return turns


def generic_filler(turns: Turns) -> Turns:
    """Answers that could stand anywhere."""
    answers = [turn for turn in turns if turn["role"] == "assistant"]
    for index, turn in enumerate(answers):
        start = index % len(FILLER)
        shift = index // len(FILLER)
        sentences = FILLER[start].split(". ")
        turn["content"] = ". ".join(sentences[shift:] + sentences[:shift]).rstrip(".") + "."
    return turns


DAMAGES: Mapping[str, Callable[[Turns], Turns]] = {
    damage.__name__: damage
    for damage in (reversed_arc, cut_turns, repeated_turns, literal_escapes, generic_filler)
}


def damaged(conversation: dict[str, Any], damage: Callable[[Turns], Turns]) -> dict[str, Any]:
    """A damaged copy of a conversation."""
    broken = copy.deepcopy(conversation)
    broken["turns"] = damage(broken["turns"])
    return broken


def _numbered(turns: Turns) -> Turns:
    return [{**turn, "turn_number": number} for number, turn in enumerate(turns, start=1)]
