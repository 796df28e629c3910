"""The scaffolding function, from an HTTP API event to its answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
import pytest
from moto import mock_aws

from brightrun.core.ids import NIL_UUID
from brightrun.wiring import clients
from brightrun.wiring import scaffolding as scaffolding_wiring
from functions.scaffolding import handler
from tests.fakes import scaffolding as build

OWNER, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
ROC = {
    "persona_id": "overwhelmed_avoider",
    "emotional_arc_id": "confusion_to_clarity",
    "training_topic_id": "roth_ira_conversion",
}
PREVIEW = "POST /api/templates/preview"
TEMPLATE_REFERENCE = ("id", "template_name", "tier")


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    text: str


class Call(Protocol):
    def __call__(
        self,
        route: str,
        body: object = None,
        *,
        owner: str = OWNER,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer: ...


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SCAFFOLDING_TABLE": "scaffolding",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName="scaffolding",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "owner_kind", "KeyType": "HASH"},
                {"AttributeName": "id", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "owner_kind", "AttributeType": "S"},
                {"AttributeName": "id", "AttributeType": "S"},
            ],
        )
        monkeypatch.setattr(clients, "dynamodb", lambda: client)
        scaffolding_wiring.scaffolding_editor.cache_clear()
        yield answer_to
        scaffolding_wiring.scaffolding_editor.cache_clear()


def answer_to(
    route: str,
    body: object = None,
    *,
    owner: str = OWNER,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    method, path = route.split(" ", 1)
    event = {
        "version": "2.0",
        "rawPath": path,
        "headers": {"content-type": "application/json", **(headers or {})},
        "queryStringParameters": query or {},
        "requestContext": {
            "http": {"method": method, "path": path},
            "stage": "$default",
            "authorizer": {"jwt": {"claims": {"sub": owner}, "scopes": None}},
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
    response = handler.lambda_handler(event, None)
    return Answer(response["statusCode"], json.loads(response["body"]), response["body"])


def a_persona(**changes: Any) -> dict[str, Any]:
    kept = {"id", "version", "origin", "created_at", "updated_at"}
    fields = build.persona().model_dump(mode="json", exclude=kept)
    return {**fields, "persona_key": "new_saver", **changes}


RECORDS = [
    ("personas", "personas", "persona", "anxious_planner", 3),
    ("emotional-arcs", "emotional_arcs", "emotional_arc", "crisis_to_referral", 10),
    ("training-topics", "training_topics", "training_topic", "estate_planning_basics", 20),
]


@pytest.mark.parametrize(("path", "many", "one", "key", "count"), RECORDS)
def test_records_are_listed_read_edited_and_deactivated(
    call: Call, path: str, many: str, one: str, key: str, count: int
) -> None:
    route = f"/api/scaffolding/{path}"
    listed = call(f"GET {route}")
    assert (listed.status, listed.body["success"], listed.body["count"]) == (200, True, count)
    assert len(listed.body[many]) == count

    by_key = call(f"GET {route}/{key}").body[one]
    assert call(f"GET {route}/{by_key['id']}").body[one] == by_key
    assert by_key["origin"] == "built_in"

    edited = call(f"PATCH {route}/{key}", {"name": "A New Name"})
    assert (edited.status, edited.body[one]["name"]) == (200, "A New Name")
    assert edited.body[one]["version"] == 2

    gone = call(f"DELETE {route}/{key}")
    assert (gone.status, gone.body[one]["is_active"]) == (200, False)
    assert call(f"GET {route}").body["count"] == count - 1
    assert call(f"GET {route}", owner=OTHER).body["count"] == count


def test_inactive_topics_are_listed_on_request(call: Call) -> None:
    route = "GET /api/scaffolding/training-topics"
    assert call(route, query={"is_active": "false"}).body["count"] == 45
    assert call(route, query={"is_active": "all"}).body["count"] == 65
    retirement = {"is_active": "all", "category": "retirement"}
    assert call(route, query=retirement).body["count"] == 15
    assert call(route, query={**retirement, "complexity_level": "beginner"}).body["count"] == 2
    assert call(route, query={"is_active": "maybe"}).status == 400
    assert call(route, query={"complexity_level": "expert"}).status == 400


def test_a_persona_is_created_once(call: Call) -> None:
    made = call("POST /api/scaffolding/personas", a_persona())
    assert made.status == 201
    assert made.body["persona"]["persona_key"] == "new_saver"
    assert made.body["persona"]["origin"] == "own"
    again = call("POST /api/scaffolding/personas", a_persona())
    assert (again.status, again.body["code"]) == (409, "duplicate_key")
    assert again.body["details"] == {"persona_key": "new_saver"}


@pytest.mark.parametrize("field", ["id", "owner_id", "version", "created_at", "usage_count"])
def test_fields_of_the_system_are_refused_by_name(call: Call, field: str) -> None:
    for route in ("POST /api/scaffolding/personas", "PATCH /api/scaffolding/personas/new_saver"):
        refused = call(route, {**a_persona(), field: 7})
        assert refused.status == 400
        assert field in {fault["field"] for fault in refused.body["details"]}


def test_every_field_that_is_wrong_is_listed(call: Call) -> None:
    refused = call("POST /api/scaffolding/personas", a_persona(name="", typical_questions=[]))
    assert refused.status == 400
    assert {fault["field"] for fault in refused.body["details"]} == {"name", "typical_questions"}


def test_an_arc_whose_range_runs_downwards_is_refused(call: Call) -> None:
    refused = call(
        "PATCH /api/scaffolding/emotional-arcs/fear_to_confidence", {"typical_turn_count_min": 7}
    )
    assert (refused.status, refused.body["code"]) == (400, "invalid_input")
    assert "typical_turn_count_min (7) is over typical_turn_count_max (6)" in refused.body["error"]


def test_another_owners_record_answers_exactly_like_a_missing_one(call: Call) -> None:
    made = call("POST /api/scaffolding/personas", a_persona()).body["persona"]["id"]
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        theirs = call(f"{method} /api/scaffolding/personas/{made}", body, owner=OTHER)
        missing = call(f"{method} /api/scaffolding/personas/{NIL_UUID}", body, owner=OTHER)
        assert theirs.status == missing.status == 404
        assert theirs.text == missing.text.replace(NIL_UUID, made)


def test_a_near_miss_is_told_what_was_meant(call: Call) -> None:
    missed = call("GET /api/scaffolding/emotional-arcs/fear_to_confidance")
    assert missed.status == 404
    assert "Did you mean fear_to_confidence" in missed.body["error"]


def test_the_consultant_is_read_and_replaced(call: Call) -> None:
    route = "/api/scaffolding/consultant"
    shipped = call(f"GET {route}").body["consultant"]
    assert shipped["name"] == "Elena Morales, CFP"
    server_fields = {"id", "version", "origin", "created_at", "updated_at", "is_active"}
    content = {k: v for k, v in shipped.items() if k not in {*server_fields, "consultant_key"}}
    changed = call(f"PUT {route}", {**content, "name": "Ada Stone, CFP"})
    assert (changed.status, changed.body["consultant"]["name"]) == (200, "Ada Stone, CFP")
    assert call(f"GET {route}").body["consultant"]["version"] == 2
    assert call(f"GET {route}", owner=OTHER).body["consultant"] == shipped
    assert call(f"PUT {route}", {"name": "Only a name"}).status == 400


def test_compatibility_names_what_does_not_fit(call: Call) -> None:
    route = "POST /api/scaffolding/check-compatibility"
    assert call(route, ROC).body == {
        "success": True,
        "is_compatible": True,
        "confidence": 1.0,
        "warnings": [],
        "suggestions": [],
        "template": {name: getattr(build.template(), name) for name in TEMPLATE_REFERENCE},
    }
    mismatch = {
        "persona_id": "pragmatic_optimist",
        "emotional_arc_id": "shame_to_acceptance",
        "training_topic_id": "long_term_care",
    }
    body = call(route, mismatch).body
    assert (body["is_compatible"], body["confidence"], len(body["warnings"])) == (False, 0.3, 4)
    missing = call(route, {**ROC, "persona_id": NIL_UUID}).body
    assert (missing["is_compatible"], missing["confidence"]) == (False, 0.0)
    assert missing["template"] is None


def test_a_combination_without_a_template_is_not_compatible(call: Call) -> None:
    call(f"DELETE /api/templates/{build.template().id}")
    body = call("POST /api/scaffolding/check-compatibility", ROC).body
    assert (body["is_compatible"], body["confidence"], body["template"]) == (False, 1.0, None)
    assert (
        "No active template serves the emotional arc 'confusion_to_clarity'" in body["warnings"][0]
    )


def test_a_draft_is_previewed_with_what_it_does_not_know(call: Call) -> None:
    draft = "{{persona_name}} asks about {{topic_nme}} {{ topic_nme }} as {{tier}}."
    body = call(PREVIEW, {**ROC, "template_text": draft, "tier": "edge_case"}).body
    assert body["prompt"].startswith(
        f"{build.persona().name} asks about {{{{topic_nme}}}} {{{{topic_nme}}}} as edge_case."
    )
    assert "<scaffolding>" in body["prompt"]
    assert (body["unresolved"], body["tier"], body["template"]) == (
        ["topic_nme"],
        "edge_case",
        None,
    )
    assert body["system_prompt"] == build.consultant().system_prompt
    assert body["length"] == len(body["prompt"]) < body["max_length"]


def test_a_preview_is_what_a_batch_would_send(call: Call) -> None:
    chosen = call(PREVIEW, ROC).body
    template = build.template()
    assert chosen["template"] == {name: getattr(template, name) for name in TEMPLATE_REFERENCE}
    assert chosen["tier"] == build.arc().tier
    named = call(PREVIEW, {**ROC, "template_id": template.template_name}).body
    resolved = call(f"POST /api/templates/{template.id}/resolve", ROC).body
    assert named["prompt"] == chosen["prompt"] == resolved["prompt"]
    assert chosen["unresolved"] == []


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"persona_id": "nobody"}, 404, "unknown_scaffolding"),
        ({"template_id": "no such template"}, 404, "unknown_scaffolding"),
        ({"template_text": "{{open"}, 400, "template_syntax"),
        ({"tier": "gold"}, 400, "invalid_request"),
    ],
)
def test_a_preview_of_what_does_not_exist_is_refused(
    call: Call, changes: dict[str, str], status: int, code: str
) -> None:
    refused = call(PREVIEW, {**ROC, **changes})
    assert (refused.status, refused.body["code"]) == (status, code)


def test_a_template_is_created_shown_with_its_variables_and_resolved(call: Call) -> None:
    content = {
        "template_name": "Short one",
        "emotional_arc_type": "confusion_to_clarity",
        "template_text": "Talk like {{persona_name}} about {{topic_name}}.",
    }
    made = call("POST /api/templates", content)
    assert made.status == 201
    assert made.body["template"]["variables"] == ["persona_name", "topic_name"]
    assert "starting_intensity_min" in made.body["available_variables"]

    route = f"/api/templates/{made.body['template']['id']}"
    assert call(f"GET {route}").body == made.body
    resolved = call(f"POST {route}/resolve", ROC).body
    assert resolved["prompt"].startswith(
        "Talk like Marcus Chen about Roth IRA Conversion Strategy."
    )
    assert resolved["length"] == len(resolved["prompt"])
    assert resolved["system_prompt"].startswith("You are Elena Morales")

    assert call("GET /api/templates").body["count"] == 11
    assert call(f"DELETE {route}").body["template"]["is_active"] is False
    assert call("GET /api/templates").body["count"] == 10


@pytest.mark.parametrize(
    ("text", "code"),
    [("{{persona_shoe_size}}", "invalid_input"), ("{{persona_name", "template_syntax")],
)
def test_a_template_that_cannot_be_resolved_is_not_saved(call: Call, text: str, code: str) -> None:
    content = {
        "template_name": "Broken",
        "emotional_arc_type": "confusion_to_clarity",
        "template_text": text,
    }
    refused = call("POST /api/templates", content)
    assert (refused.status, refused.body["code"]) == (400, code)
    assert call("GET /api/templates").body["count"] == 10


def test_resolving_for_a_persona_that_is_not_there_is_a_404(call: Call) -> None:
    template_id = build.template().id
    missed = call(f"POST /api/templates/{template_id}/resolve", {**ROC, "persona_id": NIL_UUID})
    assert (missed.status, missed.body["code"]) == (404, "unknown_scaffolding")


def test_templates_are_ranked_and_chosen_for_an_arc(call: Call) -> None:
    wanted = {
        "emotional_arc_type": "crisis_to_referral",
        "tier": "edge_case",
        "persona_type": "anxious_planner",
        "topic_key": "eldercare_costs",
    }
    ranked = call("GET /api/templates/select", query=wanted)
    assert ranked.status == 200
    assert [one["score"] for one in ranked.body["templates"]] == [0.85]
    chosen = call("POST /api/templates/select", wanted)
    assert chosen.body["template"] == ranked.body["templates"][0]["template"]
    assert call("GET /api/templates/select").status == 400
    assert call("POST /api/templates/select", {"emotional_arc_type": "no_such_arc"}).status == 404


def test_an_arc_without_an_active_template_says_how_to_mend_it(call: Call) -> None:
    call(f"DELETE /api/templates/{build.template('fear_to_confidence').id}")
    refused = call("POST /api/templates/select", {"emotional_arc_type": "fear_to_confidence"})
    assert (refused.status, refused.body["code"]) == (400, "no_template_for_arc")
    assert "fear_to_confidence" in refused.body["error"]


@pytest.mark.parametrize("body", [None, [], "text", 7, {"persona_id": {"a": 1}}])
def test_a_body_of_another_shape_is_a_clear_error(call: Call, body: object) -> None:
    refused = call("POST /api/scaffolding/check-compatibility", body)
    assert refused.status == 400
    assert refused.body["success"] is False


def test_unicode_and_odd_ids_are_only_not_found(call: Call) -> None:
    for record_id in ("caf%C3%A9", "..", "a b", "%00", "x" * 150):
        assert call(f"GET /api/scaffolding/personas/{record_id}").status == 404
