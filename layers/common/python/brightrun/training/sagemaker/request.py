"""Builds the arguments of CreateTrainingJob from a job, without side effects.

Members and their bounds: CreateTrainingJob in the SageMaker API reference. The tests check it
against botocore's model, and against what the `sagemaker` SDK sends (docs/adr).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from brightrun.catalog.base_models import BaseModelEntry
from brightrun.datasets.model import Dataset
from brightrun.training.model import NO_VARIABLES, TrainingJob

LONGEST_RUN_S = 5 * 24 * 3600
"""SageMaker's usual quota for a training job's run time."""
LONGEST_PENDING_S = 24 * 3600
SPOT_WAIT_S = 24 * 3600
"""How long a spot job may wait for instances, besides its run time."""
SEED = 42
CHECKPOINTS = "/opt/ml/checkpoints"
METRICS_FILE = "metrics.jsonl"
_RETRIES_OF_SAGEMAKER_ERRORS = 2
_VOLUME_FLOOR_GB = 50
_SHORTEST_RUN_S = 60
_NUMBER = r"([0-9.eE+-]+)"
METRIC_DEFINITIONS = (
    {"Name": "train:loss", "Regex": rf" train_loss={_NUMBER}"},
    {"Name": "train:learning_rate", "Regex": rf" learning_rate={_NUMBER}"},
    {"Name": "train:grad_norm", "Regex": rf" grad_norm={_NUMBER}"},
    {"Name": "train:tokens_per_second", "Regex": rf" tokens_per_second={_NUMBER}"},
    {"Name": "train:gpu_utilization", "Regex": rf" gpu_utilization={_NUMBER}"},
    {"Name": "train:step", "Regex": rf"kind=step step={_NUMBER} "},
    {"Name": "train:epoch", "Regex": rf" epoch={_NUMBER}"},
    {"Name": "validation:loss", "Regex": rf" validation_loss={_NUMBER}"},
)
"""Equal to those of training_container/trainer/metrics.py, by test."""
_SMOKE_RECIPE = "smoke_cpu"


@dataclass(frozen=True, slots=True)
class TrainingResources:
    """A deployment's training image, the role of its training jobs, and its buckets."""

    image: str
    role_arn: str
    base_models_bucket: str
    models_bucket: str


def checkpoint_prefix(job_id: str) -> str:
    """The prefix of a job's checkpoints, the same for all its attempts."""
    return f"jobs/{job_id}/checkpoints"


def metrics_key(job_id: str) -> str:
    """The key of the metrics file that the trainer writes."""
    return f"{checkpoint_prefix(job_id)}/{METRICS_FILE}"


def artifact_key(job: TrainingJob) -> str:
    """The key of the archive into which SageMaker packs the model folder."""
    return f"jobs/{job.job_id}/{job.external_job_id}/output/model.tar.gz"


def training_request(
    job: TrainingJob,
    dataset: Dataset,
    base_model: BaseModelEntry,
    resources: TrainingResources,
    *,
    mirrored: bool,
) -> dict[str, Any]:
    """Build the arguments of CreateTrainingJob.

    `mirrored`: the base model's files are in the bucket of base models. They are then a channel,
    and the container has no network access; else it loads the pinned revision from the hub.
    """
    run_s = _longest_run_s(job)
    jobs = f"s3://{resources.models_bucket}/jobs/{job.job_id}"
    return {
        "TrainingJobName": job.external_job_id,
        "RoleArn": resources.role_arn,
        "AlgorithmSpecification": {
            "TrainingImage": resources.image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [dict(one) for one in METRIC_DEFINITIONS],
        },
        "HyperParameters": hyperparameters(job, dataset, base_model),
        "InputDataConfig": _channels(dataset, base_model, resources, mirrored=mirrored),
        "OutputDataConfig": {"S3OutputPath": jobs, "CompressionType": "GZIP"},
        "ResourceConfig": {
            "InstanceType": job.billing.instance_type,
            "InstanceCount": job.billing.instances,
            "VolumeSizeInGB": _volume_gb(base_model),
        },
        "StoppingCondition": {
            "MaxRuntimeInSeconds": run_s,
            "MaxPendingTimeInSeconds": LONGEST_PENDING_S,
            **({"MaxWaitTimeInSeconds": run_s + SPOT_WAIT_S} if job.use_spot else {}),
        },
        "CheckpointConfig": {
            "S3Uri": f"s3://{resources.models_bucket}/{checkpoint_prefix(job.job_id)}",
            "LocalPath": CHECKPOINTS,
        },
        "RetryStrategy": {"MaximumRetryAttempts": _RETRIES_OF_SAGEMAKER_ERRORS},
        "EnableManagedSpotTraining": job.use_spot,
        "EnableNetworkIsolation": mirrored,
        "Environment": {
            "BRIGHTRUN_OWNER_ID": job.owner_id,
            "BRIGHTRUN_JOB_ID": job.job_id,
            "HF_HUB_OFFLINE": "1" if mirrored else "0",
        },
        "Tags": [
            {"Key": "application", "Value": "brightrun"},
            {"Key": "brightrun:job-id", "Value": job.job_id},
        ],
    }


