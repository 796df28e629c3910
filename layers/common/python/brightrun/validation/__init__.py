"""Validates training files of any size in one stream; pure, offline, no AWS."""

from brightrun.formats import Code, Severity, codes, codes_page
from brightrun.validation.report import CodeCount, Problem
from brightrun.validation.result import ValidationResult
from brightrun.validation.split import Split
from brightrun.validation.tokens import Tokenizer
from brightrun.validation.validator import Options, validate

__all__ = [
    "Code",
    "CodeCount",
    "Options",
    "Problem",
    "Severity",
    "Split",
    "Tokenizer",
    "ValidationResult",
    "codes",
    "codes_page",
    "validate",
]
