"""One run through every route, and through every kind of turn and round of the workflow."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from brightrun.batches.workflow import MAX_ROUNDS
from brightrun.core.errors import ClaudeCallError
from brightrun.scaffolding.model import Record
from brightrun.training_files import build_training_file
from tests.builders import (
    OWNER,
    a_completion,
    a_conversation,
    a_judgement,
    a_refusal,
    a_turn,
)
from tests.fakes import scaffolding as records
from tests.fakes.tokenizer import put_tokenizer
from tests.handlers.system_under_test import SystemUnderTest
from tests.handlers.training_operations import train
from tests.handlers.workflow_operations import run_the_training_workflow

SETS = [
    {
        "parameters": {
            "persona_id": "overwhelmed_avoider",
            "emotional_arc_id": arc,
            "training_topic_id": "roth_ira_conversion",
        }
    }
    for arc in ("confusion_to_clarity", "fear_to_confidence", "crisis_to_referral")
]
ONE_SET = SETS[0]["parameters"]
ROWS = (
    b'{"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}'
)
SERVER_FIELDS = {"id", "version", "origin", "created_at", "updated_at"}


def run_every_operation(system: SystemUnderTest) -> None:
    """Leave nothing out that a function can be asked to do."""
    edit_scaffolding(system)
    edit_what_another_is_editing(system)
    try_templates(system)
    finished = write_a_batch(system)
    steer_batches(system)
    read_batches(system, finished)
    read_conversations(system)
    judge_conversations(system)
    review_conversations(system)
    make_training_files(system)
    take_in_datasets(system)
    delete_a_dataset_that_is_being_validated(system)
    read_notifications(system)
    train(system)
    run_the_training_workflow(system)
    system.http("POST /api/conversations", {"document": a_conversation()}, status=201)
    delete_conversations(system)
    sweep_what_was_left(system)


def sweep_what_was_left(system: SystemUnderTest) -> None:
    """An object of a killed writer, and one that was uploaded after a deletion; both are old."""
    s3 = boto3.client("s3")
    for bucket in ("conversation-files", "datasets", "training-files"):
        s3.put_object(Bucket=bucket, Key=f"{OWNER}/gone/v1/a/rows.json", Body=b"{}")
    system.pass_days(2)
    done = system.work("sweep_objects", {})
    assert min(one["removed"] for one in done.values()) >= 1


def edit_scaffolding(system: SystemUnderTest) -> None:
    kinds: list[tuple[str, str, Record]] = [
        ("personas", "persona", records.persona()),
        ("emotional-arcs", "emotional_arc", records.arc()),
        ("training-topics", "training_topic", records.topic()),
    ]
    for path, name, builtin in kinds:
        route = f"/api/scaffolding/{path}"
        system.http(f"GET {route}")
        content = builtin.model_dump(mode="json", exclude=SERVER_FIELDS)
        made = system.http(f"POST {route}", {**content, builtin.key_field: "new_one"}, status=201)
        one = {"id": made[name]["id"]}
        system.http(f"GET {route}/{{id}}", **one)
        system.http(f"PATCH {route}/{{id}}", {"name": "Another Name"}, **one)
        system.http(f"DELETE {route}/{{id}}", **one)
    assert system.http("GET /api/scaffolding/domains")["count"] > 1
    consultant = system.http("GET /api/scaffolding/consultant")["consultant"]
    unchanged = {"is_active", "consultant_key", *SERVER_FIELDS}
    content = {name: value for name, value in consultant.items() if name not in unchanged}
    system.http("PUT /api/scaffolding/consultant", content)
    system.http("POST /api/scaffolding/check-compatibility", ONE_SET)


def edit_what_another_is_editing(system: SystemUnderTest) -> None:
    personas = system.http("GET /api/scaffolding/personas", query={"is_active": "all"})["personas"]
    (one,) = [persona["id"] for persona in personas if persona["origin"] == "own"]
    system.overtake(lambda: edit_at_the_same_time(one))
    changes = {"name": "A Third Name"}
    system.http("PATCH /api/scaffolding/personas/{id}", changes, id=one, status=409)


def edit_at_the_same_time(persona_id: str) -> None:
    boto3.client("dynamodb").update_item(
        TableName="ScaffoldingTable",
        Key={"owner_kind": {"S": f"{OWNER}#persona"}, "id": {"S": persona_id}},
        UpdateExpression="ADD #version :one",
        ExpressionAttributeNames={"#version": "version"},
        ExpressionAttributeValues={":one": {"N": "1"}},
    )


def try_templates(system: SystemUnderTest) -> None:
    content = {
        "template_name": "Short one",
        "emotional_arc_type": "confusion_to_clarity",
        "template_text": "Talk like {{persona_name}} about {{topic_name}}.",
    }
    system.http("GET /api/templates")
    one = {"id": system.http("POST /api/templates", content, status=201)["template"]["id"]}
    system.http("GET /api/templates/{id}", **one)
    system.http("PATCH /api/templates/{id}", {"description": "Shorter"}, **one)
    system.http("POST /api/templates/{id}/resolve", ONE_SET, **one)
    system.http("POST /api/templates/preview", {**ONE_SET, "template_id": one["id"]})
    wanted = {"emotional_arc_type": "confusion_to_clarity"}
    system.http("GET /api/templates/select", query=wanted)
    system.http("POST /api/templates/select", wanted)
    system.http("DELETE /api/templates/{id}", **one)


def a_batch(system: SystemUnderTest, **headers: str) -> str:
    body = {"name": "A batch", "parameterSets": SETS, "concurrentProcessing": 1, "reuse": True}
    route = "POST /api/conversations/generate-batch"
    return str(system.http(route, body, status=202, headers=headers)["jobId"])


def write_a_batch(system: SystemUnderTest) -> str:
    """Stop for want of a key, go on with one; one call fails and one answer is no conversation."""
    preview = "POST /api/conversations/generate-batch/preview"
    assert system.http(preview, {"name": "A batch", "parameterSets": SETS})["totalItems"] == 3
    repeatable = {"idempotency-key": "once"}
    job_id = a_batch(system, **repeatable)
    assert a_batch(system, **repeatable) == job_id
    beyond_the_budget = {"action": "resume", "max_cost_usd": 5000}
    system.http("PATCH /api/conversations/batch/{id}", beyond_the_budget, id=job_id, status=409)
    assert system.turn(job_id) == "closed"
    assert system.finish(job_id) == "finished"
    system.put_key()
    system.http("POST /api/batch-jobs/{id}/retry-failed", id=job_id)
    busy = ClaudeCallError("server_error", "Claude answered 500.", status=500, retryable=True)
    good, bad = a_completion(), a_refusal()
    assert system.turn(job_id, [busy, good, good, bad]) == "drained"
    system.turn(job_id, [bad])
    leave_one_unenriched()
    system.overtake_put("enriched.json", lambda: change_every_row("ConversationsTable"))
    for _ in ("which loses to another caller", "which enriches"):
        assert system.finish(job_id) == "finished"
    return job_id


def change_every_row(table: str) -> None:
    """As other callers do, so that whoever has read a row before loses."""
    client = boto3.client("dynamodb")
    description = client.describe_table(TableName=table)["Table"]["KeySchema"]
    for row in client.scan(TableName=table)["Items"]:
        if "version" not in row:
            continue
        client.update_item(
            TableName=table,
            Key={key["AttributeName"]: row[key["AttributeName"]] for key in description},
            UpdateExpression="ADD version :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )


def leave_one_unenriched() -> None:
    """As a worker does that dies between storing a conversation and enriching it."""
    client = boto3.client("dynamodb")
    row = client.scan(TableName="ConversationsTable")["Items"][0]
    client.update_item(
        TableName="ConversationsTable",
        Key={name: row[name] for name in ("owner_id", "conversation_id")},
        UpdateExpression="SET enrichment_status = :status",
        ExpressionAttributeValues={":status": {"S": "not_started"}},
    )


def steer_batches(system: SystemUnderTest) -> None:
    control = "PATCH /api/conversations/batch/{id}"
    cancelled, long = a_batch(system), a_batch(system)
    for action in ("pause", "resume", "cancel"):
        system.http(control, {"action": action}, id=cancelled)
    system.http("POST /api/batch-jobs/{id}/process-next", id=long)
    system.http(control, {"action": "resume"}, id=long)
    assert system.finish(long, round_number=MAX_ROUNDS - 1) == "finished"
    system.http("POST /api/batch-jobs/{id}/cancel", id=long)
    single = "POST /api/conversations/generate-with-scaffolding"
    system.http(single, ONE_SET, status=202)
    template = {"templateId": records.template().id, "parameters": ONE_SET}
    system.http("POST /api/conversations/generate", template, status=202)


def read_batches(system: SystemUnderTest, job_id: str) -> None:
    assert system.http("GET /api/batch-jobs")["count"] == 5
    assert system.http("GET /api/batch-jobs/planned")["complete"]
    assert system.http("GET /api/batch-jobs/quotes")["success"]
    assert system.http("GET /api/batch-jobs/{id}", id=job_id)["job"]["status"] == "completed"
    system.http("GET /api/conversations/batch/{id}/status", id=job_id)
    system.http("GET /api/conversations/batch/{id}/items", id=job_id)
    assert system.http("GET /api/batch-jobs/{id}/log", id=job_id)["lines"]


def read_conversations(system: SystemUnderTest) -> None:
    conversation = system.http("GET /api/conversations")["conversations"][0]
    one = {"id": conversation["conversation_id"]}
    assert system.http("GET /api/conversations/{id}", **one, query={"includeTurns": "true"})[
        "turns"
    ]
    system.http("GET /api/conversations/{id}/download", **one)
    system.http("GET /api/conversations/{id}/download/raw", **one)
    enriched = system.http("POST /api/conversations/{id}/enrich", **one)
    assert enriched["final_status"] == "completed"
    system.http("GET /api/conversations/{id}/enrich", **one)
    system.http("GET /api/conversations/{id}/validation-report", **one)
    system.http("GET /api/conversations/{id}/download/enriched", **one)
    system.http("POST /api/conversations/bulk-enrich", {"conversationIds": [one["id"]]})
    failures = system.http("GET /api/failed-generations")["failures"]
    system.http("GET /api/failed-generations/{id}", id=failures[0]["id"])
    system.http("GET /api/failed-generations/{id}/download", id=failures[0]["id"])
    system.http("GET /api/generation-logs")
    system.http("GET /api/generation-logs/stats", query={"type": "cost"})


def judge_conversations(system: SystemUnderTest) -> None:
    """Judge two, with a repeatable request; an answer that fits nobody's rubric comes between."""
    ids = [
        one["conversation_id"] for one in system.http("GET /api/conversations")["conversations"]
    ][:2]
    route = "POST /api/conversations/judge"
    headers = {"idempotency-key": "judged-once"}
    ordered = system.http(route, {"conversationIds": ids}, status=202, headers=headers)
    job_id = str(ordered["jobId"])
    assert system.turn(job_id, [a_refusal(), a_judgement()]) == "drained"
    system.http("POST /api/batch-jobs/{id}/retry-failed", id=job_id)
    assert system.turn(job_id, [a_refusal()]) == "drained"
    assert system.finish(job_id) == "finished"
    (left,) = set(ids) - set(
        system.http(route, {"conversationIds": ids}, status=202)["alreadyJudged"]
    )
    assert left in ids
    judge_what_is_deleted_meanwhile(system)


