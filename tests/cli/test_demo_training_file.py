"""The demo's second half, against the fake system."""

from pathlib import Path
from typing import Any

import pytest

from cli.client import ApiClient
from cli.config import ProfileStore, config_dir
from cli.render import make_console
from cli.session import Session
from local import demo_training_file as demo
from local.errors import LocalError
from tests.cli.fake_routes import CONVERSATIONS, TRAINING_FILE, serve_list
from tests.cli.fake_system import FakeSystem

pytestmark = pytest.mark.usefixtures("signed_in")


def serve(system: FakeSystem, **changes: Any) -> None:
    good = {"quality_score": 4.2, "flags": [], "enrichment_status": "completed"}
    rows = [{**CONVERSATIONS[0], "conversation_id": f"c-{number}", **good} for number in (1, 2)]
    rows[1] |= changes
    serve_list(system, "/api/conversations", "conversations", rows)
    system.route("PATCH", "/api/conversations/c-[12]/status", lambda _, __: {"success": True})


def run_it(folder: Path) -> dict[str, Any]:
    store = ProfileStore(config_dir())
    session = Session(store.load(store.current_name), store)
    with ApiClient(session.profile.api_url, session) as client:
        return demo.make_training_file(client, make_console(), "job-1", folder)


def test_the_last_line_tells_of_the_file_and_the_file_is_there(
    system: FakeSystem, tmp_path: Path
) -> None:
    serve(system)
    summary = run_it(tmp_path)
    path = Path(summary.pop("jsonl_path"))
    assert path.read_text() == "jsonl"
    assert path.parent == tmp_path.resolve()
    assert summary == {
        "training_file_id": TRAINING_FILE,
        "conversations_in_file": 2,
        "training_pairs": 16,
        "trainable_pairs": 8,
    }


@pytest.mark.parametrize(
    "changes",
    [{"quality_score": 3.4}, {"quality_score": None}, {"flags": ["crisis_content"]}],
)
def test_what_does_not_pass_the_rule_is_left_out(
    system: FakeSystem, tmp_path: Path, changes: dict[str, Any]
) -> None:
    serve(system, **changes)
    run_it(tmp_path)
    made = system.sent("POST", "/api/training-files")[0].body
    assert (made["conversation_ids"], made["eligibility"]) == (["c-1"], "approved")
    decided = system.sent("PATCH", "/api/conversations/c-1/status")[0].body
    assert decided["status"] == "approved"
    assert "rule" in decided["review_notes"]
    assert system.sent("PATCH", "/api/conversations/c-2/status") == []


def test_a_batch_that_is_never_enriched_is_told(
    system: FakeSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "ENRICHED_WITHIN_S", 0.01)
    monkeypatch.setattr(demo, "POLL_S", 0.02)
    serve(system, enrichment_status="not_started")
    with pytest.raises(LocalError, match="was not enriched"):
        run_it(tmp_path)
