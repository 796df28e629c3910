"""Looks closely at one line: every problem noted, the same Facts as the fast way if it is sound."""

from typing import Any

import msgspec

from brightrun.formats.model import Format
from brightrun.formats.rules import Message, Rules
from brightrun.validation.facts import UNUSUAL, Facts
from brightrun.validation.notes import Notes
from brightrun.validation.scan import Look, ends_cut, findings

_encode = msgspec.json.Encoder().encode
_decode_texts = msgspec.json.Decoder(list[str]).decode


def facts_of_record(
    record: dict[str, Any], format_: Format, rules: Rules, note: Notes, look: Look
) -> Facts | None:
    """Note every problem of a record of this format; None when one of them is an error.

    Its texts are searched only when the look at its line has not found them clean.
    """
    turns = rules.check(record, note)
    if look is not Look.CLEAN:
        note_content(turns, note)
    group = str(record.get(rules.group)) if rules.group else ""
    return None if note.failed else _facts(turns, format_, group)


def note_content(turns: list[Message], note: Notes) -> None:
    """Note suspicious text in any turn, and answers to learn that were cut off."""
    for turn in turns:
        for code, kind in findings(turn.text):
            note(code, turn.place, kind)
        if turn.trains and ends_cut(turn.text):
            note("cut_text", turn.place)


def _facts(turns: list[Message], format_: Format, group: str) -> Facts:
    texts = [_encode(turn.text) for turn in turns]
    trained = [place for place, turn in enumerate(turns) if turn.trains]
    spoken = sum(turn.role in {"user", "assistant"} for turn in turns)
    pairs = spoken if format_.one_record_per_conversation else 1
    return Facts(texts, trained, b"".join(texts), spoken, pairs, group)


def reconsidered(facts: Facts, look: Look) -> Facts | None:
    """Decode the texts of a line that a look has not found clean; its Facts if all is well.

    Texts that may be escaped in another way than ours are written anew, so that the same text
    counts as the same.
    """
    try:
        texts = _decode_texts(b"[" + b",".join(facts.texts) + b"]")
    except UNUSUAL:
        return None
    if look is Look.SUSPICIOUS and _has_findings(texts):
        return None
    if b"\\u" in facts.joined or b"\\/" in facts.joined:
        facts.texts = list(map(_encode, texts))
        facts.joined = b"".join(facts.texts)
    return facts


def _has_findings(texts: list[str]) -> bool:
    joined = "\n".join(texts)
    if not all(map(str.strip, texts)) or ("\\" in joined and any(map(ends_cut, texts))):
        return True
    return any(True for _ in findings(joined))
