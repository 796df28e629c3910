"""One fault at every call to the outside world, of every kind: the end is always the same.

The calls are recorded in a run without a fault; a call that is added later adds its cells here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from brightrun.aws.request_keys import MAX_REQUEST_S
from brightrun.batches.model import ENDED_JOBS, ItemStatus
from brightrun.conversations.repository import DynamoConversations
from tests.stateful.batch_process import (
    BUSY,
    GOOD,
    NOT_JSON,
    PERSONAS,
    Answer,
    BatchProcess,
    batch_processes,
)
from tests.stateful.faults import KINDS, Faults, Kind, positions_of

pytestmark = pytest.mark.slow

GOOD_ONE, BUSY_ONE, BAD_ONE = PERSONAS
SCRIPT: dict[str, list[Answer]] = {
    GOOD_ONE: [GOOD],
    BUSY_ONE: [BUSY, GOOD],
    BAD_ONE: [NOT_JSON],
}
FEWEST_CELLS = 150
MOST_ROUNDS = 12
NEVER_LOGGED = (*PERSONAS.values(), "Elena Morales", "what is said in turn", NOT_JSON)
"""From the prompts and the answers: in no log line, whatever goes wrong."""

NOT_STORED = {("Claude.write", "unheard"), ("Claude.write", "killed"), ("PutObject raw", "refused")}
"""The faults after which an answer was given that nobody could keep."""


@dataclass(frozen=True)
class Ending:
    """All that people, and later steps, can see of a batch when it is over."""

    status: str
    counters: tuple[int, ...]
    money: tuple[int, ...]
    items: tuple[tuple[Any, ...], ...]
    conversations: tuple[tuple[Any, ...], ...]
    failures: tuple[tuple[Any, ...], ...]
    priced_calls: int
    conclusions: tuple[str, ...]
    executions: int


def run_to_the_end(process: BatchProcess, faults: Faults) -> None:
    """Make the job and go on as the client and the state machine would."""

    def create() -> None:
        try:
            process.create()
        except BaseException:
            process.clock.advance(MAX_REQUEST_S)
            raise

    faults.until_it_works(create)
    for _ in range(MOST_ROUNDS):
        faults.until_it_works(process.turn)
        result = faults.until_it_works(process.finish)
        if result.status == "finished":
            return
        process.clock.advance(result.wait_seconds)
    raise AssertionError("the job did not come to its end")


def rows(process: BatchProcess, table: str) -> list[dict[str, Any]]:
    answer = process.clients["dynamodb"].query(
        TableName=table,
        KeyConditionExpression="owner_id = :owner",
        ExpressionAttributeValues={":owner": {"S": process.owner}},
        ProjectionExpression="item_id, turn_count, enrichment_status, reason, #status",
        ExpressionAttributeNames={"#status": "status"},
    )
    read = TypeDeserializer().deserialize
    return [{name: read(value) for name, value in row.items()} for row in answer["Items"]]


def ending_of(process: BatchProcess) -> Ending:
    job, items = process.job(), process.items()
    positions = {item.item_id: item.position for item in items}
    lines = [line.partition("] ")[2].replace(process.job_id, "") for line in process.log()]
    names = {item.item_id[:8]: f"item {item.position}" for item in items}
    conclusions = [line for line in lines if line[0] in "✓✗B" or "queued again" in line]
    return Ending(
        status=job.status,
        counters=(
            job.queued_items,
            job.processing_items,
            job.successful_items,
            job.failed_items,
            job.cancelled_items,
        ),
        money=(job.input_tokens, job.output_tokens, job.cost_micro_usd),
        items=tuple(
            (item.position, item.status, item.generation, item.error_code) for item in items
        ),
        conversations=tuple(
            sorted(
                (positions[row["item_id"]], row["turn_count"], row["enrichment_status"])
                for row in rows(process, "ConversationsTable")
            )
        ),
        failures=tuple(
            sorted(
                (positions[row["item_id"]], row["reason"])
                for row in rows(process, "FailedGenerationsTable")
            )
        ),
        priced_calls=sum(
            row["status"] == "success" for row in rows(process, "GenerationLogsTable")
        ),
        conclusions=tuple(sorted(_named(line, names) for line in conclusions)),
        executions=len(process.executions()),
    )


def _named(line: str, names: dict[str, str]) -> str:
    """A conclusion without the ids of this run."""
    for short, name in names.items():
        line = line.replace(short, name)
    return line.partition(" (conversation")[0]


@cache
def clean_run() -> tuple[tuple[str, ...], Ending, dict[str, int]]:
    """The calls, the ending and the answers paid for, of a run without a fault."""
    with (
        batch_processes() as new_process,
        Faults(process := new_process(SCRIPT), "refused", None) as faults,
    ):
        run_to_the_end(process, faults)
        return tuple(faults.calls), ending_of(process), dict(process.claude.paid)


def check_files(process: BatchProcess) -> None:
    """Every completed item's files are there; log.txt is the log."""
    s3 = process.clients["s3"]
    rows = DynamoConversations(process.clients["dynamodb"], "ConversationsTable")
    for item in process.items():
        if item.status is ItemStatus.COMPLETED:
            record = rows.conversation(process.owner, str(item.conversation_id))
            for key in record.object_keys():
                assert s3.head_object(Bucket="conversation-files", Key=key)["ContentLength"]
    text = s3.get_object(Bucket="batch-logs", Key=f"{process.job_id}/log.txt")["Body"].read()
    assert text.decode().splitlines() == process.log()


def check_cell(process: BatchProcess, kind: Kind, position: int) -> int | None:
    """Run with one fault, and compare the end with that of the run without.

    Returns how many answers were paid for again, None where there was no call of that position:
    writes that come together are one call, and which do depends on the threads.
    """
    _, clean, paid = clean_run()
    with Faults(process, kind, position) as faults:
        run_to_the_end(process, faults)
    where = f"{kind} at call {position}, {faults.struck}"
    assert process.job().status in ENDED_JOBS, where
    assert ending_of(process) == clean, where
    check_files(process)
    extra = Counter(process.claude.paid) - Counter(paid)
    allowed = max(faults.unstored, (faults.struck, kind) in NOT_STORED)
    assert extra.total() <= allowed, where
    return extra.total() if faults.struck else None


def test_the_run_without_a_fault_has_a_success_a_second_try_and_a_failure() -> None:
    calls, clean, paid = clean_run()
    assert clean.status == "completed"
    assert clean.counters == (0, 0, 2, 1, 0)
    assert paid == {**dict.fromkeys(PERSONAS, 1), BAD_ONE: 2}, "the bad answer is mended in vain"
    assert len(calls) * len(KINDS) >= FEWEST_CELLS


def test_a_fault_at_any_call_changes_nothing_in_the_end(
    kind: Kind,
    tenth: int,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    positions = positions_of(kind, tenth, len(clean_run()[0]))
    assert positions
    with batch_processes() as new_process:
        checked = [check_cell(new_process(SCRIPT), kind, position) for position in positions]
    struck = [paid_again for paid_again in checked if paid_again is not None]
    assert len(struck) >= len(positions) - 1
    record_property("samples", len(struck))
    record_property("paid_again", max(struck))
    logged = capsys.readouterr().out
    assert not [word for word in NEVER_LOGGED if word in logged]
