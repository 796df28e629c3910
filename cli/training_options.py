"""The options of a training run, for every command that estimates or starts one."""

import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from cli.client import ApiClient, Document
from cli.config import is_loopback
from cli.template_options import TemplateDate, TemplateVariables, template_settings

PresetId = Literal["fast", "balanced", "quality", "custom"]

BaseModel = Annotated[
    str | None,
    typer.Option(
        "--base-model", "--model", help="A key of the registry; by default the registry's default."
    ),
]
Preset = Annotated[PresetId, typer.Option("--preset", help="The set of hyperparameters.")]
Gpu = Annotated[
    str | None, typer.Option("--gpu", help="By default H100, on a local system its CPU.")
]
Count = Annotated[int, typer.Option("--count", min=1, max=8, help="How many GPUs.")]
Epochs = Annotated[int | None, typer.Option(min=1, max=20, help="Overrides the preset.")]
LearningRate = Annotated[
    float | None, typer.Option(min=1e-5, max=1e-3, help="Overrides the preset.")
]
Rank = Annotated[int | None, typer.Option(min=4, max=128, help="Overrides the preset.")]
Size = Annotated[
    int | None, typer.Option("--batch-size", min=1, max=64, help="Overrides the preset.")
]
Method = Annotated[
    Literal["lora", "rslora", "qlora"] | None,
    typer.Option(help="qlora holds the base model in 4 bits; by default lora."),
]
Dropout = Annotated[float | None, typer.Option(min=0, max=0.5, help="Overrides the preset.")]
Longest = Annotated[
    int | None,
    typer.Option("--max-seq-length", min=256, max=32768, metavar="TOKENS", help="By default 4096."),
]
Evaluations = Annotated[
    int | None,
    typer.Option(
        "--evaluations-per-epoch",
        min=0,
        max=20,
        help="How often held-out rows are measured; 0, the default, is automatic.",
    ),
]
Patience = Annotated[
    int | None,
    typer.Option(
        "--early-stopping-patience",
        min=0,
        max=100,
        help="End after so many evaluations without improvement; by default 2, 0 is never.",
    ),
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost", metavar="USD", help="Stop before this cost, with the adapter trained so far."
    ),
]
Spot = Annotated[bool, typer.Option("--spot", help="Use spot capacity: cheaper, interruptible.")]
AllowSimulated = Annotated[
    bool,
    typer.Option("--allow-simulated", help="Also train on conversations written by the simulator."),
]

LOCAL_GPU = "local-cpu"
TINY_LEARNING_RATE = 1e-3
"""The highest rate allowed: the presets' rates are too low for a model as small as this."""
REMOTE_GPU = "H100"


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The options of an estimate; None leaves a choice to the preset or the registry."""

    base_model: BaseModel = None
    preset: Preset = "balanced"
    gpu: Gpu = None
    count: Count = 1
    epochs: Epochs = None
    learning_rate: LearningRate = None
    rank: Rank = None
    batch_size: Size = None
    method: Method = None
    dropout: Dropout = None
    max_seq_length: Longest = None
    evaluations_per_epoch: Evaluations = None
    early_stopping_patience: Patience = None

    def request(self, client: ApiClient) -> Document:
        """The fields that an estimate and a job have in common.

        A local system trains its own tiny model on this machine's CPU by default.
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
            "method": self.method,
            "dropout": self.dropout,
            "max_seq_length": self.max_seq_length,
            "evaluations_per_epoch": self.evaluations_per_epoch,
            "early_stopping_patience": self.early_stopping_patience,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(RunOptions):
    """The options of a job."""

    max_cost_usd: MaxCost = None
    spot: Spot = False
    allow_simulated: AllowSimulated = False
    template_variables: TemplateVariables = None
    template_date: TemplateDate = None

    def template_settings(self) -> Document:
        """What the chat template gets, for the job and for its receipt; raises UsageError."""
        return template_settings(self.template_variables, self.template_date)

    def start(self, client: ApiClient, dataset_id: str, name: str | None) -> Document:
        """Create the job; a request that got no answer is repeated without a second job."""
        body: Document = {
            **self.request(client),
            **self.template_settings(),
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
