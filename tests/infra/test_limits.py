"""Limits that depend on each other: what waits outlasts what it waits for, what is sent fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from brightrun.aws.dynamodb import MAX_BATCH_WRITE
from brightrun.aws.request_keys import KEPT_FOR, MAX_REQUEST_S
from brightrun.aws.transactions import MAX_OPERATIONS
from brightrun.batches import workflow as batch_workflow
from brightrun.batches.call_limit import CALL_MARGIN_S
from brightrun.batches.model import MAX_CALLS_PER_WORKER, MAX_WORKERS
from brightrun.claude.model import CONNECT_TIMEOUT_S
from brightrun.conversations import import_conversations, index, repository
from brightrun.core.limits import CALL_TIMEOUT_S, MOST_DATASET_BYTES
from brightrun.datasets.model import LARGEST_SINGLE_PUT, PART_BYTES
from brightrun.training.sagemaker.request import LONGEST_RUN_S, SPOT_WAIT_S
from brightrun.training.workflow import model as training_workflow
from infra.routes import ROUTES
from tests.infra.templates import Templates
from tests.workflows.definition import (
    BUILD_TRAINING_FILE,
    GENERATE_BATCH,
    TRAIN_ADAPTER,
    VALIDATE_DATASET,
    states,
)

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
# From AWS's quotas of Lambda, API Gateway, Step Functions, DynamoDB, S3 and SageMaker.
LONGEST_INVOCATION_S = 900
LONGEST_INTEGRATION_S = 30
LARGEST_PAYLOAD = 6 * MIB
LARGEST_STATE = 256 * 1024
LONGEST_HISTORY = 25_000
MOST_IN_A_TRANSACTION, MOST_IN_A_BATCH_WRITE = 100, 25
LARGEST_PUT, MOST_PARTS, SMALLEST_PART = 5 * 1024 * MIB, 10_000, 5 * MIB
LONGEST_TRAINING_S = 28 * 24 * 3600
MACHINES = (GENERATE_BATCH, TRAIN_ADAPTER, BUILD_TRAINING_FILE, VALIDATE_DATASET)


class Limit(NamedTuple):
    """What must be at most `most`, in the unit of both."""

    what: str
    is_: float
    most: float


def of_tasks(timeouts: dict[str, int]) -> Iterator[Limit]:
    """A task is given up only after Lambda has stopped its function.

    Two functions also note that their work failed: one write, which may safely happen twice.
    """
    for machine in MACHINES:
        for name, state in states(machine.parsed()):
            if state["Type"] == "Task" and name != "RecordFailure":
                arn = state["Parameters"]["FunctionName"]
                function = arn.rpartition(":")[2].replace("-", "_")
                most = state["TimeoutSeconds"]
                yield Limit(f"{function} before {name}", timeouts[function] + 1, most)


def of_time(timeouts: dict[str, int]) -> Iterator[Limit]:
    """What gives up before what waits for it."""
    for function, timeout in timeouts.items():
        yield Limit(f"Lambda stops {function}", timeout, LONGEST_INVOCATION_S)
    for function in ROUTES:
        yield Limit(f"API Gateway waits for {function}", timeouts[function], LONGEST_INTEGRATION_S)
        yield Limit(f"a key waits for {function}", timeouts[function] + 1, MAX_REQUEST_S)
    yield Limit("connecting to Claude, in a call", CONNECT_TIMEOUT_S, CALL_TIMEOUT_S)
    worker = timeouts["process_next"]
    yield Limit("a call, in a worker", CALL_TIMEOUT_S + CALL_MARGIN_S, worker)
    yield Limit("a request, while its key is kept", MAX_REQUEST_S, KEPT_FOR.total_seconds())
    reading = index.MOST_READING.total_seconds()
    yield Limit("reading a library, in a request", reading, timeouts["conversations"])
    kept = repository.TOMBSTONES_KEPT.total_seconds()
    yield Limit("an index's age, while deletions are known", index.MOST_AGE.total_seconds(), kept)
    yield Limit("a training run, in SageMaker", LONGEST_RUN_S + SPOT_WAIT_S, LONGEST_TRAINING_S)


def of_sizes() -> Iterator[Limit]:
    """What is sent, stored or logged at once."""
    events = batch_workflow.max_events(MAX_WORKERS)
    yield Limit("a batch's history", events, LONGEST_HISTORY)
    turns = training_workflow.MAX_TURNS * training_workflow.EVENTS_PER_TURN
    yield Limit("a training's history", turns + training_workflow.EVENTS_AROUND, LONGEST_HISTORY)
    yield Limit("writes of a transaction", MAX_OPERATIONS, MOST_IN_A_TRANSACTION)
    yield Limit("writes of a batch", MAX_BATCH_WRITE, MOST_IN_A_BATCH_WRITE)
    yield Limit("an import", import_conversations.MOST_BYTES, LARGEST_PAYLOAD)
    yield Limit("an upload at once", LARGEST_SINGLE_PUT, LARGEST_PUT)
    yield Limit("the parts of an upload", MOST_DATASET_BYTES / PART_BYTES, MOST_PARTS)
    yield Limit("the smallest part", SMALLEST_PART, PART_BYTES)
    yield Limit("a round's state", MAX_WORKERS * len(_a_worker()), LARGEST_STATE)


def _a_worker() -> str:
    invocation = batch_workflow.WorkerInvocation(
        owner_id="o" * 128,
        job_id="j" * 128,
        worker=MAX_WORKERS - 1,
        loop=batch_workflow.MAX_LOOPS,
        calls_in_flight=MAX_CALLS_PER_WORKER,
    )
    return invocation.model_dump_json()


def test_every_limit_fits_the_one_that_depends_on_it(
    templates: Templates, record_property: Callable[[str, object], None]
) -> None:
    timeouts = {name: int(body["Timeout"]) for name, body in templates.functions().items()}
    limits = [*of_tasks(timeouts), *of_time(timeouts), *of_sizes()]
    assert not [one for one in limits if one.is_ > one.most]
    assert len({one.what for one in limits}) == len(limits) >= 40
    record_property("samples", len(limits))
