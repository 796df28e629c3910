"""What a training run is asked for, by the same options wherever one is started."""

import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from cli.client import ApiClient, Document
from cli.config import is_loopback

PresetId = Literal["fast", "balanced", "quality", "custom"]

BaseModel = Annotated[
    str | None,
    typer.Option("--base-model", "--model", help="A key of the registry; else its default."),
]
Preset = Annotated[PresetId, typer.Option("--preset", help="Named sets of hyperparameters.")]
Gpu = Annotated[str | None, typer.Option("--gpu", help="Else H100; local systems: the processor.")]
Count = Annotated[int, typer.Option("--count", min=1, max=8, help="How many GPUs.")]
Epochs = Annotated[int | None, typer.Option(min=1, max=20, help="Instead of the preset's.")]
LearningRate = Annotated[
    float | None, typer.Option(min=1e-5, max=1e-3, help="Instead of the preset's.")
]
Rank = Annotated[int | None, typer.Option(min=4, max=128, help="Instead of the preset's.")]
Size = Annotated[
    int | None, typer.Option("--batch-size", min=1, max=64, help="Instead of the preset's.")
]
MaxCost = Annotated[
    float | None,
    typer.Option("--max-cost", metavar="USD", help="End in time, with an adapter, at this cost."),
]
Spot = Annotated[bool, typer.Option("--spot", help="Spare capacity: cheaper, interruptible.")]
AllowSimulated = Annotated[
    bool,
    typer.Option("--allow-simulated", help="Train on conversations that a simulator wrote, too."),
]

LOCAL_GPU = "local-cpu"
TINY_LEARNING_RATE = 1e-3
"""The highest there is: what presets choose for billions of weights moves the tiny model hardly."""
REMOTE_GPU = "H100"


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What decides how long a run takes; None leaves a choice to the preset or the registry."""

    base_model: BaseModel = None
    preset: Preset = "balanced"
    gpu: Gpu = None
    count: Count = 1
    epochs: Epochs = None
    learning_rate: LearningRate = None
    rank: Rank = None
    batch_size: Size = None

    def request(self, client: ApiClient) -> Document:
        """The fields that an estimate and a job have in common.

        A local system trains its own tiny model on this machine's processor unless told otherwise.
        """
        local = is_loopback(client.api_url)
        body: Document = {
            "preset_id": self.preset,
            "gpu_config": {
                "type": self.gpu or (LOCAL_GPU if local else REMOTE_GPU),
                "count": self.count,
            },
        }
        model = self.base_model or (local_model(client) if local else None)
        changed = self.changed()
        if model:
            body["base_model"] = model
            if self.base_model is None:
                changed.setdefault("learning_rate", TINY_LEARNING_RATE)
        if changed:
            body["hyperparameters"] = changed
        return body

    def changed(self) -> dict[str, Any]:
        """The hyperparameters that differ from the preset's."""
        given = {
            "epochs": self.epochs,
            "learning_rate": self.learning_rate,
            "rank": self.rank,
            "batch_size": self.batch_size,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(RunOptions):
    """What a job is started with."""

    max_cost_usd: MaxCost = None
    spot: Spot = False
    allow_simulated: AllowSimulated = False

    def start(self, client: ApiClient, dataset_id: str, name: str | None) -> Document:
        """Create the job; a request that got no answer is repeated without a second job."""
        body: Document = {
            **self.request(client),
            "dataset_id": dataset_id,
            "use_spot": self.spot,
            "allow_simulated": self.allow_simulated,
        }
        if name:
            body["name"] = name
        if self.max_cost_usd is not None:
            body["max_cost_usd"] = self.max_cost_usd
        job: Document = client.post("/api/jobs", body, idempotency_key=str(uuid.uuid4()))["data"]
        return job


def local_model(client: ApiClient) -> str | None:
    """The base model that only a local system has; None where there is none."""
    models = client.get("/api/base-models")["data"]["base_models"]
    return next((one["key"] for one in models if one["local_only"]), None)
