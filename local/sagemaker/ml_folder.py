"""The ``/opt/ml`` of an attempt: what SageMaker lays down before a container starts.

Source of the layout: SageMaker's documentation on running a container of one's own.
"""

import json
from pathlib import Path
from typing import Any

from local.sagemaker.errors import JobFailed
from local.sagemaker.s3_folders import download

_HOST = "algo-1"
_FAILURE_CHARACTERS = 1024


def write_configuration(root: Path, job: dict[str, Any]) -> None:
    """Write the three files of ``input/config`` and make the folders for what comes out.

    One host whatever the instance count says: there is one machine here.
    """
    for folder in ("input/config", "input/data", "model", "output/data"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    instance = job["ResourceConfig"]["InstanceType"]
    group = "homogeneousCluster"
    hosts = {
        "current_host": _HOST,
        "current_instance_type": instance,
        "current_group_name": group,
        "hosts": [_HOST],
        "instance_groups": [
            {"instance_group_name": group, "instance_type": instance, "hosts": [_HOST]}
        ],
        "network_interface_name": "lo",
    }
    channels = {
        channel["ChannelName"]: {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
        for channel in job.get("InputDataConfig", ())
    }
    _write(root, "hyperparameters", job.get("HyperParameters", {}))
    _write(root, "resourceconfig", hosts)
    _write(root, "inputdataconfig", channels)


def download_channels(s3: Any, root: Path, job: dict[str, Any]) -> None:
    """Download the channels of a job; raises JobFailed for one that holds nothing."""
    from botocore.exceptions import ClientError

    for channel in job.get("InputDataConfig", ()):
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        folder = root / "input" / "data" / channel["ChannelName"]
        folder.mkdir()
        try:
            files = download(s3, uri, folder)
        except ClientError as error:
            raise JobFailed(f"ClientError: Data download failed: {uri}: {error}") from None
        if not files:
            raise JobFailed(
                f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given'
                " in input data source. Please ensure that the bucket exists in the selected"
                " region, that objects exist under that S3 prefix, and that the role"
                f' "{job["RoleArn"]}" has "s3:ListBucket" permissions on the bucket.'
            )


def failure_reason(root: Path, log: Path, exit_code: int) -> str:
    """Return the reason of a container that failed: what it said itself, and its exit code."""
    account = root / "output" / "failure"
    ending = f", exit code: {exit_code}"
    if account.is_file():
        text = account.read_text("utf-8", errors="replace").strip()
    else:
        text = f"The container left no failure file; its log is {log}"
    beginning = "AlgorithmError: "
    room = _FAILURE_CHARACTERS - len(beginning) - len(ending)
    return beginning + text[:room] + ending


def _write(root: Path, name: str, document: dict[str, Any]) -> None:
    file = root / "input" / "config" / f"{name}.json"
    file.write_text(json.dumps(document), "utf-8")
