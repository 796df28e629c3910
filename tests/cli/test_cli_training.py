"""train, job, model: from a file to an adapter whose hashes are right."""

import json
from pathlib import Path

import pytest

from cli.training_watching import sparkline
from tests.cli.conftest import BrightRun
from tests.cli.fake_system import FakeSystem, problem
from tests.cli.fake_training import (
    ADAPTER,
    BROKEN,
    COMPLETED,
    DATASET,
    FAILED,
    JOB,
    MODEL,
    RUNNING,
    FakeUploads,
    serve_datasets,
    serve_training,
)

pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.fixture
def rows(system: FakeSystem) -> str:
    Path("rows.jsonl").write_bytes(b"0123456789")
    serve_datasets(system, FakeUploads(system))
    return "rows.jsonl"


def test_a_file_becomes_an_adapter_in_a_folder(
    brightrun: BrightRun, system: FakeSystem, rows: str
) -> None:
    serve_training(system, RUNNING, COMPLETED)
    result = brightrun("train", rows, "-o", "adapter", "--yes")
    assert result.exit_code == 0, result.stderr
    assert {path.name: path.read_bytes() for path in Path("adapter").iterdir()} == ADAPTER
    assert "every hash verified" in result.stdout
    assert "What the model will see" in result.stdout
    assert "What it will take" in result.stdout
    assert "20 s; 9 of 10 within 31 s" in result.stdout
    assert "⟦It can be mended.⟧" in result.stdout
    asked = system.sent("POST", f"/api/datasets/{DATASET}/receipt")[0].body
    assert (asked["epochs"], asked["batch_size"], asked["base_model"]) == (3, 4, "brightrun-tiny")


def test_a_local_system_trains_its_own_tiny_model_unless_told_otherwise(
    brightrun: BrightRun, system: FakeSystem, rows: str
) -> None:
    serve_training(system)
    brightrun("train", rows, "-o", "adapter", "--yes", "--epochs", "2", "--max-cost", "1.5")
    body = system.sent("POST", "/api/jobs")[0].body
    assert body == {
        "dataset_id": DATASET,
        "base_model": "brightrun-tiny",
        "preset_id": "balanced",
        "hyperparameters": {"epochs": 2, "learning_rate": 1e-3},
        "gpu_config": {"type": "local-cpu", "count": 1},
        "use_spot": False,
        "allow_simulated": False,
        "max_cost_usd": 1.5,
    }
    assert system.sent("POST", "/api/jobs")[0].headers["idempotency-key"]


def test_every_hyperparameter_that_an_estimate_advises_can_be_given(
    brightrun: BrightRun, system: FakeSystem, rows: str
) -> None:
    serve_training(system)
    options = {
        "method": "qlora",
        "dropout": 0.0,
        "max_seq_length": 2048,
        "evaluations_per_epoch": 4,
        "early_stopping_patience": 0,
        "learning_rate": 1e-4,
    }
    given = [text for name, value in options.items()
             for text in (f"--{name.replace('_', '-')}", str(value))]  # fmt: skip
    brightrun("train", rows, "-o", "adapter", "--yes", *given)
    assert system.sent("POST", "/api/jobs")[0].body["hyperparameters"] == options
    assert system.sent("POST", "/api/jobs/estimate")[0].body["hyperparameters"] == options


def test_the_template_gets_the_same_in_the_receipt_and_in_the_training(
    brightrun: BrightRun, system: FakeSystem, rows: str
) -> None:
    serve_training(system)
    given = ("--template-variables", '{"mood": "calm", "n": 2}', "--template-date", "2026-11-28")
    assert brightrun("train", rows, "-o", "adapter", "--yes", *given).exit_code == 0
    assert brightrun("job", "create", "--dataset", DATASET, *given).exit_code == 0
    (receipt,) = system.sent("POST", f"/api/datasets/{DATASET}/receipt")
    trained, created = system.sent("POST", "/api/jobs")
    for request in (receipt, trained, created):
        assert request.body["template_variables"] == {"mood": "calm", "n": 2}
        assert request.body["template_date"] == "2026-11-28"


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--template-variables", "{mood: calm}", "is not JSON"),
        ("--template-variables", '["calm"]', "must be a JSON object"),
        ("--template-variables", '{"messages": []}', "'messages' is not yours to set"),
        ("--template-variables", '{"mood": NaN}', "the values must be JSON"),
        ("--template-date", "tomorrow", "'tomorrow' is not a day"),
    ],
)
def test_what_no_template_can_be_given_is_refused_before_the_upload(
    brightrun: BrightRun, system: FakeSystem, rows: str, option: str, value: str, said: str
) -> None:
    serve_training(system)
    result = brightrun("train", rows, "-o", "adapter", "--yes", option, value)
    assert result.exit_code == 2
    assert option in result.stderr
    assert said in " ".join(result.stderr.split())
    assert system.sent("POST", "/api/datasets") == []


