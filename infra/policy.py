"""The policy pack that runs at every synthesis, and each finding that we accept, with its reason.

A finding that is not in the table below stops the synthesis. Each line accepts one finding on one
resource: a new wildcard, or an old one on a new resource, is open again until someone writes down
why it may stay.
"""

from __future__ import annotations

from typing import NamedTuple

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct
from infra.acknowledged_datasets import DATASETS_ACKNOWLEDGEMENTS
from infra.acknowledged_training import JOBS, MODELS, TRAINING_ACKNOWLEDGEMENTS

ADR = "docs/adr/0008-policy-acknowledgements.md"

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


class Acknowledgement(NamedTuple):
    """One accepted finding: where it is, its id as cdk-nag reports it, and why it may stay."""

    path: str
    finding: str
    reason: str


def _wildcard(role: str, resource: str, reason: str) -> Acknowledgement:
    return Acknowledgement(
        f"{role}/Role/Resource", f"AwsSolutions-IAM5[Resource::{resource}]", reason
    )


_PLAN_OBJECTS = "BrightRunData:BatchLogsBucketArn/*/plan.json"
_LOG_OBJECTS = "BrightRunData:BatchLogsBucketArn/*/log.txt"
_CONVERSATION_OBJECTS = "BrightRunData:ConversationFilesBucketArn/*"
_FAILURE_OBJECTS = "BrightRunData:FailedGenerationFilesBucketArn/*"
_BASE_MODELS = "BrightRunData:BaseModelsBucketArn/*"
_TRAINING_OBJECTS = "BrightRunData:TrainingFilesBucketArn/*"
_TRAINING_JOBS = "arn:aws:sagemaker:us-east-1:<AWS::AccountId>:training-job/brightrun-*"

ACKNOWLEDGEMENTS = (
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
    _wildcard("BrightRunApi/Estimate", "BrightRunData:DatasetsBucketArn/*", RECEIPTS),
    _wildcard("BrightRunApi/Estimate", f"{_BASE_MODELS}/tokenizer*", TOKENIZERS),
    _wildcard("BrightRunApi/Estimate", f"{_BASE_MODELS}/chat_template.jinja", TOKENIZERS),
    _wildcard("BrightRunApi/Jobs", "*", TRACES),
    _wildcard("BrightRunApi/Jobs", _TRAINING_JOBS, JOBS),
    _wildcard("BrightRunApi/Models", "*", TRACES),
    _wildcard("BrightRunApi/Models", "BrightRunData:ModelsBucketArn/*", MODELS),
    _wildcard("BrightRunApi/Costs", "*", TRACES),
    _wildcard("BrightRunWorkflows/ProcessNext", "*", TRACES),
    _wildcard("BrightRunWorkflows/ProcessNext", _PLAN_OBJECTS, PLANS),
    _wildcard("BrightRunWorkflows/ProcessNext", _CONVERSATION_OBJECTS, CONVERSATIONS),
    _wildcard("BrightRunWorkflows/ProcessNext", _FAILURE_OBJECTS, FAILURES),
    _wildcard("BrightRunWorkflows/FinishBatch", "*", TRACES),
    _wildcard("BrightRunWorkflows/FinishBatch", _LOG_OBJECTS, LOGS),
    _wildcard("BrightRunWorkflows/FinishBatch", _PLAN_OBJECTS, PLANS),
    _wildcard("BrightRunWorkflows/FinishBatch", _CONVERSATION_OBJECTS, CONVERSATIONS),
    _wildcard("BrightRunWorkflows/GenerateBatch", "*", TRACES_AND_LOG_DELIVERY),
    *(Acknowledgement(*accepted) for accepted in DATASETS_ACKNOWLEDGEMENTS),
    *(Acknowledgement(*accepted) for accepted in TRAINING_ACKNOWLEDGEMENTS),
    Acknowledgement("BrightRunWorkflows/ClaudeApiKeySecret", "AwsSolutions-SMG4", NO_ROTATION),
    Acknowledgement("BrightRunApi/Users/UserPool/Resource", "AwsSolutions-COG2", NO_MFA),
    Acknowledgement("BrightRunApi/Users/UserPool/Resource", "AwsSolutions-COG8", NO_PLUS_TIER),
)


def enforce_policy(app: App) -> None:
    """Check the whole app with the AwsSolutions pack when it is synthesized.

    Synthesis then raises RuntimeError and prints each finding that has no acknowledgement.
    """
    Validations.of(app).add_plugins(AwsSolutionsChecks())


def acknowledge(app: App) -> None:
    """Accept the findings of the table; raises RuntimeError for a resource that does not exist."""
    for accepted in ACKNOWLEDGEMENTS:
        Validations.of(_at(app, accepted.path)).acknowledge(
            Acknowledgment(id=accepted.finding, reason=f"{accepted.reason} {ADR}")
        )


def _at(app: App, path: str) -> IConstruct:
    construct: IConstruct = app
    for part in path.split("/"):
        construct = construct.node.find_child(part)
    return construct
