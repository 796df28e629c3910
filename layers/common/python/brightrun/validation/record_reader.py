"""Takes lines apart that did not go the fast way; the first of them shows the format."""

from collections.abc import Sequence
from typing import Any

from brightrun.formats.detect import BYTE_ORDER_MARK, WHOLE_FILE_FORMS, classify
from brightrun.formats.model import Form
from brightrun.validation.closely import facts_of_record
from brightrun.validation.facts import Facts, FastCheck, Line
from brightrun.validation.fast import fast_check
from brightrun.validation.notes import Notes
from brightrun.validation.parse import parse_object
from brightrun.validation.report import Report
from brightrun.validation.scan import Look, LookAtLine, Suspects, SuspectsOf, look_at, suspects_in

_WEAK_MARK = "conversation_id"  # stands in records of several formats


def _not_yet(lines: Sequence[Line]) -> list[Facts | None]:
    """Send lines the slower way until the format is known."""
    return [None] * len(lines)


def _no_look(_line: bytes) -> Look:
    return Look.CLEAN


def _no_suspects(_piece: bytes, _lines: Sequence[Line]) -> Suspects:
    return ()


class RecordReader:
    """Reads records closely; once one has shown the format, the other attributes serve it.

    Problems go to `report`, which may be exchanged for another part of the same file's.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.fast: FastCheck = _not_yet
        self.look: LookAtLine = _no_look
        self.suspects: SuspectsOf = _no_suspects
        self.records = 0
        self.detected_by = "nothing: no record was recognised"
        self.claimed_pairs: Any = None  # what `_meta` says
        self._whole_document = False

    def take(self, line: bytes, number: int) -> Facts | None:
        """Note every problem of a line; its facts when none of them is an error."""
        if number == 1 and line.startswith(BYTE_ORDER_MARK):
            self.report.note("byte_order_mark", number)
            line = line[len(BYTE_ORDER_MARK) :]
        line = line.removesuffix(b"\n")
        if not line.strip():
            self.report.note("blank_line", number)
            return None
        if self._whole_document or self._opens_whole_document(line, number):
            return None
        note = Notes(self.report, number)
        self.records += 1
        record = parse_object(line, note)
        if record is None:
            return None
        if "_meta" in record:
            self.records -= 1
            self._take_meta(record["_meta"], note)
            return None
        return self._take_record(record, line, note)

    def _opens_whole_document(self, line: bytes, number: int) -> bool:
        text = line.strip()
        if (
            self.report.form is None
            and not self.records
            and (text in (b"{", b"[") or text.startswith(b"["))
        ):
            self.report.note("whole_json_document", number)
            self._whole_document = True
        return self._whole_document

    def _take_meta(self, meta: Any, note: Notes) -> None:
        """Remember how many pairs `_meta` claims: the product counts those without target too."""
        if self.records or self.claimed_pairs is not None or not isinstance(meta, dict):
            note("misplaced_meta", "/_meta")
            return
        self.claimed_pairs = meta.get("total_pairs", False)
        self._settle_on(Form.V4_JSONL, "_meta")

    def _take_record(self, record: dict[str, Any], line: bytes, note: Notes) -> Facts | None:
        found = classify(record)
        form = self.report.form
        if form is None:
            if found is None:
                note("unknown_format", detail="its fields: " + ", ".join(list(record)[:5]))
                return None
            if found[0] in WHOLE_FILE_FORMS:
                note("whole_json_document")
                self._whole_document = True
                return None
            form = self._settle_on(*found)
        elif found is not None and found[0] is not form and found[1] != _WEAK_MARK:
            note("mixed_formats", detail=f"{found[0].full_name} after {form.full_name}")
            return None
        return facts_of_record(record, form, note, self.look(line))

    def _settle_on(self, form: Form, key: str) -> Form:
        self.report.form = form
        self.detected_by = f"the first record has the key '{key}'"
        self.fast, self.look = fast_check(form), look_at(form)
        self.suspects = suspects_in(form)
        return form
