"""The routes of delivered models."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from brightrun.sft.verdict import HeldOut
from brightrun.training.adapters.model import ModelArtifact, metrics_of
from tests.aws import Aws
from tests.builders import OWNER
from tests.fakes.training_jobs import a_training_job
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds

MODELS = "/api/models"


@pytest.fixture
def model(seeds: Seeds) -> ModelArtifact:
    return seeds.model(a_training_job("00000000-0000-7000-8000-000000000001"))


def test_a_model_is_shown_with_its_files_and_without_their_keys(
    api: Api, model: ModelArtifact
) -> None:
    shown = api(f"GET {MODELS}/{model.model_id}").body["data"]
    expected = {
        "id": model.model_id,
        "user_id": OWNER,
        "job_id": model.job_id,
        "name": "Forty conversations - 2026-11-21",
        "version": "1.0.0",
        "status": "stored",
        "quality_score": 4.0,
        "total_size": 84_003_700,
        "training_summary": {"epochs_completed": 3, "final_loss": 1.25},
    }
    assert {name: shown[name] for name in expected} == expected
    assert [set(file) for file in shown["files"]] == [{"name", "size", "sha256"}] * 3
    assert shown["files"][1]["size"] == 84_000_000


def test_a_model_without_a_measured_quality_has_no_score(api: Api, seeds: Seeds) -> None:
    job = a_training_job("00000000-0000-7000-8000-000000000002")
    nothing = metrics_of(HeldOut(unmeasured="no_held_out_rows"))
    model = seeds.model(job, quality_metrics=nothing)
    shown = api(f"GET {MODELS}/{model.model_id}").body["data"]
    assert shown["quality_score"] is None
    assert shown["verdict"]["headline"] == "Not measured: no held-out rows."


def test_a_model_is_shown_with_its_verdict_and_what_it_is_made_of(
    api: Api, model: ModelArtifact
) -> None:
    shown = api(f"GET {MODELS}/{model.model_id}").body["data"]
    assert (shown["verdict"]["outcome"], shown["verdict"]["score"]) == ("better", 4)
    assert "12 held-out pairs of 12 conversations" in shown["verdict"]["basis"]
    figures = ("base_loss", "adapter_loss", "difference", "difference_low", "difference_high")
    assert [shown["held_out"][name] for name in figures] == [1.5, 1.25, -0.25, -0.3, -0.2]


def test_a_score_of_the_training_loss_from_before_there_were_verdicts_is_not_shown(
    api: Api, seeds: Seeds
) -> None:
    job = a_training_job("00000000-0000-7000-8000-000000000003")
    praised = {"overall_score": 5, "convergence_quality": "excellent", "perplexity": 54.6}
    model = seeds.model(job, quality_metrics=praised)
    shown = api(f"GET {MODELS}/{model.model_id}").body["data"]
    assert (shown["quality_score"], shown["verdict"]["outcome"]) == (None, "unknown")
    assert "excellent" not in json.dumps(shown)


def test_models_are_listed_newest_first_by_pages(api: Api, seeds: Seeds) -> None:
    made = [
        seeds.model(a_training_job(f"00000000-000{number}-7000-8000-000000000001")).model_id
        for number in range(3)
    ]
    first = api(f"GET {MODELS}", query={"limit": "2"}).body
    rest = api(f"GET {MODELS}", query={"limit": "2", "cursor": first["next_cursor"]}).body
    listed = [model["id"] for page in (first, rest) for model in page["data"]["models"]]
    assert listed == made[::-1]
    assert (first["data"]["count"], rest["next_cursor"]) == (2, None)


def test_every_file_has_a_link_that_gives_its_bytes(
    api: Api, aws: Aws, model: ModelArtifact
) -> None:
    links = api(f"POST {MODELS}/{model.model_id}/download", {}).body["data"]
    assert set(links["download_urls"]) == {file.name for file in model.files}
    assert (links["model_name"], links["expires_in_seconds"]) == (model.name, 3600)
    assert links["expires_at"] == "2026-11-21T13:00:00.000Z"
    (card,) = [file for file in model.files if file.name == "README.md"]
    aws.s3.put_object(Bucket="models", Key=card.key, Body=b"# A card")
    url = urlsplit(links["download_urls"]["README.md"])
    assert parse_qs(url.query)["response-content-disposition"] == [
        'attachment; filename="README.md"'
    ]
    key = url.path.split("/models/", 1)[-1].lstrip("/")
    assert aws.s3.get_object(Bucket="models", Key=key)["Body"].read() == b"# A card"


def test_some_files_can_be_asked_for_each_of_them_once(api: Api, model: ModelArtifact) -> None:
    body = {"files": ["README.md", "adapter_config.json", "README.md"]}
    links = api(f"POST {MODELS}/{model.model_id}/download", body).body["data"]
    assert [file["name"] for file in links["files"]] == ["README.md", "adapter_config.json"]
    assert set(links["download_urls"]) == {"README.md", "adapter_config.json"}


def test_a_file_that_is_not_there_is_refused_with_the_names_of_those_that_are(
    api: Api, model: ModelArtifact
) -> None:
    body = {"files": ["README.md", "optimizer.pt"]}
    refused = api(f"POST {MODELS}/{model.model_id}/download", body)
    assert (refused.status, refused.fields) == (400, {"files.1"})
    assert "README.md, adapter_config.json, adapter_model.safetensors" in refused.body["error"]


@pytest.mark.parametrize("files", [[], [""], ["x"] * 101, "README.md"])
def test_a_list_of_files_has_names(api: Api, model: ModelArtifact, files: object) -> None:
    assert api(f"POST {MODELS}/{model.model_id}/download", {"files": files}).status == 400


def test_a_model_that_is_not_there_has_no_links(api: Api) -> None:
    missing = f"{MODELS}/00000000-0000-7000-8000-000000000009"
    assert api(f"GET {missing}").status == 404
    assert api(f"POST {missing}/download", {}).status == 404
