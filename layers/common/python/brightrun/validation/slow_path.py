"""The slow path: parses a line exactly, names what is wrong with it as JSON, and asks the rules.

A line without an error gives the same RecordSummary as the fast path.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from brightrun.formats.model import Format
from brightrun.formats.rules import Message, Rules, pointer
from brightrun.validation.record_summary import UNUSUAL, RecordSummary
from brightrun.validation.report import ProblemRecorder
from brightrun.validation.scan import ScanVerdict, ends_cut, findings

MOST_VALUES = 200_000  # commas: bounds what parsing a hostile line can allocate
DEEPEST = 32
_TOO_LARGE = 1 << 64  # what strict parsers take for an integer; a larger float is infinite here
_decode = msgspec.json.Decoder().decode
_decode_texts = msgspec.json.Decoder(list[str]).decode
_encode = msgspec.json.Encoder().encode


class _Constant(str):
    """NaN, Infinity or -Infinity where a number should be."""

    __slots__ = ()


class _Repeated(dict[str, Any]):
    """An object in which a key stood more than once."""

    twice: str = ""


def parse_object(line: bytes, note: ProblemRecorder) -> dict[str, Any] | None:
    """Return the line's JSON object, or None after noting every reason why it is none."""
    if line.count(b",") > MOST_VALUES:
        note("too_many_values", detail=f"more than {MOST_VALUES}")
        return None
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        note("invalid_utf8", detail=f"byte {error.start + 1} of the line")
        return None
    try:
        value = _decode(line)
    except UNUSUAL as error:
        _explain(text, str(error), note)
        return None
    if line.count(b'"') != _encode(value).count(b'"') or b"\\u0022" in line:
        _note_repeated_keys(text, note)
    brackets = line.count(b"[") + line.count(b"{")
    if brackets > DEEPEST and (nested := depth(value)) > DEEPEST:
        note("deep_nesting", detail=f"{nested} levels, at most {DEEPEST}")
        return None
    if not isinstance(value, dict):
        note("not_an_object", detail=type(value).__name__)
        return None
    return value


def _explain(text: str, reason: str, note: ProblemRecorder) -> None:
    """Name what a strict parser refused, by parsing once more leniently."""
    try:
        value = json.loads(text, parse_constant=_Constant)
    except json.JSONDecodeError as error:
        note("invalid_json", detail=f"{error.msg} at character {error.pos + 1}")
        return
    except RecursionError:
        note("deep_nesting", detail=f"at most {DEEPEST} levels")
        return
    except ValueError:
        note("number_out_of_range", detail="an integer of thousands of digits")
        return
    oddities = [place for place, found in walk(value) if _note_oddity(place, found, note)]
    if not oddities:
        note("invalid_json", detail=reason)


def _note_oddity(place: str, found: Any, note: ProblemRecorder) -> bool:
    if isinstance(found, _Constant):
        note("nan_or_infinity", place, str(found))
    elif isinstance(found, int | float) and abs(found) >= _TOO_LARGE:
        note("number_out_of_range", place)
    elif isinstance(found, str) and _has_lone_surrogate(found):
        note("lone_surrogate", place)
    elif isinstance(found, dict) and any(map(_has_lone_surrogate, found)):
        note("lone_surrogate", place, "in a key")
    else:
        return False
    return True


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _gather(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    repeated = _Repeated(plain)
    keys = [key for key, _ in pairs]
    repeated.twice = next(key for key in keys if keys.count(key) > 1)
    return repeated


def _note_repeated_keys(text: str, note: ProblemRecorder) -> None:
    for place, found in walk(json.loads(text, object_pairs_hook=_gather)):
        if isinstance(found, _Repeated):
            note("duplicate_key", place + pointer(found.twice))


def summary_of_record(
    record: dict[str, Any],
    format_: Format,
    rules: Rules,
    note: ProblemRecorder,
    verdict: ScanVerdict,
) -> RecordSummary | None:
    """Note every problem of a record of this format; None when one of them is an error.

    Its texts are searched only if the scan of its line has not found them clean.
    """
    turns = rules.check(record, note)
    if verdict is not ScanVerdict.CLEAN:
        note_content(turns, note)
    group = str(record.get(rules.group)) if rules.group else ""
    return None if note.failed else _summary(turns, format_, group)


def note_content(turns: list[Message], note: ProblemRecorder) -> None:
    """Note suspicious text in any turn, and answers to learn that were cut off."""
    for turn in turns:
        for code, kind in findings(turn.text):
            note(code, turn.place, kind)
        if turn.trains and ends_cut(turn.text):
            note("cut_text", turn.place)


def _summary(turns: list[Message], format_: Format, group: str) -> RecordSummary:
    texts = [_encode(turn.text) for turn in turns]
    trained = [place for place, turn in enumerate(turns) if turn.trains]
    spoken = sum(turn.role in {"user", "assistant"} for turn in turns)
    pairs = spoken if format_.one_record_per_conversation else 1
    return RecordSummary(texts, trained, b"".join(texts), spoken, pairs, group)


def with_texts_checked(summary: RecordSummary, verdict: ScanVerdict) -> RecordSummary | None:
    """Search the texts of a line that the scan has not found clean; None if one is suspicious.

    Texts with escapes that our writer would not use are written again, so that equal texts have
    equal bytes.
    """
    try:
        texts = _decode_texts(b"[" + b",".join(summary.texts) + b"]")
    except UNUSUAL:
        return None
    if verdict is ScanVerdict.SUSPICIOUS and _has_findings(texts):
        return None
    if b"\\u" in summary.joined or b"\\/" in summary.joined:
        summary.texts = list(map(_encode, texts))
        summary.joined = b"".join(summary.texts)
    return summary


def _has_findings(texts: list[str]) -> bool:
    joined = "\n".join(texts)
    if not all(map(str.strip, texts)) or ("\\" in joined and any(map(ends_cut, texts))):
        return True
    return any(True for _ in findings(joined))


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every value inside, itself included, with its pointer, in no promised order."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        place, found = waiting.pop()
        yield place, found
        if isinstance(found, dict):
            waiting += [(place + pointer(key), item) for key, item in found.items()]
        elif isinstance(found, list):
            waiting += [(place + pointer(index), item) for index, item in enumerate(found)]


def depth(value: Any) -> int:
    """How many objects and arrays are nested in each other."""
    levels, inside = 0, [value]
    while inside := [found for found in inside if isinstance(found, dict | list) and found]:
        levels += 1
        inside = [
            item
            for found in inside
            for item in (found.values() if isinstance(found, dict) else found)
        ]
    return levels
