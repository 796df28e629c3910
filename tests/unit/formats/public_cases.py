"""Small files after public bug reports; they stand beside the checkout."""

from __future__ import annotations

import pytest

from tests.unit.formats.training_examples import REAL_FILES

CASES = REAL_FILES / "public-cases"
FILES = sorted(path for path in CASES.glob("*") if path.suffix != ".md") if CASES.is_dir() else []
needs_cases = pytest.mark.skipif(not FILES, reason="the public cases are not beside the checkout")
