"""The request for a training job: valid for SageMaker's own model, and for the trainer."""

from __future__ import annotations

import dataclasses
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from brightrun.catalog.base_models import base_model, base_models
from brightrun.catalog.gpu_instances import Billing, own_machine
from brightrun.catalog.presets import Hyperparameters
from brightrun.datasets.model import Dataset
from brightrun.sft.settings import LONGEST_VARIABLES, TEMPLATE_DATE, variables_complaint
from brightrun.training.model import TrainingJob, read_training_job
from brightrun.training.sagemaker.request import (
    LONGEST_RUN_S,
    METRIC_DEFINITIONS,
    TrainingResources,
    artifact_key,
    hyperparameters,
    metrics_key,
    training_request,
)
from tests.fakes.training_jobs import a_dataset, a_training_job
from training_container.trainer import metrics
from training_container.trainer.config import RunConfig, recipe_settings, run_config
from training_container.trainer.contract import JobPaths, load_config

PLACES = TrainingResources(
    image="123456789012.dkr.ecr.us-east-1.amazonaws.com/training@sha256:" + "ab" * 32,
    role_arn="arn:aws:iam::123456789012:role/brightrun-training",
    base_models_bucket="base-models",
    models_bucket="models",
)
JOB_ID = "0196b3f0-0000-7000-8000-000000000001"
CHANGES: list[dict[str, Any]] = [
    {},
    {"use_spot": True},
    {"max_cost_usd": 4.5},
    {"max_cost_usd": 0.0001, "use_spot": True},
    {"external_job_id": f"brightrun-{JOB_ID}-r12"},
    {"billing": Billing("ml.p4de.24xlarge", 1, 8, 31.56, "2026-11-01")},
    {"base_model": "brightrun-tiny", "billing": Billing("ml.m5.2xlarge", 1, 0, 0.461, "2026")},
]


@cache
def request_shape() -> Any:
    service = botocore.session.get_session().get_service_model("sagemaker")
    return service.operation_model("CreateTrainingJob").input_shape


def a_job(**changes: Any) -> TrainingJob:
    return a_training_job(JOB_ID, **changes)


def the_request(
    job: TrainingJob, *, mirrored: bool = True, dataset: Dataset | None = None
) -> dict[str, Any]:
    model = base_model(job.base_model)
    return training_request(job, dataset or a_dataset(), model, PLACES, mirrored=mirrored)


def _pattern(shape: Any) -> str:
    """The pattern in Python's words: letters, separators and numbers are ours in ASCII."""
    pattern = str(shape.metadata.get("pattern", ".*"))
    for kind, characters in {"L": "A-Za-z", "Z": " ", "N": "0-9"}.items():
        pattern = pattern.replace(f"\\p{{{kind}}}", characters)
    return pattern


def outside_of_patterns(shape: Any, value: Any, where: str = "") -> list[str]:
    """Strings that do not match their pattern, and numbers and lists outside of their bounds."""
    if shape.type_name == "structure":
        parts = [
            outside_of_patterns(shape.members[name], inner, f"{where}.{name}")
            for name, inner in value.items()
        ]
        return [fault for part in parts for fault in part]
    if shape.type_name == "list":
        found = [fault for one in value for fault in outside_of_patterns(shape.member, one, where)]
        return [*found, *([where] if len(value) > shape.metadata.get("max", 10**9) else [])]
    if shape.type_name == "map":
        return [
            fault
            for key, inner in value.items()
            for part, one in ((shape.key, key), (shape.value, inner))
            for fault in outside_of_patterns(part, one, f"{where}.{key}")
        ]
    if shape.type_name == "string":
        pattern, most = _pattern(shape), shape.metadata.get("max", 10**9)
        in_enum = not shape.enum or value in shape.enum
        fits = re.fullmatch(pattern, value, re.DOTALL) and len(value) <= most and in_enum
        return [] if fits else [f"{where}: {value}"]
    if shape.type_name == "integer":
        most = shape.metadata.get("max", 10**9)
        return [] if shape.metadata.get("min", 0) <= value <= most else [f"{where}: {value}"]
    return []


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("changes", CHANGES)
def test_the_request_fits_the_model_of_the_service(changes: dict[str, Any], mirrored: bool) -> None:
    request = the_request(a_job(**changes), mirrored=mirrored)
    assert not ParamValidator().validate(request, request_shape()).has_errors()
    assert outside_of_patterns(request_shape(), request) == []


def test_a_request_that_does_not_fit_is_noticed() -> None:
    request = the_request(a_job())
    request["TrainingJobName"] = "ends-in-a-hyphen-"
    request["ResourceConfig"]["InstanceType"] = "ml.unheard-of"
    request["CheckpointConfig"]["S3Uri"] = "models/jobs"
    assert len(outside_of_patterns(request_shape(), request)) == 3


@pytest.mark.parametrize("key", [model.key for model in base_models()])
@pytest.mark.parametrize("changes", [{}, {"max_cost_usd": 4.5}])
def test_the_trainer_takes_every_hyperparameter(key: str, changes: dict[str, Any]) -> None:
    job = a_job(base_model=key, **changes)
    given = dict(hyperparameters(job, a_dataset(), base_model(key)))
    assert all(isinstance(value, str) for value in given.values())
    recipe = given.pop("recipe", None)
    config = run_config({**(recipe_settings(recipe) if recipe else {}), **given})
    assert config.rank == job.hyperparameters.rank
    assert config.early_stopping_patience == job.hyperparameters.early_stopping_patience
    assert config.evaluations_per_epoch == job.hyperparameters.evaluations_per_epoch
    assert config.base_model == base_model(key).hub_id
    assert config.dataset_sha256 == a_dataset().sha256
    assert config.max_cost_usd == changes.get("max_cost_usd")


