"""Who may ask for what: every route, asked by its owner, by a stranger and by nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

import pytest

from infra.routes import ROUTES
from tests.builders import OWNER, STRANGER
from tests.fakes.training_jobs import a_training_job
from tests.handlers.gateway import ABSENT, Answer, Api
from tests.handlers.seeds import Seeds, StartedRuns

EVERY_ROUTE = sorted(chain.from_iterable(ROUTES.values()))
OF_A_RECORD = [route for route in EVERY_ROUTE if "{id}" in route]
ROC = {
    "persona_id": "overwhelmed_avoider",
    "emotional_arc_id": "confusion_to_clarity",
    "training_topic_id": "roth_ira_conversion",
}
ROW = b'{"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}'
SERVER_FIELDS = {"id", "version", "origin", "created_at", "updated_at", "variables"}
BODIES: Mapping[str, dict[str, Any]] = {
    "PATCH /api/conversations/batch/{id}": {"action": "pause"},
    "PATCH /api/conversations/{id}": {"turn_number": 1, "content": "Hello!", "reason": "Shorter."},
    "PATCH /api/conversations/{id}/status": {"status": "approved"},
    "PATCH /api/scaffolding/personas/{id}": {"name": "A new name"},
    "PATCH /api/scaffolding/emotional-arcs/{id}": {"name": "A new name"},
    "PATCH /api/scaffolding/training-topics/{id}": {"name": "A new name"},
    "PATCH /api/templates/{id}": {"tier": "scenario"},
    "POST /api/templates/{id}/resolve": ROC,
    "POST /api/datasets/{id}/receipt": {},
    "POST /api/models/{id}/download": {},
    "POST /api/training-files/{id}/add-conversations": {
        "conversation_ids": ["00000000-0000-7000-8000-000000000001"]
    },
}


def _created(api: Api, path: str, one: str, **keys: str) -> str:
    """Copy a built-in record under a key of the owner's own."""
    listed = api(f"GET {path}").body
    many = next(value for value in listed.values() if isinstance(value, list))
    content = {name: value for name, value in many[0].items() if name not in SERVER_FIELDS}
    record_id: str = api(f"POST {path}", {**content, **keys}).body[one]["id"]
    return record_id


def _bulk_action(api: Api, seeds: Seeds) -> str:
    ids = [seeds.conversation().conversation_id]
    request = {"action": "approve", "conversationIds": ids}
    action_id: str = api("POST /api/conversations/bulk-action", request).body["bulk_action_id"]
    return action_id


def _training_file(api: Api, seeds: Seeds) -> str:
    body = {"name": "Mine", "conversation_ids": [seeds.enriched().conversation_id]}
    file_id: str = api("POST /api/training-files", body).body["trainingFile"]["id"]
    return file_id


# Makes the owner's record of a route, and gives its id.
OWNED: Mapping[str, Callable[[Api, Seeds], str]] = {
    "/api/batch-jobs": lambda _, seeds: seeds.job(2).job_id,
    "/api/conversations/batch": lambda _, seeds: seeds.job(2).job_id,
    "/api/conversations": lambda _, seeds: seeds.conversation().conversation_id,
    "/api/conversations/bulk-action": _bulk_action,
    "/api/failed-generations": lambda _, seeds: seeds.failure().failure_id,
    "/api/scaffolding/personas": lambda api, _: _created(
        api, "/api/scaffolding/personas", "persona", persona_key="mine"
    ),
    "/api/scaffolding/emotional-arcs": lambda api, _: _created(
        api, "/api/scaffolding/emotional-arcs", "emotional_arc", arc_key="mine"
    ),
    "/api/scaffolding/training-topics": lambda api, _: _created(
        api, "/api/scaffolding/training-topics", "training_topic", topic_key="mine"
    ),
    "/api/training-files": _training_file,
    "/api/datasets": lambda _, seeds: seeds.countable_dataset(ROW).dataset_id,
    "/api/notifications": lambda _, seeds: seeds.notification().notification_id,
    "/api/jobs": lambda _, seeds: seeds.training_job().job_id,
    "/api/models": lambda _, seeds: seeds.model(a_training_job()).model_id,
    "/api/templates": lambda api, _: _created(
        api, "/api/templates", "template", template_name="Mine"
    ),
}


def ask(api: Api, route: str, record_id: str, owner: str | None) -> Answer:
    body = BODIES.get(route, ABSENT)
    return api(route.replace("{id}", record_id), body, owner=owner)


@pytest.mark.parametrize("route", OF_A_RECORD)
def test_another_owners_record_answers_exactly_like_a_missing_one(
    api: Api, seeds: Seeds, runs: StartedRuns, route: str
) -> None:
    path = route.partition(" ")[2].partition("/{id}")[0]
    record_id = OWNED[path](api, seeds)
    # Of the same length and kind, so that nothing but the id could differ.
    missing = record_id[:-12] + ("f" * 12)
    theirs, nobodys = (ask(api, route, one, STRANGER) for one in (record_id, missing))
    assert theirs.status == nobodys.status == 404
    assert theirs.headers == nobodys.headers
    assert theirs.text == nobodys.text.replace(missing, record_id)
    # The stranger's asking changed nothing, and the owner still gets it.
    assert ask(api, route, record_id, OWNER).status in {200, 202, 400}


@pytest.mark.parametrize("route", EVERY_ROUTE)
def test_without_a_token_there_is_no_answer(api: Api, route: str) -> None:
    assert ask(api, route, "any", None).status == 401
