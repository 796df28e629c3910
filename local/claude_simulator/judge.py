"""Judges a quoted conversation by what can be counted in it; the same text, the same judgement."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from local.claude_simulator.schema_rules import resolve

_QUOTED = re.compile(r"<conversation>\s*(.*?)\s*</conversation>", re.DOTALL)
_ARC = re.compile(r"from (\w+) to (\w+)")
_DEBRIS = re.compile(r"\\n|\\\"|\\$")
_FILLER = ("it depends", "everyone is different", "do your research", "as an ai")
_FIGURE = re.compile(r"\d")
_BEST, _WORST = 5, 1
_FEW_TURNS, _SHORT = 4, 80

Turns = list[dict[str, Any]]


def wants_judgement(schema: dict[str, Any]) -> bool:
    """Whether a schema asks for nothing but criteria, each with a reason and a score."""
    criteria = resolve(schema, schema).get("properties", {}).values()
    return bool(criteria) and all(
        set(resolve(one, schema).get("properties", {})) == {"reason", "score"} for one in criteria
    )


def write_judgement(prompt: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A judgement of the conversation in the prompt; every fault costs each criterion a point.

    Without a readable conversation every criterion gets the lowest score.
    """
    faults = list(_faults(prompt))
    score = max(_WORST, _BEST - len(faults))
    reason = "Simulated: " + ("; ".join(faults) if faults else "nothing was found to fix") + "."
    return {
        name: {"reason": reason, "score": score}
        for name in resolve(schema, schema).get("properties", {})
    }


def _faults(prompt: str) -> Iterator[str]:
    turns = _turns(prompt)
    if not turns:
        yield from ("no conversation can be read", "so", "nothing", "can be judged")
        return
    texts = [str(turn.get("content", "")) for turn in turns]
    said = [text for turn, text in zip(turns, texts, strict=True) if turn["role"] == "assistant"]
    if len(turns) < _FEW_TURNS:
        yield f"only {len(turns)} turns"
    if turns[-1]["role"] != "assistant":
        yield "the client has the last word"
    if len(set(texts)) < len(texts):
        yield "a turn is repeated"
    if any(_DEBRIS.search(text) for text in texts):
        yield "escape sequences stand in the text"
    if any(phrase in text.lower() for text in said for phrase in _FILLER):
        yield "general phrases stand for advice"
    if said and not any(_FIGURE.search(text) for text in said) and max(map(len, said)) < _SHORT:
        yield "the answers are short and name no figure"
    yield from _arc_faults(prompt, turns)


def _arc_faults(prompt: str, turns: Turns) -> Iterator[str]:
    declared = _ARC.search(prompt.partition("<conversation>")[0])
    felt = [
        str((turn.get("emotional_context") or {}).get("primary_emotion", "")).lower()
        for turn in turns
        if turn["role"] == "user"
    ]
    if declared and felt and felt[0] == declared[2].lower() != declared[1].lower():
        yield "the emotions run against the declared arc"


def _turns(prompt: str) -> Turns:
    quoted = _QUOTED.search(prompt)
    try:
        turns = json.loads(quoted[1])["turns"] if quoted else []
    except (ValueError, KeyError, TypeError):
        return []
    return [turn for turn in turns if isinstance(turn, dict) and "role" in turn]
