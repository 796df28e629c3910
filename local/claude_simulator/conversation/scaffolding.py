"""The machine-readable block that prompts carry, read into values.

```
<scaffolding>
persona: {name} | {archetype} | {persona_key}
arc: {name} | {arc_key}
from: {starting_emotion} {min}-{max}
to: {ending_emotion} {min}-{max}
exchanges: {min}-{max}
topic: {name} | {topic_key}
key_concepts: a; b; c
</scaffolding>
```
An exchange is a user turn and its answer. The language is asked for outside the block. A missing
block, line or part gets a sensible value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_BLOCK = re.compile(r"<scaffolding>(.*?)</scaffolding>", re.DOTALL)
_VARIATION = re.compile(r"<variation>.*?</variation>", re.DOTALL)
_LINE = re.compile(r"^\s*(persona|arc|from|to|exchanges|topic|key_concepts)\s*:\s*(.*?)\s*$", re.M)
_LANGUAGE = re.compile(r"^Write every message of the conversation, .* in (\w+), as native", re.M)
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)\s*$")


@dataclass(frozen=True, slots=True)
class Emotion:
    """An emotion and the range its intensity lies in, from 0 to 1."""

    emotion: str
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Scaffolding:
    """The persona, the emotional arc and the topic of a conversation."""

    persona_name: str = "Alex Rivera"
    archetype: str = "The Thoughtful Client"
    persona_key: str = "general"
    arc_name: str = "Uncertainty to Confidence"
    arc_key: str = "general"
    start: Emotion = Emotion("uncertainty", 0.6, 0.8)
    end: Emotion = Emotion("confidence", 0.6, 0.8)
    min_exchanges: int = 3
    max_exchanges: int = 5
    topic_name: str = "Household Finances"
    topic_key: str = "general"
    key_concepts: tuple[str, ...] = field(default=("priorities", "monthly spending", "savings"))
    # Not part of its text, which the randomness is derived from.
    language: str = field(default="English", repr=False)


def read_variation(prompt: str) -> str:
    """The block that asks for another conversation of the same scaffolding; empty without one."""
    found = _VARIATION.search(prompt)
    return found[0] if found else ""


def read_scaffolding(prompt: str) -> Scaffolding | None:
    """The last scaffolding block of a prompt, or None where it has none."""
    blocks = _BLOCK.findall(prompt)
    if not blocks:
        return None
    lines = dict(_LINE.findall(blocks[-1]))
    default = Scaffolding()
    persona = _parts(lines.get("persona"), 3)
    arc = _parts(lines.get("arc"), 2)
    topic = _parts(lines.get("topic"), 2)
    low, high = _exchanges(lines.get("exchanges"), default)
    concepts = tuple(c.strip() for c in lines.get("key_concepts", "").split(";") if c.strip())
    return Scaffolding(
        persona_name=persona[0] or default.persona_name,
        archetype=persona[1] or default.archetype,
        persona_key=persona[2] or default.persona_key,
        arc_name=arc[0] or default.arc_name,
        arc_key=arc[1] or default.arc_key,
        start=_emotion(lines.get("from"), default.start),
        end=_emotion(lines.get("to"), default.end),
        min_exchanges=low,
        max_exchanges=high,
        topic_name=topic[0] or default.topic_name,
        topic_key=topic[1] or default.topic_key,
        key_concepts=concepts or default.key_concepts,
        language=language[1] if (language := _LANGUAGE.search(prompt)) else default.language,
    )


def _parts(line: str | None, count: int) -> list[str]:
    parts = [part.strip() for part in (line or "").split("|")]
    return (parts + [""] * count)[:count]


def _emotion(line: str | None, default: Emotion) -> Emotion:
    text = line or ""
    intensity = _RANGE.search(text)
    if intensity is None:
        return Emotion(text.strip() or default.emotion, default.minimum, default.maximum)
    low, high = sorted(min(float(number), 1.0) for number in intensity.groups())
    return Emotion(text[: intensity.start()].strip() or default.emotion, low, high)


def _exchanges(line: str | None, default: Scaffolding) -> tuple[int, int]:
    numbers = [int(number) for number in re.findall(r"\d+", line or "")]
    if not numbers or numbers[0] < 1:
        return default.min_exchanges, default.max_exchanges
    return numbers[0], max(numbers)
