"""The law of all tools that read training files: they count alike, and name the same codes."""

from __future__ import annotations

from io import BytesIO

from brightrun.formats.convert import convert
from brightrun.formats.errors import FormatError
from brightrun.formats.format import FORMATS, writable
from brightrun.sft.data import DataReport, pairs_of_file
from brightrun.sft.errors import DatasetError
from brightrun.validation.result import ValidationResult
from brightrun.validation.validator import Options, validate

EVERYTHING = Options(listed=10_000)


def assert_one_truth(data: bytes) -> ValidationResult:
    """All tools say the same of a file, and what is converted is ready with the same counts."""
    result = validate(BytesIO(data), EVERYTHING)
    report = DataReport()
    try:
        pairs = len(pairs_of_file(BytesIO(data), "x", report))
    except DatasetError:
        pairs = 0
        assert result.format is None or FORMATS[result.format].untrained_because
    else:
        counts = (report.rows, pairs, report.refused)
        assert counts == (result.records, result.trainable_pairs, result.refused)
        assert set(report.refused_codes) <= {row.code for row in result.summary}
        errors = result.error_count > 0
        assert bool(report.refused or report.file_errors or not pairs) == errors
    for to in writable():
        assert_converted(data, to, result)
    return result


def assert_converted(data: bytes, to: str, result: ValidationResult) -> None:
    out = BytesIO()
    try:
        done = convert(BytesIO(data), to, out)
    except FormatError:
        assert result.trainable_pairs == 0
        return
    assert (done.records, done.refused) == (result.records, result.refused)
    assert done.trainable_pairs == result.trainable_pairs > 0
    assert set(done.left_out) <= {row.code for row in result.summary}
    written = validate(BytesIO(out.getvalue()))
    assert (written.status, written.error_count) == ("ready", 0)
    assert (written.records, written.trainable_pairs) == (done.written, done.trainable_pairs)
    assert b"Infinity" not in out.getvalue()


def error_codes(result: ValidationResult) -> set[str]:
    """The codes of what refused a record, or the file."""
    return {row.code for row in result.summary if row.severity == "error"}
