"""The routes of training jobs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from brightrun.catalog.base_models import BaseModelEntry, base_models
from brightrun.core.timestamps import iso
from brightrun.datasets.receipts import service as receipts
from brightrun.sft.tokenizer import TOKENIZER_FILES
from brightrun.training.model import training_event
from brightrun.wiring import jobs as jobs_wiring
from tests.aws import Aws
from tests.builders import OWNER, START, STRANGER, SteppedClock
from tests.fakes.datasets import ROWS
from tests.fakes.tokenizer import CHATML, put_tokenizer
from tests.fakes.training_jobs import a_point
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds, StartedRuns

JOBS = "/api/jobs"
H100 = {"type": "H100", "count": 1}
H100S = {"type": "H100", "count": 8}
CPU = {"type": "local-cpu", "count": 1}
TINY = "brightrun-tiny"


def create(api: Api, dataset_id: str, headers: Any = None, **wishes: Any) -> Answer:
    body = {"dataset_id": dataset_id, "preset_id": "balanced", "gpu_config": H100, **wishes}
    return api(f"POST {JOBS}", body, headers=headers)


def active_jobs(api: Api, dataset_id: str) -> int:
    count: int = api(f"GET /api/datasets/{dataset_id}").body["data"]["active_jobs"]
    return count


def notification_types(api: Api) -> list[str]:
    data = api("GET /api/notifications").body["data"]
    return sorted(one["type"] for one in data["notifications"])


def test_a_job_is_created_counted_notified_and_started(
    api: Api, seeds: Seeds, trainings: StartedRuns
) -> None:
    dataset = seeds.dataset(name="First")
    made = create(api, dataset.dataset_id)
    assert made.status == 201, made.text
    job = made.body["data"]
    expected = {
        "name": "First on qwen2.5-7b-instruct",
        "user_id": OWNER,
        "dataset": {"id": dataset.dataset_id, "name": "First"},
        "base_model": "qwen2.5-7b-instruct",
        "preset_id": "balanced",
        "gpu_config": H100,
        "status": "queued",
        "current_stage": "queued",
        "total_epochs": 3,
        "total_steps": 9,
        "progress": 0.0,
        "current_cost": 0.0,
        "final_cost": None,
        "queued_at": iso(START),
        "settled": False,
        "model_id": None,
        "version": 1,
    }
    assert {name: job[name] for name in expected} == expected
    assert job["hyperparameters"]["epochs"] == 3
    assert job["billing"]["instance_type"] == "ml.p5.4xlarge"
    assert job["estimate"]["profile"] == "v2"
    assert job["estimated_total_cost"] > 0
    assert trainings.names() == [job["id"]]
    assert active_jobs(api, dataset.dataset_id) == 1
    assert notification_types(api) == ["job_queued"]
    assert api(f"GET {JOBS}/{job['id']}").body["data"]["job"] == job
    (event,) = api(f"GET {JOBS}/{job['id']}/events").body["data"]["events"]
    assert (event["type"], event["message"]) == ("queued", "Queued for 1 x ml.p5.4xlarge.")


def test_the_estimate_and_the_prices_are_the_servers(
    api: Api, seeds: Seeds, trainings: StartedRuns
) -> None:
    dataset = seeds.dataset()
    asked = {"gpu_config": {"type": "A100-80GB", "count": 2}}
    estimate = api("POST /api/jobs/estimate", {"dataset_id": dataset.dataset_id, **asked}).body[
        "data"
    ]
    job = create(api, dataset.dataset_id, **asked, estimated_cost=0.01).body["data"]
    assert job["estimated_total_cost"] == estimate["cost_usd"]["p50"] > 0.01
    assert (job["gpu_config"]["count"], job["billing"]["billed_gpus"]) == (2, 8)
    assert job["estimate"]["billing"] == estimate["billing"]


def test_a_preset_whose_values_are_changed_is_a_custom_one(
    api: Api, seeds: Seeds, trainings: StartedRuns
) -> None:
    changed = create(api, seeds.dataset().dataset_id, hyperparameters={"epochs": 2}).body["data"]
    assert (changed["preset_id"], changed["total_epochs"]) == ("custom", 2)
    assert changed["hyperparameters"]["learning_rate"] == 5e-5


def test_the_same_key_gives_the_same_job_and_starts_it_if_that_is_missing(
    api: Api, seeds: Seeds, trainings: StartedRuns
) -> None:
    dataset = seeds.dataset()
    headers = {"Idempotency-Key": "once"}
    first, second = (create(api, dataset.dataset_id, headers) for _ in range(2))
    assert (first.status, second.status) == (201, 201)
    assert first.body["data"] == second.body["data"]
    assert trainings.names() == [first.body["data"]["id"]]
    assert active_jobs(api, dataset.dataset_id) == 1
    assert notification_types(api) == ["job_queued"]
    other = create(api, dataset.dataset_id, headers, name="Another")
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")


def test_a_job_whose_workflow_did_not_start_is_started_by_the_repetition(
    api: Api, seeds: Seeds, request: pytest.FixtureRequest
) -> None:
    dataset, headers = seeds.dataset(), {"Idempotency-Key": "once"}
    without_a_machine = create(api, dataset.dataset_id, headers)
    assert without_a_machine.status == 503
    trainings: StartedRuns = request.getfixturevalue("trainings")
    job = create(api, dataset.dataset_id, headers).body["data"]
    assert trainings.names() == [job["id"]]
    assert active_jobs(api, dataset.dataset_id) == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"status": "uploading"}, "/confirm"),
        ({"status": "validating"}, "wait until its status is ready"),
        ({"status": "error", "error_message": "No line is JSON."}, "correct the file"),
        ({"trainable_pairs": 0}, "no pair to train on"),
        ({"trainable_pairs": None}, "no pair to train on"),
    ],
)
def test_a_dataset_that_is_not_ready_is_a_conflict_with_advice(
    api: Api, seeds: Seeds, trainings: StartedRuns, changes: dict[str, Any], says: str
) -> None:
    dataset = seeds.dataset(**changes)
    refused = create(api, dataset.dataset_id)
    assert (refused.status, refused.body["code"]) == (409, "dataset_not_ready")
    assert says in refused.body["error"]
    assert refused.body["details"]["status"] == dataset.status
    assert api(f"GET {JOBS}").body["data"]["count"] == 0
    assert trainings.names() == []


def the_job_and_the_receipt(api: Api, dataset_id: str, **settings: Any) -> tuple[Answer, Answer]:
    """The answers to a job and to a receipt with the same model and settings."""
    settings = {"epochs": 1, "batch_size": 4, "max_seq_length": 4096, **settings}
    job = create(api, dataset_id, hyperparameters=settings)
    return job, api(f"POST /api/datasets/{dataset_id}/receipt", settings)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("body", [b"other", None])
def test_a_dataset_that_changed_since_its_validation_is_refused_as_its_receipt_is(
    api: Api,
    aws: Aws,
    seeds: Seeds,
    trainings: StartedRuns,
    body: bytes | None,
    known: bool,
) -> None:
    dataset = seeds.countable_dataset(ROWS)
    if body is None:
        aws.s3.delete_object(Bucket="datasets", Key=dataset.storage_path)
    else:
        aws.s3.put_object(Bucket="datasets", Key=dataset.storage_path, Body=body)
    job, receipt = the_job_and_the_receipt(api, dataset.dataset_id)
    if not known:
        job = create(api, dataset.dataset_id, base_model="qwen2.5-32b-instruct", gpu_config=H100S)
    assert (job.status, job.body["code"]) == (409, "object_changed")
    assert job.body == receipt.body
    assert "Create a new dataset" in job.body["error"]
    assert active_jobs(api, dataset.dataset_id) == 0
    assert trainings.names() == []


def test_the_same_bytes_uploaded_again_are_the_same_dataset(
    api: Api, aws: Aws, seeds: Seeds, trainings: StartedRuns
) -> None:
    dataset = seeds.countable_dataset(ROWS)
    aws.s3.put_object(Bucket="datasets", Key=dataset.storage_path, Body=ROWS)
    assert create(api, dataset.dataset_id).status == 201


MUTE = {"conversation_id": "c", "turns": [{"role": "user", "content": "Hello?"}]}
LONG = {"messages": [{"role": role, "content": "x" * 300} for role in ("user", "assistant")]}


@pytest.mark.parametrize(
    ("row", "template", "reason"),
    [
        (MUTE, CHATML, "no trainable pair: 1 rows"),
        (LONG, CHATML, "1 too long"),
        (LONG, "{{ raise_exception('not mine') }}", "no trainable pair: 1 rows"),
        (LONG, "{% if %}", "syntax error in line 1"),
    ],
)
def test_a_dataset_that_the_trainer_would_refuse_is_refused_with_the_receipts_reason(
    api: Api,
    aws: Aws,
    seeds: Seeds,
    trainings: StartedRuns,
    row: dict[str, Any],
    template: str,
    reason: str,
) -> None:
    dataset = seeds.countable_dataset(json.dumps(row).encode())
    put_tokenizer(aws.s3, template=template)
    job, receipt = the_job_and_the_receipt(api, dataset.dataset_id, max_seq_length=256)
    assert (job.status, job.body["code"]) == (409, "untrainable")
    assert reason in job.body["error"]
    said = receipt.body["error"] if receipt.status == 409 else receipt.body["data"]["refusal"]
    assert job.body["error"].endswith(said)
    assert active_jobs(api, dataset.dataset_id) == 0
    assert trainings.names() == []


def test_a_job_says_what_was_rendered_for_it(
    api: Api, seeds: Seeds, trainings: StartedRuns
) -> None:
    dataset = seeds.countable_dataset(ROWS)
    job, receipt = the_job_and_the_receipt(api, dataset.dataset_id)
    check, counted = job.body["data"]["dataset_check"], receipt.body["data"]
    assert (check["method"], check["at"]) == ("exact", "creation")
    assert check["message"] == (
        "4 rows were rendered with the tokenizer and chat template of qwen2.5-7b-instruct: "
        f"{counted['trainable_tokens']} tokens of 4 pairs are trained or held out."
    )


@pytest.mark.parametrize(
    "model", [one for one in base_models() if not one.local_only], ids=lambda model: model.key
)
def test_a_model_whose_tokenizer_is_not_known_is_not_said_to_be_checked(
    api: Api, aws: Aws, seeds: Seeds, trainings: StartedRuns, model: BaseModelEntry
) -> None:
    dataset = seeds.countable_dataset(ROWS)
    for name in TOKENIZER_FILES:
        aws.s3.delete_object(Bucket="base-models", Key=f"{model.object_prefix}{name}")
    asked = {"base_model": model.key, "gpu_config": H100S, "hyperparameters": {"method": "qlora"}}
    made = create(api, dataset.dataset_id, **asked)
    assert made.status == 201, made.text
    check = made.body["data"]["dataset_check"]
    assert check["method"] is None
    assert check["message"].startswith(f"Not checked: The tokenizer of {model.key} is not in")


def test_a_large_dataset_is_rendered_in_part_at_creation_and_refused_only_for_what_is_certain(
    api: Api, aws: Aws, seeds: Seeds, trainings: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**MUTE, "conversation_id": f"c{number}"} for number in range(400)]
    text = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    dataset = seeds.countable_dataset(text)
    monkeypatch.setattr(receipts, "MOST_BYTES", len(text) // 4)
    made = create(api, dataset.dataset_id)
    assert made.body["data"]["dataset_check"]["method"] == "sampled"
    put_tokenizer(aws.s3, template="{% if %}")
    assert create(api, dataset.dataset_id).status == 409


def test_a_conversation_too_large_to_count_is_no_reason_to_refuse_a_job(
    api: Api, seeds: Seeds, trainings: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = seeds.countable_dataset(ROWS)
    monkeypatch.setattr(receipts, "MOST_CHARACTERS", 1)
    job, receipt = the_job_and_the_receipt(api, dataset.dataset_id)
    assert (receipt.status, receipt.body["code"]) == (409, "uncountable")
    check = job.body["data"]["dataset_check"]
    assert check["method"] is None
    assert "cannot be counted here" in check["message"]


def test_another_owners_dataset_is_not_found(api: Api, seeds: Seeds) -> None:
    dataset = seeds.dataset(owner_id=STRANGER)
    assert create(api, dataset.dataset_id).status == 404


@pytest.mark.parametrize("model", ["qwen2.5-7b-instruct", TINY])
def test_simulated_conversations_are_trained_on_only_if_allowed(
    api: Api, seeds: Seeds, trainings: StartedRuns, model: str
) -> None:
    dataset = seeds.dataset(simulated=True)
    asked = {"base_model": model, "gpu_config": CPU if model == TINY else H100}
    refused = create(api, dataset.dataset_id, **asked)
    assert (refused.status, refused.fields) == (400, {"allow_simulated"})
    assert create(api, dataset.dataset_id, **asked, allow_simulated=True).status == 201


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"gpu_config": {"type": "V100-32GB", "count": 1}}, "gpu_config.type", "bfloat16"),
        ({"gpu_config": {"type": "T4", "count": 1}}, "gpu_config.type", "H100"),
        ({"gpu_config": {"type": "H100", "count": 9}}, "gpu_config.count", "1 to 8"),
        ({"gpu_config": CPU}, "gpu_config.type", "Choose a GPU type"),
        ({"base_model": TINY}, "base_model", "local-cpu"),
        ({"base_model": "gpt-2"}, "base_model", "qwen2.5-7b-instruct"),
        ({"base_model": "llama-3.3-70b-instruct"}, "gpu_config", "qlora"),
        ({"preset_id": "best"}, "preset_id", "balanced"),
        ({"preset_id": "custom"}, "hyperparameters.rank", "required"),
        ({"hyperparameters": {"batch_size": 0}}, "hyperparameters.batch_size", "1 to 64"),
        ({"hyperparameters": {"lora_rank": 8}}, "hyperparameters.lora_rank", "not permitted"),
        ({"max_cost_usd": 0.01}, "max_cost_usd", "starting up is estimated to cost"),
        ({"max_cost_usd": 0}, "max_cost_usd", "0.0001"),
        ({"colour": "red"}, "colour", "not permitted"),
    ],
)
def test_what_cannot_end_in_an_adapter_is_refused_by_its_field_with_the_reason(
    api: Api,
    seeds: Seeds,
    trainings: StartedRuns,
    changes: dict[str, Any],
    field: str,
    says: str,
) -> None:
    refused = create(api, seeds.dataset().dataset_id, **changes)
    assert refused.status == 400, refused.text
    assert field in refused.fields
    assert says in refused.text
    assert trainings.names() == []


@pytest.mark.parametrize("preset", ["fast", "balanced", "quality", "custom"])
@pytest.mark.parametrize(
    "modules", [["lm_head"], "lm_head", ["q_proj", "embed_tokens"], "all", ".*", [], "", ["Q_proj"]]
)
def test_modules_that_cannot_be_served_are_refused_with_every_preset(
    api: Api, seeds: Seeds, trainings: StartedRuns, preset: str, modules: Any
) -> None:
    own = {"learning_rate": 1e-4, "batch_size": 4, "epochs": 1, "rank": 8}
    values = {"target_modules": modules, **(own if preset == "custom" else {})}
    asked = {"preset_id": preset, "hyperparameters": values}
    dataset_id = seeds.dataset().dataset_id
    estimate = {"dataset_id": dataset_id, "gpu_config": H100, **asked}
    for refused in (create(api, dataset_id, **asked), api("POST /api/jobs/estimate", estimate)):
        assert (refused.status, refused.fields) == (400, {"hyperparameters.target_modules"})
        assert "Use all-linear alone" in refused.text
    assert api(f"GET {JOBS}").body["data"]["count"] == 0


@pytest.mark.parametrize("modules", [["q_proj", "v_proj"], "q_proj, v_proj"])
def test_modules_that_are_served_are_trained_and_shown(
    api: Api, seeds: Seeds, trainings: StartedRuns, modules: Any
) -> None:
    values = {"target_modules": modules}
    job = create(api, seeds.dataset().dataset_id, hyperparameters=values).body["data"]
    assert job["hyperparameters"]["target_modules"] == ["q_proj", "v_proj"]
    assert job["preset_id"] == "custom"
    offered = api("GET /api/base-models").body["data"]["base_models"]
    (model,) = [one for one in offered if one["key"] == job["base_model"]]
    assert {"q_proj", "v_proj"} < set(model["target_modules"])


def test_a_locally_generated_model_trains_on_the_cpu(
    api: Api, seeds: Seeds, trainings: StartedRuns
) -> None:
    made = create(api, seeds.dataset().dataset_id, base_model=TINY, gpu_config=CPU)
    assert made.status == 201, made.text
    assert 0 < made.body["data"]["estimated_total_cost"] < 0.1


def test_on_a_developers_machine_every_instance_is_that_machine(
    api: Api, seeds: Seeds, trainings: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    creator = jobs_wiring.training_job_creator()
    assert not creator.any_instance
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:8610")
    assert jobs_wiring.training_job_creator().any_instance


def test_jobs_are_listed_newest_first_by_status_and_by_pages(api: Api, seeds: Seeds) -> None:
    ids = [f"00000000-0000-7000-8000-00000000000{number}" for number in range(4)]
    for job_id in ids:
        status: Any = "running" if job_id == ids[1] else "queued"
        seeds.training_job(job_id=job_id, dataset_id=f"dataset-{job_id[-1]}", status=status)
    first = api(f"GET {JOBS}", query={"limit": "3"}).body
    rest = api(f"GET {JOBS}", query={"limit": "3", "cursor": first["next_cursor"]}).body
    listed = [job["id"] for page in (first, rest) for job in page["data"]["jobs"]]
    assert listed == ids[::-1]
    assert (first["data"]["count"], rest["next_cursor"]) == (3, None)
    (running,) = api(f"GET {JOBS}", query={"status": "running"}).body["data"]["jobs"]
    assert running["id"] == ids[1]
    assert api(f"GET {JOBS}", query={"status": "done"}).fields == {"status"}


def test_a_running_job_costs_more_with_every_minute(
    api: Api, seeds: Seeds, clock: SteppedClock
) -> None:
    job = seeds.training_job(status="running", started_at=iso(START), current_cost=0.1)
    clock.advance(1800)
    shown = api(f"GET {JOBS}/{job.job_id}").body["data"]["job"]
    assert (
        shown["current_cost"] == api(f"GET {JOBS}").body["data"]["jobs"][0]["current_cost"] == 3.0
    )


def test_a_job_is_shown_with_its_last_hundred_points_and_all_can_be_read(
    api: Api, seeds: Seeds
) -> None:
    job = seeds.training_job(status="running")
    seeds.training_records().add_points(job, [a_point(number) for number in range(150)])
    shown = api(f"GET {JOBS}/{job.job_id}").body["data"]["metrics"]
    assert [point["sequence"] for point in shown] == list(range(50, 150))
    path = f"GET {JOBS}/{job.job_id}/metrics"
    first = api(path, query={"limit": "100"}).body
    rest = api(path, query={"limit": "100", "cursor": first["next_cursor"]}).body
    points = [*first["data"]["metrics"], *rest["data"]["metrics"]]
    assert [point["sequence"] for point in points] == list(range(150))
    assert len(api(path).body["data"]["metrics"]) == 150
    assert api(path, query={"limit": "1001"}).fields == {"limit"}
    expected = {"training_loss": 2.0, "validation_loss": None, "learning_rate": 5e-5, "step": 0}
    assert {name: points[0][name] for name in expected} == expected


def test_events_are_read_oldest_first(api: Api, seeds: Seeds) -> None:
    job = seeds.training_job()
    for number in (2, 1):
        at = START + timedelta(minutes=number)
        event = training_event(at, "warning", "no_capacity", f"Attempt {number}.", attempt=number)
        seeds.training_records().add_event(job, event)
    events = api(f"GET {JOBS}/{job.job_id}/events").body["data"]["events"]
    assert [event["data"] for event in events] == [{"attempt": 1}, {"attempt": 2}]
    assert events[0]["level"] == "warning"


@pytest.mark.parametrize("part", ["", "/metrics", "/events"])
def test_an_unknown_job_has_no_lists(api: Api, part: str) -> None:
    assert api(f"GET {JOBS}/00000000-0000-7000-8000-000000000009{part}").status == 404


def test_a_queued_job_is_cancelled_without_cost(
    api: Api, seeds: Seeds, trainings: StartedRuns, stopped: list[str]
) -> None:
    dataset = seeds.dataset()
    job_id = create(api, dataset.dataset_id).body["data"]["id"]
    cancelled = api(f"POST {JOBS}/{job_id}/cancel")
    assert cancelled.status == 200, cancelled.text
    job = cancelled.body["data"]
    assert (job["status"], job["settled"], job["final_cost"]) == ("cancelled", True, 0.0)
    assert active_jobs(api, dataset.dataset_id) == 0
    assert stopped == []
    (record,) = api(f"GET {JOBS}/{job_id}").body["data"]["cost_records"]
    assert (record["amount"], record["details"]["status"]) == (0.0, "cancelled")
    assert notification_types(api) == ["job_cancelled", "job_queued"]


def test_a_running_job_is_stopped_at_once_and_a_second_cancel_changes_nothing(
    api: Api, seeds: Seeds, clock: SteppedClock, stopped: list[str]
) -> None:
    job = seeds.training_job(status="running", started_at=iso(START))
    clock.advance(60)
    first = api(f"POST {JOBS}/{job.job_id}/cancel")
    shown = first.body["data"]
    assert (first.status, shown["status"], shown["current_stage"]) == (200, "cancelled", "stopping")
    assert (shown["settled"], shown["current_cost"]) == (False, 0.1)
    assert stopped == [job.external_job_id]
    assert api(f"POST {JOBS}/{job.job_id}/cancel").body == first.body
    assert notification_types(api) == ["job_cancelled"]


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_an_ended_job_cannot_be_cancelled(api: Api, seeds: Seeds, status: Any) -> None:
    job = seeds.training_job(status=status, settled=True, final_cost=1.0)
    refused = api(f"POST {JOBS}/{job.job_id}/cancel")
    assert (refused.status, refused.body["code"]) == (409, "job_ended")
    assert refused.body["details"]["status"] == status


def test_a_repeated_create_of_a_job_that_was_cancelled_starts_nothing(
    api: Api, seeds: Seeds, trainings: StartedRuns
) -> None:
    headers = {"Idempotency-Key": "once"}
    dataset_id = seeds.dataset().dataset_id
    job_id = create(api, dataset_id, headers).body["data"]["id"]
    api(f"POST {JOBS}/{job_id}/cancel")
    again = create(api, dataset_id, headers)
    assert (again.status, again.body["data"]["status"]) == (201, "cancelled")
    assert trainings.names() == [job_id]
    assert active_jobs(api, dataset_id) == 0


@pytest.mark.usefixtures("trainings")
def test_a_job_keeps_its_templates_date_and_variables(api: Api, seeds: Seeds) -> None:
    dataset = seeds.dataset()
    variables = {"enable_thinking": False, "level": 1.5, "tags": ["a", None], "deep": {"n": 2}}
    asked = {"template_variables": variables, "template_date": "2026-11-28"}
    created = create(api, dataset.dataset_id, **asked).body["data"]
    stored = api(f"GET /api/jobs/{created['id']}").body["data"]["job"]
    for job in (created, stored):
        assert {name: job[name] for name in asked} == asked
    plain = create(api, dataset.dataset_id).body["data"]
    assert (plain["template_variables"], plain["template_date"]) == ({}, "2024-07-26")


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"add_generation_prompt": True}, "'add_generation_prompt' is not yours to set"),
        ({"chat_template": "x"}, "'chat_template' is not yours to set"),
        ({"strftime_now": "x"}, "'strftime_now' is not yours to set"),
        ({"_private": 1}, "'_private' is no name of a variable"),
        ({"a-b": 1}, "'a-b' is no name of a variable"),
        ({"x": "y" * 2000}, "at most 2000 are allowed"),
    ],
)
def test_unusable_template_variables_are_refused_by_name(
    api: Api, seeds: Seeds, variables: dict[str, Any], complaint: str
) -> None:
    answer = create(api, seeds.dataset().dataset_id, template_variables=variables)
    assert answer.status == 400
    (detail,) = answer.body["details"]
    assert detail["field"] == "template_variables"
    assert complaint in detail["message"]