def judge_what_is_deleted_meanwhile(system: SystemUnderTest) -> None:
    made = system.http("POST /api/conversations", {"document": a_conversation()}, status=201)
    one = made["results"][0]["conversation"]["conversation_id"]
    order = {"conversationIds": [one]}
    job_id = str(system.http("POST /api/conversations/judge", order, status=202)["jobId"])
    system.overtake_put(
        "judgement.json", lambda: system.http("DELETE /api/conversations/{id}", id=one)
    )
    assert system.turn(job_id, [a_judgement()]) == "drained"


def delete_conversations(system: SystemUnderTest) -> None:
    one = {"id": system.http("GET /api/conversations")["conversations"][0]["conversation_id"]}
    system.http("DELETE /api/conversations/{id}", **one)
    assert (
        system.http("GET /api/conversations/{id}/audit", **one)["entries"][0]["action"] == "delete"
    )


def review_conversations(system: SystemUnderTest) -> None:
    listed = system.http("GET /api/conversations")["conversations"]
    one = {"id": listed[0]["conversation_id"]}
    status = "/api/conversations/{id}/status"
    system.http(f"PATCH {status}", {"status": "rejected", "review_notes": "Too short."}, **one)
    assert system.http(f"GET {status}", **one)["status"] == "rejected"
    assert system.http("GET /api/conversations/{id}/audit", **one)["count"] == 1
    edit = {"turn_number": 2, "content": "That is a fair question.", "reason": "It was curt."}
    edited = system.http("PATCH /api/conversations/{id}", edit, **one)["conversation"]
    assert edited["enrichment_status"] == "completed"
    reopened = {"action": "reopen", "filter": {"status": "rejected"}}
    done = system.http("POST /api/conversations/bulk-action", reopened)
    assert done["remaining"] == 0
    undo = "POST /api/conversations/bulk-action/{id}/undo"
    assert system.http(undo, id=done["bulk_action_id"])["summary"]["updated"] == 1
    system.http("POST /api/conversations/bulk-action", reopened)
    assert system.http("GET /api/conversations/stats")["by_status"]["pending_review"] > 0
    assert system.http("GET /api/conversations/coverage")["combinations"]


