"""How a training job is asked for, in the original's fields and ours."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from brightrun.api.estimate_requests import GpuRequest, HyperparametersRequest
from brightrun.api.estimate_requests import Name as RegistryName
from brightrun.api.generation_requests import Name
from brightrun.api.shapes import RequestModel
from brightrun.domain.scaffolding import Flag
from brightrun.domain.training_job import GpuConfig
from brightrun.domain.training_order import TrainingOrder


class JobRequest(RequestModel):
    """POST /api/jobs. A preset whose values are changed makes the job a custom one."""

    dataset_id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,100}$", max_length=100)]
    gpu_config: GpuRequest
    name: Name | None = None
    preset_id: RegistryName | None = None
    base_model: RegistryName | None = None
    hyperparameters: HyperparametersRequest = HyperparametersRequest()
    max_cost_usd: Annotated[float, Field(ge=0.0001, le=1_000_000)] | None = Field(
        default=None, description="Training ends in time for this, and still gives an adapter."
    )
    use_spot: Flag = False
    allow_simulated: Flag = Field(
        default=False, description="Train on conversations that no model wrote, too."
    )
    estimated_cost: Annotated[float, Field(ge=0, le=1_000_000)] | None = Field(
        default=None, description="What the original's page sends; our own estimate counts."
    )

    def order(self) -> TrainingOrder:
        """What the service is asked for."""
        return TrainingOrder(
            dataset_id=self.dataset_id,
            gpu=GpuConfig(self.gpu_config.type, self.gpu_config.count),
            name=self.name,
            preset_id=self.preset_id,
            base_model=self.base_model,
            hyperparameters=self.hyperparameters.model_dump(exclude_none=True),
            max_cost_usd=self.max_cost_usd,
            use_spot=self.use_spot,
            allow_simulated=self.allow_simulated,
        )
