"""The policy findings that are accepted, each with its reason.

Each line accepts one finding on one resource: a new wildcard, or an old one on a new resource, is
open again until its reason is written down here.
"""

from __future__ import annotations

from typing import NamedTuple

from infra.settings import StageSettings

TRACES = "X-Ray's write actions accept no resource but *; they can only add traces, not read any."
TRACES_AND_LOG_DELIVERY = (
    "X-Ray and CloudWatch's log delivery accept no resource but *; these are the documented "
    "minimum for a state machine that is logged and traced."
)
PLANS = "The key of a job's plan holds the job's id, so only its last part, plan.json, is fixed."
LOGS = "The key of a job's log holds the job's id, so only its last part, log.txt, is fixed."
CONVERSATIONS = (
    "Keys hold ids made at run time; the wildcard covers objects of this one bucket of ours."
)
FAILURES = "Keys hold ids made at run time; the wildcard covers reports in this one bucket of ours."
TRAINING = (
    "Keys hold ids made at run time; the wildcard covers training files in this one bucket of ours."
)
RECEIPTS = "Keys hold ids made at run time; the wildcard covers datasets in one bucket of ours."
TOKENIZERS = "A base model's key and revision come from the registry; no weights can be read."
NO_ROTATION = (
    "Anthropic issues this key and offers no API to rotate it; the operator replaces it by hand, "
    "or uses a provider that signs with the function's role and needs no key."
)
NO_MFA = (
    "Operators create every user and scripts sign in by password; a second factor would stop them. "
    "A deployment with people only can require it on the pool."
)
NO_PLUS_TIER = (
    "The Plus tier is billed per active user; self sign-up is off, passwords are strong and "
    "requests throttled, so its adaptive sign-in checks add little here."
)
DATASETS = "Keys hold ids made at run time; the wildcard covers this one bucket of ours."
REPORTS = "Keys hold ids made at run time; only the part that names a validation is fixed."
TRACES_AND_LISTING = (
    "X-Ray's write actions and sagemaker:ListTrainingJobs accept no resource but *; the names are "
    "looked at before anything is done to a job."
)
TRACES_AND_QUOTAS = (
    "X-Ray's write actions and servicequotas:GetServiceQuota accept no resource but *; a quota is "
    "a number that the account's operators see in the console."
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

DEFAULT_CERTIFICATE = (
    "The pages are served under CloudFront's own name and certificate, whose policy CloudFront "
    "fixes; a domain of one's own brings a certificate and a stricter policy."
)
PAGES_ARE_PUBLIC = (
    "The pages hold no data and are the same for everyone: what needs protection is the API, which "
    "has its own authorizer and throttling."
)


class Acknowledgement(NamedTuple):
    """One accepted finding: where it is, its id as cdk-nag reports it, and why it may stay."""

    path: str
    finding: str
    reason: str


def _wildcard(role: str, resource: str, reason: str) -> Acknowledgement:
    return Acknowledgement(
        f"{role}/Role/Resource", f"AwsSolutions-IAM5[Resource::{resource}]", reason
    )


# What a finding quotes of a resource's ARN differs by deployment; acknowledged() fills it in.
_PLAN_OBJECTS = "{data}:BatchLogsBucketArn/*/plan.json"
_LOG_OBJECTS = "{data}:BatchLogsBucketArn/*/log.txt"
_CONVERSATION_OBJECTS = "{data}:ConversationFilesBucketArn/*"
_FAILURE_OBJECTS = "{data}:FailedGenerationFilesBucketArn/*"
_BASE_MODELS = "{data}:BaseModelsBucketArn/*"
_TRAINING_OBJECTS = "{data}:TrainingFilesBucketArn/*"
_DATASET_OBJECTS = "{data}:DatasetsBucketArn/*"
_MODEL_OBJECTS = "{data}:ModelsBucketArn/*"
_RUN_OBJECTS = "{data}:ModelsBucketArn/jobs/*"
_TRAINING_JOBS = "arn:aws:sagemaker:{region}:{account}:training-job/brightrun-*"
_EXECUTIONS = "arn:aws:states:{region}:{account}:execution:{train_adapter}:*"
_LOG_STREAMS = "arn:aws:logs:{region}:{account}:log-group:/aws/sagemaker/TrainingJobs:*"

ACKNOWLEDGEMENTS = (
    Acknowledgement("BrightRunConsole/Pages/Resource", "AwsSolutions-CFR4", DEFAULT_CERTIFICATE),
    Acknowledgement("BrightRunConsole/Pages/Resource", "AwsSolutions-CFR1", PAGES_ARE_PUBLIC),
    Acknowledgement("BrightRunConsole/Pages/Resource", "AwsSolutions-CFR2", PAGES_ARE_PUBLIC),
    _wildcard("BrightRunApi/Generate", "*", TRACES),
    _wildcard("BrightRunApi/Generate", _PLAN_OBJECTS, PLANS),
    _wildcard("BrightRunApi/BatchJobs", "*", TRACES),
    _wildcard("BrightRunApi/Conversations", "*", TRACES),
    _wildcard("BrightRunApi/Conversations", _CONVERSATION_OBJECTS, CONVERSATIONS),
    _wildcard("BrightRunApi/Conversations", _PLAN_OBJECTS, PLANS),
    _wildcard("BrightRunApi/Conversations", _FAILURE_OBJECTS, FAILURES),
    _wildcard("BrightRunApi/TrainingFiles", "*", TRACES),
    _wildcard("BrightRunApi/TrainingFiles", _CONVERSATION_OBJECTS, CONVERSATIONS),
    _wildcard("BrightRunApi/TrainingFiles", _TRAINING_OBJECTS, TRAINING),
    _wildcard("BrightRunApi/Scaffolding", "*", TRACES),
    _wildcard("BrightRunApi/Estimate", "*", TRACES),
    _wildcard("BrightRunApi/Estimate", _DATASET_OBJECTS, RECEIPTS),
    _wildcard("BrightRunApi/Estimate", f"{_BASE_MODELS}/tokenizer*", TOKENIZERS),
    _wildcard("BrightRunApi/Estimate", f"{_BASE_MODELS}/chat_template.jinja", TOKENIZERS),
    _wildcard("BrightRunApi/Jobs", "*", TRACES_AND_QUOTAS),
    _wildcard("BrightRunApi/Jobs", _DATASET_OBJECTS, RECEIPTS),
    _wildcard("BrightRunApi/Jobs", f"{_BASE_MODELS}/tokenizer*", TOKENIZERS),
    _wildcard("BrightRunApi/Jobs", f"{_BASE_MODELS}/chat_template.jinja", TOKENIZERS),
    _wildcard("BrightRunApi/Jobs", _TRAINING_JOBS, JOBS),
    _wildcard("BrightRunApi/Models", "*", TRACES),
    _wildcard("BrightRunApi/Models", _MODEL_OBJECTS, MODELS),
    _wildcard("BrightRunApi/Costs", "*", TRACES),
    _wildcard("BrightRunWorkflows/ProcessNext", "*", TRACES),
    _wildcard("BrightRunWorkflows/ProcessNext", _PLAN_OBJECTS, PLANS),
    _wildcard("BrightRunWorkflows/ProcessNext", _CONVERSATION_OBJECTS, CONVERSATIONS),
    _wildcard("BrightRunWorkflows/ProcessNext", _FAILURE_OBJECTS, FAILURES),
    _wildcard("BrightRunWorkflows/FinishBatch", "*", TRACES),
    _wildcard("BrightRunWorkflows/FinishBatch", _LOG_OBJECTS, LOGS),
    _wildcard("BrightRunWorkflows/FinishBatch", _PLAN_OBJECTS, PLANS),
    _wildcard("BrightRunWorkflows/FinishBatch", _CONVERSATION_OBJECTS, CONVERSATIONS),
    _wildcard("BrightRunWorkflows/SweepObjects", "*", TRACES),
    _wildcard("BrightRunWorkflows/SweepObjects", _CONVERSATION_OBJECTS, CONVERSATIONS),
    _wildcard("BrightRunWorkflows/SweepObjects", _DATASET_OBJECTS, DATASETS),
    _wildcard("BrightRunWorkflows/SweepObjects", _TRAINING_OBJECTS, TRAINING),
    _wildcard("BrightRunWorkflows/GenerateBatch", "*", TRACES_AND_LOG_DELIVERY),
    _wildcard("BrightRunApi/Datasets", "*", TRACES),
    _wildcard("BrightRunApi/Datasets", _DATASET_OBJECTS, DATASETS),
    _wildcard("BrightRunApi/Datasets", _TRAINING_OBJECTS, TRAINING),
    _wildcard("BrightRunApi/Notifications", "*", TRACES),
    _wildcard("BrightRunDatasets/ValidateDataset", "*", TRACES),
    _wildcard("BrightRunDatasets/ValidateDataset", _DATASET_OBJECTS, DATASETS),
    _wildcard("BrightRunDatasets/ValidateDataset", f"{_DATASET_OBJECTS}/_validation/*", REPORTS),
    _wildcard("BrightRunDatasets/Validation", "*", TRACES_AND_LOG_DELIVERY),
    _wildcard("BrightRunDatasets/BuildTrainingFile", "*", TRACES),
    _wildcard("BrightRunDatasets/BuildTrainingFile", _CONVERSATION_OBJECTS, CONVERSATIONS),
    _wildcard("BrightRunDatasets/BuildTrainingFile", _TRAINING_OBJECTS, TRAINING),
    _wildcard("BrightRunDatasets/TrainingFileBuild", "*", TRACES_AND_LOG_DELIVERY),
    _wildcard("BrightRunTraining/TrainingRole", "*", METRICS_AND_SIGN_IN),
    _wildcard("BrightRunTraining/TrainingRole", _DATASET_OBJECTS, CHANNELS),
    _wildcard("BrightRunTraining/TrainingRole", _BASE_MODELS, CHANNELS),
    _wildcard("BrightRunTraining/TrainingRole", _RUN_OBJECTS, RUNS),
    _wildcard("BrightRunTraining/TrainingRole", _LOG_STREAMS, STREAMS),
    _wildcard("BrightRunTraining/StartTraining", "*", TRACES),
    _wildcard("BrightRunTraining/StartTraining", _DATASET_OBJECTS, RECEIPTS),
    _wildcard("BrightRunTraining/StartTraining", f"{_BASE_MODELS}/tokenizer*", TOKENIZERS),
    _wildcard("BrightRunTraining/StartTraining", f"{_BASE_MODELS}/chat_template.jinja", TOKENIZERS),
    _wildcard(
        "BrightRunTraining/StartTraining",
        "{data}:BaseModelsBucketArn/*/config.json",
        MIRRORS,
    ),
    _wildcard("BrightRunTraining/StartTraining", _TRAINING_JOBS, JOBS),
    _wildcard("BrightRunTraining/WatchTraining", "*", TRACES),
    _wildcard("BrightRunTraining/WatchTraining", _RUN_OBJECTS, RUNS),
    _wildcard("BrightRunTraining/WatchTraining", _TRAINING_JOBS, JOBS),
    _wildcard("BrightRunTraining/FinishTraining", "*", TRACES),
    _wildcard("BrightRunTraining/FinishTraining", _RUN_OBJECTS, RUNS),
    _wildcard("BrightRunTraining/FinishTraining", _MODEL_OBJECTS, MODELS),
    _wildcard("BrightRunTraining/FinishTraining", _TRAINING_JOBS, JOBS),
    _wildcard("BrightRunTraining/TrainingEvents", "*", TRACES_AND_LISTING),
    _wildcard("BrightRunTraining/TrainingEvents", _EXECUTIONS, EXECUTIONS),
    _wildcard("BrightRunTraining/TrainingEvents", _TRAINING_JOBS, JOBS),
    _wildcard("BrightRunTraining/TrainAdapter", "*", TRACES_AND_LOG_DELIVERY),
    Acknowledgement("BrightRunWorkflows/ClaudeApiKeySecret", "AwsSolutions-SMG4", NO_ROTATION),
    Acknowledgement("BrightRunData/UserPool/Resource", "AwsSolutions-COG2", NO_MFA),
    Acknowledgement("BrightRunData/UserPool/Resource", "AwsSolutions-COG8", NO_PLUS_TIER),
)


def acknowledged(settings: StageSettings) -> tuple[Acknowledgement, ...]:
    """The acknowledgements as the findings of this deployment read."""
    names = {
        "data": settings.named("BrightRunData"),
        "train_adapter": settings.named("brightrun-train-adapter"),
        "region": settings.region,
        "account": settings.account or "<AWS::AccountId>",
    }
    return tuple(one._replace(finding=one.finding.format_map(names)) for one in ACKNOWLEDGEMENTS)
