"""The status document and its page."""

from pathlib import Path

from local.settings import DataFolder
from local.status import Status

RECORD = {
    "Data": {
        "outputs": {"BucketName": "b"},
        "resources": {"AWS::DynamoDB::Table": ["jobs", "items"], "AWS::S3::Bucket": ["b"]},
    },
    "Api": {"outputs": {"ApiId": "a1", "UserPoolId": "pool<1>"}, "resources": {}},
}


def test_status_is_starting_until_the_system_is_ready() -> None:
    status = Status("http://127.0.0.1:1", DataFolder(Path("/data")))
    assert status.document()["state"] == "starting"
    assert status.api_id is None


def test_ready_status_names_everything_that_runs() -> None:
    status = Status("http://127.0.0.1:1", DataFolder(Path("/data")))
    status.ready(RECORD, "simulated")
    document = status.document()
    assert status.api_id == "a1"
    assert document["state"] == "ready"
    assert document["tables"] == ["items", "jobs"]
    assert document["generator"] == "simulated"
    assert document["password_file"] == "/data/password"


def test_page_escapes_what_it_shows() -> None:
    status = Status("http://127.0.0.1:1", DataFolder(Path("/data")))
    status.ready(RECORD, "simulated")
    assert "pool&lt;1&gt;" in status.page()
    assert "items<br>jobs" in status.page()


def test_what_changes_while_it_runs_is_asked_for_each_time() -> None:
    jobs = ["run-1: InProgress (Training)"]
    status = Status("http://127.0.0.1:1", DataFolder(Path("/data")), lambda: {"jobs": list(jobs)})
    status.ready(RECORD, "simulated")
    jobs[0] = "run-1: Completed"
    assert status.document()["jobs"] == ["run-1: Completed"]
    assert "run-1: Completed" in status.document_text()
    assert "run-1: Completed" in status.page()
