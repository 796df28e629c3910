"""Ordering a training, watching it, and its model, in the browser."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, Route, expect

from cli.training_options import local_model
from cli.training_watching import follow_training
from tests.console.accessibility import faults_in_every_look
from tests.console.conftest import SignedIn
from tests.e2e.conftest import Installation
from tests.e2e.datasets import ready_dataset, write_rows

pytestmark = pytest.mark.slow

REMOTE = "qwen2.5-7b-instruct"
TOO_LARGE = "llama-3.3-70b-instruct"
SHORT = {
    "learning_rate": 1e-3,
    "batch_size": 4,
    "epochs": 2,
    "rank": 4,
    "alpha": 8,
    "dropout": 0.0,
}
WATCH_STEPS = """() => {
  const steps = document.querySelector('[data-testid="steps"]');
  window.changedAt = [];
  window.pressedAt = [];
  new MutationObserver(() => window.changedAt.push(performance.now()))
    .observe(steps, { characterData: true, childList: true, subtree: true });
  document.addEventListener("keydown", () => window.pressedAt.push(performance.now()), true);
}"""

DRAG = """async (slider, stops) => {
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  for (let stop = 0; stop < stops; stop += 1) {
    set.call(slider, Number(slider.value) + 1);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => setTimeout(done, 10));
  }
}"""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running system that can train its tiny base model."""
    installation = Installation(tmp_path_factory.mktemp("data"))
    installation.start(trains=True)
    yield installation
    installation.stop()


