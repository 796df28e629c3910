"""From a file on this computer to a dataset that a model can be trained on, in the browser."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, Request, expect

from brightrun.catalog.base_models import default_base_model
from brightrun.datasets.model import PART_BYTES
from cli.dataset_upload import wait_until_validated
from cli.upload import send_file
from tests.console.accessibility import faults_in_every_look
from tests.console.conftest import SignedIn
from tests.e2e.conftest import Installation
from tests.fakes.tokenizer import tokenizer_files

pytestmark = pytest.mark.slow
HOSTILE = "<img src=x onerror=alert(1)> \u202eevil $x^2$"


def row(number: int, answer: str = "") -> str:
    messages = [
        {"role": "user", "content": f"What of account {number}?"},
        {"role": "assistant", "content": answer or f"Look at statement {number} first."},
    ]
    return json.dumps({"messages": messages}, ensure_ascii=False)


def write(path: Path, rows: Sequence[str]) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return write(tmp_path / "sound.jsonl", [row(number) for number in range(24)])


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    rows = [row(number) for number in range(24)]
    rows[3] = rows[3][:-2]
    rows[7] = rows[11] = json.dumps({"messages": [{"role": HOSTILE, "content": "a"}]})
    return write(tmp_path / "broken.jsonl", rows)


def dataset_of(system: Installation, path: Path) -> str:
    """Upload a file over the API, and wait for the outcome."""
    body = {"name": path.stem, "file_name": path.name, "file_size": path.stat().st_size}
    created = system.client.post("/api/datasets", {**body, "format": "auto"})["data"]
    dataset_id = str(created["dataset"]["id"])
    send_file(system.client, dataset_id, created["upload"], path, lambda _: None)
    system.client.post(f"/api/datasets/{dataset_id}/confirm")
    wait_until_validated(system.client, dataset_id)
    return dataset_id


def shown(system: Installation, dataset_id: str) -> dict[str, Any]:
    dataset: dict[str, Any] = system.client.get(f"/api/datasets/{dataset_id}")["data"]
    return dataset


def choose(page: Page, path: Path) -> None:
    page.get_by_label(re.compile("^Drop files here")).set_input_files(path)


def open_newest(page: Page, name: str) -> str:
    """Open a dataset from the list; gives its id."""
    page.get_by_role("link", name=name, exact=True).first.click()
    page.get_by_role("heading", name=name, level=1).wait_for()
    return page.url.rpartition("/")[2]


def test_a_chosen_file_becomes_a_dataset_that_is_ready(
    signed_in: SignedIn, system: Installation, sound: Path
) -> None:
    page = signed_in.open("/datasets")
    choose(page, sound)
    dataset_id = open_newest(page, "sound")
    page.get_by_text("A model can be trained on it: 24 answers").wait_for()
    page.get_by_role("heading", name="Statistics").wait_for()
    page.get_by_text("What of account 0?").wait_for()
    dataset = shown(system, dataset_id)
    assert (dataset["status"], dataset["format"]) == ("ready", "messages")
    assert dataset["file_size"] == sound.stat().st_size


def test_files_are_dropped_on_the_page(
    signed_in: SignedIn, system: Installation, sound: Path
) -> None:
    page = signed_in.open("/datasets")
    dropped = page.evaluate_handle(
        """text => {
            const data = new DataTransfer();
            data.items.add(new File([text], "dropped.jsonl"));
            data.items.add(new File([], "empty.jsonl"));
            return data;
        }""",
        sound.read_text(),
    )
    zone = page.get_by_text("Drop files here")
    zone.dispatch_event("drop", {"dataTransfer": dropped})
    page.get_by_text("empty.jsonl is empty.").wait_for()
    open_newest(page, "dropped")
    page.get_by_text("A model can be trained on it").wait_for()


def test_problems_are_told_by_code_down_to_the_column_with_the_text(
    signed_in: SignedIn, broken: Path
) -> None:
    page = signed_in.open("/datasets")
    choose(page, broken)
    open_newest(page, "broken")
    page.get_by_text("Not ready: no model can be trained on it").wait_for()
    whole = broken.read_text().split("\n")
    page.get_by_text(f"Line 4, column {len(whole[3]) + 1}").wait_for()
    unknown = page.locator("details", has_text="unknown role")
    unknown.get_by_text("2 times").wait_for()
    # This tab has sent the file, and shows what stands there: as letters.
    expect(unknown.locator("mark")).to_have_text([json.dumps(HOSTILE, ensure_ascii=False)] * 2)
    assert page.locator("img[src=x]").count() == 0


def test_the_text_of_problems_is_read_from_a_file_of_this_computer(
    signed_in: SignedIn, system: Installation, broken: Path, sound: Path
) -> None:
    dataset_id = dataset_of(system, broken)
    page = signed_in.open(f"/datasets/{dataset_id}")
    source = page.get_by_label(re.compile("^To see the text"))
    source.set_input_files(sound)
    page.get_by_text("sound.jsonl is not the file of this dataset").wait_for()
    source.set_input_files(broken)
    page.locator("details", has_text="unknown role").locator("mark").first.wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the report").click()
    assert json.loads(download.value.path().read_text())["error_count"] == 3


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of two parts."""
    filler = "long enough to need parts " * 2_000
    path = write(tmp_path / "large.jsonl", [row(n, f"Answer {n}: {filler}") for n in range(330)])
    assert PART_BYTES < path.stat().st_size < 2 * PART_BYTES
    return path


