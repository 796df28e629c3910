"""What the fake system knows: a little scaffolding, one batch, one conversation, one failure."""

import hashlib
import json
import re
from typing import Any

from tests.cli.fake_cognito import CLIENT_ID, USERNAME
from tests.cli.fake_system import Answer, FakeSystem, Json, Recorded, problem

JOB = "11111111-0000-4000-8000-000000000001"
CONVERSATION = "22222222-0000-4000-8000-000000000001"
FAILURE = "33333333-0000-4000-8000-000000000001"
TEMPLATE = "44444444-0000-4000-8000-000000000001"

DOMAINS = [
    {"key": "financial_planning", "name": "Financial planning", "countries": ["US"]},
    {"key": "nursing_handover", "name": "Nursing handover", "countries": ["GB", "IE"]},
]
PERSONAS = [
    {"id": "p-1", "persona_key": "anxious_planner", "name": "Jennifer", "is_active": True},
    {"id": "p-2", "persona_key": "pragmatic_optimist", "name": "David", "is_active": True},
]
ARCS = [
    {"id": "a-1", "arc_key": "fear_to_confidence", "name": "Fear", "is_active": True},
    {"id": "a-2", "arc_key": "crisis_to_referral", "name": "Crisis", "is_active": True},
]
TOPICS = [
    {"id": "t-1", "topic_key": "estate_planning_basics", "name": "Estate", "is_active": True},
    {"id": "t-2", "topic_key": "spending_priorities", "name": "Spending", "is_active": True},
    {"id": "t-3", "topic_key": "student_loan_payoff", "name": "Loans", "is_active": True},
]
TEMPLATES = [{"id": TEMPLATE, "template_name": "Fear template", "is_active": True}]
CONVERSATIONS = [
    {
        "id": CONVERSATION,
        "conversation_id": CONVERSATION,
        "conversation_name": "Jennifer - The Anxious Planner",
        "status": "pending_review",
        "tier": "template",
        "persona_key": "anxious_planner",
        "emotional_arc_key": "fear_to_confidence",
        "training_topic_key": "estate_planning_basics",
        "turn_count": 2,
        "model": "claude-sonnet-5-5",
        "cost_usd": 0.0382,
        "input_tokens": 1900,
        "output_tokens": 2208,
        "simulated": True,
        "created_at": "2026-08-05T10:00:00Z",
    }
]
TURNS = [
    {
        "turn_number": 1,
        "role": "user",
        "content": "I have no will. [bold]Is that\x1b[2J bad?",
        "emotional_context": {"primary_emotion": "fear", "intensity": 0.8},
    },
    {
        "turn_number": 2,
        "role": "assistant",
        "content": "It is common, and it can be mended.",
        "emotional_context": {
            "primary_emotion": "calm",
            "secondary_emotion": "warmth",
            "intensity": 0.45,
        },
    },
]
FAILURES = [{"id": FAILURE, "failure_type": "truncation", "error_message": "stopped early"}]
TRAINING_FILE = "0190a000-0000-7000-8000-000000000009"
VERSION = {
    "version": 1,
    "created_at": "2026-08-05T10:00:00Z",
    "conversation_count": 2,
    "added_conversations": 2,
    "total_training_pairs": 16,
    "trainable_pairs": 8,
    "json_file_size": 2000,
    "jsonl_file_size": 1500,
    "avg_quality_score": 4.1,
}
TRAINING_FILES = [{"id": TRAINING_FILE, "name": "First", **VERSION}]
LOG_LINES = ["[10:00] Processing item", "[10:01] Item completed", "[10:02] Batch job complete"]


QUOTE = {"p50": 0.16, "p90": 0.2, "source": "typical", "conversations": 0, "batches": 0}


