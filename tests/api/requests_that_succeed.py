"""For every operation a request that succeeds: what is in the tables, and what is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from brightrun.core.ids import NIL_UUID
from tests import builders as build
from tests.fakes import scaffolding
from tests.fakes.training_jobs import a_point, a_training_job
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds, numbered_id

ROC = {
    "persona_id": "overwhelmed_avoider",
    "emotional_arc_id": "confusion_to_clarity",
    "training_topic_id": "roth_ira_conversion",
}
WANTED = {"emotional_arc_type": "confusion_to_clarity", "tier": "template"}
KEPT = {"id", "version", "origin", "created_at", "updated_at", "consultant_key"}


Known = Callable[[Seeds, Api], str]


@dataclass(frozen=True)
class Sent:
    """A request; `known` stores the record that it is about, and gives its id for the path."""

    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    known: Known | None = None


def content_of(record: Any, **changes: str) -> dict[str, Any]:
    content: dict[str, Any] = record.model_dump(mode="json", exclude=KEPT)
    return {**content, **changes}


def a_job(seeds: Seeds, _: Api) -> str:
    return seeds.job(2).job_id


def a_job_with_a_failure(seeds: Seeds, _: Api) -> str:
    return seeds.completed(seeds.job(2), build.failed()).job_id


def a_conversation(seeds: Seeds, _: Api) -> str:
    return seeds.conversation().conversation_id


def a_bulk_action(seeds: Seeds, api: Api) -> str:
    """An action that no other has the id of."""
    ids = [seeds.conversation().conversation_id]
    made = api("POST /api/conversations/bulk-action", {"action": "approve", "conversationIds": ids})
    action_id: str = made.body["bulk_action_id"]
    return action_id


def a_failure(seeds: Seeds, _: Api) -> str:
    return seeds.failure().failure_id


def an_enrichable_conversation(seeds: Seeds, _: Api) -> str:
    return seeds.enrichable().conversation_id


def an_enriched_conversation(seeds: Seeds, api: Api, number: int = 1) -> str:
    conversation_id = seeds.enrichable(number).conversation_id
    api(f"POST /api/conversations/{conversation_id}/enrich")
    return conversation_id


def an_approved_conversation(seeds: Seeds, api: Api, number: int = 1) -> str:
    """One for a training file: its turns repeat themselves, which only a reviewer lets pass."""
    conversation_id = an_enriched_conversation(seeds, api, number)
    api(f"PATCH /api/conversations/{conversation_id}/status", {"status": "approved"})
    return conversation_id


def a_training_file(seeds: Seeds, api: Api) -> str:
    """A file of conversation 2, beside conversation 1 that could join it."""
    an_approved_conversation(seeds, api)
    name = f"File {seeds.rows('TrainingFilesTable')}"
    order = {"name": name, "conversation_ids": [an_approved_conversation(seeds, api, 2)]}
    record_id: str = api("POST /api/training-files", order).body["trainingFile"]["id"]
    return record_id


def a_countable_dataset(seeds: Seeds, _: Api) -> str:
    row = {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}
    return seeds.countable_dataset(json.dumps(row).encode()).dataset_id


def another_dataset(seeds: Seeds, _: Api) -> str:
    return seeds.dataset(seeds.rows("DatasetsTable") + 1).dataset_id


def a_dataset_without_a_file(seeds: Seeds, _: Api) -> str:
    return seeds.waiting_dataset(seeds.rows("DatasetsTable") + 1).dataset_id


def a_notification(seeds: Seeds, _: Api) -> str:
    return seeds.notification(seeds.rows("NotificationsTable") + 1).notification_id


def an_importable_training_file(seeds: Seeds, _: Api) -> str:
    return seeds.training_file().file_id


def a_ready_dataset(seeds: Seeds, _: Api) -> str:
    return seeds.dataset().dataset_id


def a_training(seeds: Seeds, _: Api) -> str:
    job = seeds.training_job(dataset_id=numbered_id(seeds.rows("TrainingJobsTable") + 50))
    seeds.training_records().add_points(job, [a_point(0), a_point(1)])
    return job.job_id


def a_delivered_model(seeds: Seeds, _: Api) -> str:
    return seeds.model(a_training_job()).model_id


def built_in(record: Any) -> Known:
    return lambda *_: str(record.id)


PERSONA, ARC = built_in(scaffolding.persona()), built_in(scaffolding.arc())
TOPIC, TEMPLATE = built_in(scaffolding.topic()), built_in(scaffolding.template())

REQUESTS: Mapping[str, Sent] = {
    "POST /api/conversations/generate": Sent({"templateId": NIL_UUID, "parameters": ROC}),
    "POST /api/conversations/generate-with-scaffolding": Sent(ROC),
    "POST /api/conversations/generate-batch": Sent(
        {"name": "A batch", "parameterSets": [{"parameters": ROC}]}
    ),
    "POST /api/conversations/generate-batch/preview": Sent(
        {"name": "A batch", "parameterSets": [{"parameters": ROC}]}
    ),
    "POST /api/conversations/judge": Sent(
        {"conversationIds": [numbered_id(1)]}, known=a_conversation
    ),
    "GET /api/batch-jobs": Sent(query={"status": "queued", "limit": "5"}),
    "GET /api/batch-jobs/planned": Sent(),
    "GET /api/batch-jobs/quotes": Sent(),
    "GET /api/batch-jobs/{id}": Sent(known=a_job),
    "GET /api/batch-jobs/{id}/log": Sent(known=a_job_with_a_failure),
    "POST /api/batch-jobs/{id}/cancel": Sent(known=a_job),
    "POST /api/batch-jobs/{id}/process-next": Sent(known=a_job),
    "POST /api/batch-jobs/{id}/retry-failed": Sent(known=a_job_with_a_failure),
    "PATCH /api/conversations/batch/{id}": Sent({"action": "pause"}, known=a_job),
    "GET /api/conversations/batch/{id}/items": Sent(known=a_job_with_a_failure),
    "GET /api/conversations/batch/{id}/status": Sent(known=a_job_with_a_failure),
    "GET /api/conversations": Sent(query={"tier": "template"}),
    "GET /api/conversations/{id}": Sent(query={"includeTurns": "true"}, known=a_conversation),
    "GET /api/conversations/{id}/download": Sent(known=a_conversation),
    "GET /api/conversations/{id}/download/raw": Sent(known=a_conversation),
    "GET /api/conversations/{id}/download/enriched": Sent(known=an_enriched_conversation),
    "GET /api/conversations/{id}/enrich": Sent(known=a_conversation),
    "POST /api/conversations/{id}/enrich": Sent(known=an_enrichable_conversation),
    "GET /api/conversations/{id}/validation-report": Sent(known=an_enriched_conversation),
    "POST /api/conversations/bulk-enrich": Sent({"conversationIds": ["any"]}),
    "GET /api/conversations/stats": Sent(),
    "GET /api/conversations/coverage": Sent(),
    "POST /api/conversations": Sent({"document": build.a_conversation()}),
    "PATCH /api/conversations/{id}": Sent(
        {"turn_number": 2, "content": "A better answer.", "reason": "It was vague."},
        known=an_enrichable_conversation,
    ),
    "DELETE /api/conversations/{id}": Sent(known=a_conversation),
    "GET /api/conversations/{id}/status": Sent(known=a_conversation),
    "PATCH /api/conversations/{id}/status": Sent({"status": "approved"}, known=a_conversation),
    "GET /api/conversations/{id}/audit": Sent(known=a_conversation),
    "POST /api/conversations/bulk-action": Sent({"action": "approve", "conversationIds": ["any"]}),
    "POST /api/conversations/bulk-action/{id}/undo": Sent(known=a_bulk_action),
    "POST /api/conversations/duplicates": Sent({"conversation_ids": ["any"]}),
    "POST /api/conversations/diversity": Sent({}, known=an_approved_conversation),
    "POST /api/conversations/preferences": Sent({}, known=an_approved_conversation),
    "GET /api/training-files": Sent(),
    "POST /api/training-files": Sent(
        {"name": "A file", "conversation_ids": [numbered_id(1)]}, known=an_approved_conversation
    ),
    "POST /api/training-files/{id}/add-conversations": Sent(
        {"conversation_ids": [numbered_id(1)], "allow_duplicates": True}, known=a_training_file
    ),
    "POST /api/training-files/preview": Sent({"conversation_ids": [numbered_id(1)]}),
    "GET /api/training-files/available-for-import": Sent(),
    "GET /api/training-files/{id}": Sent(known=a_training_file),
    "GET /api/training-files/{id}/download": Sent(known=a_training_file),
    "GET /api/datasets": Sent(query={"status": "ready", "search": "first"}, known=another_dataset),
    "POST /api/datasets": Sent({"name": "First", "file_name": "a.jsonl", "file_size": 7}),
    "POST /api/datasets/import-from-training-file": Sent(
        {"training_file_id": numbered_id(1)}, known=an_importable_training_file
    ),
    "GET /api/datasets/{id}": Sent(known=another_dataset),
    "DELETE /api/datasets/{id}": Sent(known=another_dataset),
    "GET /api/datasets/{id}/upload": Sent(known=a_dataset_without_a_file),
    "POST /api/datasets/{id}/confirm": Sent(known=another_dataset),
    "GET /api/datasets/{id}/report": Sent(known=another_dataset),
    "GET /api/notifications": Sent(query={"unread": "true", "limit": "5"}, known=a_notification),
    "PATCH /api/notifications/{id}/read": Sent(known=a_notification),
    "POST /api/notifications/read-all": Sent(known=a_notification),
    "POST /api/datasets/{id}/receipt": Sent({"rows_shown": 1}, known=a_countable_dataset),
    "GET /api/failed-generations": Sent(query={"failure_type": "truncation"}),
    "GET /api/failed-generations/{id}": Sent(known=a_failure),
    "GET /api/failed-generations/{id}/download": Sent(known=a_failure),
    "GET /api/generation-logs": Sent(),
    "GET /api/generation-logs/stats": Sent(query={"type": "performance"}),
    "GET /api/scaffolding/personas": Sent(query={"is_active": "all"}),
    "POST /api/scaffolding/personas": Sent(content_of(scaffolding.persona(), persona_key="mine")),
    "GET /api/scaffolding/personas/{id}": Sent(known=PERSONA),
    "PATCH /api/scaffolding/personas/{id}": Sent({"name": "A new name"}, known=PERSONA),
    "DELETE /api/scaffolding/personas/{id}": Sent(known=PERSONA),
    "GET /api/scaffolding/emotional-arcs": Sent(),
    "POST /api/scaffolding/emotional-arcs": Sent(content_of(scaffolding.arc(), arc_key="mine")),
    "GET /api/scaffolding/emotional-arcs/{id}": Sent(known=ARC),
    "PATCH /api/scaffolding/emotional-arcs/{id}": Sent({"tier": "scenario"}, known=ARC),
    "DELETE /api/scaffolding/emotional-arcs/{id}": Sent(known=ARC),
    "GET /api/scaffolding/training-topics": Sent(query={"category": "retirement"}),
    "POST /api/scaffolding/training-topics": Sent(
        content_of(scaffolding.topic(), topic_key="mine")
    ),
    "GET /api/scaffolding/training-topics/{id}": Sent(known=TOPIC),
    "PATCH /api/scaffolding/training-topics/{id}": Sent({"is_active": False}, known=TOPIC),
    "DELETE /api/scaffolding/training-topics/{id}": Sent(known=TOPIC),
    "GET /api/scaffolding/consultant": Sent(),
    "GET /api/scaffolding/domains": Sent(),
    "PUT /api/scaffolding/consultant": Sent(
        scaffolding.consultant().model_dump(mode="json", exclude={*KEPT, "is_active"})
    ),
    "POST /api/scaffolding/check-compatibility": Sent(ROC),
    "GET /api/templates": Sent(),
    "POST /api/templates": Sent(content_of(scaffolding.template(), template_name="Mine")),
    "GET /api/templates/select": Sent(query=WANTED),
    "POST /api/templates/select": Sent(WANTED),
    "POST /api/templates/preview": Sent({**ROC, "template_text": "Ask {{persona_name}}."}),
    "GET /api/templates/{id}": Sent(known=TEMPLATE),
    "PATCH /api/templates/{id}": Sent({"rating": None}, known=TEMPLATE),
    "DELETE /api/templates/{id}": Sent(known=TEMPLATE),
    "POST /api/templates/{id}/resolve": Sent(ROC, known=TEMPLATE),
    "POST /api/jobs/estimate": Sent(
        {"total_training_pairs": 89, "gpu_config": {"type": "H100", "count": 1}}
    ),
    "GET /api/jobs/estimate/accuracy": Sent(),
    "GET /api/base-models": Sent(),
    "GET /api/jobs": Sent(query={"status": "queued"}, known=a_training),
    "POST /api/jobs": Sent(
        {"dataset_id": numbered_id(1), "gpu_config": {"type": "H100", "count": 1}},
        known=a_ready_dataset,
    ),
    "GET /api/jobs/{id}": Sent(known=a_training),
    "GET /api/jobs/{id}/metrics": Sent(known=a_training),
    "GET /api/jobs/{id}/events": Sent(known=a_training),
    "POST /api/jobs/{id}/cancel": Sent(known=a_training),
    "GET /api/models": Sent(known=a_delivered_model),
    "GET /api/models/{id}": Sent(known=a_delivered_model),
    "POST /api/models/{id}/download": Sent({"files": ["README.md"]}, known=a_delivered_model),
    "GET /api/costs": Sent(query={"period": "week"}),
    "GET /api/costs/budget": Sent(),
}
