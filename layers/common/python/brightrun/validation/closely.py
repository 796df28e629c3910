"""Looks closely at one line: every problem noted, the same Facts as the fast way if it is sound."""

from typing import Any

import msgspec

from brightrun.formats.model import Form
from brightrun.validation.facts import UNUSUAL, Facts
from brightrun.validation.notes import Notes
from brightrun.validation.rules_alpaca import examine_alpaca
from brightrun.validation.rules_chat import CHAT_RULES
from brightrun.validation.rules_v4 import examine_v4, system_of
from brightrun.validation.scan import Look, ends_cut, findings
from brightrun.validation.turns import Spoken

_encode = msgspec.json.Encoder().encode
_decode_texts = msgspec.json.Decoder(list[str]).decode


def facts_of_record(record: dict[str, Any], form: Form, note: Notes, look: Look) -> Facts | None:
    """Note every problem of a record of this format; None when one of them is an error.

    Its texts are searched only when the look at its line has not found them clean.
    """
    if form is Form.V4_JSONL:
        turns, group = examine_v4(record, note), record.get("conversation_id")
        turns = system_of(record) + turns
    elif form is Form.ALPACA:
        turns, group = examine_alpaca(record, note), ""
    else:
        turns, group = CHAT_RULES[form].examine(record, note), ""
        if form is Form.CONVERSATIONS:
            group = record.get("conversation_id")
    if look is not Look.CLEAN:
        note_content(turns, note)
    return None if note.failed else _facts(turns, form, str(group))


def note_content(turns: list[Spoken], note: Notes) -> None:
    """Note suspicious text in any turn, and answers to learn that were cut off."""
    for turn in turns:
        for code, kind in findings(turn.text):
            note(code, turn.place, kind)
        if turn.trains and ends_cut(turn.text):
            note("cut_text", turn.place)


def _facts(turns: list[Spoken], form: Form, group: str) -> Facts:
    texts = [_encode(turn.text) for turn in turns]
    trained = [place for place, turn in enumerate(turns) if turn.trains]
    spoken = sum(turn.role in {"user", "assistant"} for turn in turns)
    stored = form in {Form.V4_JSONL, Form.ALPACA}
    return Facts(texts, trained, b"".join(texts), spoken, 1 if stored else spoken, group)


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
