"""Validates training files of any size in one stream; pure, offline, no AWS."""

from brightrun.validation.report import CodeCount, Problem
from brightrun.validation.result import ValidationResult
from brightrun.validation.split import Split
from brightrun.validation.tokens import Tokenizer
from brightrun.validation.validator import Options, validate

__all__ = [
    "CodeCount",
    "Options",
    "Problem",
    "Split",
    "Tokenizer",
    "ValidationResult",
    "validate",
]