def make_training_files(system: SystemUnderTest) -> None:
    """Make a file of approved conversations, and add to it while another addition lands first."""
    files = "/api/training-files"
    first, second, *_ = (
        one["conversation_id"]
        for one in system.http("GET /api/conversations")["conversations"]
        if one["enrichment_status"] == "completed"
    )
    approved = {"status": "approved", "review_notes": "Invented turns repeat themselves."}
    for conversation_id in (first, second):
        system.http("PATCH /api/conversations/{id}/status", approved, id=conversation_id)
    made = system.http(f"POST {files}", {"name": "All", "conversation_ids": [first]}, status=201)
    compared = {"conversation_ids": [first, second]}
    assert system.http("POST /api/conversations/duplicates", compared)["compared"] == 2
    one = {"id": made["trainingFile"]["id"]}
    measured = system.http("POST /api/conversations/diversity", {})
    assert measured["diversity"]["conversations"] >= 2
    every = system.http("GET /api/conversations")["conversations"]
    edited = {"conversation_ids": [conversation["conversation_id"] for conversation in every]}
    assert system.http("POST /api/conversations/preferences", edited)["records"]
    more = {"conversation_ids": [second], "allow_duplicates": True}
    system.overtake_put("training.jsonl", lambda: change_every_row("TrainingFilesTable"))
    system.http(f"POST {files}/{{id}}/add-conversations", more, **one)
    system.http(f"GET {files}")
    system.http(f"GET {files}/available-for-import")
    assert len(system.http(f"GET {files}/{{id}}", **one)["versions"]) == 2
    for query in ({"format": "jsonl"}, {"format": "json", "version": "1"}):
        system.http(f"GET {files}/{{id}}/download", query=query, **one)
    build_in_the_background(system, one["id"])