def status_document(status: str, total: int = 4, **changes: Any) -> Json:
    """One answer of the status route; the progress counters can be given by name."""
    names = ("completed", "successful", "failed", "cancelled", "processing", "queued")
    progress = {name: changes.pop(name, 0) for name in names}
    return {
        "success": True,
        "jobId": JOB,
        "name": "Nightly",
        "status": status,
        "progress": {"total": total, **progress, "percentage": 0.0},
        "estimatedTimeRemaining": 75,
        "startedAt": "2026-08-05T10:00:00Z",
        "completedAt": None,
        "cost_usd": 0.1528,
        "input_tokens": 7600,
        "output_tokens": 8832,
        "simulated": True,
        "stoppedReason": None,
        "status_line": f"{status.capitalize()}: {progress['successful']} of {total} succeeded.",
        "max_cost_usd": None,
        "reserved_cost_usd": 0.0,
        "reused_items": 0,
        "lane": "realtime",
        "done_by": None,
        "switch_at": None,
        "was_on_time": None,
        "quote": QUOTE,
        "quote_error": None,
        "prompt_cache": {
            "read_tokens": 0,
            "written_tokens": 0,
            "hit_rate": None,
            "saved_usd": 0.0,
            "notice": None,
        },
        **changes,
    }


def preview_document(total: int = 4, **changes: Any) -> Json:
    """One answer of the preview route."""
    items = [
        {
            "position": position,
            "persona_key": PERSONAS[position % 2]["persona_key"],
            "emotional_arc_key": ARCS[0]["arc_key"],
            "training_topic_key": TOPICS[position % 3]["topic_key"],
            "template_id": TEMPLATE,
            "tier": "template",
        }
        for position in range(total)
    ]
    return {
        "success": True,
        "requestedItems": total,
        "totalItems": total,
        "personas": 2,
        "emotionalArcs": 2,
        "trainingTopics": 1,
        "templates": 2,
        "model": "claude-sonnet-5-5",
        "lane": "realtime",
        "estimatedCost": {**QUOTE, "p90": 1234.5},
        "pastQuotes": [],
        "deadline": None,
        "estimatedTime": {"p50": 110, "p90": 200},
        "lanes": [
            {
                "lane": "realtime",
                "estimatedCost": {"p50": 0.16, "p90": 1234.5},
                "estimatedTime": {"p50": 110, "p90": 200},
                "unavailable": None,
            },
            {
                "lane": "economy",
                "estimatedCost": {"p50": 0.08, "p90": 617.25},
                "estimatedTime": {"p50": 3600, "p90": 86400},
                "unavailable": None,
            },
        ],
        "items": items,
        "incompatibleItems": 0,
        "incompatible": [],
        "warnings": [],
        "problemCount": 0,
        "problems": [],
        **changes,
    }


RUNNING = status_document("processing", completed=1, successful=1, processing=2, queued=1)
DONE = status_document("completed", completed=4, successful=4)
PARTLY_FAILED = status_document("completed", completed=4, successful=3, failed=1)


def outputs_document(system: FakeSystem) -> Json:
    """What `cdk deploy --outputs-file` writes, with the local engine's own section."""
    return {
        "BrightRunData": {"BatchLogsBucketName": "logs"},
        "BrightRunApi": {
            "ApiUrl": f"{system.url}/",
            "UserPoolId": "us-east-1_pool",
            "UserPoolClientId": CLIENT_ID,
            "Region": "us-east-1",
        },
        "Local": {
            "endpoint_url": system.url,
            "username": USERNAME,
            "password_file": "password",
            "generator": "simulated",
            "data_dir": ".",
        },
    }


def serve_statuses(system: FakeSystem, *documents: Json) -> None:
    """Answer the status route with these in turn; the last one stays."""
    left = list(documents)

    def answer(_: Recorded, __: re.Match[str]) -> Json:
        return left.pop(0) if len(left) > 1 else left[0]

    system.route("GET", f"/api/conversations/batch/{JOB}/status", answer)


