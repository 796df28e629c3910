"""The routes of datasets, with the validator that their workflow runs."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from brightrun.core.errors import VersionConflictError
from brightrun.core.limits import MOST_DATASET_BYTES
from brightrun.datasets.create_dataset import DatasetConfirmer
from brightrun.datasets.model import Dataset
from brightrun.datasets.repository import DynamoDatasets
from brightrun.validation.validator import validate as validate_file
from brightrun.wiring import datasets as datasets_wiring
from functions.validate_dataset import handler as validate_dataset
from tests.aws import Aws
from tests.builders import OWNER, STRANGER, SteppedClock
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds, StartedRuns, numbered_id
from tests.unit.formats.public_cases import FILES, needs_cases

DATASETS = "/api/datasets"
MIB = 1024 * 1024
ROWS = b"".join(
    json.dumps(
        {
            "messages": [
                {"role": "user", "content": f"What about question {number}?"},
                {"role": "assistant", "content": f"The answer to it is {number}."},
            ]
        }
    ).encode()
    + b"\n"
    for number in range(1, 6)
)
Data = dict[str, Any]


def create(api: Api, size: int = len(ROWS), **wishes: Any) -> Data:
    body = {"name": "First", "file_name": "rows.jsonl", "file_size": size, **wishes}
    made = api(f"POST {DATASETS}", body)
    assert made.status == 201, made.text
    data: Data = made.body["data"]
    return data


def put(aws: Aws, dataset: Data, body: bytes = ROWS) -> None:
    aws.s3.put_object(Bucket="datasets", Key=dataset["storage_path"], Body=body)


def confirm(api: Api, dataset: Data) -> Answer:
    return api(f"POST {DATASETS}/{dataset['id']}/confirm")


def show(api: Api, dataset: Data) -> Data:
    data: Data = api(f"GET {DATASETS}/{dataset['id']}").body["data"]
    return data


def validate(dataset: Data, run: int = 1, **more: Any) -> str:
    event = {"ownerId": OWNER, "datasetId": dataset["id"], "run": run, **more}
    status: str = validate_dataset.lambda_handler(event, None)["status"]
    return status


def uploaded(api: Api, aws: Aws, body: bytes = ROWS, **wishes: Any) -> Data:
    """A dataset that was confirmed and waits for the validator."""
    dataset: Data = create(api, len(body), **wishes)["dataset"]
    put(aws, dataset, body)
    confirmed = confirm(api, dataset)
    assert confirmed.status == 202, confirmed.text
    data: Data = confirmed.body["data"]
    return data


def objects(aws: Aws) -> list[str]:
    listed = aws.s3.list_objects_v2(Bucket="datasets").get("Contents", [])
    return [one["Key"] for one in listed]


def open_uploads(aws: Aws, dataset: Data) -> list[Data]:
    """The uploads in parts to a dataset's file that are neither completed nor aborted."""
    listed = aws.s3.list_multipart_uploads(Bucket="datasets").get("Uploads", [])
    return [one for one in listed if one["Key"] == dataset["storage_path"]]


@pytest.fixture(autouse=True)
def empty_bucket(aws: Aws) -> None:
    for key in objects(aws):
        aws.s3.delete_object(Bucket="datasets", Key=key)


def notifications(api: Api) -> list[Data]:
    notifications: list[Data] = api("GET /api/notifications").body["data"]["notifications"]
    return notifications


