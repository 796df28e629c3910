"""What a container is run with: the Python that has torch, the entry point, its environment."""

import os
from dataclasses import dataclass
from pathlib import Path

from local.sagemaker.errors import JobFailed
from local.sagemaker.training_job import TrainingJob
from local.settings import aws_variables

_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "NO_PROXY", "no_proxy")
"""Variables of this process that containers see; no credentials, no keys."""


@dataclass(frozen=True)
class TrainingEnvironment:
    """How containers are run here."""

    python: Path
    entry_point: Path
    endpoint_url: str

    @property
    def missing(self) -> str | None:
        """Say what is not installed and how to install it; None when all is there."""
        if self.python.exists():
            return None
        return (
            f"the training environment is not installed: there is no {self.python}. Run"
            " `make .venv-train/.installed` in the repository (torch: a minute or two, once), or"
            " name another Python with torch in BRIGHTRUN_TRAINING_PYTHON"
        )

    def command(self) -> list[str]:
        """Return what stands for the image's entry point; raises JobFailed when it is missing."""
        if self.missing:
            raise JobFailed(f"ClientError: {self.missing}.")
        return [str(self.python), str(self.entry_point), "train"]

    def variables(self, job: TrainingJob, root: Path) -> dict[str, str]:
        """Return the environment of a job's container whose ``/opt/ml`` is ``root``."""
        return {
            **passed_on(),
            **job.description.get("Environment", {}),
            **aws_variables(self.endpoint_url),
            "SM_ML_ROOT": str(root),
            # Every instance type is this machine, which may have no GPU.
            "TRAINER_ALLOW_CPU": "1",
            "TRAINING_JOB_NAME": job.name,
            "TRAINING_JOB_ARN": str(job.description["TrainingJobArn"]),
        }


def passed_on() -> dict[str, str]:
    """Return what every container sees of this process's environment."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
