"""Which requests are accepted, and how the others are refused."""

from typing import Any

import pytest

from local.sagemaker.errors import RequestRefused
from local.sagemaker.service_model import ServiceModel, compiled
from tests.local.sagemaker.emulated import Emulated, channel, job_request

MODEL = ServiceModel()


def _refusal(emulated: Emulated, operation: str, request: Any) -> RequestRefused:
    with pytest.raises(RequestRefused) as refused:
        emulated.jobs.answer(operation, request)
    return refused.value


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"TrainingJobName": "no_underscore"}, "'trainingJobName' failed to satisfy constraint"),
        ({"TrainingJobName": "x" * 64}, "length less than or equal to 63"),
        ({"RoleArn": "a-role-of-which-no-arn"}, "'roleArn'"),
        ({"HyperParameters": {"k": "v" * 2501}}, "length less than or equal to 2500"),
        ({"HyperParameters": {"k": 3}}, "Invalid type for parameter HyperParameters.k"),
        ({"HyperParameters": {str(n): "" for n in range(101)}}, "less than or equal to 100"),
        (
            {"OutputDataConfig": {}},
            'Missing required parameter in OutputDataConfig: "S3OutputPath"',
        ),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "MaxRuntimeInSeconds"),
        ({"Unheard": "of"}, 'Unknown parameter in input: "Unheard"'),
        (
            {"ResourceConfig": {"InstanceType": "ml.p9.huge", "InstanceCount": 1}},
            "Member must satisfy enum value set",
        ),
        (
            {"InputDataConfig": [channel("a b", "s3://b/k")]},
            "'inputDataConfig.1.member.channelName'",
        ),
    ],
)
def test_request_that_the_service_model_forbids_is_refused(
    emulated: Emulated, changes: dict[str, Any], message: str
) -> None:
    request = {**job_request(), **changes}
    refusal = _refusal(emulated, "CreateTrainingJob", request)
    assert refusal.code == "ValidationException"
    assert message in str(refusal)
    assert emulated.store.all() == []


def test_this_machine_is_an_instance_type_of_its_own(emulated: Emulated) -> None:
    emulated.create(ResourceConfig={"InstanceType": "local_cpu", "InstanceCount": 1})
    assert emulated.until_ended()["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "either TrainingImage or"),
        ({"ResourceConfig": {"VolumeSizeInGB": 1}}, "with an InstanceType"),
        ({"InputDataConfig": [channel("a", "s3://b/k")] * 2}, "must be unique"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}},
            "only when EnableManagedSpotTraining is set",
        ),
        ({"EnableManagedSpotTraining": True}, "It must be present"),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59},
            },
            "greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "i",
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "m", "Regex": "("}],
                }
            },
            "metric m is invalid",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "Pipe"}},
            "can be run locally",
        ),
        (
            {"OutputDataConfig": {"S3OutputPath": "s3://b/o", "CompressionType": "NONE"}},
            "GZIP can be run locally",
        ),
        (
            {"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/../x"}},
            "below /opt/ml can be run locally",
        ),
    ],
)
def test_request_that_breaks_a_rule_between_members_is_refused(
    emulated: Emulated, changes: dict[str, Any], message: str
) -> None:
    refusal = _refusal(emulated, "CreateTrainingJob", {**job_request(), **changes})
    assert refusal.code == "ValidationException"
    assert message in str(refusal)


def test_name_is_used_once_even_after_the_job_ended(emulated: Emulated) -> None:
    emulated.create()
    emulated.until_ended()
    refusal = _refusal(emulated, "CreateTrainingJob", job_request())
    assert refusal.code == "ResourceInUse"
    assert "already exists (arn:aws:sagemaker:" in str(refusal)


@pytest.mark.parametrize("operation", ["DescribeTrainingJob", "StopTrainingJob"])
def test_unknown_job_is_not_found(emulated: Emulated, operation: str) -> None:
    refusal = _refusal(emulated, operation, {"TrainingJobName": "nobody"})
    assert refusal.code == "ValidationException"
    assert str(refusal) == "Requested resource not found."


def test_job_that_has_ended_cannot_be_stopped(emulated: Emulated) -> None:
    emulated.create()
    emulated.until_ended()
    refusal = _refusal(emulated, "StopTrainingJob", {"TrainingJobName": "job-1"})
    assert str(refusal).endswith("because the training job is in status Completed.")


@pytest.mark.parametrize("operation", ["CreateModel", "NoSuchThing"])
def test_operation_that_is_not_emulated_is_unknown(emulated: Emulated, operation: str) -> None:
    request = {"ModelName": "m"} if operation == "CreateModel" else {}
    refusal = _refusal(emulated, operation, request)
    assert refusal.code == "UnknownOperationException"


def test_limit_is_exceeded_as_often_as_scripted(emulated: Emulated) -> None:
    emulated.script(limit_exceeded=2)
    for _ in range(2):
        refusal = _refusal(emulated, "CreateTrainingJob", job_request())
        assert refusal.code == "ResourceLimitExceeded"
        assert "'ml.p5.4xlarge for training job usage' is 0 Instances" in str(refusal)
    emulated.create()
    assert emulated.until_ended()["TrainingJobStatus"] == "Completed"


def test_throttling_comes_as_scripted(emulated: Emulated) -> None:
    emulated.script(throttled=1)
    assert _refusal(emulated, "CreateTrainingJob", job_request()).code == "ThrottlingException"
    emulated.create()
    emulated.until_ended()


def test_tags_are_added_to_those_of_the_request(emulated: Emulated) -> None:
    arn = emulated.create(Tags=[{"Key": "owner", "Value": "ö 1"}])
    more = [{"Key": "owner", "Value": "2"}, {"Key": "job", "Value": "3"}]
    emulated.jobs.answer("AddTags", {"ResourceArn": arn, "Tags": more})
    assert emulated.jobs.answer("ListTags", {"ResourceArn": arn})["Tags"] == more
    emulated.until_ended()


def test_every_pattern_of_a_request_can_be_checked() -> None:
    seen: set[str] = set()

    def visit(shape: Any) -> None:
        if shape.name in seen:
            return
        seen.add(shape.name)
        if "pattern" in shape.metadata:
            compiled(shape.metadata["pattern"])
        for member in getattr(shape, "members", {}).values():
            visit(member)
        for part in ("member", "key", "value"):
            if hasattr(shape, part):
                visit(getattr(shape, part))

    visit(MODEL._service.operation_model("CreateTrainingJob").input_shape)
    assert len(seen) > 100
