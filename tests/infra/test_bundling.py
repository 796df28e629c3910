"""The Dependencies layer, built of a small package and as built for Lambda; our own code."""

from __future__ import annotations

import hashlib
import re
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import boto3
import botocore
import pytest
from botocore.loaders import Loader

from infra import bundling

LIMIT_BYTES = bundling.SIZE_LIMIT_MB * 1_000_000
PACKAGE = bundling.ROOT / "layers" / "common" / "python" / "brightrun"
EM_AARCH64 = 183  # e_machine in the ELF header

FILES = {
    "tiny/__init__.py": "ANSWER = 42\n",
    "tiny/__init__.pyi": "ANSWER: int\n",
    "tiny/tests/test_tiny.py": "assert True\n",
    "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tiny-1.0.dist-info/entry_points.txt": "[tiny_plugins]\none = tiny:ANSWER\n",
    "tiny-1.0.dist-info/RECORD": "",
}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock of one pure package, which pip finds in a folder and nowhere else."""
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    path = tmp_path / "layer.lock"
    path.write_text(f"--no-index\n--find-links {tmp_path}\ntiny==1.0 --hash=sha256:{digest}\n")
    return path


@pytest.fixture
def without_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what tests/infra/test_bytecode.py tests, which takes seconds."""
    monkeypatch.setattr(bundling, "compile_folders", lambda _: None)


@pytest.mark.slow
@pytest.mark.usefixtures("without_bytecode")
def test_a_layer_keeps_code_and_metadata_and_drops_what_nothing_reads(
    tmp_path: Path, lock: Path
) -> None:
    layer = tmp_path / "layer"
    assert bundling.build_layer(layer, lock) is True
    kept = {str(path.relative_to(layer / "python")) for path in layer.rglob("*") if path.is_file()}
    assert {"tiny/__init__.py", "tiny-1.0.dist-info/METADATA"} <= kept
    assert "tiny-1.0.dist-info/entry_points.txt" in kept
    assert not [name for name in kept if name.endswith((".pyi", "RECORD")) or "tests" in name]


@pytest.mark.slow
@pytest.mark.usefixtures("without_bytecode")
def test_a_layer_is_built_once_for_each_lock(tmp_path: Path, lock: Path) -> None:
    layer = tmp_path / "layer"
    bundling.build_layer(layer, lock)
    digest = bundling.built_layer_digest(layer, lock)
    assert bundling.build_layer(layer, lock) is False
    lock.write_text(f"# changed\n{lock.read_text()}")
    with pytest.raises(bundling.LayerNotBuiltError):
        bundling.built_layer_digest(layer, lock)
    assert bundling.build_layer(layer, lock) is True
    assert bundling.built_layer_digest(layer, lock) != digest


@pytest.mark.slow
@pytest.mark.usefixtures("without_bytecode")
def test_a_package_that_fails_its_hash_is_refused(tmp_path: Path, lock: Path) -> None:
    lock.write_text(re.sub(r"sha256:\w+", f"sha256:{'0' * 64}", lock.read_text()))
    layer = tmp_path / "layer"
    with pytest.raises(bundling.LayerBuildError, match="(?i)hashes"):
        bundling.build_layer(layer, lock)
    with pytest.raises(bundling.LayerNotBuiltError):
        bundling.built_layer_digest(layer, lock)


def test_a_missing_layer_says_how_to_build_it(tmp_path: Path, lock: Path) -> None:
    with pytest.raises(bundling.LayerNotBuiltError, match="make setup"):
        bundling.built_layer_digest(tmp_path / "layer", lock)


@pytest.mark.usefixtures("without_bytecode")
def test_what_python_and_editors_leave_behind_is_not_shipped(tmp_path: Path) -> None:
    clean, used, changed = (checkout(tmp_path / name) for name in ("clean", "used", "changed"))
    (used / "layers/common/python/package/__pycache__").mkdir()
    (used / "layers/common/python/package/__pycache__/module.cpython-311.pyc").write_bytes(b"old")
    (used / "functions/.editor").mkdir()
    (used / "functions/.editor/settings.json").write_text("{}")
    (changed / "functions/answer/handler.py").write_text("A = 2\n")
    first, second, third = (
        bundling.compiled_code(root, root / "build/code") for root in (clean, used, changed)
    )
    assert first.name == second.name != third.name
    assert contents(first) == contents(second) != contents(third)


