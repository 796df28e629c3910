"""What the state machines may do."""

from __future__ import annotations

from collections.abc import Mapping

from infra.permissions.grant import Grant

# AWS documents these as the whole minimum for logging and tracing of a state machine:
# "Logging using CloudWatch Logs" and "Tracing with X-Ray" in the Step Functions developer guide.
LOG_DELIVERY_AND_TRACES = (
    Grant(
        (
            "logs:CreateLogDelivery",
            "logs:GetLogDelivery",
            "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
        ),
        "*",
        "deliver execution logs; log delivery has no resources to name",
    ),
    Grant(
        (
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
        ),
        "*",
        "send traces; X-Ray has no resources to name",
    ),
)

STATE_MACHINE_GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "generate_batch": (
        Grant(("lambda:InvokeFunction",), "ProcessNextFunction", "write the next conversations"),
        Grant(("lambda:InvokeFunction",), "FinishBatchFunction", "close the job or start again"),
        *LOG_DELIVERY_AND_TRACES,
    ),
    "validate_dataset": (
        Grant(("lambda:InvokeFunction",), "ValidateDatasetFunction", "validate an uploaded file"),
        *LOG_DELIVERY_AND_TRACES,
    ),
    "build_training_file": (
        Grant(("lambda:InvokeFunction",), "BuildTrainingFileFunction", "build the next page"),
        *LOG_DELIVERY_AND_TRACES,
    ),
    "train_adapter": (
        Grant(("lambda:InvokeFunction",), "StartTrainingFunction", "start the training job"),
        Grant(("lambda:InvokeFunction",), "WatchTrainingFunction", "see how far it is"),
        Grant(("lambda:InvokeFunction",), "FinishTrainingFunction", "check and keep the adapter"),
        *LOG_DELIVERY_AND_TRACES,
    ),
}