def test_nothing_is_paid_for_without_a_yes(
    brightrun: BrightRun, system: FakeSystem, rows: str
) -> None:
    serve_training(system)
    assert brightrun("train", rows, "-o", "adapter", typed="n\n").exit_code == 130
    assert brightrun("train", rows, "-o", "adapter", "--json").exit_code == 2
    assert system.sent("POST", "/api/jobs") == []


def test_one_json_document_tells_everything(
    brightrun: BrightRun, system: FakeSystem, rows: str
) -> None:
    serve_training(system)
    result = brightrun("train", rows, "-o", "adapter", "--yes", "--json")
    document = json.loads(result.stdout)
    assert document["adapter_path"] == str(Path("adapter").resolve())
    assert (document["first_loss"], document["final_loss"]) == (6.0, 6.0 - 1199 / 1000)
    assert document["receipt"]["trainable_tokens"] == 9000
    assert document["job"]["billed_seconds"] == 20


def test_a_file_that_is_not_ready_is_not_trained_on(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    Path("rows.jsonl").write_bytes(b"0123456789")
    serve_datasets(system, FakeUploads(system), BROKEN)
    serve_training(system)
    result = brightrun("train", "rows.jsonl", "-o", "adapter", "--yes")
    assert result.exit_code == 1
    assert "line 3: is not JSON" in result.stderr
    assert system.sent("POST", "/api/jobs") == []


def test_a_missing_receipt_is_told_and_does_not_stop_the_training(
    brightrun: BrightRun, system: FakeSystem, rows: str
) -> None:
    serve_training(system)
    path = f"/api/datasets/{DATASET}/receipt"
    refusal = problem(409, "No tokenizer is stored.", "tokenizer_missing")
    system.fail_next("POST", path, *[refusal] * 100)
    result = brightrun("train", rows, "-o", "adapter", "--yes")
    assert result.exit_code == 0
    assert "No receipt: No tokenizer is stored." in result.stdout


def test_the_tiny_model_of_a_local_system_is_waited_for(
    brightrun: BrightRun, system: FakeSystem, rows: str
) -> None:
    serve_training(system)
    refusal = problem(409, "No tokenizer is stored.", "tokenizer_missing")
    system.fail_next("POST", f"/api/datasets/{DATASET}/receipt", refusal, refusal)
    result = brightrun("train", rows, "-o", "adapter", "--yes")
    assert result.exit_code == 0
    assert "No receipt" not in result.stdout


def test_a_failed_training_tells_why_what_to_do_and_what_it_cost(
    brightrun: BrightRun, system: FakeSystem, rows: str
) -> None:
    serve_training(system, FAILED)
    result = brightrun("train", rows, "-o", "adapter", "--yes")
    assert result.exit_code == 1
    for text in ("CUDA out of memory", "Lower the batch size", "$0.02"):
        assert text in result.stdout
    assert not Path("adapter").exists()


@pytest.mark.parametrize("command", [("model", "show", MODEL), ("job", "show", JOB)])
def test_an_adapter_that_is_worse_than_its_base_is_called_that_in_the_first_line(
    brightrun: BrightRun, system: FakeSystem, command: tuple[str, ...]
) -> None:
    serve_training(system)
    first, *rest = brightrun(*command).stdout.splitlines()
    assert "Worse than its base: held-out loss 3.897 against 1.087" in first
    assert "1/5 (poor)" in rest[0]
    assert any("12 pairs of 8 conversations, 900 answer tokens" in line for line in rest)


def test_a_training_that_made_things_worse_does_not_end_in_praise(
    brightrun: BrightRun, system: FakeSystem, rows: str
) -> None:
    serve_training(system)
    result = brightrun("train", rows, "-o", "adapter", "--yes")
    assert "Worse than its base" in result.stdout
    assert "worse" in brightrun("model", "list").stdout


def test_a_damaged_file_is_not_left_in_the_folder(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_training(system, adapter={**ADAPTER, "adapter_model.safetensors": b"w3ights"})
    result = brightrun("model", "download", MODEL, "-o", "adapter")
    assert result.exit_code == 6
    assert "SHA-256" in result.stderr
    assert not (Path("adapter") / "adapter_model.safetensors").exists()


def test_what_is_there_already_is_not_fetched_again(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_training(system)
    for _ in range(2):
        assert brightrun("model", "download", MODEL, "-o", "adapter").exit_code == 0
    assert len(system.sent("GET", "/files/model/README.md")) == 1


def test_another_adapter_is_written_over_only_by_force(
    brightrun: BrightRun, system: FakeSystem, rows: str
) -> None:
    serve_training(system)
    Path("adapter").mkdir()
    card = Path("adapter") / "README.md"
    card.write_text("another")
    for command in (("model", "download", MODEL), ("train", rows, "--yes")):
        refused = brightrun(*command, "-o", "adapter")
        assert (refused.exit_code, card.read_text()) == (2, "another")
        assert "--force" in refused.stderr
    assert system.sent("POST", "/api/jobs") == []
    assert [path.name for path in Path("adapter").iterdir()] == ["README.md"]
    assert brightrun("train", rows, "--yes", "-o", "adapter", "--force").exit_code == 0
    assert card.read_bytes() == ADAPTER["README.md"]


def test_a_damaged_file_does_not_take_the_place_of_a_sound_one(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_training(system, adapter={**ADAPTER, "README.md": b"d4maged"})
    Path("adapter").mkdir()
    card = Path("adapter") / "README.md"
    card.write_text("another")
    assert brightrun("model", "download", MODEL, "-o", "adapter", "--force").exit_code == 6
    assert card.read_text() == "another"


def test_a_file_of_a_model_is_fetched_alone(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_training(system)
    result = brightrun("model", "download", MODEL, "-o", "card", "--file", "README.md", "--json")
    assert [Path(file["path"]).name for file in json.loads(result.stdout)["files"]] == ["README.md"]
    assert [path.name for path in Path("card").iterdir()] == ["README.md"]


def test_jobs_are_listed_shown_and_cancelled(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_training(system)
    assert JOB in brightrun("job", "list").stdout
    assert "$0.02" in brightrun("job", "list").stdout
    assert "brightrun-tiny" in brightrun("job", "show", JOB).stdout
    assert json.loads(brightrun("job", "cancel", JOB, "--json").stdout)["data"]["id"] == JOB
    assert len(system.sent("POST", f"/api/jobs/{JOB}/cancel")) == 1


def test_watching_ends_when_the_bill_is_closed_and_not_before(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    cancelled = {**RUNNING, "status": "cancelled", "current_stage": "stopping"}
    settled = {**cancelled, "settled": True, "final_cost": 0.01, "current_stage": "done"}
    serve_training(system, RUNNING, cancelled, settled)
    result = brightrun("job", "watch", JOB)
    assert result.exit_code == 1
    assert "cancelled, stopping" in result.stdout
    assert "cancelled, done" in result.stdout
    assert len(system.sent("GET", f"/api/jobs/{JOB}")) == 3


def test_every_point_of_a_long_training_is_listed(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_training(system)
    output = json.loads(brightrun("job", "metrics", JOB, "--all", "--json").stdout)
    assert [point["sequence"] for point in output["metrics"]] == list(range(1200))


def test_a_curve_is_drawn_from_its_highest_to_its_lowest() -> None:
    assert sparkline([3.0, 2.0, 1.0]) == "█▅▁"
    assert sparkline([1.0, 1.0]) == "▅▅"
    assert sparkline([]) == ""
    assert len(sparkline([float(n) for n in range(1000)], width=60)) == 60


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "$0.01 so far, estimated at $12.30 in the end"),
        ({"max_cost_usd": 20}, "$12.30 in the end; it stops before $20.00"),
        ({"final_cost": 3.456}, "$3.46"),
    ],
)
def test_a_job_has_one_price(
    brightrun: BrightRun, system: FakeSystem, changes: dict[str, float], text: str
) -> None:
    job = {**RUNNING, **changes}
    answer = {"success": True, "data": {"job": job}}
    system.route("GET", f"/api/jobs/{JOB}", lambda _, __: answer)
    (shown,) = (line for line in brightrun("job", "show", JOB).stdout.splitlines() if "$" in line)
    assert shown.startswith("cost")
    assert shown.rstrip().endswith(text)
    assert json.loads(brightrun("job", "show", JOB, "--json").stdout) == answer
