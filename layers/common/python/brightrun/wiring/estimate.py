"""Composition of the estimate function: estimates, their accuracy, and receipts of datasets."""

from __future__ import annotations

from brightrun.datasets.receipts.service import ReceiptWriter
from brightrun.estimates.service import AccuracyMeter, TrainingEstimator
from brightrun.http.app import Services
from brightrun.wiring.estimates import EstimateSettings, jobs, training_estimator
from brightrun.wiring.receipts import ReceiptSettings, receipt_writer


class EstimateFunctionSettings(EstimateSettings, ReceiptSettings):
    """The environment of the estimate function."""


def accuracy_meter() -> AccuracyMeter:
    """Compose the service that measures the accuracy of estimates."""
    return AccuracyMeter(jobs(EstimateSettings.from_environment()))


SERVICES: Services = {
    AccuracyMeter: accuracy_meter,
    ReceiptWriter: receipt_writer,
    TrainingEstimator: training_estimator,
}
