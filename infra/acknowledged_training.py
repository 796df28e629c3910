"""The policy findings of the training stack that are accepted, each with its reason."""

from __future__ import annotations

_STACK = "BrightRunTraining"
_JOBS = "arn:aws:sagemaker:us-east-1:<AWS::AccountId>:training-job/brightrun-*"
_EXECUTIONS = "arn:aws:states:us-east-1:<AWS::AccountId>:execution:brightrun-train-adapter:*"
_LOG_STREAMS = (
    "arn:aws:logs:us-east-1:<AWS::AccountId>:log-group:/aws/sagemaker/TrainingJobs:log-stream:*"
)

TRACES = "X-Ray's write actions accept no resource but *; they can only add traces, not read any."
TRACES_AND_LISTING = (
    "X-Ray's write actions and sagemaker:ListTrainingJobs accept no resource but *; the names are "
    "looked at before anything is done to a job."
)
TRACES_AND_LOG_DELIVERY = (
    "X-Ray and CloudWatch's log delivery accept no resource but *; these are the documented "
    "minimum for a state machine that is logged and traced."
)
METRICS_AND_SIGN_IN = (
    "CloudWatch's PutMetricData and ECR's GetAuthorizationToken accept no resource but *; the one "
    "adds metrics, the other signs in and pulls nothing by itself."
)
JOBS = "Training jobs are named after ids made at run time; the prefix is this system's own."
EXECUTIONS = "Executions are named after ids made at run time, all of this one state machine."
STREAMS = "SageMaker names the streams after hosts, in the one log group that it writes to."
CHANNELS = "Keys hold ids made at run time; the wildcard covers what one bucket of ours trains on."
RUNS = "Keys hold ids made at run time; the prefix jobs/ holds checkpoints and raw artifacts only."
MODELS = "Keys begin with an owner's id, which is made at run time; one bucket of our own."
MIRRORS = "A base model's key and revision come from the registry; only its config.json is read."

TRAINING_ACKNOWLEDGEMENTS = tuple(
    (
        f"{_STACK}/{construct}/Role/Resource",
        f"AwsSolutions-IAM5[Resource::{resource}]",
        reason,
    )
    for construct, resource, reason in (
        ("TrainingRole", "*", METRICS_AND_SIGN_IN),
        ("TrainingRole", "BrightRunData:DatasetsBucketArn/*", CHANNELS),
        ("TrainingRole", "BrightRunData:BaseModelsBucketArn/*", CHANNELS),
        ("TrainingRole", "BrightRunData:ModelsBucketArn/jobs/*", RUNS),
        ("TrainingRole", _LOG_STREAMS, STREAMS),
        ("StartTraining", "*", TRACES),
        ("StartTraining", "BrightRunData:BaseModelsBucketArn/*/config.json", MIRRORS),
        ("StartTraining", _JOBS, JOBS),
        ("WatchTraining", "*", TRACES),
        ("WatchTraining", "BrightRunData:ModelsBucketArn/jobs/*", RUNS),
        ("WatchTraining", _JOBS, JOBS),
        ("FinishTraining", "*", TRACES),
        ("FinishTraining", "BrightRunData:ModelsBucketArn/jobs/*", RUNS),
        ("FinishTraining", "BrightRunData:ModelsBucketArn/*", MODELS),
        ("FinishTraining", _JOBS, JOBS),
        ("TrainingEvents", "*", TRACES_AND_LISTING),
        ("TrainingEvents", _EXECUTIONS, EXECUTIONS),
        ("TrainingEvents", _JOBS, JOBS),
        ("TrainAdapter", "*", TRACES_AND_LOG_DELIVERY),
    )
)
"""Path, finding and reason of each; infra/policy.py puts them to the others."""