def test_every_field_of_the_jobs_hyperparameters_reaches_the_trainer() -> None:
    given = hyperparameters(a_job(), a_dataset(), base_model("llama-3.1-8b-instruct"))
    fields = {one.name for one in dataclasses.fields(Hyperparameters)}
    assert fields <= given.keys() <= set(RunConfig.__struct_fields__)


def test_the_templates_date_and_variables_reach_the_trainer_as_they_were_asked(
    tmp_path: Path,
) -> None:
    variables = {"enable_thinking": False, "tone": "warm ☀", "level": 1.0, "names": ["a", None]}
    job = a_job(template_variables=json.dumps(variables), template_date="2026-11-28")
    given = hyperparameters(job, a_dataset(), base_model("llama-3.1-8b-instruct"))
    path = tmp_path / "input" / "config" / "hyperparameters.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(given))
    config = load_config(JobPaths(tmp_path, {}))
    assert config.template_variables == variables
    assert json.dumps(config.template_variables["level"]) == "1.0"
    assert config.template_date == "2026-11-28"


def test_the_longest_template_variables_fit_into_a_hyperparameter() -> None:
    longest = {"x": "y" * (LONGEST_VARIABLES - len('{"x": ""}'))}
    assert variables_complaint(longest) is None
    request = the_request(a_job(template_variables=json.dumps(longest)))
    assert outside_of_patterns(request_shape(), request) == []


def test_a_job_of_before_template_dates_has_the_constant_one() -> None:
    row = dataclasses.asdict(a_job())
    del row["template_date"], row["template_variables"]
    job = read_training_job(row)
    given = hyperparameters(job, a_dataset(), base_model(job.base_model))
    assert given["template_date"] == TEMPLATE_DATE == RunConfig().template_date
    assert "template_variables" not in given


def test_the_tiny_model_has_a_recipe_and_is_trained_as_asked_all_the_same() -> None:
    given = hyperparameters(a_job(), a_dataset(), base_model("brightrun-tiny"))
    assert given.pop("recipe") == "smoke_cpu"
    other = hyperparameters(a_job(), a_dataset(), base_model("llama-3.1-8b-instruct"))
    assert given.keys() == other.keys()
    assert given["learning_rate"] == str(a_job().hyperparameters.learning_rate)


def test_metric_definitions_are_the_trainers_own() -> None:
    assert list(METRIC_DEFINITIONS) == metrics.METRIC_DEFINITIONS


def test_a_mirrored_base_model_is_a_channel_and_the_container_has_no_network() -> None:
    request = the_request(a_job())
    channels = {
        one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"]
        for one in request["InputDataConfig"]
    }
    model = base_model("llama-3.1-8b-instruct")
    assert channels == {
        "training": f"s3://datasets/{a_dataset().storage_path}",
        "split": f"s3://datasets/{a_dataset().split_key}",
        "model": f"s3://base-models/{model.object_prefix}",
    }
    assert request["EnableNetworkIsolation"] is True
    assert request["Environment"]["HF_HUB_OFFLINE"] == "1"


def test_a_base_model_that_is_not_mirrored_is_loaded_from_the_hub_at_its_revision() -> None:
    request = the_request(a_job(), mirrored=False)
    assert [one["ChannelName"] for one in request["InputDataConfig"]] == ["training", "split"]
    assert request["EnableNetworkIsolation"] is False
    assert request["Environment"]["HF_HUB_OFFLINE"] == "0"
    revision = base_model("llama-3.1-8b-instruct").revision
    assert request["HyperParameters"]["base_model_revision"] == revision


def test_a_description_alone_leads_back_to_the_row() -> None:
    environment = the_request(a_job())["Environment"]
    assert (environment["BRIGHTRUN_OWNER_ID"], environment["BRIGHTRUN_JOB_ID"]) == (
        "owner-1",
        JOB_ID,
    )


def test_the_run_time_is_what_the_budget_pays_for() -> None:
    stops = the_request(a_job(max_cost_usd=3.0))["StoppingCondition"]
    assert stops["MaxRuntimeInSeconds"] == 1800
    unlimited = the_request(a_job())["StoppingCondition"]
    assert unlimited["MaxRuntimeInSeconds"] == LONGEST_RUN_S
    assert "MaxWaitTimeInSeconds" not in unlimited


def test_a_spot_job_may_take_a_day_longer_than_it_runs() -> None:
    request = the_request(a_job(use_spot=True))
    stops = request["StoppingCondition"]
    assert request["EnableManagedSpotTraining"] is True
    assert stops["MaxWaitTimeInSeconds"] == stops["MaxRuntimeInSeconds"] + 24 * 3600


def test_a_later_attempt_continues_from_the_same_checkpoints_but_writes_its_own_artifact() -> None:
    first, second = a_job(), a_job(external_job_id=f"brightrun-{JOB_ID}-r2")
    one, other = the_request(first), the_request(second)
    assert one["CheckpointConfig"] == other["CheckpointConfig"]
    assert artifact_key(first) != artifact_key(second)
    assert metrics_key(JOB_ID) == f"jobs/{JOB_ID}/checkpoints/metrics.jsonl"
    output = one["OutputDataConfig"]["S3OutputPath"]
    key = f"{output}/{first.external_job_id}/output/model.tar.gz"
    assert key == f"s3://models/{artifact_key(first)}"


def test_where_nothing_is_billed_the_trainer_gets_neither_a_price_nor_a_budget() -> None:
    job = a_job(billing=own_machine(), max_cost_usd=4.5)
    settings = the_request(job)["HyperParameters"]
    assert not settings.keys() & {"max_cost_usd", "price_usd_per_hour"}
    assert the_request(job)["StoppingCondition"]["MaxRuntimeInSeconds"] == LONGEST_RUN_S
