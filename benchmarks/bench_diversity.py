"""Diversity of what the simulator writes, with and without repetition, and of training files.

    python -m benchmarks.bench_diversity [FILE ...]

A FILE is a training.json or training.jsonl; the last answer of each conversation in it has the
longest history, which is measured.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from brightrun.conversations.model import RAW_CONVERSATION_SCHEMA
from brightrun.formats import RecordFile
from brightrun.scaffolding.builtin import builtin_records
from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    TrainingTopic,
)
from brightrun.scaffolding.prompts import PromptContext, assemble_prompt
from brightrun.training_files.diversity import measure
from local.claude_simulator.author import write_answer

COUNT = 200
Texts = Mapping[str, Sequence[str]]


def _prompts() -> Iterable[tuple[PromptTemplate, PromptContext]]:
    """Every combination of the built-in records with its arc's first template."""
    templates = {one.emotional_arc_type: one for one in reversed(builtin_records(PromptTemplate))}
    arcs = [one for one in builtin_records(EmotionalArc) if one.arc_key in templates]
    consultant = builtin_records(Consultant)[0]
    for topic, arc, persona in itertools.product(
        builtin_records(TrainingTopic), arcs, builtin_records(Persona)
    ):
        context = PromptContext(persona, arc, topic, consultant, arc.tier)
        yield templates[arc.arc_key], context


def _written(prompt: str) -> list[str]:
    body = {
        "messages": [{"role": "user", "content": prompt}],
        "output_config": {"format": {"type": "json_schema", "schema": RAW_CONVERSATION_SCHEMA}},
    }
    return [turn["content"] for turn in json.loads(write_answer(body, 0, None))["turns"]]


def _batch(combinations: int, *, varied: bool) -> Texts:
    """COUNT conversations of so many combinations."""
    chosen = list(itertools.islice(_prompts(), combinations))
    texts = {}
    for number in range(COUNT):
        repetition, at = divmod(number, combinations)
        template, context = chosen[at]
        hint = repetition if varied else 0
        texts[str(number)] = _written(
            assemble_prompt(template, context, seed=str(at), variation=hint).user
        )
    return texts


def _conversations(path: Path) -> Texts:
    """The turns of a file's conversations, each from its longest record."""
    texts: dict[str, list[str]] = {}
    with path.open("rb") as source:
        for record in RecordFile(source):
            if record.reading is None:
                continue
            turns = [one.text for one in record.reading.turns if one.role != "system"]
            name = record.reading.conversation_id or str(record.number)
            if len(turns) > len(texts.get(name, ())):
                texts[name] = turns
    return texts


def _show(name: str, texts: Texts) -> None:
    began = time.process_time()
    found = measure(texts)
    seconds = time.process_time() - began
    size = sum(len(turn) for turns in texts.values() for turn in turns) / 1e6
    most = found.repeated_openings[0].conversations if found.repeated_openings else 0
    print(  # noqa: T201
        f"| {name} | {found.conversations} | {size:.2f} | {found.distinct_1} | {found.distinct_2} "
        f"| {found.compression_ratio} | {found.repeated_phrases} | {most} "
        f"| {len(found.duplicates)} | {seconds:.2f} |"
    )


def main(paths: Sequence[str]) -> None:
    """Print a row for each set of conversations."""
    _show("200 combinations", _batch(COUNT, varied=False))
    _show("20 combinations, each 10 times, no hints", _batch(20, varied=False))
    _show("20 combinations, each 10 times, hints", _batch(20, varied=True))
    _show("1 combination, 200 times, no hints", _batch(1, varied=False))
    _show("1 combination, 200 times, hints", _batch(1, varied=True))
    for path in map(Path, paths):
        _show(path.name, _conversations(path))


if __name__ == "__main__":
    main(sys.argv[1:])
