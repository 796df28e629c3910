"""What attempts at training jobs need of the rest of the system."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.sagemaker.faults import ScriptedFaults
from local.sagemaker.job_store import JobStore
from local.sagemaker.training_environment import TrainingEnvironment
from local.sagemaker.training_job import TrainingJob


@dataclass(frozen=True)
class Surroundings:
    """Where jobs are kept, S3, how containers are run, what goes wrong on purpose.

    ``announce`` hears of a job after each change of its status.
    """

    store: JobStore
    s3: Any
    environment: TrainingEnvironment
    faults: ScriptedFaults
    announce: Callable[[TrainingJob], None]
