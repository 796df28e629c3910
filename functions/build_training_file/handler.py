"""The build workflow's function: takes the next page of conversations into a training file."""

from __future__ import annotations

from typing import Any

from brightrun.core.invocation import invocation
from brightrun.training_files.build_version import BuildStep
from brightrun.wiring.build_training_file import version_builder


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Carry out one step of a build, or record that it failed for good."""
    end = version_builder().step(BuildStep.model_validate(event))
    return end.model_dump(by_alias=True)