@pytest.mark.usefixtures("without_bytecode")
def test_our_code_is_copied_once_for_each_content(tmp_path: Path) -> None:
    root, code = checkout(tmp_path / "one"), tmp_path / "build" / "code"
    before = bundling.compiled_code(root, code)
    bundling.compiled_code.cache_clear()
    assert bundling.compiled_code(root, code) == before
    (root / "functions/answer/handler.py").write_text("A = 2\n")
    bundling.compiled_code.cache_clear()
    after = bundling.compiled_code(root, code)
    assert [copy.name for copy in code.iterdir()] == [after.name] != [before.name]
    assert (after / "functions/answer/handler.py").read_text() == "A = 2\n"


def checkout(root: Path) -> Path:
    """Write a layer of one module and a function of one module."""
    for name in ("layers/common/python/package/module.py", "functions/answer/handler.py"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text("A = 1\n")
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_built_layer_is_of_the_present_lock_and_within_the_limit() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", bundling.built_layer_digest())
    size = sum(path.stat().st_size for path in bundling.LAYER.rglob("*") if path.is_file())
    assert 1_000_000 < size <= LIMIT_BYTES


def test_the_built_layer_holds_exactly_the_locked_packages() -> None:
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", bundling.LOCK.read_text(), re.MULTILINE))
    installed = {}
    for path in (bundling.LAYER / "python").glob("*.dist-info/METADATA"):
        metadata = HeaderParser().parsestr(path.read_text(encoding="utf-8"))
        installed[re.sub(r"[-_.]+", "-", metadata["Name"]).lower()] = metadata["Version"]
    assert installed == locked


def test_the_layer_has_the_models_of_the_services_that_the_code_calls_and_no_other() -> None:
    code = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    called = set(re.findall(r'boto3\.client\(\s*"([a-z0-9-]+)"', code))
    assert code.count("boto3.client(") >= len(called)
    assert called == set(bundling.AWS_SERVICES)
    models = bundling.LAYER / "python" / "botocore" / "data"
    assert {path.name for path in models.iterdir() if path.is_dir()} == called
    loader = Loader(extra_search_paths=[str(models)], include_default_search_paths=False)
    for service in called:
        assert loader.load_service_model(service, "service-2")["operations"]
        assert loader.load_service_model(service, "endpoint-rule-set-1")["rules"]


def test_boto3_is_the_one_that_the_tests_run_on() -> None:
    locked = bundling.LOCK.read_text()
    assert f"boto3=={boto3.__version__} " in locked
    assert f"botocore=={botocore.__version__} " in locked


def test_the_size_is_said_in_one_line() -> None:
    said = bundling.sizes()
    found = re.fullmatch(
        r"Layers: Dependencies (\S+) MB, BrightRunCode (\S+) MB, of 250 MB; "
        r"bytecode for Python 3\.14",
        said,
    )
    assert found
    assert 20 < float(found[1]) < LIMIT_BYTES / 1e6
    assert 1 < float(found[2]) < 10


def test_every_binary_is_for_lambdas_processor_and_python() -> None:
    binaries = [path for path in bundling.LAYER.rglob("*") if ".so" in path.suffixes]
    assert binaries
    for binary in binaries:
        header = binary.read_bytes()[:20]
        assert header[:4] == b"\x7fELF"
        assert int.from_bytes(header[18:20], "little") == EM_AARCH64, binary
        assert "cpython-314-aarch64" in binary.name or ".abi3." in binary.name, binary


def test_the_locks_hold_hashes_and_no_registry_address() -> None:
    for name in ("requirements/layer.lock", "package-lock.json"):
        text = (bundling.ROOT / name).read_text()
        assert "://" not in text
        assert "sha" in text