@pytest.fixture(scope="module")
def dataset(system: Installation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    rows = write_rows(tmp_path_factory.mktemp("rows") / "rows.jsonl")
    return ready_dataset(system, rows)


@pytest.fixture(scope="module")
def trained(system: Installation, dataset: dict[str, Any]) -> dict[str, Any]:
    """A training that has ended with an adapter."""
    order = {
        "dataset_id": dataset["id"],
        "base_model": local_model(system.client),
        "preset_id": "custom",
        "hyperparameters": SHORT,
        "gpu_config": {"type": "local-cpu", "count": 1},
    }
    job_id = system.client.post("/api/jobs", {**order, "name": "Short"})["data"]["id"]
    ended = follow_training(system.client, job_id, lambda _: None, interval_s=0.5)
    assert ended.is_success, ended.job
    return ended.job


def order_page(signed_in: SignedIn, model: str) -> Page:
    page = signed_in.open("/training/new")
    page.get_by_role("combobox", name="Base model").select_option(model)
    return page


def test_a_change_is_priced_within_half_a_second(
    signed_in: SignedIn, dataset: dict[str, Any]
) -> None:
    page = order_page(signed_in, REMOTE)
    steps = page.get_by_test_id("steps")
    page.get_by_text("ml.g6e.2xlarge").wait_for()
    page.evaluate(WATCH_STEPS)
    slider = page.get_by_label("Epochs, slider")
    waits = []
    for _ in range(5):
        before = steps.inner_text()
        slider.press("ArrowRight")
        page.wait_for_function(
            "before => document.querySelector('[data-testid=steps]').innerText !== before",
            arg=before,
        )
        waits.append(page.evaluate("window.changedAt.at(-1) - window.pressedAt.at(-1)"))
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("8")
    # The best of five: what other work on the machine adds is not the page's.
    assert min(waits) < 500, waits


def test_a_slider_that_moves_asks_for_where_it_stops(
    signed_in: SignedIn, dataset: dict[str, Any]
) -> None:
    page = order_page(signed_in, REMOTE)
    page.get_by_text("ml.g6e.2xlarge").wait_for()
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on(
        "request",
        lambda one: asked.append(one.post_data or "") if "/jobs/estimate" in one.url else None,
    )
    last = re.compile(r'"epochs":15\b')
    with page.expect_response(lambda one: bool(last.search(one.request.post_data or ""))):
        page.get_by_label("Epochs, slider").evaluate(DRAG, 12)
    assert last.search(asked[-1])
    assert len(asked) <= 3


def test_an_order_that_does_not_fit_offers_one_that_does(
    signed_in: SignedIn, dataset: dict[str, Any]
) -> None:
    page = order_page(signed_in, TOO_LARGE)
    page.get_by_text("does not fit", exact=True).wait_for()
    start = page.get_by_role("button", name="Start training")
    expect(start).to_be_disabled()
    page.get_by_role("button", name="Use the base model in 4 bits").click()
    page.get_by_text("fits", exact=True).wait_for()
    expect(start).to_be_enabled()
    expect(page.get_by_text("Changed from balanced: method.")).to_be_visible()


def test_numbers_stay_within_the_ranges_of_the_api(
    signed_in: SignedIn, system: Installation, dataset: dict[str, Any]
) -> None:
    ranges = system.client.get("/api/base-models")["data"]["ranges"]
    page = order_page(signed_in, REMOTE)
    number = page.get_by_label("Epochs", exact=True)
    slider = page.get_by_label("Epochs, slider")
    slider.press("End")
    expect(number).to_have_value(f"{ranges['epochs']['highest']:g}")
    slider.press("Home")
    expect(number).to_have_value(f"{ranges['epochs']['lowest']:g}")
    number.fill("21")
    page.get_by_text("From 1 to 20.").wait_for()
    expect(page.get_by_role("button", name="Start training")).to_be_disabled()


def test_enter_in_a_field_orders_nothing(
    signed_in: SignedIn, system: Installation, dataset: dict[str, Any]
) -> None:
    page = signed_in.open("/training/new")
    page.get_by_label("Name").fill("By Enter")
    page.get_by_label("Name").press("Enter")
    page.get_by_role("radio", name="Fast").check()
    page.get_by_text("As the preset").or_(page.get_by_text("Changed from fast")).wait_for()
    assert page.url.endswith("/training/new")
    jobs = system.client.get("/api/jobs", {"limit": 100})["data"]["jobs"]
    assert "By Enter" not in {job["name"] for job in jobs}


def test_an_order_without_an_answer_is_repeated_once_and_cancelled(
    signed_in: SignedIn, system: Installation, dataset: dict[str, Any]
) -> None:
    page = signed_in.open("/training/new")
    page.get_by_label("Name").fill("Ordered twice")
    start = page.get_by_role("button", name="Start training")

    def lose_the_answer(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/api/jobs", lose_the_answer, times=1)
    start.click()
    page.get_by_role("alert").get_by_text("cannot be reached").wait_for()
    start.click()
    page.get_by_role("heading", name="Ordered twice").wait_for()
    jobs = system.client.get("/api/jobs", {"limit": 100})["data"]["jobs"]
    assert [job["name"] for job in jobs].count("Ordered twice") == 1
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the training").click()
    page.get_by_text("cancelled", exact=True).first.wait_for()
    page.get_by_text("The job was cancelled by its owner.").wait_for()
    # The browser tells of the lost answer; nothing else is wrong with the page.
    signed_in.faults = [one for one in signed_in.faults if "net::ERR_FAILED" not in one]


def test_a_training_is_ordered_and_watched_until_its_model(
    signed_in: SignedIn, dataset: dict[str, Any]
) -> None:
    page = signed_in.open(f"/training/new?dataset={dataset['id']}")
    page.get_by_label("Name").fill("From the browser")
    page.get_by_role("radio", name="Fast").check()
    page.get_by_role("button", name="Start training").click()
    page.get_by_role("heading", name="From the browser").wait_for()
    page.get_by_text("running", exact=True).wait_for(timeout=180_000)
    curve = page.get_by_role("img", name=re.compile("^Training: .* at step"))
    curve.wait_for(timeout=180_000)
    link = page.get_by_role("link", name="See the model")
    link.wait_for(timeout=180_000)
    for measure in ("Held out", "Rate", "Norm", "Tokens a second"):
        text = page.get_by_role("img", name=re.compile(f"{measure}: .* at step")).first
        expect(text).to_be_visible()
    expect(page.get_by_text("The adapter is being trained.")).to_be_visible()
    link.click()
    page.get_by_role("heading", name="Against its base model").wait_for()


def test_a_model_shows_its_worth_and_its_origin(
    signed_in: SignedIn, system: Installation, trained: dict[str, Any]
) -> None:
    model = system.client.get(f"/api/models/{trained['model_id']}")["data"]
    page = signed_in.open("/models")
    page.get_by_role("main").locator(f"a[href='/models/{model['id']}']").click()
    page.get_by_text(model["verdict"]["headline"], exact=True).wait_for()
    materials = page.locator("section", has=page.get_by_role("heading", name="Bill of materials"))
    materials.get_by_text("brightrun-tiny, revision v1").wait_for()
    materials.get_by_text("Versions").click()
    expect(materials.get_by_text(model["compatibility"]["versions"]["peft"])).to_be_visible()
    card = page.get_by_label("Model card")
    card.get_by_text("# LoRA adapter for brightrun-tiny").wait_for()


def test_a_file_of_a_model_is_downloaded_whole(
    signed_in: SignedIn, system: Installation, trained: dict[str, Any]
) -> None:
    model = system.client.get(f"/api/models/{trained['model_id']}")["data"]
    page = signed_in.open(f"/models/{model['id']}")
    name = "adapter_model.safetensors"
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {name}").click()
    saved = Path(download.value.path()).read_bytes()
    expected = next(one["sha256"] for one in model["files"] if one["name"] == name)
    assert download.value.suggested_filename == name
    assert hashlib.sha256(saved).hexdigest() == expected


def test_all_files_of_a_model_are_downloaded_as_one_archive(
    signed_in: SignedIn, system: Installation, trained: dict[str, Any]
) -> None:
    model = system.client.get(f"/api/models/{trained['model_id']}")["data"]
    page = signed_in.open(f"/models/{model['id']}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all").click()
    with ZipFile(download.value.path()) as archive:
        saved = {
            name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()
        }
    assert saved == {one["name"]: one["sha256"] for one in model["files"]}
    assert download.value.suggested_filename == f"{model['name']}.zip"


@pytest.mark.parametrize(
    "path",
    ["/training/jobs", "/training/new", "/training/jobs/{job}", "/models", "/models/{model}"],
)
def test_every_page_is_accessible_and_fits(
    signed_in: SignedIn, trained: dict[str, Any], axe_source: str, path: str
) -> None:
    page = signed_in.open(path.format(job=trained["id"], model=trained["model_id"]))
    page.get_by_role("heading", level=1).wait_for()
    assert faults_in_every_look(page, axe_source) == []