def serve_list(system: FakeSystem, path: str, key: str, rows: list[Any]) -> None:
    """Answer a list route page by page; the cursor is the number of rows already given."""

    def answer(request: Recorded, _: re.Match[str]) -> Json:
        begin, size = int(request.query.get("cursor", 0)), int(request.query.get("limit", 25))
        page = rows[begin : begin + size]
        following = str(begin + size) if begin + size < len(rows) else None
        return {"success": True, key: page, "count": len(page), "next_cursor": following}

    system.route("GET", path, answer)


def serve_file(system: FakeSystem, path: str, filename: str, content: bytes) -> None:
    """Answer a download route with a link, and the link with the content."""
    link = f"/files/{filename.rpartition('/')[2]}"

    def answer(_: Recorded, __: re.Match[str]) -> Json:
        return {
            "success": True,
            "conversation_id": CONVERSATION,
            "download_url": f"{system.url}{link}?X-Amz-Signature=abc",
            "filename": filename,
            "file_size": len(content),
            "expires_at": "2026-08-05T11:00:00Z",
            "expires_in_seconds": 3600,
        }

    system.route("GET", path, answer)
    system.route("GET", link, lambda _, __: Answer(200, content))


def add_routes(system: FakeSystem) -> None:
    """Serve everything a test may ask for before it changes something."""
    for path, list_key, record_key, rows in (
        ("scaffolding/personas", "personas", "persona", PERSONAS),
        ("scaffolding/emotional-arcs", "emotional_arcs", "emotional_arc", ARCS),
        ("scaffolding/training-topics", "training_topics", "training_topic", TOPICS),
        ("templates", "templates", "template", TEMPLATES),
    ):
        _serve_scaffolding(system, f"/api/{path}", list_key, record_key, rows)
    serve_list(system, "/api/batch-jobs", "jobs", [_job(number) for number in range(130)])
    serve_list(system, "/api/conversations", "conversations", CONVERSATIONS)
    serve_list(system, "/api/failed-generations", "failures", FAILURES)
    serve_list(system, "/api/scaffolding/domains", "domains", DOMAINS)
    _serve_training_files(system)
    serve_list(system, "/api/generation-logs", "logs", [{"id": "l-1", "status": "success"}])
    serve_list(system, f"/api/batch-jobs/{JOB}/log", "lines", LOG_LINES)
    serve_list(system, f"/api/conversations/batch/{JOB}/items", "items", [_item()])
    serve_statuses(system, DONE)
    serve_file(system, f"/api/conversations/{CONVERSATION}/download", "c.json", b'{"turns": []}')
    serve_file(system, f"/api/conversations/{CONVERSATION}/download/raw", "raw.json", b'{"raw": 1}')
    serve_file(system, f"/api/failed-generations/{FAILURE}/download", "f.json", b"{}")
    _serve_single_records(system)
    _serve_actions(system)


def _serve_scaffolding(
    system: FakeSystem, path: str, list_key: str, record_key: str, rows: list[Json]
) -> None:
    def everything(_: Recorded, __: re.Match[str]) -> Json:
        return {"success": True, list_key: rows, "count": len(rows)}

    def one(_: Recorded, match: re.Match[str]) -> Json | Answer:
        for row in rows:
            if match["ref"] in row.values():
                return {"success": True, record_key: row}
        return problem(404, f"There is no such {record_key}.", "not_found")

    def written(request: Recorded, _: re.Match[str]) -> Json:
        return {"success": True, record_key: {**rows[0], **(request.body or {})}}

    system.route("GET", path, everything)
    system.route("GET", f"{path}/(?P<ref>[^/]+)", one)
    system.route("POST", path, written)
    system.route("PATCH", f"{path}/[^/]+", written)
    system.route("DELETE", f"{path}/[^/]+", written)


def _serve_single_records(system: FakeSystem) -> None:
    conversation = {"success": True, "conversation": CONVERSATIONS[0], "turns": TURNS}
    failure = {"success": True, "failure": FAILURES[0]}
    stats = {"success": True, "total_cost_usd": 1.25, "calls": 33}
    system.route("GET", f"/api/conversations/{CONVERSATION}", lambda _, __: conversation)
    system.route("GET", f"/api/failed-generations/{FAILURE}", lambda _, __: failure)
    system.route("GET", "/api/generation-logs/stats", lambda _, __: stats)


