"""Every kind of bad file is named for what it is, and none stops the validator."""

from __future__ import annotations

from io import BytesIO

import pytest

from brightrun.formats import codes
from brightrun.formats.codes import Severity
from brightrun.validation.result import ValidationResult
from brightrun.validation.validator import validate
from tests.unit.validation.hostile_files import HostileFile, hostile_files

CORPUS = hostile_files()


def _validated(file: HostileFile) -> ValidationResult:
    return validate(BytesIO(file.data))


def test_the_corpus_has_more_than_a_hundred_kinds_of_bad_files_and_no_name_twice() -> None:
    assert len(CORPUS) >= 100
    assert len({file.name for file in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_the_problem_is_named_on_its_line_with_a_hint(file: HostileFile) -> None:
    result = _validated(file)
    problems = result.errors + result.warnings
    assert file.named <= {(problem.line, problem.code) for problem in problems}
    assert all(problem.hint and problem.message for problem in problems)
    blocking = {code for _, code in file.named if codes()[code].severity is Severity.ERROR}
    assert (result.status == "error") == bool(blocking)


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_a_bad_line_does_not_hide_the_sound_one_before_it(file: HostileFile) -> None:
    result = _validated(file)
    if result.lines >= 2 and min(line for line, _ in file.named) == 2:
        assert result.trainable_pairs >= 1
        assert not [problem for problem in result.errors if problem.line == 1]
    else:
        assert result.error_count + result.warning_count > 0


def test_the_corpus_meets_every_code_that_makes_a_file_unready() -> None:
    met = {code for file in CORPUS for _, code in file.named}
    errors = {name for name, row in codes().items() if row.severity is Severity.ERROR}
    elsewhere = {"too_long_for_model", "file_too_large"}  # need a model, and two gigabytes
    assert errors - met == elsewhere
