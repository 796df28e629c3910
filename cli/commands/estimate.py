"""estimate: what training will take and cost; offline from numbers, by the API for a dataset."""

from typing import Annotated, Any, Literal

import typer

from cli.client import Document
from cli.errors import UsageError
from cli.estimate_display import show_v1, show_v2
from cli.invocation import Invocation, SystemName, command
from cli.training_options import REMOTE_GPU, RunOptions

app = typer.Typer()

EstimateProfile = Annotated[
    Literal["v1", "v2"],
    typer.Option("--profile", help="v1 is the formula of the system that Bright Run replaces."),
]
Pairs = Annotated[
    int | None, typer.Option(min=1, max=10_000_000, help="Training pairs, instead of --dataset.")
]
Tokens = Annotated[
    int | None, typer.Option(min=1, help="Tokens of all pairs together; by default 200 a pair.")
]
Together = Annotated[
    float,
    typer.Option(
        "--pairs-per-conversation",
        min=1,
        max=1000,
        help="Pairs of one conversation, which are trained in one sequence (v2).",
    ),
]


@command(app, "estimate", system=SystemName)
def estimate(
    run: Invocation,
    *,
    dataset: Annotated[
        str | None, typer.Option(metavar="ID", help="The dataset to train on; asks the API.")
    ] = None,
    pairs: Pairs = None,
    tokens: Tokens = None,
    pairs_per_conversation: Together = 1.0,
    estimate_profile: EstimateProfile = "v2",
    options: RunOptions,
) -> None:
    """Estimate how long training will take and what it will cost.

    With --pairs and --tokens it works offline, without a login. With --dataset the API answers, and
    calibrates its estimate with finished jobs.
    """
    if dataset is None:
        found = _offline(options, estimate_profile, pairs, tokens, pairs_per_conversation)
    elif pairs is not None or tokens is not None:
        raise UsageError("A dataset has its own pairs and tokens; leave --pairs and --tokens out.")
    else:
        body = options.request(run.client)
        body |= {"dataset_id": dataset, "profile": estimate_profile}
        found = run.client.post("/api/jobs/estimate", body)["data"]
    show = show_v1 if estimate_profile == "v1" else show_v2
    run.answer({"success": True, "data": found}, lambda console: show(console, found))


def _offline(
    options: RunOptions,
    profile: Literal["v1", "v2"],
    pairs: int | None,
    tokens: int | None,
    pairs_per_conversation: float,
) -> Document:
    from brightrun.catalog.gpu_instances import GpuConfig
    from brightrun.core.errors import InvalidInputError
    from brightrun.estimates.calibration import Calibration
    from brightrun.estimates.model import EstimateRequest, answer

    if pairs is None and profile == "v2":
        raise UsageError("Give the amount of training data: --pairs and --tokens, or --dataset.")
    request = EstimateRequest(
        gpu=GpuConfig(options.gpu or REMOTE_GPU, options.count),
        profile=profile,
        pairs=pairs,
        tokens=tokens,
        pairs_per_conversation=pairs_per_conversation,
        base_model=options.base_model,
        preset_id=options.preset,
        hyperparameters=options.changed(),
    )
    try:
        found: dict[str, Any] = answer(request, None, Calibration())
    except InvalidInputError as error:
        raise UsageError(error.message, details=error.details) from error
    return found
