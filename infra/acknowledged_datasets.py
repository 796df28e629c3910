"""The policy findings about datasets and notifications that are accepted, each with its reason."""

from __future__ import annotations

_OBJECTS = "BrightRunData:DatasetsBucketArn/*"

TRACES = "X-Ray's write actions accept no resource but *; they can only add traces, not read any."
TRACES_AND_LOG_DELIVERY = (
    "X-Ray and CloudWatch's log delivery accept no resource but *; these are the documented "
    "minimum for a state machine that is logged and traced."
)
DATASETS = "Keys hold ids made at run time; the wildcard covers this one bucket of ours."
REPORTS = "Keys hold ids made at run time; only the part that names a validation is fixed."
TRAINING = (
    "Keys hold ids made at run time; the wildcard covers training files in this one bucket of ours."
)

DATASETS_ACKNOWLEDGEMENTS = tuple(
    (
        f"{construct}/Role/Resource",
        f"AwsSolutions-IAM5[Resource::{resource}]",
        reason,
    )
    for construct, resource, reason in (
        ("BrightRunApi/Datasets", "*", TRACES),
        ("BrightRunApi/Datasets", _OBJECTS, DATASETS),
        ("BrightRunApi/Datasets", "BrightRunData:TrainingFilesBucketArn/*", TRAINING),
        ("BrightRunApi/Notifications", "*", TRACES),
        ("BrightRunDatasets/ValidateDataset", "*", TRACES),
        ("BrightRunDatasets/ValidateDataset", _OBJECTS, DATASETS),
        ("BrightRunDatasets/ValidateDataset", f"{_OBJECTS}/validation/*", REPORTS),
        ("BrightRunDatasets/Validation", "*", TRACES_AND_LOG_DELIVERY),
    )
)
