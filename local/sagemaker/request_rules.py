"""Rules of CreateTrainingJob that no single member shows, and what cannot be run here.

Source of the rules and, where known, of their words: the answers of the service itself.
"""

import re
from collections.abc import Iterator
from typing import Any

from local.sagemaker.errors import invalid

ML_ROOT = "/opt/ml"
DEFAULT_CHECKPOINTS = f"{ML_ROOT}/checkpoints"
DEFAULT_MAX_RUNTIME_SECONDS = 86400
FILE_MODES = ("File", "FastFile")
"""Input modes under which a channel is a folder of files, there at once or read as it is used."""


def check_job(request: dict[str, Any]) -> None:
    """Check a request that fits the service's model; raises RequestRefused."""
    for problem in (*_rules(request), *_limits_of_this_emulator(request)):
        raise invalid(problem)


def checkpoint_folder(request: dict[str, Any]) -> str | None:
    """Return the folder of the checkpoints below the job's root, None when there are none."""
    if "CheckpointConfig" not in request:
        return None
    path = request["CheckpointConfig"].get("LocalPath", DEFAULT_CHECKPOINTS).rstrip("/")
    return str(path).removeprefix(f"{ML_ROOT}/")


def max_runtime_seconds(request: dict[str, Any]) -> int:
    """Return how long a job may train."""
    condition = request.get("StoppingCondition", {})
    return int(condition.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS))


def _rules(request: dict[str, Any]) -> Iterator[str]:
    algorithm = request.get("AlgorithmSpecification", {})
    if ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        yield "You must specify either TrainingImage or AlgorithmName in AlgorithmSpecification."
    if "InstanceType" not in request.get("ResourceConfig", {}):
        yield "You must specify ResourceConfig with an InstanceType."
    names = [channel["ChannelName"] for channel in request.get("InputDataConfig", ())]
    if len(names) != len(set(names)):
        yield "Channel names in InputDataConfig must be unique."
    for definition in algorithm.get("MetricDefinitions", ()):
        try:
            re.compile(definition["Regex"])
        except re.error as error:
            yield f"The regular expression of metric {definition['Name']} is invalid: {error}."
    yield from _rules_of_waiting(request)


def _rules_of_waiting(request: dict[str, Any]) -> Iterator[str]:
    condition = request.get("StoppingCondition", {})
    longest_wait = condition.get("MaxWaitTimeInSeconds")
    if not request.get("EnableManagedSpotTraining"):
        if longest_wait is not None:
            yield (
                "Invalid MaxWaitTimeInSeconds. It is supported only when"
                " EnableManagedSpotTraining is set to true."
            )
    elif longest_wait is None or longest_wait < max_runtime_seconds(request):
        yield (
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to"
            " MaxRuntimeInSeconds."
        )


def _limits_of_this_emulator(request: dict[str, Any]) -> Iterator[str]:
    default = request["AlgorithmSpecification"].get("TrainingInputMode", "File")
    for channel in request.get("InputDataConfig", ()):
        where = f"Channel {channel['ChannelName']}"
        if channel.get("InputMode", default) not in FILE_MODES:
            yield f"{where}: only the input modes {' and '.join(FILE_MODES)} can be run locally."
        source = channel["DataSource"].get("S3DataSource", {})
        if source.get("S3DataType") != "S3Prefix":
            yield f"{where}: only S3DataSource with S3DataType S3Prefix can be run locally."
    if request["OutputDataConfig"].get("CompressionType", "GZIP") != "GZIP":
        yield "Only OutputDataConfig.CompressionType GZIP can be run locally."
    local_path = request.get("CheckpointConfig", {}).get("LocalPath", DEFAULT_CHECKPOINTS)
    if not local_path.startswith(f"{ML_ROOT}/") or ".." in local_path.split("/"):
        yield f"Only a CheckpointConfig.LocalPath below {ML_ROOT} can be run locally."