def build_in_the_background(system: SystemUnderTest, file_id: str) -> None:
    """Add by a filter, as if it selected many, with an upload that a killed step forgot."""
    added = system.http("GET /api/training-files/{id}", id=file_id)["versions"][-1]
    turns = [a_turn(at, f"What is said at {at}, and nowhere else.") for at in (1, 2)]
    document = {"document": a_conversation(turns=turns)}
    made = system.http("POST /api/conversations", document, status=201)
    imported = made["results"][0]["conversation"]["conversation_id"]
    system.http("POST /api/conversations/{id}/enrich", id=imported)
    system.http("PATCH /api/conversations/{id}/status", {"status": "approved"}, id=imported)
    order = {"filter": {"status": "approved"}, "allow_duplicates": True}
    assert system.http("POST /api/training-files/preview", order)["eligible"] >= 1
    route = "POST /api/training-files/{id}/add-conversations"
    repeatable = {"idempotency-key": "added-once"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_training_file, "MOST_AT_ONCE", 0)
        for _ in range(2):
            begun = system.http(route, order, status=202, headers=repeatable, id=file_id)
    (execution,) = executions("brightrun-build-training-file")
    event = json.loads(execution["input"])
    key = f"{OWNER}/{file_id}/v{begun['trainingFile']['build']['version']}/{event['attempt']}/"
    boto3.client("s3").create_multipart_upload(Bucket="training-files", Key=f"{key}training.json")
    while event.get("status", "building") == "building":
        event = system.work("build_training_file", event)
    assert event["status"] == "ready"
    newest = system.http("GET /api/training-files/{id}", id=file_id)["versions"][-1]
    assert newest["conversation_count"] > added["conversation_count"]


