"""The tiny base model's states, without torch."""

import stat
from pathlib import Path

import pytest

from local.sagemaker.base_model import PREFIX, TinyBaseModel
from local.sagemaker.training_environment import TrainingEnvironment
from tests.local.sagemaker.emulated import BUCKET, TRAINER, Emulated

BUILDER = """#!/bin/sh
shift 2
echo built > "$1/weights"; echo built > "$1/config.json"
cp "$3" "$1/corpus"
"""


@pytest.fixture
def builder(tmp_path: Path) -> Path:
    """A program that stands in for Python and the builder of the model."""
    program = tmp_path / "builder"
    program.write_text(BUILDER)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def _model(python: Path, tmp_path: Path) -> TinyBaseModel:
    environment = TrainingEnvironment(python, TRAINER, "http://127.0.0.1:1")
    return TinyBaseModel(environment, tmp_path / "building" / "base_model")


def test_model_is_built_and_uploaded(emulated: Emulated, builder: Path, tmp_path: Path) -> None:
    model = _model(builder, tmp_path)
    model.provide(emulated.s3, BUCKET)
    model.wait()
    assert model.state == "ready"
    assert emulated.keys(PREFIX) == [PREFIX + name for name in ("config.json", "corpus", "weights")]
    assert not (tmp_path / "building" / "base_model").exists()


def test_model_that_is_there_is_not_built_again(emulated: Emulated, tmp_path: Path) -> None:
    emulated.s3.put_object(Bucket=BUCKET, Key=PREFIX + "config.json", Body=b"{}")
    model = _model(tmp_path / "no-python", tmp_path)
    model.provide(emulated.s3, BUCKET)
    assert model.state == "ready"


def test_model_whose_upload_was_cut_off_is_built_again(
    emulated: Emulated, builder: Path, tmp_path: Path
) -> None:
    emulated.s3.put_object(Bucket=BUCKET, Key=PREFIX + "weights", Body=b"half")
    model = _model(builder, tmp_path)
    model.provide(emulated.s3, BUCKET)
    model.wait()
    stored = emulated.s3.get_object(Bucket=BUCKET, Key=PREFIX + "weights")["Body"].read()
    assert stored == b"built\n"


def test_without_torch_it_is_skipped_and_says_so(emulated: Emulated, tmp_path: Path) -> None:
    model = _model(tmp_path / "no-python", tmp_path)
    model.provide(emulated.s3, BUCKET)
    assert model.state.startswith("skipped: the training environment is not installed")
    assert emulated.keys(PREFIX) == []


def test_builder_that_fails_leaves_nothing_and_names_its_log(
    emulated: Emulated, tmp_path: Path
) -> None:
    model = _model(Path("/bin/false"), tmp_path)
    model.provide(emulated.s3, BUCKET)
    model.wait()
    assert model.state.startswith("failed with exit code 1; see ")
    assert emulated.keys(PREFIX) == []


def test_building_ends_with_the_engine(emulated: Emulated, builder: Path, tmp_path: Path) -> None:
    builder.write_text("#!/bin/sh\nexec sleep 60\n")
    model = _model(builder, tmp_path)
    model.provide(emulated.s3, BUCKET)
    model.close()
    assert model.state.startswith("failed with exit code 137")
