"""Whether answers are paid for once, by the simulator's journal, whatever fails."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from brightrun.scaffolding.model import ConsultantContent
from cli.errors import CliError
from local.settings import USER_NAME
from tests.e2e.conftest import SELECTION, Installation

pytestmark = pytest.mark.slow

CANARY = "xochipilli-canary"
ITEMS = 12
MALFORMED = ("html", "null", "broken_json", "no_usage")


def journal(system: Installation) -> dict[str, Any]:
    """The simulator's counts since it started or was reset."""
    with urllib.request.urlopen(f"{system.simulator_url}/_simulator/journal") as answer:
        counts: dict[str, Any] = json.load(answer)
    return counts


def stored_answers(folder: Path) -> int:
    """How many raw answers lie whole on disk: the text, and the values beside it."""
    described = (folder / "s3").glob("*/*/raw/*/*/*.json.meta.json")
    return sum(one.with_name(one.name.removesuffix(".meta.json")).exists() for one in described)


def progress_of(system: Installation, job_id: str) -> dict[str, Any]:
    status = system.client.get(f"/api/conversations/batch/{job_id}/status", {})
    progress: dict[str, Any] = status["progress"]
    return progress


def test_an_answer_that_was_stored_before_a_kill_is_never_asked_for_again(
    install: Callable[[], Installation],
) -> None:
    system = install()
    system.start(latency_seconds=1.0)
    many = {**SELECTION, "emotional_arcs": ["fear_to_confidence"], "training_topics": "all"}
    job_id = system.create_batch(selection=many, concurrentProcessing=1)
    total = progress_of(system, job_id)["total"]
    while progress_of(system, job_id)["successful"] == 0:
        time.sleep(0.05)
    system.kill()
    kept = stored_answers(system.folder)
    assert 0 < kept < total
    system.start()
    status = system.follow(job_id)
    asked = journal(system)
    assert (status.status, status.successful) == ("completed", total)
    assert asked["answered"] == total - kept
    assert asked["answered_more_than_once"] == 0
    pages = system.client.pages("/api/generation-logs", "logs", {})
    paid = [log["conversation_id"] for page in pages for log in page["logs"]]
    assert len(paid) == len(set(paid)) == total


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 1},
        {"status": 529},
        {"status": 500},
        {"hang_seconds": 1.0},
        {"reset": True},
    ],
    ids=lambda fault: "-".join(f"{name}-{value}" for name, value in fault.items()),
)
def test_trouble_makes_more_calls_but_every_conversation_is_answered_once(
    system: Installation, fault: dict[str, Any]
) -> None:
    system.script_claude(*[fault] * 4)
    status = system.follow(system.create_batch())
    asked = journal(system)
    assert (status.status, status.successful, status.failed) == ("completed", ITEMS, 0)
    assert asked["answered"] == ITEMS
    assert asked["answered_more_than_once"] == 0
    assert sum(one["calls"] for one in asked["conversations"].values()) == ITEMS + 4


def test_the_same_plan_again_is_written_by_the_first_ones_answers_without_a_paid_call(
    system: Installation,
) -> None:
    system.follow(system.create_batch())
    paid = journal(system)["answered"]
    job_id = system.create_batch(reuse=True)
    status = system.follow(job_id)
    assert (status.status, status.successful) == ("completed", ITEMS)
    assert paid == journal(system)["answered"] == ITEMS
    assert status.document["reused_items"] == ITEMS
    assert status.document["cost_usd"] == 0
    assert all(item["reused"] and item["cost_usd"] == 0 for item in system.items(job_id))
    assert sum("by an earlier answer at no cost" in line for line in system.log(job_id)) == ITEMS


def test_a_spend_limit_ends_the_batch_after_the_calls_in_flight(system: Installation) -> None:
    limit = {"status": 429, "error_code": "enforced_spend_limit_reached"}
    system.script_claude({"when": {"endpoint": "messages"}, **limit})
    job_id = system.create_batch(concurrentProcessing=1, selection={**SELECTION})
    status = system.follow(job_id)
    asked = journal(system)
    assert status.status == "failed"
    assert status.stopped_reason
    assert all(entry["calls"] == 1 for entry in asked["conversations"].values())


def test_the_same_request_sent_three_times_at_once_makes_one_batch(system: Installation) -> None:
    body = {"name": "once", "selection": SELECTION, "concurrentProcessing": 2}
    made: list[str] = []
    together = threading.Barrier(3)

    def send() -> None:
        together.wait()
        answer = system.client.post("/api/conversations/generate-batch", body, "the-same-key")
        made.append(answer["jobId"])

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(made) == 3
    (job_id,) = set(made)
    assert system.follow(job_id).successful == ITEMS
    assert journal(system)["answered"] == ITEMS


def test_an_answer_that_is_no_message_is_asked_for_once_more(system: Installation) -> None:
    system.script_claude(*[{"malformed": kind} for kind in MALFORMED])
    status = system.follow(system.create_batch())
    assert (status.status, status.successful, status.failed) == ("completed", ITEMS, 0)
    assert journal(system)["answered"] == ITEMS + len(MALFORMED)


def test_answers_that_are_never_a_message_end_the_batch_after_two_each(
    system: Installation,
) -> None:
    system.script_claude({"when": {"endpoint": "messages"}, "malformed": "no_usage"})
    job_id = system.create_batch()
    assert system.follow(job_id).failed == ITEMS
    assert journal(system)["answered"] == 2 * ITEMS
    assert {item["error_code"] for item in system.items(job_id)} == {"unreadable_answer"}


