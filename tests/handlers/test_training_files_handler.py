"""The routes of training files."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.aws import Aws
from tests.builders import SteppedClock
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds

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
        ({"conversation_ids": [UNKNOWN] * 81}, "conversation_ids"),
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
    assert found["all_training_files"] == [{**file, "is_imported": False, "can_import": True}]
    assert found["summary"] == {
        "total_training_files": 1,
        "already_imported": 0,
        "available_for_import": 1,
    }