def parts_sent(page: Page) -> list[str]:
    """The numbers of the parts that the page sends from now on, as they arrive."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if found := re.search(r"[?&]partNumber=(\d)", request.url):
            sent.append(found[1])

    page.on("requestfinished", note)
    return sent


def test_a_large_file_is_sent_in_parts(
    signed_in: SignedIn, system: Installation, large: Path
) -> None:
    page = signed_in.open("/datasets")
    sent = parts_sent(page)
    choose(page, large)
    dataset_id = open_newest(page, "large")
    page.get_by_text("A model can be trained on it: 330 answers").wait_for(timeout=40_000)
    assert sorted(sent) == ["1", "2"]
    digest = hashlib.sha256(large.read_bytes()).hexdigest()
    assert shown(system, dataset_id)["sha256"] == digest


def test_an_interrupted_upload_goes_on_with_what_is_missing(
    signed_in: SignedIn, system: Installation, large: Path, tmp_path: Path
) -> None:
    body = {"name": "begun", "file_name": large.name, "file_size": large.stat().st_size}
    created = system.client.post("/api/datasets", body | {"multipart": True})["data"]
    first, _ = created["upload"]["parts"]
    with large.open("rb") as file:
        httpx2.put(first["url"], content=file.read(PART_BYTES)).raise_for_status()
    page = signed_in.open(f"/datasets/{created['dataset']['id']}")
    page.get_by_text("1 of 2 parts are there.").wait_for()
    sent = parts_sent(page)
    again = page.get_by_label("Choose large.jsonl to go on")
    again.set_input_files(write(tmp_path / "other.jsonl", [row(1)]))
    page.get_by_text("but the interrupted upload is of a file of").wait_for()
    again.set_input_files(large)
    page.get_by_text("A model can be trained on it: 330 answers").wait_for(timeout=40_000)
    assert sent == ["2"]


@pytest.fixture(scope="module")
def tokenizer(system: Installation) -> None:
    """The tokenizer of the default base model, where an operator puts it."""
    s3, prefix = system.aws("s3"), default_base_model().object_prefix
    names = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    bucket = next(name for name in names if "basemodels" in name)
    for name, content in tokenizer_files().items():
        s3.put_object(Bucket=bucket, Key=f"{prefix}{name}", Body=content)


@pytest.mark.usefixtures("tokenizer")
def test_the_receipt_marks_what_is_learned(
    signed_in: SignedIn, system: Installation, sound: Path
) -> None:
    page = signed_in.open(f"/datasets/{dataset_of(system, sound)}")
    page.get_by_label("Rows shown").fill("2")
    page.get_by_role("button", name="Count").click()
    rows = page.get_by_role("list", name="Rows as the model sees them").get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(rows.first.locator("mark")).to_have_text(["Look at statement 0 first.<|im_end|>"])
    expect(rows.first).to_contain_text("What of account 0?")


def test_a_model_without_its_tokenizer_says_what_to_do(
    signed_in: SignedIn, system: Installation, sound: Path
) -> None:
    page = signed_in.open(f"/datasets/{dataset_of(system, sound)}")
    models = page.get_by_label("Base model")
    models.locator("option").nth(1).wait_for(state="attached")
    others = [
        key for key in models.locator("option").all_inner_texts() if key != default_base_model().key
    ]
    models.select_option(others[0])
    page.get_by_role("button", name="Count").click()
    page.get_by_text("This cannot be counted").wait_for()
    page.get_by_text("an operator uploads the tokenizer").wait_for()
    # The browser tells of the refused request; nothing else is wrong with the page.
    signed_in.faults = [one for one in signed_in.faults if "status of" not in one]


def test_deleting_names_what_goes_and_what_stays(
    signed_in: SignedIn, system: Installation, sound: Path
) -> None:
    dataset_id = dataset_of(system, sound)
    page = signed_in.open(f"/datasets/{dataset_id}")
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Models that were trained on it stay").wait_for()
    dialog.get_by_role("button", name="Delete for good").click()
    page.get_by_text("Deleted: sound").wait_for()
    listed = system.client.get("/api/datasets", {"limit": 100})["data"]["datasets"]
    assert dataset_id not in {one["id"] for one in listed}


def test_the_filter_is_held_in_the_address(
    signed_in: SignedIn, system: Installation, sound: Path, broken: Path
) -> None:
    dataset_of(system, sound)
    dataset_of(system, broken)
    page = signed_in.open("/datasets")
    page.get_by_label("Status").select_option("error")
    page.wait_for_url("**/datasets?status=error")
    page.get_by_role("table").get_by_text("not ready").first.wait_for()
    page.reload()
    page.get_by_role("link", name="broken", exact=True).first.wait_for()
    assert page.get_by_role("link", name="sound", exact=True).count() == 0


@pytest.fixture(scope="module")
def kinds(system: Installation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A dataset in each state that a page looks different in, by its place in an address."""
    folder = tmp_path_factory.mktemp("kinds")
    sound = write(folder / "sound.jsonl", [row(number) for number in range(24)])
    broken = write(folder / "broken.jsonl", [row(1)[:-2], row(2), row(2)])
    waiting = {"name": "waiting", "file_name": "waiting.jsonl", "file_size": 100}
    created = system.client.post("/api/datasets", {**waiting, "format": "auto"})["data"]
    return {
        "list": "",
        "ready": "/" + dataset_of(system, sound),
        "not ready": "/" + dataset_of(system, broken),
        "waiting": "/" + created["dataset"]["id"],
    }


@pytest.mark.usefixtures("tokenizer")
def test_every_page_is_accessible_and_fits(
    signed_in: SignedIn, kinds: dict[str, str], axe_source: str
) -> None:
    for kind, place in kinds.items():
        page = signed_in.open(f"/datasets{place}")
        page.get_by_role("heading", level=1).wait_for()
        if kind == "ready":
            page.get_by_role("button", name="Count").click()
            page.get_by_role("list", name="Rows as the model sees them").wait_for()
        assert faults_in_every_look(page, axe_source) == [], kind
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").wait_for()
    assert faults_in_every_look(page, axe_source) == []