def hyperparameters(
    job: TrainingJob, dataset: Dataset, base_model: BaseModelEntry
) -> dict[str, str]:
    """The trainer's settings, as strings because SageMaker requires that (trainer/config.py)."""
    values = job.hyperparameters
    settings: dict[str, object] = {
        "base_model": base_model.hub_id,
        "base_model_revision": base_model.revision,
        "dataset_sha256": dataset.sha256,
        "method": values.method,
        "rank": values.rank,
        "alpha": values.alpha,
        "dropout": values.dropout,
        "target_modules": values.target_modules,
        "epochs": values.epochs,
        "batch_size": values.batch_size,
        "learning_rate": values.learning_rate,
        "max_seq_length": values.max_seq_length,
        "evaluations_per_epoch": values.evaluations_per_epoch,
        "early_stopping_patience": values.early_stopping_patience,
        **_budget(job),
        "seed": SEED,
        "template_date": job.template_date,
    }
    if base_model.local_only:
        settings["recipe"] = _SMOKE_RECIPE
    if job.template_variables != NO_VARIABLES:
        settings["template_variables"] = job.template_variables
    return {name: str(value) for name, value in settings.items() if value is not None}


def _channels(
    dataset: Dataset, base_model: BaseModelEntry, resources: TrainingResources, *, mirrored: bool
) -> list[dict[str, Any]]:
    folders = [("training", f"{dataset.storage_bucket}/{dataset.storage_path}")]
    if dataset.split_key is not None:
        folders.append(("split", f"{dataset.storage_bucket}/{dataset.split_key}"))
    if mirrored:
        folders.append(("model", f"{resources.base_models_bucket}/{base_model.object_prefix}"))
    return [
        {
            "ChannelName": name,
            "InputMode": "File",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": f"s3://{location}",
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }
        for name, location in folders
    ]


def _budget(job: TrainingJob) -> dict[str, float | None]:
    """The price and the budget; neither where nothing is billed."""
    if job.billing.usd_per_hour <= 0:
        return {}
    return {"max_cost_usd": job.max_cost_usd, "price_usd_per_hour": job.billing.usd_per_hour}


def _longest_run_s(job: TrainingJob) -> int:
    """The run time that max_cost_usd pays for; the trainer stops before that, and saves."""
    if job.max_cost_usd is None or job.billing.usd_per_hour <= 0:
        return LONGEST_RUN_S
    affordable_s = math.floor(job.max_cost_usd / job.billing.usd_per_hour * 3600)
    return max(_SHORTEST_RUN_S, min(LONGEST_RUN_S, affordable_s))


def _volume_gb(base_model: BaseModelEntry) -> int:
    """Space for two copies of the weights in bf16; instances with local disks ignore it."""
    return _VOLUME_FLOOR_GB + math.ceil(2 * 2 * base_model.parameters / 1e9)
