"""Sends the status changes of jobs to EventBridge, as SageMaker does.

Through ministack's own function: PutEvents refuses sources that begin with ``aws.`` to callers.
Source of the event: SageMaker's documentation on events, "SageMaker Training Job State Change".
"""

import json
import logging
from typing import Any

from local.sagemaker.training_job import TrainingJob
from local.settings import ACCOUNT, REGION

_log = logging.getLogger(__name__)

_TIMES = ("CreationTime", "TrainingStartTime", "TrainingEndTime", "LastModifiedTime")


def announce(job: TrainingJob) -> None:
    """Log a job's current status and put its event on the default bus."""
    from ministack.core.responses import set_request_account_id, set_request_region
    from ministack.services import eventbridge

    reason = job.description.get("FailureReason")
    _log.log(
        logging.ERROR if reason else logging.INFO,
        "Training job %s is %s%s.",
        job.name,
        job.secondary_status,
        f": {reason}" if reason else "",
    )
    set_request_account_id(ACCOUNT)
    set_request_region(REGION)
    eventbridge._put_events({"Entries": [event_of(job)]}, allow_aws_source=True)


def event_of(job: TrainingJob) -> dict[str, Any]:
    """Return the event; its times are in milliseconds, unlike the API's."""
    detail = dict(job.description)
    for name in _TIMES:
        if name in detail:
            detail[name] = round(detail[name] * 1000)
    detail["SecondaryStatusTransitions"] = [
        {
            name: value if isinstance(value, str) else round(value * 1000)
            for name, value in transition.items()
        }
        for transition in detail["SecondaryStatusTransitions"]
    ]
    return {
        "Source": "aws.sagemaker",
        "DetailType": "SageMaker Training Job State Change",
        "Resources": [detail["TrainingJobArn"]],
        "Detail": json.dumps({**detail, "Tags": {tag["Key"]: tag["Value"] for tag in job.tags}}),
    }
