"""Metrics read from a log."""

from local.sagemaker.final_metrics import final_metrics

LOG = "step=1 train_loss=2.5\nstep=2 train_loss=1e-1 note=nan-like\n"


def _metric(regex: str) -> list[float]:
    found = final_metrics([{"Name": "m", "Regex": regex}], LOG, 7.0)
    assert all(each["MetricName"] == "m" and each["Timestamp"] == 7.0 for each in found)
    return [each["Value"] for each in found]


def test_last_value_counts() -> None:
    assert _metric(r"train_loss=([0-9.eE+-]+)") == [0.1]


def test_metric_without_a_match_a_number_or_a_group_is_absent() -> None:
    assert _metric(r"eval_loss=(\S+)") == []
    assert _metric(r"note=(\S+)") == []
    assert _metric(r"train_loss") == []
