"""The slow path: a record that was read and searched by the rules, in the form of the fast path.

A line without an error gives the same RecordSummary as the fast path.
"""

from collections.abc import Sequence

import msgspec

from brightrun.formats import MEDIA_PLACEHOLDERS, UNUSUAL, Message, Reading, ends_cut, is_blank
from brightrun.validation.record_summary import RecordSummary
from brightrun.validation.report import ProblemRecorder
from brightrun.validation.scan import ScanVerdict, findings

_decode_texts = msgspec.json.Decoder(list[str]).decode
_encode = msgspec.json.Encoder().encode


def summary_of(
    reading: Reading, note: ProblemRecorder, verdict: ScanVerdict
) -> RecordSummary | None:
    """Search the texts of a record; None when one of its problems is an error.

    They are searched only if the scan of its line has not found them clean.
    """
    if verdict is not ScanVerdict.CLEAN:
        for turn in reading.messages:
            for code, kind in findings(turn.text):
                note(code, turn.place, kind)
    return None if note.failed else _summary(reading.messages, reading)


def _summary(turns: Sequence[Message], reading: Reading) -> RecordSummary:
    texts = [_encode(turn.text) for turn in turns]
    trained = [place for place, turn in enumerate(turns) if turn.trains]
    turn_count = sum(turn.role in {"user", "assistant"} for turn in turns)
    pairs = turn_count if reading.format.one_record_per_conversation else 1
    group = reading.conversation_id
    return RecordSummary(texts, trained, b"".join(texts), turn_count, pairs, group)


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
    if any(map(is_blank, texts)) or ("\\" in joined and any(map(ends_cut, texts))):
        return True
    if any(placeholder in joined for placeholder in MEDIA_PLACEHOLDERS):
        return True
    return any(True for _ in findings(joined))
