"""The routes of training files."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from brightrun.core.limits import MOST_DATASET_BYTES
from brightrun.training_files import find_duplicates
from functions.build_training_file import handler as build_training_file
from tests.aws import Aws
from tests.builders import OWNER, SteppedClock
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds, StartedRuns, numbered_id

FILES = "/api/training-files"
UNKNOWN = "99999999-0000-4000-8000-000000000000"


def create(api: Api, *ids: str, name: str = "First", **options: Any) -> Answer:
    return api(f"POST {FILES}", {"name": name, "conversation_ids": ids, **options})


def object_of(aws: Aws, url: str) -> str:
    key = urlsplit(url).path.split("/training-files/", 1)[-1].lstrip("/")
    body: bytes = aws.s3.get_object(Bucket="training-files", Key=key)["Body"].read()
    return body.decode()


def test_a_created_file_is_shown(api: Api, seeds: Seeds) -> None:
    ids = [seeds.enriched(number).conversation_id for number in (1, 2)]
    made = create(api, *ids, description="All of them")
    assert made.status == 201
    file = made.body["trainingFile"]
    assert made.body["message"] == "Version 1 holds 2 conversations with 4 trainable pairs."
    expected = {
        "name": "First",
        "description": "All of them",
        "status": "active",
        "version": 1,
        "conversation_count": 2,
        "total_training_pairs": 8,
        "trainable_pairs": 4,
        "avg_quality_score": 4.0,
        "human_reviewed_count": 0,
        "created_by": "owner-1",
    }
    assert {name: file[name] for name in expected} == expected
    shown = api(f"GET {FILES}/{file['id']}").body
    assert shown["trainingFile"] == file
    assert [one["version"] for one in shown["versions"]] == [1]
    assert api(f"GET {FILES}").body["files"] == [file]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"conversation_ids": []}, "conversation_ids"),
        ({"conversation_ids": [UNKNOWN] * 50_001}, "conversation_ids"),
        ({"filter": {}, "conversation_ids": None}, "filter"),
        ({"filter": {"colour": "red"}, "conversation_ids": None}, "filter.colour"),
        ({"batch_job_id": "job-1"}, "body"),
        ({"conversation_ids": None}, "body"),
        ({"strict": "yes"}, "strict"),
        ({"conversation_ids": ["no-uuid"]}, "conversation_ids.0"),
        ({"eligibility": "all"}, "eligibility"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_invalid_request_is_refused_by_its_field(
    api: Api, changes: dict[str, Any], field: str
) -> None:
    refused = api(f"POST {FILES}", {"name": "First", "conversation_ids": [UNKNOWN], **changes})
    assert (refused.status, refused.fields) == (400, {field})


def test_ineligible_conversations_are_listed_and_no_file_is_created(api: Api, seeds: Seeds) -> None:
    good, plain = seeds.enriched(1).conversation_id, seeds.conversation(2).conversation_id
    refused = create(api, good, plain, UNKNOWN)
    assert (refused.status, refused.body["code"]) == (400, "unfit_conversations")
    assert refused.body["details"] == {"unknown": [UNKNOWN], "not_enriched": [plain]}
    assert api(f"GET {FILES}").body["count"] == 0


def test_what_is_flagged_as_severe_is_counted_and_listed_with_its_flags(
    api: Api, seeds: Seeds
) -> None:
    flagged = seeds.enriched(1, flags=["legal_directive"]).conversation_id
    refused = create(api, flagged)
    assert (refused.status, refused.body["code"]) == (400, "unfit_conversations")
    assert "1 have a severe flag" in refused.body["error"]
    assert refused.body["details"] == {
        "severe_flags": [{"conversation_id": flagged, "flags": ["legal_directive"]}]
    }


def test_a_taken_name_is_a_conflict(api: Api, seeds: Seeds) -> None:
    one = seeds.enriched().conversation_id
    create(api, one)
    refused = create(api, one)
    assert (refused.status, refused.body["code"]) == (409, "duplicate_key")


def test_adding_creates_a_version_and_the_older_one_keeps_its_bytes(
    api: Api, aws: Aws, seeds: Seeds
) -> None:
    first, second = (seeds.enriched(number).conversation_id for number in (1, 2))
    one = f"{FILES}/{create(api, first).body['trainingFile']['id']}"
    before = object_of(aws, api(f"GET {one}/download").body["download_url"])
    added = api(f"POST {one}/add-conversations", {"conversation_ids": [second]})
    assert (added.status, added.body["trainingFile"]["version"]) == (200, 2)
    link = api(f"GET {one}/download", query={"version": "1"}).body
    assert object_of(aws, link["download_url"]) == before
    newest = json.loads(object_of(aws, api(f"GET {one}/download").body["download_url"]))
    assert newest["training_file_metadata"]["total_conversations"] == 2
    versions = api(f"GET {one}").body["versions"]
    assert [entry["conversation_count"] for entry in versions] == [1, 2]


def test_a_link_has_the_files_name_size_hash_and_expiry(api: Api, aws: Aws, seeds: Seeds) -> None:
    made = create(api, seeds.enriched().conversation_id, name='Ünsafe "name"/..')
    file = made.body["trainingFile"]
    link = api(f"GET {FILES}/{file['id']}/download", query={"format": "jsonl"}).body
    assert link["filename"] == "nsafe-name.v1.jsonl"
    assert (link["format"], link["version"], link["sha256"]) == ("jsonl", 1, file["jsonl_sha256"])
    assert (link["expires_in_seconds"], link["expires_at"]) == (3600, "2026-11-21T13:00:00.000Z")
    text = object_of(aws, link["download_url"])
    assert (len(text.encode()), json.loads(text.split("\n")[0])["_meta"]["total_pairs"]) == (
        link["file_size"],
        4,
    )
    query = parse_qs(urlsplit(link["download_url"]).query)
    assert query["response-content-disposition"] == [f'attachment; filename="{link["filename"]}"']


def test_an_unknown_version_is_not_found(api: Api, seeds: Seeds) -> None:
    file_id = create(api, seeds.enriched().conversation_id).body["trainingFile"]["id"]
    missing = api(f"GET {FILES}/{file_id}/download", query={"version": "2"})
    assert (missing.status, missing.body["code"]) == (404, "not_found")
    assert api(f"GET {FILES}/{file_id}/download", query={"format": "csv"}).fields == {"format"}


def test_files_are_listed_newest_first_and_in_pages(
    api: Api, seeds: Seeds, clock: SteppedClock
) -> None:
    one = seeds.enriched().conversation_id
    for name in ("A", "B", "C"):
        clock.advance(1)
        create(api, one, name=name)
    first = api(f"GET {FILES}", query={"limit": "2"}).body
    rest = api(f"GET {FILES}", query={"limit": "2", "cursor": first["next_cursor"]}).body
    assert [file["name"] for file in first["files"] + rest["files"]] == ["C", "B", "A"]
    assert rest["next_cursor"] is None


def test_files_that_are_not_imported_are_available_for_import(api: Api, seeds: Seeds) -> None:
    file = create(api, seeds.enriched().conversation_id).body["trainingFile"]
    found = api(f"GET {FILES}/available-for-import").body
    assert found["available_for_import"] == found["all_training_files"]
    importable = {"is_imported": False, "can_import": True, "import_obstacle": None}
    assert found["all_training_files"] == [{**file, **importable}]
    assert found["summary"] == {
        "total_training_files": 1,
        "already_imported": 0,
        "available_for_import": 1,
    }


def test_conversations_with_the_same_text_are_listed(api: Api, seeds: Seeds, aws: Aws) -> None:
    one_of_them, another = seeds.enriched(1), seeds.enriched(2)
    same = [one_of_them.conversation_id, another.conversation_id]
    source = {"Bucket": "conversation-files", "Key": str(one_of_them.enriched_file_path)}
    aws.s3.copy_object(
        Bucket="conversation-files", Key=str(another.enriched_file_path), CopySource=source
    )
    other = seeds.enriched(3).conversation_id
    plain = seeds.conversation(4).conversation_id
    asked = {"conversation_ids": [*same, other, plain, UNKNOWN]}
    body = api("POST /api/conversations/duplicates", asked).body
    assert (body["compared"], body["not_enriched"]) == (3, [plain, UNKNOWN])
    (one,) = body["duplicates"]
    assert one == {
        "kind": "exact",
        "conversation_id": same[1],
        "same_as": same[0],
        "overlap": 1.0,
    }


@pytest.mark.parametrize("ids", [[], ["x"] * 501])
def test_none_and_too_many_are_not_compared(api: Api, ids: list[str]) -> None:
    assert api("POST /api/conversations/duplicates", {"conversation_ids": ids}).status == 400


def test_diversity_is_measured_of_what_a_filter_finds(api: Api, seeds: Seeds) -> None:
    one = seeds.enriched(1, batch_job_id="job-1")
    seeds.enriched(2)
    seeds.conversation(3, batch_job_id="job-1")
    whole = api("POST /api/conversations/diversity", {}).body
    assert (whole["matching"], whole["diversity"]["conversations"]) == (2, 2)
    asked = {"filter": {"batch_job_id": one.batch_job_id}}
    of_batch = api("POST /api/conversations/diversity", asked).body
    assert (of_batch["matching"], of_batch["not_enriched"]) == (2, 1)
    assert of_batch["diversity"]["conversations"] == 1
    assert 0 < of_batch["diversity"]["distinct_2"] <= 1


def test_of_many_a_sample_is_measured_and_named(
    api: Api, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 6):
        seeds.enriched(number)
    monkeypatch.setattr(find_duplicates, "MOST_COMPARED", 2)
    body = api("POST /api/conversations/diversity", {}).body
    assert (body["matching"], body["diversity"]["conversations"]) == (5, 2)


# --- large ones, in the background


def build(started: Answer) -> list[str]:
    """Run the steps of a build as its workflow does; returns the statuses."""
    file_id = started.body["trainingFile"]["id"]
    event = {"ownerId": OWNER, "fileId": file_id, "attempt": file_id}  # the first one's name
    statuses = ["building"]
    while statuses[-1] == "building":
        statuses.append(build_training_file.lambda_handler(event, None)["status"])
    return statuses


@pytest.fixture
def batch(seeds: Seeds) -> str:
    """81 conversations of a batch, of which one was rejected."""
    for number in range(1, 82):
        at = f"2026-11-21T12:00:{number % 60:02}.{number:03}Z"
        status = "rejected" if number == 7 else "pending_review"
        seeds.enriched(number, batch_job_id=numbered_id(500), created_at=at, status=status)
    return numbered_id(500)


def test_a_batch_becomes_a_file_in_the_background(
    api: Api, aws: Aws, builds: StartedRuns, batch: str
) -> None:
    order = {"name": "First", "batch_job_id": batch}
    started = api(f"POST {FILES}", order, headers={"Idempotency-Key": "once"})
    assert started.status == 202
    assert started.body["message"] == "Version 1 is being built of 81 conversations."
    file = started.body["trainingFile"]
    assert (file["status"], file["version"], file["conversation_count"]) == ("building", 0, 0)
    (name,) = builds.names()
    assert builds.input_of(name) == {"ownerId": OWNER, "fileId": file["id"], "attempt": name}
    assert api(f"GET {FILES}/{file['id']}/download").status == 404
    assert api(f"GET {FILES}/available-for-import").body["available_for_import"] == []
    importing = {"training_file_id": file["id"]}
    assert api("POST /api/datasets/import-from-training-file", importing).status == 404
    more = api(f"POST {FILES}/{file['id']}/add-conversations", {"batch_job_id": batch})
    assert (more.status, more.body["code"]) == (409, "build_in_progress")
    assert more.headers["Retry-After"] == "30"
    assert build(started) == ["building", "building", "ready"]
    again = api(f"POST {FILES}", order, headers={"Idempotency-Key": "once"})
    assert (again.status, again.body["trainingFile"]["status"]) == (201, "active")
    shown = api(f"GET {FILES}/{file['id']}").body
    assert shown["trainingFile"]["conversation_count"] == 80
    assert shown["build"]["left_out"] == {"rejected": 1}
    assert shown["build"]["examples"] == {"rejected": [numbered_id(7)]}
    link = api(f"GET {FILES}/{file['id']}/download").body
    whole = json.loads(object_of(aws, link["download_url"]))
    ids = [one["conversation_metadata"]["conversation_id"] for one in whole["conversations"]]
    assert (len(ids), len(set(ids))) == (80, 80)
    left = aws.s3.list_objects_v2(Bucket="training-files", Prefix=f"{OWNER}/{file['id']}/")
    assert left["KeyCount"] == 2


def test_a_strict_build_that_fails_says_why_and_leaves_nothing(
    api: Api, aws: Aws, builds: StartedRuns, batch: str
) -> None:
    order = {"name": "First", "batch_job_id": batch, "strict": True}
    headers = {"Idempotency-Key": "once"}
    started = api(f"POST {FILES}", order, headers=headers)
    assert started.status == 202
    assert build(started)[-1] == "failed"
    again = api(f"POST {FILES}", order, headers=headers).body["message"]
    assert again.startswith("Version 1 was not built. Not every conversation can go into")
    file = api(f"GET {FILES}/{started.body['trainingFile']['id']}").body
    assert (file["trainingFile"]["status"], file["versions"]) == ("failed", [])
    assert file["build"]["error_code"] == "unfit_conversations"
    assert "1 were rejected" in file["build"]["error"]
    prefix = f"{OWNER}/{file['trainingFile']['id']}/"
    assert aws.s3.list_objects_v2(Bucket="training-files", Prefix=prefix)["KeyCount"] == 0
    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket="training-files", Prefix=prefix)


def test_an_addition_is_made_once_for_each_key(api: Api, seeds: Seeds) -> None:
    first, second, third = (seeds.enriched(number).conversation_id for number in (1, 2, 3))
    route = f"POST {FILES}/{create(api, first).body['trainingFile']['id']}/add-conversations"
    headers = {"Idempotency-Key": "once"}
    added, again = (api(route, {"conversation_ids": [second]}, headers=headers) for _ in range(2))
    assert (added.status, added.body["trainingFile"]["version"]) == (200, 2)
    assert (again.status, again.body) == (200, added.body)
    other = api(route, {"conversation_ids": [third]}, headers=headers)
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")


def test_a_preview_says_what_would_be_left_out(api: Api, batch: str) -> None:
    found = api(f"POST {FILES}/preview", {"filter": {"batch_job_id": batch}}).body
    assert found == {
        "success": True,
        "selected": 81,
        "checked": 81,
        "eligible": 80,
        "left_out": {"rejected": 1},
        "examples": {"rejected": [numbered_id(7)]},
        "next_position": None,
    }
    rest = api(f"POST {FILES}/preview", {"filter": {"batch_job_id": batch}, "position": 80}).body
    assert (rest["checked"], rest["eligible"]) == (1, 1)
    assert api(f"GET {FILES}").body["count"] == 0


def test_a_version_that_no_dataset_can_hold_is_refused_with_the_reason(
    api: Api, seeds: Seeds
) -> None:
    file = seeds.training_file(1, size=MOST_DATASET_BYTES + 1)
    found = api(f"GET {FILES}/available-for-import").body
    assert found["available_for_import"] == []
    (listed,) = found["all_training_files"]
    assert not listed["can_import"]
    assert "a dataset holds at most 524,288,000" in listed["import_obstacle"]
    order = {"training_file_id": file.file_id}
    refused = api("POST /api/datasets/import-from-training-file", order)
    assert (refused.status, refused.body["code"]) == (400, "action_not_allowed")
    assert listed["import_obstacle"] in refused.body["error"]
