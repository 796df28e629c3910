"""Estimates of training jobs, their accuracy, and what jobs can be created with."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.estimates.schemas import (
    AccuracyResponse,
    ChoicesResponse,
    EstimateBody,
    EstimateResponse,
)
from brightrun.estimates.service import AccuracyMeter, TrainingEstimator
from brightrun.http.app import owner_of, service

router = APIGatewayHttpRouter()
ESTIMATE = "/api/jobs/estimate"
TAGS = ["Estimates"]


@router.post(ESTIMATE, tags=TAGS)
def estimate_training(body: EstimateBody) -> EstimateResponse:
    """Estimate a training job's time and cost, from one of the caller's datasets or from numbers.

    A dataset that is not validated yet is estimated from its size, which `assumptions` mention.
    Profile v1 is v1's formula; v2, the default, is corrected by the caller's own finished jobs.
    """
    estimator = service(router, TrainingEstimator)
    answer = estimator.answer(owner_of(router), body.to_request())
    return EstimateResponse.model_validate({"data": answer})


@router.get(f"{ESTIMATE}/accuracy", tags=TAGS)
def show_estimate_accuracy() -> AccuracyResponse:
    """Compare the estimates of the caller's newest 100 completed jobs with what the jobs took."""
    return AccuracyResponse(data=service(router, AccuracyMeter).report(owner_of(router)))


@router.get("/api/base-models", tags=TAGS)
def list_base_models() -> ChoicesResponse:
    """List the base models, the GPU types with their instances and prices, and the presets."""
    owner_of(router)  # the same for all callers, but only with a token
    return ChoicesResponse.of_registry()