def executions(machine: str) -> list[Any]:
    client = boto3.client("stepfunctions")
    (arn,) = [
        one["stateMachineArn"]
        for one in client.list_state_machines()["stateMachines"]
        if one["name"] == machine
    ]
    return [
        client.describe_execution(executionArn=one["executionArn"])
        for one in client.list_executions(stateMachineArn=arn)["executions"]
    ]


def take_in_datasets(system: SystemUnderTest) -> None:
    """Upload a file in parts and import another; validate, read and delete them."""
    datasets = "/api/datasets"
    sent = {"name": "Sent", "file_name": "rows.jsonl", "file_size": len(ROWS), "multipart": True}
    made = system.http(f"POST {datasets}", sent, status=201)["data"]
    one = {"id": made["dataset"]["id"]}
    upload = system.http(f"GET {datasets}/{{id}}/upload", **one)["data"]
    (upload_id,) = parse_qs(urlsplit(upload["parts"][0]["url"]).query)["uploadId"]
    boto3.client("s3").upload_part(
        Bucket="datasets",
        Key=made["storagePath"],
        UploadId=upload_id,
        PartNumber=1,
        Body=ROWS,
    )
    system.http(f"POST {datasets}/{{id}}/confirm", status=202, **one)
    assert system.validate(one["id"]) == "ready"
    system.http(f"GET {datasets}/{{id}}/report", **one)
    put_tokenizer(boto3.client("s3"))
    assert system.http(f"POST {datasets}/{{id}}/receipt", {}, **one)["data"]["pairs"] == 1
    estimate_training(system, one["id"])
    (file,) = system.http("GET /api/training-files")["files"]
    imported = {"training_file_id": file["id"]}
    route = f"POST {datasets}/import-from-training-file"
    copied = system.http(route, imported, status=201)["data"]["id"]
    system.http(route, imported, status=409)
    assert system.validate(copied) == "ready"
    system.http(f"GET {datasets}/{{id}}", id=copied)
    assert system.http(f"GET {datasets}")["data"]["count"] == 2
    system.http(f"DELETE {datasets}/{{id}}", id=copied)
    broken = system.http(f"POST {datasets}", sent, status=201)["data"]["dataset"]["id"]
    system.http(f"DELETE {datasets}/{{id}}", id=broken)


def estimate_training(system: SystemUnderTest, dataset_id: str) -> None:
    gpu = system.http("GET /api/base-models")["data"]["gpu_types"][0]["key"]
    request = {"dataset_id": dataset_id, "gpu_config": {"type": gpu, "count": 1}}
    assert system.http("POST /api/jobs/estimate", request)["data"]["profile"] == "v2"
    system.http("GET /api/jobs/estimate/accuracy")


def delete_a_dataset_that_is_being_validated(system: SystemUnderTest) -> None:
    datasets = "/api/datasets"
    sent = {"name": "Late", "file_name": "rows.jsonl", "file_size": len(ROWS)}
    made = system.http(f"POST {datasets}", sent, status=201)["data"]
    one = {"id": made["dataset"]["id"]}
    boto3.client("s3").put_object(Bucket="datasets", Key=made["storagePath"], Body=ROWS)
    system.http(f"POST {datasets}/{{id}}/confirm", status=202, **one)
    system.overtake(lambda: system.http(f"DELETE {datasets}/{{id}}", **one))
    assert system.validate(one["id"]) == "superseded"


def read_notifications(system: SystemUnderTest) -> None:
    listed = system.http("GET /api/notifications")["data"]
    assert listed["unread_count"] == len(listed["notifications"]) == 2
    system.http("PATCH /api/notifications/{id}/read", id=listed["notifications"][0]["id"])
    assert system.http("POST /api/notifications/read-all")["data"]["marked"] == 1
