"""Service Quotas behind a real client: its value counts only for the quota that was asked for."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from brightrun.aws.service_quotas import ServiceQuotas, service_quotas_client
from brightrun.catalog.gpu_instances import Quota, gpu_types, training_quota
from tests.fakes.aws_answers import Answer, answered, refused

QUOTA = Quota("ml.g5.2xlarge for training job usage", "L-2D6DEB3C")


def quotas(answer: Answer | Exception) -> tuple[ServiceQuotas, list[dict[str, Any]]]:
    client, asked = service_quotas_client(), list[dict[str, Any]]()

    def reply(params: dict[str, Any], **_: Any) -> Answer:
        asked.append(params)
        if isinstance(answer, Exception):
            raise answer
        return answer

    client.meta.events.register("before-call.service-quotas.GetServiceQuota", reply)
    return ServiceQuotas(client), asked


def test_the_quota_is_asked_for_by_its_code() -> None:
    found, asked = quotas(answered({"Quota": {"QuotaName": QUOTA.name, "Value": 2.0}}))
    assert found.allowed(QUOTA.name, QUOTA.code) == 2
    assert b'"QuotaCode": "L-2D6DEB3C"' in asked[0]["body"]
    assert b'"ServiceCode": "sagemaker"' in asked[0]["body"]


@pytest.mark.parametrize(
    "answer",
    [
        refused("NoSuchResourceException", "no such quota"),
        refused("AccessDeniedException", "not authorized"),
        refused("TooManyRequestsException", "slow down"),
        ConnectTimeoutError(endpoint_url="https://servicequotas.us-east-1.amazonaws.com"),
        answered({"Quota": {"QuotaName": "ml.g5.2xlarge for endpoint usage", "Value": 0.0}}),
    ],
    ids=["unknown", "denied", "throttled", "unreachable", "another quota"],
)
def test_what_cannot_be_found_out_is_not_known(answer: Answer | Exception) -> None:
    assert quotas(answer)[0].allowed(QUOTA.name, QUOTA.code) is None


def test_every_instance_that_can_be_trained_on_has_the_codes_of_its_quotas() -> None:
    rented = [
        one for gpu in gpu_types() if gpu.trainable and not gpu.is_cpu for one in gpu.instances
    ]
    codes = [training_quota(one.type, spot=spot) for one in rented for spot in (False, True)]
    assert None not in codes
    assert len({quota.code for quota in codes if quota}) == 2 * len(rented)
    assert {quota.name for quota in codes if quota} >= {
        "ml.g6.2xlarge for training job usage",
        "ml.g6e.2xlarge for spot training job usage",
    }


def test_an_instance_without_a_code_has_no_quota_that_is_known() -> None:
    assert training_quota("ml.m5.2xlarge", spot=False) is None