def _serve_actions(system: FakeSystem) -> None:
    created = {
        "success": True,
        "jobId": JOB,
        "status": "queued",
        "totalItems": 4,
        "estimatedCost": 0.16,
        "estimatedTime": 110,
        "message": "Batch queued.",
    }
    started = {"success": True, "jobId": JOB, "conversation_id": CONVERSATION, "status": "queued"}
    fit = {
        "success": True,
        "is_compatible": True,
        "confidence": 0.8,
        "warnings": ["The arc is not meant for Jennifer."],
        "suggestions": [],
        "template": {"id": TEMPLATE, "template_name": "Fear template", "tier": "template"},
    }

    def act(request: Recorded, _: re.Match[str]) -> Json:
        done = f"{request.body['action']} accepted"
        return {"success": True, "jobId": JOB, "status": "paused", "message": done}

    def retry(_: Recorded, __: re.Match[str]) -> Json:
        return {"success": True, "jobId": JOB, "requeued": 2, "message": "2 items requeued"}

    def accepted(document: Json) -> Answer:
        return Answer(202, json.dumps(document).encode())

    system.route("POST", "/api/conversations/generate-batch", lambda _, __: accepted(created))
    system.route(
        "POST",
        "/api/conversations/generate-batch/preview",
        lambda request, _: preview_document(request.body["selection"].get("sample", 4)),
    )
    system.route(
        "POST", "/api/conversations/generate-with-scaffolding", lambda _, __: accepted(started)
    )
    system.route("POST", "/api/scaffolding/check-compatibility", lambda _, __: fit)
    system.route("PATCH", f"/api/conversations/batch/{JOB}", act)
    system.route("POST", f"/api/batch-jobs/{JOB}/retry-failed", retry)


def _serve_training_files(system: FakeSystem) -> None:
    one = f"/api/training-files/{TRAINING_FILE}"
    changed = {"success": True, "trainingFile": TRAINING_FILES[0], "message": "Version 1 holds 2."}
    output = {"success": True, "trainingFile": TRAINING_FILES[0], "versions": [VERSION]}
    serve_list(system, "/api/training-files", "files", TRAINING_FILES)
    system.route(
        "POST",
        "/api/training-files",
        lambda _, __: Answer(201, json.dumps(changed).encode()),
    )
    system.route("POST", f"{one}/add-conversations", lambda _, __: changed)
    system.route("GET", one, lambda _, __: output)

    def link(request: Recorded, _: re.Match[str]) -> Json:
        extension = request.query["format"]
        return {
            "success": True,
            "file_id": TRAINING_FILE,
            "version": int(request.query.get("version", 1)),
            "download_url": f"{system.url}/files/training.{extension}?X-Amz-Signature=abc",
            "filename": f"First.v1.{extension}",
            "file_size": len(extension),
            "sha256": hashlib.sha256(extension.encode()).hexdigest(),
        }

    system.route("GET", f"{one}/download", link)
    system.route(
        "GET", r"/files/training\.(jsonl?)", lambda _, found: Answer(200, found[1].encode())
    )


def _job(number: int) -> Json:
    return {
        "id": f"job-{number:03d}",
        "name": f"Batch {number}",
        "status": "completed",
        "totalItems": 4,
        "successfulItems": 4,
        "failedItems": 0,
        "createdAt": "2026-08-05T10:00:00Z",
    }


def _item() -> Json:
    return {
        "id": "item-1",
        "position": 0,
        "status": "failed",
        "persona_key": "anxious_planner",
        "emotional_arc_key": "fear_to_confidence",
        "training_topic_key": "estate_planning_basics",
        "tier": "template",
        "conversation_id": None,
        "attempts": 4,
        "error_message": "Claude refused",
        "error_code": "refusal",
        "updatedAt": "2026-08-05T10:00:00Z",
    }
