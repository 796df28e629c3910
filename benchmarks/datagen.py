"""Writes realistic training files of any size from a seed, for the validator's benchmark.

The prose is the English documentation that botocore ships, cut into sentences; the mix of lengths,
turns and non-ASCII characters follows the real product files (one turn in four carries an em dash,
few carry anything else).  About one line in a hundred repeats the one before it and as many repeat
it with a longer last answer, so that the duplicate checks have work to do.

    python -m benchmarks.datagen messages 20 /tmp/messages-20.jsonl
"""

import gzip
import html
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

SEED = 20261121
MIB = 1 << 20
_TAG = re.compile(r"<[^>]+>")
_DOCUMENTATION = re.compile(r'"documentation":"((?:[^"\\]|\\.)*)"')
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SERVICE_FILES = 90
_SENTENCES = 60_000
_FLAVOUR = [
    "Here's the thing:\n\n1. first option\n2. second option\n\n",
    "That's a completely understandable feeling.\n\n",
    'My wife says "just decide already".',
    "Does that make sense so far?",
]
_UNUSUAL = [
    "Is that normal? 🙂",
    "“Start small” is what my café-owner friend said.",
    "It is €1.250.",
]
_PERSONAS = ["The Pragmatic Optimist", "The Overwhelmed Avoider", "The Anxious Planner"]
_ARCS = ["couple_conflict_to_alignment", "confusion_to_clarity", "shame_to_acceptance"]
Exchange = tuple[str, str]
Conversation = list[Exchange]


class Prose:
    """Random sentences, paragraphs and conversations; the same seed gives the same text."""

    def __init__(self, seed: int = SEED) -> None:
        self.random = Random(seed)  # noqa: S311 - test data, not a secret
        self.sentences = _sentences(self.random)

    def paragraph(self, sentences: int) -> str:
        """Join so many sentences, some with a flavour of chat, a dash or a paragraph break."""
        roll = self.random.random
        parts = []
        for _ in range(sentences):
            parts.append(self.random.choice(self.sentences))
            if roll() < 0.10:
                parts.append(self.random.choice(_FLAVOUR))
            if roll() < 0.05:
                parts.append("— and that matters —")
            if roll() < 0.005:
                parts.append(self.random.choice(_UNUSUAL))
        return " ".join(parts)

    def conversation(self) -> Conversation:
        """Write two to ten exchanges of a short question and a longer answer."""
        exchanges = self.random.choices([2, 3, 4, 5, 6, 8, 10], [20, 25, 20, 14, 11, 7, 3])[0]
        pick = self.random.randint
        return [(self.paragraph(pick(1, 4)), self.paragraph(pick(3, 9))) for _ in range(exchanges)]


def _sentences(random: Random) -> list[str]:
    import botocore

    files = sorted((Path(botocore.__file__).parent / "data").glob("*/*/service-2.json.gz"))
    found: set[str] = set()
    for path in files[:_SERVICE_FILES]:
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            for quoted in _DOCUMENTATION.findall(stream.read()):
                text = html.unescape(_TAG.sub(" ", json.loads(f'"{quoted}"')))
                plain = re.sub(r"\s+", " ", text)
                found.update(s.strip() for s in _SENTENCE_END.split(plain) if 40 < len(s) < 260)
    ordered = sorted(found)
    random.shuffle(ordered)
    return ordered[:_SENTENCES]


def _messages(prose: Prose, systems: list[str], n: int, talk: Conversation) -> dict[str, Any]:
    messages = [{"role": "system", "content": systems[n % len(systems)]}]
    for user, assistant in talk:
        messages += [
            {"role": "user", "content": user},
            {"role": "assistant", "content": assistant},
        ]
    metadata = {
        "conversation_id": f"conv_{n:08d}",
        "persona": _PERSONAS[n % 3],
        "emotional_arc": _ARCS[n % 3],
        "tier": "template",
        "quality_score": round(prose.random.uniform(1, 5), 2),
        "turns": len(talk),
    }
    return {"messages": messages, "metadata": metadata}


def _history(talk: Conversation) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    for user, assistant in talk:
        for role, content in (("user", user), ("assistant", assistant)):
            state = {"primary": "worry", "secondary": "hope", "intensity": 0.6}
            turns.append(
                {
                    "turn": len(turns) + 1,
                    "role": role,
                    "content": content,
                    "emotional_state": state,
                }
            )
    return turns


def _v4(prose: Prose, systems: list[str], n: int, talk: Conversation) -> dict[str, Any]:
    user, assistant = talk[-1]
    emotions = {"primary": "concern", "primary_confidence": 0.8, "intensity": 0.7}
    return {
        "id": f"fp_{n:08d}_turn{2 * len(talk)}",
        "conversation_id": f"fp_{n:08d}",
        "turn_number": 2 * len(talk),
        "conversation_metadata": {
            "client_persona": _PERSONAS[n % 3],
            "session_context": prose.sentences[n % len(prose.sentences)],
            "conversation_phase": "exploration",
            "expected_outcome": prose.sentences[n * 7 % len(prose.sentences)],
        },
        "system_prompt": systems[n % len(systems)],
        "conversation_history": _history(talk[:-1]),
        "current_user_input": user,
        "emotional_context": {"detected_emotions": emotions | {"valence": "mixed"}},
        "target_response": assistant,
        "training_metadata": {
            "difficulty_level": f"intermediate_conversation_turn_{2 * len(talk)}",
            "key_learning_objective": prose.sentences[n * 13 % len(prose.sentences)],
            "demonstrates_skills": ["empathy", "reframing"],
            "quality_score": prose.random.randint(1, 5),
            "quality_criteria": {"empathy_score": 3, "clarity_score": 4.2},
            "human_reviewed": False,
            "reviewer_notes": None,
        },
    }


Record = Callable[[Prose, list[str], int, Conversation], dict[str, Any]]
_RECORDS: dict[str, tuple[Record, tuple[str, str] | None]] = {
    "messages": (_messages, None),  # json.dumps as it comes: a space after each separator
    "v4-jsonl": (_v4, (",", ":")),  # compact, as the product writes it
}


def lines(form: str, seed: int = SEED) -> Iterator[bytes]:
    """Yield endless lines, newline included, of `messages` or `v4-jsonl`."""
    record, separators = _RECORDS[form]
    prose = Prose(seed)
    systems = ["You are a caring financial planner. " + prose.paragraph(5) for _ in range(40)]
    talk: Conversation = prose.conversation()
    n = 0
    while True:
        roll = prose.random.random()
        if roll < 0.01:
            talk = [*talk[:-1], (talk[-1][0], f"{talk[-1][1]} {prose.paragraph(1)}")]
        elif roll > 0.02:
            talk = prose.conversation()
        value = record(prose, systems, n, talk)
        text = json.dumps(value, ensure_ascii=False, separators=separators)
        yield text.encode() + b"\n"
        n += 1


def write_file(path: Path, form: str, size: int, seed: int = SEED) -> int:
    """Stream at least `size` bytes of lines to `path`, whole lines only; return the line count."""
    written = count = 0
    with path.open("wb", buffering=MIB) as out:
        for line in lines(form, seed):
            written += out.write(line)
            count += 1
            if written >= size:
                return count
    raise AssertionError("lines() never ends")


if __name__ == "__main__":
    target = Path(sys.argv[3])
    print(target, write_file(target, sys.argv[1], int(sys.argv[2]) * MIB), "lines")