def test_of_five_orders_at_once_one_judges_the_two_conversations(
    install: Callable[[], Installation],
) -> None:
    system = install()
    system.start(latency_seconds=5.0)
    system.follow(system.create_batch())
    before = journal(system)["answered"]
    listed = system.client.get("/api/conversations", {"limit": 2})["conversations"]
    body = {"conversationIds": [one["conversation_id"] for one in listed]}
    together = threading.Barrier(5)
    jobs: list[str | None] = []
    refused: list[str] = []

    def send() -> None:
        together.wait()
        try:
            jobs.append(system.client.post("/api/conversations/judge", body)["jobId"])
        except CliError as error:
            refused.append(error.code)

    senders = [threading.Thread(target=send) for _ in range(5)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    (job_id,) = [one for one in jobs if one is not None]  # None: all was judged before
    assert system.follow(job_id).successful == 2
    assert set(refused) <= {"being_judged"}
    assert journal(system)["answered"] == before + 2


def test_five_retries_at_once_pay_for_the_two_judgements_once(system: Installation) -> None:
    system.follow(system.create_batch())
    listed = system.client.get("/api/conversations", {"limit": 2})["conversations"]
    body = {"conversationIds": [one["conversation_id"] for one in listed]}
    system.script_claude({"when": {"endpoint": "messages"}, "malformed": "no_usage"})
    jobs = [system.client.post("/api/conversations/judge", body)["jobId"]]
    while system.follow(jobs[-1]).failed == 2 and len(jobs) < 5:
        jobs.append(system.client.post("/api/conversations/judge", body)["jobId"])
    system.reset_claude()
    together = threading.Barrier(5)
    retried: list[str] = []
    refused: list[str] = []

    def send(job_id: str) -> None:
        together.wait()
        try:
            system.client.post(f"/api/batch-jobs/{job_id}/retry-failed")
            retried.append(job_id)
        except CliError as error:
            refused.append(error.code)

    senders = [threading.Thread(target=send, args=[one]) for one in jobs]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert retried
    # A retry that came after another job had ended is accepted and finds everything judged.
    assert refused == ["being_judged"] * (5 - len(retried))
    assert [system.follow(job_id).successful for job_id in retried] == [2] * len(retried)
    assert journal(system)["answered"] == 2


def test_a_paused_batch_asks_claude_nothing(install: Callable[[], Installation]) -> None:
    system = install()
    system.start(latency_seconds=0.3)
    many = {**SELECTION, "training_topics": "all"}
    job_id = system.create_batch(selection=many, concurrentProcessing=1)
    while progress_of(system, job_id)["successful"] == 0:
        time.sleep(0.05)
    path = f"/api/conversations/batch/{job_id}"
    system.client.patch(path, {"action": "pause"})
    while progress_of(system, job_id)["processing"]:
        time.sleep(0.05)
    before = journal(system)["answered"]
    time.sleep(2)
    assert journal(system)["answered"] == before < 120
    system.client.patch(path, {"action": "cancel"})
    progress = progress_of(system, job_id)
    assert progress["successful"] == before
    assert progress["cancelled"] == 120 - before


def insert_canary(system: Installation) -> None:
    """Put the canary into the consultant's system prompt and into every persona."""
    for persona in SELECTION["personas"]:
        change = {"financial_situation": f"Keeps a ledger called {CANARY}."}
        system.client.patch(f"/api/scaffolding/personas/{persona}", change)
    consultant = system.client.get("/api/scaffolding/consultant", {})["consultant"]
    content = {name: consultant[name] for name in ConsultantContent.model_fields}
    content["system_prompt"] += f" Never say {CANARY}."
    request = urllib.request.Request(
        f"{system.client.api_url}/api/scaffolding/consultant",
        method="PUT",
        data=json.dumps(content).encode(),
        headers={
            "authorization": f"Bearer {access_token(system)}",
            "content-type": "application/json",
        },
    )
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["success"]


def access_token(system: Installation) -> str:
    answer = system.aws("cognito-idp").initiate_auth(
        ClientId=system.output("UserPoolClientId"),
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={
            "USERNAME": USER_NAME,
            "PASSWORD": (system.folder / "password").read_text().strip(),
        },
    )
    return str(answer["AuthenticationResult"]["AccessToken"])


def test_no_word_of_a_prompt_reaches_a_log_whatever_fails(
    install: Callable[[], Installation],
) -> None:
    system = install()
    system.start()
    insert_canary(system)
    system.script_claude(
        {"status": 500},
        {"reset": True},
        {"truncate": 0.5},
        {"schema_violation": True},
        {"refusal": "general_harms"},
        {"status": 400, "message": f"Your prompt says {CANARY}."},
    )
    job_id = system.create_batch()
    assert system.follow(job_id).failed == 2  # refused, and 400; the others are asked for again
    prompts = [one for one in system.folder.glob("s3/*/*/*/plan.json") if CANARY in one.read_text()]
    assert prompts, "the canary did not get into the prompts"
    password = (system.folder / "password").read_text().strip()
    for log in (system.folder / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert CANARY not in text, log.name
        assert password not in text, log.name
    assert CANARY not in "\n".join(system.log(job_id))
