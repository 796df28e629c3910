"""The routes that say what a training job can be made of, and what it will take."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.api.app import owner_of
from brightrun.api.estimate_models import AccuracyAnswer, EstimateAnswer
from brightrun.api.estimate_requests import EstimateRequest
from brightrun.api.training_choice_models import ChoicesAnswer
from brightrun.bootstrap import estimate as bootstrap_estimate

router = APIGatewayHttpRouter()

ESTIMATE = "/api/jobs/estimate"
TAGS = ["Estimates"]


@router.post(ESTIMATE, tags=TAGS)
def estimate_training(body: EstimateRequest) -> EstimateAnswer:
    """Estimate a training job's time and cost, from one of the caller's datasets or from numbers.

    A dataset that is not validated yet is estimated from its size, and `assumptions` say so.
    Profile v1 is the original's formula; v2, the default, is corrected by the caller's own jobs.
    """
    estimator = bootstrap_estimate.training_estimator()
    found = estimator.answer(owner_of(router), body.wish())
    return EstimateAnswer.model_validate({"data": found})


@router.get(f"{ESTIMATE}/accuracy", tags=TAGS)
def show_estimate_accuracy() -> AccuracyAnswer:
    """Compare the estimates of the caller's newest 100 completed jobs to what the jobs took."""
    return AccuracyAnswer.of(bootstrap_estimate.accuracy_meter().report(owner_of(router)))


@router.get("/api/base-models", tags=TAGS)
def list_base_models() -> ChoicesAnswer:
    """List the base models, the GPU types with their instances and prices, and the presets."""
    owner_of(router)  # the same for everybody, but for those only who have signed in
    return ChoicesAnswer.of_registry()
