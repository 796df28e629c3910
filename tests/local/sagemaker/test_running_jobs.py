"""What a job goes through, what its container gets, what is left of it."""

import json
import os
import threading
import time
from pathlib import Path

import pytest

from local.durability import room
from local.durability.room import DiskFull, DiskRoom
from local.sagemaker.errors import RequestRefused
from local.sagemaker.job_store import JobStore
from tests.local.full_disk import NO_SPACE
from tests.local.running_system import until
from tests.local.sagemaker.emulated import BUCKET, Emulated, channel, job_request

LONG = {"steps": "1000", "seconds": "0.05"}


def test_job_goes_through_the_statuses_of_the_real_one(emulated: Emulated) -> None:
    emulated.create()
    ended = emulated.until_ended()
    assert ended["TrainingJobStatus"] == ended["SecondaryStatus"] == "Completed"
    sequence = ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert emulated.sequence() == sequence
    assert [status for _, status in emulated.announced] == sequence
    transitions = ended["SecondaryStatusTransitions"]
    for before, after in zip(transitions, transitions[1:], strict=False):
        assert before["EndTime"] == after["StartTime"]
    assert transitions[-1]["EndTime"] == ended["TrainingEndTime"]
    assert ended["CreationTime"] < ended["TrainingStartTime"] < ended["TrainingEndTime"]
    assert ended["BillableTimeInSeconds"] >= 1


def test_description_shows_the_request_but_no_tags(emulated: Emulated) -> None:
    emulated.create(Tags=[{"Key": "owner", "Value": "o-1"}])
    described = emulated.until_ended()
    request = job_request()
    assert {name: described[name] for name in request} == request
    assert "Tags" not in described


def test_container_gets_what_sagemaker_lays_down(emulated: Emulated) -> None:
    emulated.s3.put_object(Bucket=BUCKET, Key="base/tiny/v1/config.json", Body=b"model")
    emulated.create(
        Environment={"OMP_NUM_THREADS": "2"},
        InputDataConfig=[
            channel("training", f"s3://{BUCKET}/data/rows/train.jsonl"),
            channel("all", f"s3://{BUCKET}/data/rows"),
            channel("model", f"https://s3.us-east-1.amazonaws.com/{BUCKET}/base/tiny/v1/"),
        ],
    )
    emulated.until_ended()
    seen = emulated.results()["seen"]
    assert seen["arguments"] == ["train"]
    assert seen["channels"] == {
        "training/train.jsonl": "{}\n",
        "all/train.jsonl": "{}\n",
        "all/more/part.jsonl": "[]\n",
        "model/config.json": "model",
    }
    configuration = seen["configuration"]
    assert configuration["hyperparameters"] == {"steps": "2"}
    assert configuration["resourceconfig"]["hosts"] == ["algo-1"]
    assert configuration["resourceconfig"]["current_instance_type"] == "ml.p5.4xlarge"
    assert configuration["inputdataconfig"]["model"]["TrainingInputMode"] == "File"
    assert seen["environment"]["TRAINING_JOB_NAME"] == "job-1"
    assert seen["environment"]["OMP_NUM_THREADS"] == "2"


