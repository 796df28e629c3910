"""What the routes do with bodies, paths and queries that nobody should send."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from functions.batch_jobs import handler
from tests.builders import OWNER
from tests.handlers.events import http_event
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds, StartedRuns, numbered_id

SINGLE = "POST /api/conversations/generate-with-scaffolding"
ROC = {
    "persona_id": "overwhelmed_avoider",
    "emotional_arc_id": "confusion_to_clarity",
    "training_topic_id": "roth_ira_conversion",
}
TAKES_A_BODY = [
    SINGLE,
    "POST /api/conversations/generate",
    "POST /api/conversations/generate-batch",
    "POST /api/conversations/generate-batch/preview",
    "PATCH /api/conversations/batch/any",
    "POST /api/scaffolding/personas",
    "PATCH /api/scaffolding/personas/anxious_planner",
    "POST /api/scaffolding/check-compatibility",
    "PUT /api/scaffolding/consultant",
    "POST /api/templates",
    "POST /api/templates/select",
    "POST /api/templates/preview",
]
JSON = {"Content-Type": "application/json"}

UNREADABLE: dict[str, tuple[bytes, str]] = {
    "no JSON": (b'{"persona_id": ', "Expecting value at line 1 column 16"),
    "a text": (b'"pause"', "it must be an object"),
    "a number": (b"7", "it must be an object"),
    "null": (b"null", "it must be an object"),
    "a list": (json.dumps([ROC]).encode(), "it must be an object"),
    "a name twice": (b'{"persona_id": "a", "persona_id": "b"}', "a name appears twice"),
    "not a number": (b'{"persona_id": NaN}', "NaN is not JSON"),
    "infinity": (b'{"persona_id": -Infinity}', "-Infinity is not JSON"),
    "half a pair": (b'{"persona_id": "\\ud800"}', "an unpaired surrogate"),
    "half a pair in a name": (b'{"\\udc00": 1}', "an unpaired surrogate"),
    "too deep": (b'{"persona_id":' * 100_000, "nested too deeply"),
    "a number too long": (b'{"persona_id": ' + b"9" * 5000 + b"}", "too long"),
}


@pytest.mark.parametrize("route", TAKES_A_BODY)
@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_body_that_is_no_json_object_is_refused_with_the_reason(
    api: Api, route: str, kind: str
) -> None:
    raw, reason = UNREADABLE[kind]
    refused = api(route, raw=raw, headers=JSON)
    assert (refused.status, refused.body["code"]) == (400, "invalid_input")
    assert reason in refused.body["error"]
    assert refused.fields == {"body"}


@pytest.mark.parametrize("route", TAKES_A_BODY)
def test_a_body_that_is_missing_is_asked_for(api: Api, route: str) -> None:
    for raw in (None, b""):
        refused = api(route, raw=raw, headers=JSON)
        assert (refused.status, refused.fields) == (400, {"body"})


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/jsonlines",
        "application/xml",
        "image/png",
        "",
    ],
)
def test_a_body_of_another_content_type_is_refused(api: Api, content_type: str) -> None:
    refused = api(SINGLE, raw=json.dumps(ROC).encode(), headers={"Content-Type": content_type})
    assert (refused.status, refused.body["code"]) == (415, "unsupported_media_type")
    assert "Content-Type: application/json" in refused.body["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        JSON,
        {"Content-Type": "application/json; charset=utf-8"},
        {"content-type": "Application/JSON"},
    ],
)
def test_json_is_taken_however_it_is_announced(
    api: Api, runs: StartedRuns, headers: dict[str, str]
) -> None:
    assert api(SINGLE, raw=json.dumps(ROC).encode(), headers=headers).status == 202


def test_bytes_that_are_no_text_are_refused(api: Api) -> None:
    refused = api(SINGLE, raw=b'{"persona_id": "\xff"}', headers=JSON)
    assert (refused.status, refused.body["code"]) == (400, "unreadable_body")


@pytest.mark.parametrize("body", ["%%%", base64.b64encode(b"\xff\xfe").decode(), "YQ"])
def test_base64_that_hides_no_text_is_refused(api: Api, body: str) -> None:
    event = http_event(
        "PATCH /api/conversations/batch/{id}",
        "/api/conversations/batch/any",
        parameters={"id": "any"},
        headers=JSON,
        body=None,
        claims={"sub": "owner-1"},
    )
    answer = handler.lambda_handler({**event, "body": body, "isBase64Encoded": True}, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["code"] == "unreadable_body"


def test_a_body_that_a_route_does_not_take_is_left_alone(
    api: Api, seeds: Seeds, runs: StartedRuns
) -> None:
    job = seeds.job(1)
    assert api(f"POST /api/batch-jobs/{job.job_id}/cancel", {"reason": "why not"}).status == 200


def test_a_body_with_countless_faults_gets_an_answer_that_can_be_sent(api: Api) -> None:
    body: dict[str, Any] = {f"unknown_{number}": number for number in range(50_000)}
    refused = api(SINGLE, {**ROC, **body, "x" * 1_000_000: 1})
    assert refused.status == 400
    assert len(refused.body["details"]) == 100
    assert refused.body["error"].endswith("50000 more in details.")
    assert len(refused.text) < 50_000


def test_a_field_with_an_endless_name_is_cut_short(api: Api) -> None:
    refused = api(SINGLE, {**ROC, "x" * 1_000_000: 1})
    assert refused.fields == {"x" * 200}


def test_words_of_every_alphabet_come_back_as_they_were(api: Api, runs: StartedRuns) -> None:
    body = {"name": "Осень 秋 🍂", "parameterSets": [{"parameters": ROC}]}
    raw = json.dumps(body, ensure_ascii=False).encode()
    accepted = api("POST /api/conversations/generate-batch", raw=raw, headers=JSON)
    job = api(f"GET /api/batch-jobs/{accepted.body['jobId']}").body["job"]
    assert job["name"] == body["name"]


NAMED: dict[str, dict[str, Any]] = {
    "POST /api/conversations/generate-batch": {"parameterSets": [{"parameters": ROC}]},
    "POST /api/conversations/judge": {"conversationIds": ["any"]},
    "POST /api/datasets": {"file_name": "a.jsonl", "file_size": 7},
    "POST /api/training-files": {"conversation_ids": [numbered_id(1)]},
    "POST /api/jobs": {"dataset_id": numbered_id(1), "gpu_config": {"type": "H100", "count": 1}},
    "PATCH /api/scaffolding/personas/anxious_planner": {},
    "PATCH /api/scaffolding/emotional-arcs/fear_to_confidence": {},
    "PATCH /api/scaffolding/training-topics/roth_ira_conversion": {},
}
UNREADABLE_NAMES = {
    "Tax\x00es": "U+0000 at character 4",
    "\x1b[31mred": "U+001B at character 1",
    "a\x85b": "U+0085 at character 2",
    "two\nlines": "U+000A at character 4",
    "two\u2028lines": "U+2028 at character 4",
    "exe.\u202etxt": "U+202E at character 5",
    "\u2066isolated\u2069": "U+2066 at character 1",
    "\u200b\u200d\ufeff": "It shows nothing",
    "\u3164": "It shows nothing",
    " \u00a0": "at least 1 character",
}


@pytest.mark.parametrize("route", NAMED)
@pytest.mark.parametrize("name", UNREADABLE_NAMES, ids=ascii)
def test_a_name_that_nobody_can_read_is_refused_with_the_character(
    api: Api, route: str, name: str
) -> None:
    refused = api(route, {**NAMED[route], "name": name})
    assert (refused.status, refused.fields) == (400, {"name"})
    assert UNREADABLE_NAMES[name] in refused.body["error"]


@pytest.mark.parametrize("name", ["👨\u200d👩\u200d👧", "می\u200cخواهم", "\u200fשלום", "a\u00adb"])
def test_a_name_keeps_the_joiners_that_its_script_needs(
    api: Api, runs: StartedRuns, name: str
) -> None:
    body = {**NAMED["POST /api/conversations/generate-batch"], "name": name}
    accepted = api("POST /api/conversations/generate-batch", body)
    assert api(f"GET /api/batch-jobs/{accepted.body['jobId']}").body["job"]["name"] == name


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("template_text", "Talk.\x00", "U+0000 at character 6"),
        ("template_text", "\u200b\n", "It shows nothing"),
        ("template_text", "Talk \u202ebackwards", "U+202E at character 6"),
        ("description", "Short\x08", "U+0008 at character 6"),
    ],
)
def test_a_template_that_hides_characters_is_refused(
    api: Api, field: str, text: str, why: str
) -> None:
    template = api("GET /api/templates").body["templates"][0]["id"]
    refused = api(f"PATCH /api/templates/{template}", {field: text})
    assert (refused.status, refused.fields) == (400, {field})
    assert why in refused.body["error"]


def test_a_template_may_have_several_lines(api: Api) -> None:
    template = api("GET /api/templates").body["templates"][0]["id"]
    text = "Line one:\n\t- a point\r\nEnd."
    changed = api(f"PATCH /api/templates/{template}", {"template_text": text})
    assert changed.body["template"]["template_text"] == text


@pytest.mark.parametrize("bound", ["1e-200", "5e-324", "0.00000000000000000000001", "5"])
def test_no_bound_of_the_quality_is_too_small_to_be_compared(
    api: Api, seeds: Seeds, bound: str
) -> None:
    seeds.conversation()
    for name in ("quality_min", "quality_max"):
        assert api("GET /api/conversations", query={name: bound}).status == 200
        by_filter = {"action": "approve", "filter": {name: float(bound)}}
        assert api("POST /api/conversations/bulk-action", by_filter).status == 200


def test_a_number_is_the_same_with_a_point_and_kept_to_four_decimals(api: Api) -> None:
    route = "PATCH /api/scaffolding/emotional-arcs/fear_to_confidence"
    raw = b'{"typical_turn_count_max": 8.0, "ending_intensity_min": 1e-300}'
    arc = api(route, raw=raw, headers=JSON).body["emotional_arc"]
    assert (arc["typical_turn_count_max"], arc["ending_intensity_min"]) == (8, 0.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("starting_intensity_min", "0.5"),
        ("starting_intensity_min", True),
        ("typical_turn_count_max", "6"),
        ("typical_turn_count_max", 6.5),
        ("is_active", "yes"),
        ("is_active", 1),
        ("is_active", None),
        ("name", None),
        ("name", "   "),
    ],
)
def test_a_value_of_another_kind_is_not_taken_for_one_of_the_right_kind(
    api: Api, field: str, value: object
) -> None:
    route = "PATCH /api/scaffolding/emotional-arcs/fear_to_confidence"
    refused = api(route, {field: value})
    assert (refused.status, refused.fields) == (400, {field})


@pytest.mark.parametrize("path", ["batch-jobs", "conversations", "failed-generations"])
@pytest.mark.parametrize(
    ("record_id", "status"),
    [
        ("nobody", 404),
        ("ALL-CAPS_1", 404),
        ("caf%C3%A9", 400),
        ("%E2%9C%93", 400),
        ("a%20b", 400),
        ("..", 400),
        ("x" * 101, 400),
        ("x" * 4000, 400),
        ("%00", 400),
        ("a%22b", 400),
        ("a%23b", 400),
    ],
)
def test_an_odd_id_is_refused_or_not_found(
    api: Api, path: str, record_id: str, status: int
) -> None:
    answer = api(f"GET /api/{path}/{record_id}")
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["success"] is False


def test_a_template_is_found_by_its_name_as_people_write_it(api: Api) -> None:
    for template in api("GET /api/templates").body["templates"]:
        found = api(f"GET /api/templates/{quote(template['template_name'])}")
        assert (found.status, found.body["template"]["id"]) == (200, template["id"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=5&limit=7", "limit"),
        ("limit=5,7", "limit"),
        ("status=queued&status=failed", "status"),
        ("status=queued,failed", "status"),
        ("status=", "status"),
        ("cursor=" + "A" * 2001, "cursor"),
        ("cursor=" + "A" * 100_000, "cursor"),
    ],
)
def test_a_query_that_says_too_much_is_refused(api: Api, query: str, field: str) -> None:
    refused = api("GET /api/batch-jobs", query=query)
    assert (refused.status, refused.fields) == (400, {field})


@pytest.mark.parametrize(
    "key",
    [
        "nonsense",
        "%F0%9F%8D%82",
        b"[]",
        b"null",
        b"{}",
        b'{"owner_id": "owner-1"}',
        b'{"owner_id": "owner-1", "job_id": 5}',
        b'{"owner_id": "owner-1", "job_id": null}',
        b'{"owner_id": "owner-1", "job_id": {"a": 1}}',
        b'{"owner_id": "owner-1", "job_id": ""}',
        b'{"owner_id": "owner-1", "job_id": "j", "more": "m"}',
        b'{"owner_id": "owner-1", "job_id": 1e999}',
        b'{"owner_id": "owner-1", "job_id": ' + b"9" * 60 + b"}",
        b"[" * 1400,
    ],
)
def test_a_made_up_cursor_is_refused(api: Api, key: str | bytes) -> None:
    made_up = key if isinstance(key, str) else base64.urlsafe_b64encode(key).decode().rstrip("=")
    refused = api("GET /api/batch-jobs", query=f"cursor={made_up}")
    assert (refused.status, refused.body["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("route", "key"),
    [
        ("GET /api/conversations", {"conversation_id": "c"}),
        ("GET /api/conversations", {"conversation_id": "c", "created_at": 5}),
        ("GET /api/failed-generations", {"failure_id": ["f"]}),
        ("GET /api/generation-logs", {"log_id": True}),
        ("GET /api/conversations/batch/{id}/items", {"position": "1"}),
        ("GET /api/batch-jobs/{id}/log", {"entry_id": 1}),
    ],
)
def test_no_list_takes_a_cursor_that_is_no_key_of_its_own(
    api: Api, seeds: Seeds, route: str, key: dict[str, Any]
) -> None:
    job_id = seeds.job(1).job_id
    partition = {"job_key": f"{OWNER}#{job_id}"} if "{id}" in route else {"owner_id": OWNER}
    text = json.dumps({**partition, **key}).encode()
    cursor = base64.urlsafe_b64encode(text).decode().rstrip("=")
    refused = api(route.replace("{id}", job_id), query={"cursor": cursor})
    assert (refused.status, refused.body["code"]) == (400, "invalid_cursor")


def test_names_in_a_query_that_no_route_knows_change_nothing(api: Api, seeds: Seeds) -> None:
    seeds.job(1)
    listed = api("GET /api/batch-jobs", query="page=1&createdBy=owner-2&owner_id=owner-2")
    assert listed.text == api("GET /api/batch-jobs").text