def test_a_dataset_waits_for_its_file_under_a_link_for_its_size(api: Api) -> None:
    data = create(api, file_name="../Räume & Zeiten.jsonl")
    dataset, upload = data["dataset"], data["upload"]
    assert dataset["file_name"] == "Räume _ Zeiten.jsonl"
    assert dataset["storage_path"] == f"{OWNER}/{dataset['id']}/Räume _ Zeiten.jsonl"
    assert (dataset["status"], dataset["training_ready"]) == ("uploading", False)
    assert (dataset["user_id"], dataset["format"]) == (OWNER, "brightrun_lora_v4")
    assert not {"etag", "upload_id", "owner_id"} & dataset.keys()
    assert data["storagePath"] == dataset["storage_path"]
    assert data["uploadUrl"] == upload["url"]
    assert (upload["method"], upload["headers"]) == ("put", {"Content-Length": str(len(ROWS))})
    signed = parse_qs(urlsplit(upload["url"]).query)["X-Amz-SignedHeaders"]
    assert signed == ["content-length;host"]
    assert api(f"GET {DATASETS}/{dataset['id']}").body["data"] == dataset


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"file_name": ""}, "file_name"),
        ({"file_name": "x" * 256}, "file_name"),
        ({"file_size": 0}, "file_size"),
        ({"file_size": MOST_DATASET_BYTES + 1}, "file_size"),
        ({"file_size": "12"}, "file_size"),
        ({"format": "csv"}, "format"),
        ({"multipart": "yes"}, "multipart"),
        ({"owner_id": STRANGER}, "owner_id"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_by_its_field(
    api: Api, changes: Data, field: str
) -> None:
    body = {"name": "First", "file_name": "rows.jsonl", "file_size": 1, **changes}
    refused = api(f"POST {DATASETS}", body)
    assert (refused.status, refused.fields) == (400, {field})
    assert api(f"GET {DATASETS}").body["data"]["count"] == 0


def test_the_largest_file_is_taken(api: Api) -> None:
    assert len(create(api, MOST_DATASET_BYTES)["upload"]["parts"]) == 32


def test_a_confirmed_file_is_validated_and_its_owner_notified(
    api: Api, aws: Aws, validations: StartedRuns
) -> None:
    dataset = uploaded(api, aws)
    assert (dataset["status"], dataset["validation_run"]) == ("validating", 1)
    name = f"{dataset['id']}-1"
    assert validations.names() == [name]
    expected = {"ownerId": OWNER, "datasetId": dataset["id"], "run": 1}
    assert validations.input_of(name) == expected
    assert validate(dataset) == "ready"
    ready = show(api, dataset)
    assert (ready["status"], ready["training_ready"], ready["format"]) == (
        "ready",
        True,
        "messages",
    )
    assert (ready["total_training_pairs"], ready["trainable_pairs"]) == (10, 5)
    assert ready["statistics"]["lines"] == 5
    assert ready["sample_data"] == [json.loads(line) for line in ROWS.splitlines()[:3]]
    assert (ready["validation_errors"], ready["error_message"]) == ([], None)
    (notice,) = notifications(api)
    assert (notice["type"], notice["priority"], notice["read"]) == (
        "dataset_ready",
        "medium",
        False,
    )
    assert notice["action_url"] == f"/datasets/{dataset['id']}"
    assert "5 pairs" in notice["message"]


def test_the_report_is_handed_out_by_a_link(api: Api, aws: Aws, validations: StartedRuns) -> None:
    dataset = uploaded(api, aws)
    missing = api(f"GET {DATASETS}/{dataset['id']}/report")
    assert (missing.status, missing.body["code"]) == (404, "not_found")
    validate(dataset)
    link = api(f"GET {DATASETS}/{dataset['id']}/report").body["data"]
    assert link["filename"] == f"{dataset['id']}.report.json"
    assert (link["expires_in_seconds"], link["expires_at"]) == (3600, "2026-11-21T13:00:00.000Z")
    key = f"{OWNER}/{dataset['id']}/_validation/1/report.json"
    assert key in link["download_url"]
    report = json.loads(aws.s3.get_object(Bucket="datasets", Key=key)["Body"].read())
    assert (report["status"], report["trainable_pairs"]) == ("ready", 5)


def test_a_bad_file_is_explained_in_the_record_and_to_its_owner(
    api: Api, aws: Aws, validations: StartedRuns
) -> None:
    dataset = uploaded(api, aws, ROWS + b"no json\n" * 30)
    assert validate(dataset) == "error"
    shown = show(api, dataset)
    assert (shown["status"], shown["training_ready"]) == ("error", False)
    assert len(shown["validation_errors"]) == 10
    first = shown["validation_errors"][0]
    assert first.keys() == {"line", "pointer", "code", "message", "hint"}
    assert first["line"] == 6
    assert shown["error_message"].startswith("Found 30 errors, the first in line 6:")
    (notice,) = notifications(api)
    assert (notice["type"], notice["priority"]) == ("dataset_error", "high")
    assert shown["error_message"] in notice["message"]


@needs_cases
@pytest.mark.parametrize(
    "path", [path for path in FILES if path.stat().st_size], ids=lambda path: path.stem
)
def test_the_function_says_of_a_public_case_what_the_command_says(
    api: Api, aws: Aws, validations: StartedRuns, path: Path
) -> None:
    data = path.read_bytes()
    told = validate_file(BytesIO(data)).as_dict()
    dataset = uploaded(api, aws, data)
    assert validate(dataset) == told["status"]
    key = f"{OWNER}/{dataset['id']}/_validation/1/report.json"
    report = json.loads(aws.s3.get_object(Bucket="datasets", Key=key)["Body"].read())
    timed = {"seconds": 0, "mb_per_s": 0}
    assert {**report, **timed} == {**json.loads(json.dumps(told)), **timed}
    shown = show(api, dataset)
    counts = [shown["statistics"][name] for name in ("records", "refused", "summary")]
    assert counts == [report[name] for name in ("records", "refused", "summary")]
    assert shown["trainable_pairs"] == report["trainable_pairs"]


def test_a_file_that_has_not_arrived_cannot_be_confirmed(
    api: Api, validations: StartedRuns
) -> None:
    dataset = create(api)["dataset"]
    refused = confirm(api, dataset)
    assert (refused.status, refused.body["code"]) == (409, "upload_missing")
    assert show(api, dataset) == dataset
    assert validations.names() == []


@pytest.mark.parametrize("found", [len(ROWS) - 1, len(ROWS) + 1])
def test_a_file_of_another_size_is_refused_with_both_numbers(
    api: Api, aws: Aws, validations: StartedRuns, found: int
) -> None:
    dataset = create(api)["dataset"]
    put(aws, dataset, b"x" * found)
    refused = confirm(api, dataset)
    assert (refused.status, refused.body["code"]) == (409, "upload_size")
    assert refused.body["details"] == {"declared_bytes": len(ROWS), "found_bytes": found}
    assert str(len(ROWS)) in refused.body["detail"]
    assert str(found) in refused.body["detail"]
    assert validations.names() == []


def test_a_second_confirmation_changes_nothing(
    api: Api, aws: Aws, validations: StartedRuns
) -> None:
    dataset = uploaded(api, aws)
    assert confirm(api, dataset).body["data"] == dataset
    validate(dataset)
    ready = show(api, dataset)
    assert confirm(api, dataset).body["data"] == ready
    assert show(api, dataset) == ready
    assert validations.names() == [f"{dataset['id']}-1"]


def test_two_confirmations_at_once_start_one_validation(
    api: Api, aws: Aws, validations: StartedRuns
) -> None:
    dataset = create(api)["dataset"]
    put(aws, dataset)
    # A Lambda process has one request at a time, so that two at once are two processes.
    confirmers = [datasets_wiring.dataset_confirmer() for _ in range(4)]
    everybody = Barrier(len(confirmers))

    def confirmed(confirmer: DatasetConfirmer) -> Dataset:
        everybody.wait()
        return confirmer.confirm(OWNER, dataset["id"])

    with ThreadPoolExecutor(len(confirmers)) as threads:
        answers = list(threads.map(confirmed, confirmers))
    assert {(one.status, one.validation_run) for one in answers} == {("validating", 1)}
    assert validations.names() == [f"{dataset['id']}-1"]


def test_a_workflow_that_could_not_be_started_is_started_by_the_next_confirmation(
    api: Api, aws: Aws, request: pytest.FixtureRequest
) -> None:
    dataset = create(api)["dataset"]
    put(aws, dataset)
    refused = confirm(api, dataset)  # There is no state machine yet.
    assert refused.status == 503
    validations: StartedRuns = request.getfixturevalue("validations")
    assert confirm(api, dataset).status == 202
    assert validations.names() == [f"{dataset['id']}-1"]


def test_a_dataset_in_error_is_validated_once_more(
    api: Api, aws: Aws, validations: StartedRuns
) -> None:
    dataset = uploaded(api, aws, b"x" * len(ROWS))
    assert validate(dataset) == "error"
    put(aws, dataset)
    again = confirm(api, dataset).body["data"]
    assert (again["status"], again["validation_run"]) == ("validating", 2)
    assert (again["error_message"], again["validation_errors"]) == (None, [])
    assert validate(dataset, run=2) == "ready"
    assert len(notifications(api)) == 2


def test_a_stuck_validation_is_replaced_by_another(
    api: Api, aws: Aws, validations: StartedRuns, clock: SteppedClock
) -> None:
    dataset = uploaded(api, aws)
    clock.advance(89 * 60)
    assert confirm(api, dataset).body["data"]["validation_run"] == 1
    clock.advance(2 * 60)
    assert confirm(api, dataset).body["data"]["validation_run"] == 2
    assert validate(dataset, run=1) == "superseded"
    assert validate(dataset, run=2) == "ready"


def test_a_file_that_changed_after_it_was_confirmed_is_not_validated(
    api: Api, aws: Aws, validations: StartedRuns
) -> None:
    dataset = uploaded(api, aws)
    put(aws, dataset, ROWS.replace(b"question", b"Question"))
    assert validate(dataset) == "error"
    assert "overwritten or deleted" in show(api, dataset)["error_message"]
    assert confirm(api, dataset).body["data"]["validation_run"] == 2
    assert validate(dataset, run=2) == "ready"


def test_a_validator_killed_before_it_stores_its_outcome_starts_again(
    api: Api, aws: Aws, validations: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    dataset = uploaded(api, aws)
    with monkeypatch.context() as patch:
        patch.setattr(DynamoDatasets, "replace", die)
        with pytest.raises(Killed):
            validate(dataset)
    assert show(api, dataset)["status"] == "validating"
    assert validate(dataset) == "ready"
    assert validate(dataset) == "superseded"
    assert len(notifications(api)) == 1


def test_of_two_validators_of_one_run_one_stores_and_notifies(
    api: Api, aws: Aws, validations: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = uploaded(api, aws)
    replace = DynamoDatasets.replace
    refused = list[bool]()

    def doubled(self: DynamoDatasets, *arguments: Any) -> Any:
        replace(self, *arguments)  # The other one, just before.
        try:
            return replace(self, *arguments)
        except VersionConflictError:
            refused.append(True)
            raise

    with monkeypatch.context() as patch:
        patch.setattr(DynamoDatasets, "replace", doubled)
        assert validate(dataset) == "superseded"
    assert refused == [True]
    assert show(api, dataset)["status"] == "ready"
    assert len(notifications(api)) == 1
    assert any(key.endswith("report.json") for key in objects(aws))


def test_when_every_attempt_has_failed_the_dataset_has_the_reason(
    api: Api, aws: Aws, validations: StartedRuns
) -> None:
    dataset = uploaded(api, aws)
    assert validate(dataset, failed=True) == "error"
    shown = show(api, dataset)
    assert shown["error_message"].endswith("Confirm the dataset again to start another one.")
    assert notifications(api)[0]["type"] == "dataset_error"
    assert confirm(api, dataset).body["data"]["validation_run"] == 2


def test_a_large_file_comes_in_parts_and_is_resumed(
    api: Api, aws: Aws, validations: StartedRuns
) -> None:
    size = 33 * MIB
    data = create(api, size, multipart=True)
    dataset, upload = data["dataset"], data["upload"]
    assert (data["uploadUrl"], upload["method"], upload["part_size"]) == (
        None,
        "multipart",
        16 * MIB,
    )
    assert [part["part_number"] for part in upload["parts"]] == [1, 2, 3]
    upload_id = parse_qs(urlsplit(upload["parts"][0]["url"]).query)["uploadId"][0]

    def send(number: int, length: int) -> None:
        aws.s3.upload_part(
            Bucket="datasets",
            Key=dataset["storage_path"],
            UploadId=upload_id,
            PartNumber=number,
            Body=b" " * length,
        )

    send(2, 16 * MIB)
    send(3, 5 * MIB)  # Cut off: the last part has one MiB.
    refused = confirm(api, dataset)
    assert (refused.status, refused.body["code"]) == (409, "upload_missing")
    assert refused.body["details"] == {"missing_parts": [1, 3]}
    rest = api(f"GET {DATASETS}/{dataset['id']}/upload").body["data"]
    assert [part["part_number"] for part in rest["parts"]] == [1, 3]
    assert rest["uploaded"] == [2]
    assert upload_id in rest["parts"][0]["url"]
    send(1, 16 * MIB)
    send(3, 1 * MIB)
    assert confirm(api, dataset).status == 202
    assert validate(dataset) == "error"


def test_an_upload_unknown_to_s3_begins_again(api: Api, aws: Aws) -> None:
    dataset = create(api, multipart=True)["dataset"]
    (upload,) = open_uploads(aws, dataset)
    aws.s3.abort_multipart_upload(Bucket="datasets", Key=upload["Key"], UploadId=upload["UploadId"])
    again = api(f"GET {DATASETS}/{dataset['id']}/upload").body["data"]
    assert [part["part_number"] for part in again["parts"]] == [1]
    assert upload["UploadId"] not in again["parts"][0]["url"]
    api(f"DELETE {DATASETS}/{dataset['id']}")
    assert open_uploads(aws, dataset) == []


def test_a_dataset_that_is_not_uploading_expects_no_upload(api: Api, seeds: Seeds) -> None:
    refused = api(f"GET {DATASETS}/{seeds.dataset().dataset_id}/upload")
    assert (refused.status, refused.body["code"]) == (400, "action_not_allowed")


def test_datasets_are_found_by_status_and_name_and_listed_in_pages(api: Api, seeds: Seeds) -> None:
    for number, name in ((1, "Alpha"), (2, "Beta"), (3, "Alphabet")):
        seeds.dataset(number, name=name, status="error" if number == 2 else "ready")

    def names(**query: str) -> list[str]:
        return [one["name"] for one in listed(**query)["data"]["datasets"]]

    def listed(**query: str) -> Data:
        return api(f"GET {DATASETS}", query=query).body

    assert names() == ["Alphabet", "Beta", "Alpha"]
    assert names(search="PHA") == ["Alphabet", "Alpha"]
    assert names(status="error") == ["Beta"]
    first = listed(limit="2")
    assert first["data"]["count"] == 2
    assert names(limit="2", cursor=first["next_cursor"]) == ["Alpha"]
    assert "sample_data" not in first["data"]["datasets"][0]
    assert api(f"GET {DATASETS}", query={"status": "lost"}).fields == {"status"}
    stranger = api(f"GET {DATASETS}", owner=STRANGER, query={"cursor": first["next_cursor"]})
    assert (stranger.status, stranger.body["code"]) == (400, "invalid_cursor")


def test_a_deleted_dataset_leaves_nothing_behind(
    api: Api, aws: Aws, validations: StartedRuns
) -> None:
    dataset = uploaded(api, aws)
    validate(dataset)
    assert len(objects(aws)) == 3
    deleted = api(f"DELETE {DATASETS}/{dataset['id']}")
    assert (deleted.status, deleted.body["data"]) == (200, {"id": dataset["id"]})
    assert objects(aws) == []
    assert api(f"GET {DATASETS}/{dataset['id']}").status == 404
    assert api(f"DELETE {DATASETS}/{dataset['id']}").status == 404


def test_a_dataset_that_a_job_uses_is_not_deleted(
    api: Api, aws: Aws, validations: StartedRuns
) -> None:
    dataset = uploaded(api, aws)
    validate(dataset)
    aws.dynamodb.update_item(
        TableName="DatasetsTable",
        Key={"owner_id": {"S": OWNER}, "dataset_id": {"S": dataset["id"]}},
        UpdateExpression="ADD active_jobs :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    refused = api(f"DELETE {DATASETS}/{dataset['id']}")
    assert (refused.status, refused.body["code"]) == (409, "dataset_in_use")
    assert refused.body["details"] == {"active_jobs": 1}
    assert len(objects(aws)) == 3
    assert show(api, dataset)["status"] == "ready"


def test_an_interrupted_deletion_is_finished_by_the_next(
    api: Api, aws: Aws, validations: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = uploaded(api, aws)
    with monkeypatch.context() as patch:
        patch.setattr(DynamoDatasets, "delete", lambda *_: 1 / 0)
        assert api(f"DELETE {DATASETS}/{dataset['id']}").status == 500
    left = show(api, dataset)
    assert left["status"] == "error"
    assert "being deleted" in left["error_message"]
    assert confirm(api, dataset).status == 400
    assert validate(dataset) == "superseded"
    assert api(f"DELETE {DATASETS}/{dataset['id']}").status == 200
    assert api(f"GET {DATASETS}/{dataset['id']}").status == 404


def test_a_validator_leaves_nothing_of_a_dataset_that_was_deleted_meanwhile(
    api: Api, aws: Aws, validations: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = uploaded(api, aws)
    replace = DynamoDatasets.replace

    def deleted_just_before(self: DynamoDatasets, *arguments: Any) -> Any:
        assert api(f"DELETE {DATASETS}/{dataset['id']}").status == 200
        return replace(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(DynamoDatasets, "replace", deleted_just_before)
        assert validate(dataset) == "superseded"
    assert objects(aws) == []
    assert notifications(api) == []


def training_file(api: Api, seeds: Seeds, *numbers: int) -> str:
    ids = [seeds.enriched(number, simulated=False).conversation_id for number in numbers]
    made = api("POST /api/training-files", {"name": "Mine", "conversation_ids": ids})
    file_id: str = made.body["trainingFile"]["id"]
    return file_id


def import_file(api: Api, file_id: str, **wishes: Any) -> Answer:
    body = {"training_file_id": file_id, **wishes}
    return api(f"POST {DATASETS}/import-from-training-file", body)


def can_import(api: Api) -> bool:
    found = api("GET /api/training-files/available-for-import").body
    return bool(found["available_for_import"])


def test_a_training_file_becomes_a_dataset_that_later_additions_do_not_change(
    api: Api, aws: Aws, seeds: Seeds, validations: StartedRuns
) -> None:
    file_id = training_file(api, seeds, 1)
    made = import_file(api, file_id)
    assert made.status == 201
    dataset = made.body["data"]
    assert (dataset["source"], dataset["status"], dataset["simulated"]) == (
        "training_file",
        "validating",
        False,
    )
    assert (dataset["training_file_id"], dataset["training_file_version"]) == (file_id, 1)
    assert dataset["name"] == "Mine"
    assert validations.names() == [f"{dataset['id']}-1"]
    assert validate(dataset) == "ready"
    before = aws.s3.get_object(Bucket="datasets", Key=dataset["storage_path"])["Body"].read()
    more = {"conversation_ids": [seeds.enriched(2).conversation_id]}
    api(f"POST /api/training-files/{file_id}/add-conversations", more)
    after = aws.s3.get_object(Bucket="datasets", Key=dataset["storage_path"])["Body"].read()
    assert before == after
    ready = show(api, dataset)
    assert (ready["format"], ready["trainable_pairs"]) == ("brightrun_lora_v4", 2)


def test_a_version_is_imported_once_until_its_dataset_is_deleted(
    api: Api, seeds: Seeds, validations: StartedRuns
) -> None:
    file_id = training_file(api, seeds, 1)
    assert can_import(api)
    dataset = import_file(api, file_id).body["data"]
    assert not can_import(api)
    refused = import_file(api, file_id)
    assert (refused.status, refused.body["details"]) == (409, {"dataset_id": dataset["id"]})
    assert api(f"DELETE {DATASETS}/{dataset['id']}").status == 200
    assert can_import(api)
    assert import_file(api, file_id).status == 201


def test_each_version_of_a_training_file_can_be_a_dataset(
    api: Api, seeds: Seeds, validations: StartedRuns
) -> None:
    file_id = training_file(api, seeds, 1)
    more = {"conversation_ids": [seeds.enriched(2, simulated=True).conversation_id]}
    api(f"POST /api/training-files/{file_id}/add-conversations", more)
    newest = import_file(api, file_id).body["data"]
    oldest = import_file(api, file_id, version=1).body["data"]
    assert (newest["training_file_version"], newest["simulated"]) == (2, True)
    assert (oldest["training_file_version"], oldest["simulated"]) == (1, False)
    assert import_file(api, file_id, version=3).status == 404


def test_an_interrupted_import_continues_when_it_is_confirmed(
    api: Api, aws: Aws, seeds: Seeds, validations: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = training_file(api, seeds, 1)
    with monkeypatch.context() as patch:
        patch.setattr(
            "brightrun.datasets.file_repository.S3DatasetFiles.copy_from", lambda *_: 1 / 0
        )
        assert import_file(api, file_id).status == 500
    refused = import_file(api, file_id)
    assert refused.status == 409
    left = {"id": refused.body["details"]["dataset_id"]}
    assert show(api, left)["status"] == "uploading"
    assert confirm(api, left).status == 202
    assert validate(left) == "ready"


@pytest.mark.parametrize("owner", [OWNER, STRANGER])
def test_another_owners_training_file_is_not_found(
    api: Api, seeds: Seeds, validations: StartedRuns, owner: str
) -> None:
    file_id = training_file(api, seeds, 1) if owner == STRANGER else numbered_id(7)
    body = {"training_file_id": file_id}
    refused = api(f"POST {DATASETS}/import-from-training-file", body, owner=owner)
    assert (refused.status, refused.body["code"]) == (404, "not_found")
    assert api(f"GET {DATASETS}", owner=owner).body["data"]["count"] == 0