def test_container_sees_no_secret_of_the_engine(
    emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-real-key")
    emulated.create()
    emulated.until_ended()
    assert "sk-real-key" not in json.dumps(emulated.results())


def test_artifacts_log_and_checkpoints_outlive_the_job_folder(emulated: Emulated) -> None:
    emulated.create()
    emulated.until_ended()
    assert emulated.archived("out/job-1/output/output.tar.gz", "metrics.jsonl") == b"{}\n"
    assert emulated.keys("checkpoints/") == ["checkpoints/job-1/step"]
    place = emulated.store.place("job-1")
    assert "train_loss=0.5" in place.log.read_text()
    assert until(lambda: not list(place.folder.glob("attempt-*")))


def test_metrics_are_the_last_values_of_the_log(emulated: Emulated) -> None:
    definitions = [
        {"Name": "train:loss", "Regex": "train_loss=([0-9.eE+-]+)"},
        {"Name": "eval:loss", "Regex": "eval_loss=([0-9.eE+-]+)"},
    ]
    algorithm = {**job_request()["AlgorithmSpecification"], "MetricDefinitions": definitions}
    emulated.create(AlgorithmSpecification=algorithm)
    metrics = emulated.until_ended()["FinalMetricDataList"]
    assert [(each["MetricName"], each["Value"]) for each in metrics] == [("train:loss", 0.5)]


def test_failed_job_says_what_the_container_said(emulated: Emulated) -> None:
    emulated.create(HyperParameters={"fail": "2", "failure": "DatasetError: line 1: " + "x" * 2000})
    ended = emulated.until_ended()
    assert ended["TrainingJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith("AlgorithmError: DatasetError: line 1: xxx")
    assert ended["FailureReason"].endswith("x, exit code: 2")
    assert len(ended["FailureReason"]) == 1024
    assert "ModelArtifacts" not in ended


def test_failed_job_without_an_account_names_its_log(emulated: Emulated) -> None:
    emulated.create(HyperParameters={"fail": "1"})
    assert "train.log, exit code: 1" in emulated.until_ended()["FailureReason"]


def test_empty_channel_fails_the_job_before_it_trains(emulated: Emulated) -> None:
    emulated.create(InputDataConfig=[channel("training", f"s3://{BUCKET}/nothing")])
    ended = emulated.until_ended()
    assert "No S3 objects found under S3 URL" in ended["FailureReason"]
    assert emulated.sequence() == ["Starting", "Downloading", "Failed"]


def test_missing_bucket_fails_the_job_before_it_trains(emulated: Emulated) -> None:
    emulated.create(InputDataConfig=[channel("training", "s3://no-such-bucket/x")])
    assert "NoSuchBucket" in emulated.until_ended()["FailureReason"]


def test_missing_output_bucket_fails_the_job_after_it_trained(emulated: Emulated) -> None:
    emulated.create(OutputDataConfig={"S3OutputPath": "s3://no-such-bucket/out"})
    ended = emulated.until_ended()
    assert ended["FailureReason"].startswith("ClientError: ")
    assert "NoSuchBucket" in ended["FailureReason"]
    assert emulated.sequence()[-2:] == ["Uploading", "Failed"]


def test_jobs_are_accepted_but_wait_until_the_base_model_is_there(emulated: Emulated) -> None:
    ready = threading.Event()
    emulated.start_once(ready)
    emulated.create()
    assert emulated.sequence() == ["Starting"]
    ready.set()
    assert emulated.until_ended()["TrainingJobStatus"] == "Completed"


def test_job_waits_for_room_on_the_disk(
    emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(DiskRoom, "shortage", lambda _room: "The disk is full.")
        emulated.create()
        time.sleep(0.5)
        assert emulated.sequence() == ["Starting"]
    assert emulated.until_ended()["TrainingJobStatus"] == "Completed"


def test_job_that_a_full_disk_broke_is_interrupted_and_trains_again(
    emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulated.create(HyperParameters={"steps": "30", "seconds": "0.05", "fail_first": "1"})
    until(lambda: "Training" in emulated.sequence())
    with monkeypatch.context() as full:
        full.setattr(DiskRoom, "shortage", lambda _room: "The disk is full.")
        until(lambda: "Interrupted" in emulated.sequence())
    ended = emulated.until_ended()
    assert ended["TrainingJobStatus"] == "Completed"
    assert "Failed" not in emulated.sequence()


def test_status_without_room_on_the_disk_is_stored_later(
    emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_RETRY_SECONDS", 0.05)
    emulated.create(HyperParameters=LONG)
    until(lambda: "Training" in emulated.sequence())
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", _no_space)
        emulated.stop()
        assert emulated.describe()["TrainingJobStatus"] in ("Stopping", "Stopped")
        with pytest.raises(DiskFull):
            emulated.create("job-2")
    emulated.until_ended()
    until(lambda: JobStore(emulated.folder).all()[0].status == "Stopped")
    assert len(JobStore(emulated.folder).all()) == 1


def test_nothing_is_accepted_before_the_start(emulated: Emulated, tmp_path: Path) -> None:
    with pytest.raises(RequestRefused, match="The system is starting"):
        Emulated(tmp_path / "new").create()


def test_stopped_job_keeps_what_the_container_saved(emulated: Emulated) -> None:
    emulated.create(HyperParameters=LONG)
    until(lambda: emulated.keys("checkpoints/job-1/step"))
    emulated.stop()
    assert emulated.describe()["TrainingJobStatus"] in ("Stopping", "Stopped")
    ended = emulated.until_ended()
    assert ended["TrainingJobStatus"] == ended["SecondaryStatus"] == "Stopped"
    assert emulated.sequence()[-4:] == ["Training", "Stopping", "Uploading", "Stopped"]
    results = emulated.results()
    assert results["stopped"]
    stored = emulated.s3.get_object(Bucket=BUCKET, Key="checkpoints/job-1/step")["Body"].read()
    assert int(stored) == results["last"]


def test_runtime_that_is_used_up_stops_the_job(emulated: Emulated) -> None:
    emulated.create(HyperParameters=LONG, StoppingCondition={"MaxRuntimeInSeconds": 1})
    ended = emulated.until_ended()
    assert ended["TrainingJobStatus"] == "Stopped"
    assert ended["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert emulated.results()["stopped"]


def test_container_that_ignores_the_stop_is_killed_with_all_its_processes(
    emulated: Emulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.sagemaker.training_jobs.STOP_GRACE_SECONDS", 0.3)
    pid_file = tmp_path / "child.pid"
    emulated.create(HyperParameters={**LONG, "deaf": "1", "child": str(pid_file)})
    until(lambda: emulated.keys("checkpoints/job-1/step"))
    emulated.stop()
    assert emulated.until_ended()["TrainingJobStatus"] == "Stopped"
    assert until(lambda: not _runs(int(pid_file.read_text())))


def test_processes_that_a_container_leaves_behind_end_with_it(
    emulated: Emulated, tmp_path: Path
) -> None:
    pid_file = tmp_path / "child.pid"
    emulated.create(HyperParameters={"child": str(pid_file)})
    emulated.until_ended()
    assert not _runs(int(pid_file.read_text()))


def test_second_job_waits_for_the_first(emulated: Emulated) -> None:
    emulated.create("first", HyperParameters=LONG)
    emulated.until_secondary("Training", "first")
    emulated.create("second")
    assert emulated.describe("second")["SecondaryStatus"] == "Pending"
    emulated.stop("first")
    assert emulated.until_ended("second")["TrainingJobStatus"] == "Completed"
    first, second = emulated.until_ended("first"), emulated.describe("second")
    assert second["TrainingStartTime"] >= first["TrainingEndTime"]
    assert emulated.sequence("second")[:3] == ["Starting", "Pending", "Starting"]


def test_job_that_waits_is_stopped_at_once_and_never_runs(emulated: Emulated) -> None:
    emulated.create("first", HyperParameters=LONG)
    emulated.until_secondary("Training", "first")
    emulated.create("second")
    emulated.stop("second")
    assert emulated.sequence("second") == ["Starting", "Pending", "Stopping", "Stopped"]
    emulated.stop("first")
    emulated.until_ended("first")
    emulated.create("third")
    emulated.until_ended("third")
    assert "TrainingStartTime" not in emulated.describe("second")


def test_engine_that_stops_leaves_the_job_to_the_next_start(emulated: Emulated) -> None:
    emulated.create(HyperParameters={"steps": "30", "seconds": "0.05"})
    until(lambda: emulated.keys("checkpoints/job-1/step"))
    emulated.jobs.close()
    assert emulated.describe()["SecondaryStatus"] == "Interrupted"
    emulated.restart()
    ended = emulated.until_ended()
    assert ended["TrainingJobStatus"] == "Completed"
    assert emulated.sequence()[2:] == [
        "Training", "Interrupted", "Restarting", "Downloading", "Training", "Uploading",
        "Completed",
    ]  # fmt: skip
    results = emulated.results()
    assert 0 < results["first"] < results["last"] == 30


def test_scripted_interruption_is_followed_by_a_restart_from_the_checkpoint(
    emulated: Emulated,
) -> None:
    emulated.script(interruptions=1)
    emulated.create(HyperParameters={"steps": "30", "seconds": "0.05"})
    assert emulated.until_ended()["TrainingJobStatus"] == "Completed"
    assert emulated.sequence()[2:6] == ["Training", "Interrupted", "Restarting", "Downloading"]
    assert 0 < emulated.results()["first"] < 30


def test_job_that_was_being_stopped_at_the_last_stop_is_stopped(
    emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.sagemaker.training_queue.INTERRUPTION_GRACE_SECONDS", 0.3)
    emulated.create(HyperParameters={**LONG, "deaf": "1"})
    until(lambda: emulated.keys("checkpoints/job-1/step"))
    emulated.stop()
    record = emulated.store.place("job-1").record
    kept = record.read_bytes()
    emulated.jobs.close()
    record.write_bytes(kept)  # as a kill would have left it
    emulated.restart()
    assert emulated.describe()["TrainingJobStatus"] == "Stopped"


def test_missing_training_python_fails_the_job_and_says_how_to_install_it(
    emulated: Emulated, tmp_path: Path
) -> None:
    bare = Emulated(tmp_path / "bare", python=tmp_path / "nothing" / "python")
    bare.jobs.start()
    bare.create()
    reason = bare.until_ended()["FailureReason"]
    assert reason.startswith("ClientError: the training environment is not installed")
    assert "make .venv-train/.installed" in reason
    bare.jobs.close()


def test_scripted_capacity_error_fails_the_job_and_the_next_one_runs(emulated: Emulated) -> None:
    emulated.script(capacity_errors=1)
    emulated.create("first")
    first = emulated.until_ended("first")
    assert first["FailureReason"].startswith("CapacityError: Unable to provision requested ML")
    assert "TrainingStartTime" not in first
    emulated.create("second")
    assert emulated.until_ended("second")["TrainingJobStatus"] == "Completed"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def _no_space(_descriptor: int) -> None:
    raise NO_SPACE
