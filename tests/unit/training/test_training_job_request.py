"""Which requests for training jobs are accepted."""

from __future__ import annotations

import pytest

from brightrun.catalog.base_models import base_model
from brightrun.catalog.gpu_instances import GpuConfig, gpu_type
from brightrun.core.errors import DatasetNotReadyError, InvalidInputError
from brightrun.training.create_training_job import (
    TrainingJobRequest,
    require_machine,
    require_trainable,
)
from tests.fakes.training_jobs import a_dataset

TINY, LARGE = base_model("brightrun-tiny"), base_model("qwen2.5-7b-instruct")
CPU, GPU = gpu_type("local-cpu"), gpu_type("H100")


def test_a_locally_generated_model_needs_a_cpu_and_any_other_a_gpu() -> None:
    require_machine(TINY, CPU, any_instance=False)
    require_machine(LARGE, GPU, any_instance=False)
    with pytest.raises(InvalidInputError, match=r"^base_model: .*local-cpu"):
        require_machine(TINY, GPU, any_instance=False)
    with pytest.raises(InvalidInputError, match=r"^gpu_config.type: "):
        require_machine(LARGE, CPU, any_instance=False)


def test_where_every_instance_is_the_developers_machine_anything_goes() -> None:
    require_machine(TINY, GPU, any_instance=True)
    require_machine(LARGE, CPU, any_instance=True)


def test_a_refusal_names_the_route_that_helps_with_the_datasets_own_id() -> None:
    with pytest.raises(DatasetNotReadyError, match="/api/datasets/dataset-1/confirm"):
        require_trainable(a_dataset(status="uploading"), allow_simulated=True)


def test_leave_to_train_on_simulated_data_does_not_make_a_dataset_ready() -> None:
    with pytest.raises(DatasetNotReadyError):
        require_trainable(a_dataset(simulated=True, status="error"), allow_simulated=True)
    require_trainable(a_dataset(simulated=True), allow_simulated=True)


def test_orders_that_differ_in_anything_have_different_fingerprints() -> None:
    one = TrainingJobRequest("dataset-1", GpuConfig("H100", 1))
    others = [
        TrainingJobRequest("dataset-2", GpuConfig("H100", 1)),
        TrainingJobRequest("dataset-1", GpuConfig("H100", 2)),
        TrainingJobRequest("dataset-1", GpuConfig("H100", 1), hyperparameters={"epochs": 2}),
        TrainingJobRequest("dataset-1", GpuConfig("H100", 1), max_cost_usd=5.0),
        TrainingJobRequest("dataset-1", GpuConfig("H100", 1), allow_simulated=True),
    ]
    assert len({request.fingerprint() for request in (one, *others)}) == 6
    assert one.fingerprint() == TrainingJobRequest("dataset-1", GpuConfig("H100", 1)).fingerprint()
