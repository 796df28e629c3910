"""Bytecode is Lambda's own, whichever Python runs these tests."""

from __future__ import annotations

import _imp
from pathlib import Path

import pytest

from infra import bundling, bytecode
from infra.components.layers import RUNTIME

pytestmark = pytest.mark.slow

MAGIC = (3627).to_bytes(2, "little") + b"\r\n"  # of CPython 3.14
UNCHECKED_HASH = (0b01).to_bytes(4, "little")  # PEP 552: a hash that is not compared at import


def compiled(source: Path) -> Path:
    """Where Lambda's Python looks for a module's bytecode."""
    return source.parent / "__pycache__" / f"{source.stem}.cpython-314.pyc"


def assert_current(sources: list[Path]) -> None:
    """Each module has bytecode of Lambda's Python that was made of its present source."""
    for source in sources:
        header = compiled(source).read_bytes()[:16]
        assert header[:4] == MAGIC, source
        assert header[4:8] == UNCHECKED_HASH, source
        key = int.from_bytes(MAGIC, "little")
        assert header[8:] == _imp.source_hash(key, source.read_bytes()), source


def test_the_bytecode_is_of_the_functions_runtime() -> None:
    assert RUNTIME.name == f"python{bytecode.PYTHON}"


def test_a_module_has_the_same_bytecode_wherever_it_was_compiled(tmp_path: Path) -> None:
    folders = [tmp_path / "first", tmp_path / "elsewhere" / "second"]
    for folder in folders:
        folder.joinpath("package").mkdir(parents=True)
        folder.joinpath("package", "module.py").write_text("ANSWERS = frozenset({'a', 'b', 'c'})\n")
    bytecode.compile_folders({folders[0]: "/opt/python"})
    bytecode.compile_folders({folders[1]: "/opt/python"})
    sources = [folder / "package" / "module.py" for folder in folders]
    assert_current(sources)
    first, second = (compiled(source).read_bytes() for source in sources)
    assert first == second
    assert b"/opt/python/package/module.py" in first


def test_what_is_no_python_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def (:\n")
    with pytest.raises(bytecode.BytecodeError, match=r"(?s)broken\.py.*/opt/python"):
        bytecode.compile_folders({tmp_path: "/opt/python"})


def test_another_python_than_lambdas_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecode, "PYTHON", "3.13")
    with pytest.raises(bytecode.BytecodeError, match=r"pyodide is Python 3\.14.*runs 3\.13"):
        bytecode.compile_folders({})


def test_a_machine_without_node_is_recognized(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(bytecode.BytecodeError, match="Node is not installed"):
        bytecode.compile_folders({})


@pytest.mark.parametrize("shipped", ["third_party", "our_own"])
def test_everything_that_is_shipped_has_current_bytecode(shipped: str) -> None:
    folder = bundling.LAYER if shipped == "third_party" else bundling.compiled_code()
    sources = list(folder.rglob("*.py"))
    assert sources
    assert_current(sources)
    assert len(list(folder.rglob("*.pyc"))) == len(sources)
