"""The whole product in minutes: from twelve generated conversations to a trained adapter.

It uses only what users have: the HTTP API, through the client of the command line.
"""

import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.batch_watching import LogReader, watch_batch
from cli.client import ApiClient
from cli.commands.batch_view import ITEM_COLUMNS
from cli.config import ProfileStore
from cli.render import make_console, print_conversation, table
from cli.session import sign_in_locally
from local.console import sign_in_link
from local.demo_dataset import make_dataset
from local.demo_training import train_an_adapter
from local.demo_training_file import make_training_file
from local.engine import start
from local.errors import LocalError
from local.generator import free_port_or_any
from local.instance import find_instance
from local.settings import DataFolder, Settings

if TYPE_CHECKING:
    from rich.console import Console

SELECTION = {
    "personas": ["overwhelmed_avoider", "anxious_planner", "pragmatic_optimist"],
    "emotional_arcs": ["confusion_to_clarity", "fear_to_confidence"],
    "training_topics": ["roth_ira_conversion", "student_loan_payoff"],
}
WORKERS = 3
SIMULATED_SECONDS = "1.5"
"""The simulator's latency per call in the demo, in seconds, so that progress is visible."""


def main() -> int:
    """Run the demo; returns 0 when every conversation was written, 1 otherwise."""
    console = make_console()
    began = time.monotonic()
    try:
        with running_system(console) as folder, tempfile.TemporaryDirectory() as profiles:
            session = sign_in_locally(folder.outputs, ProfileStore(Path(profiles)))
            link = sign_in_link(session.profile.api_url, folder.password)
            console.print(f"Look at it in the browser: {link}", soft_wrap=True)
            with ApiClient(session.profile.api_url, session) as client:
                summary = show_a_batch(client, console, generator_of(folder))
                job_id = summary["batch_job_id"]
                summary |= make_training_file(client, console, job_id, folder.root)
                summary |= make_dataset(client, console, summary["training_file_id"])
                summary |= train_an_adapter(client, console, summary["dataset_id"], folder.root)
            summary["api_url"] = session.profile.api_url
            summary["data_dir"] = str(folder.root)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    summary["seconds"] = round(time.monotonic() - began, 1)
    print(json.dumps(summary))
    return 0 if summary["successful"] == summary["total"] else 1


@contextmanager
def running_system(console: "Console") -> Iterator[DataFolder]:
    """Use the running system, or start one and stop it at the end."""
    settings = Settings.from_environment()
    folder = DataFolder(settings.data_dir)
    if find_instance(folder.lock) is not None:
        console.print("Using the system that is already up.")
        yield folder
        return
    console.print("Starting the deployed templates on this machine...")
    environ = {"BRIGHTRUN_SIMULATOR_LATENCY": SIMULATED_SECONDS, **os.environ}
    system = start(port=free_port_or_any(settings.port), environ=environ)
    try:
        yield system.folder
    finally:
        system.stop()


def generator_of(folder: DataFolder) -> str:
    """Return the generator: "claude", or "simulated" without an API key."""
    return str(json.loads(folder.outputs.read_text())["Local"]["generator"])


def show_a_batch(client: ApiClient, console: "Console", generator: str) -> dict[str, Any]:
    """Create a batch, follow it and show its results."""
    if generator == "simulated":
        console.print(
            "[bold]No ANTHROPIC_API_KEY is set: the Claude simulator writes the conversations. "
            "They are marked as simulated and cost nothing.[/bold]"
        )
    console.print(
        f"Personas x arcs x topics: {' x '.join(str(len(v)) for v in SELECTION.values())}"
    )
    created = client.post(
        "/api/conversations/generate-batch",
        {"name": "Demo", "selection": SELECTION, "concurrentProcessing": WORKERS},
        idempotency_key=str(uuid.uuid4()),
    )
    job_id = created["jobId"]
    console.print(f"Batch {job_id} accepted: {created['totalItems']} conversations.")
    status = watch_batch(client, job_id, console)
    show_results(client, console, job_id)
    return {
        "batch_job_id": job_id,
        "status": status.status,
        "total": status.total,
        "successful": status.successful,
        "failed": status.failed,
        "seconds": 0.0,
        "generator": generator,
    }


def show_results(client: ApiClient, console: "Console", job_id: str) -> None:
    """Show the items, the first conversation in full, and the log."""
    items = client.get(f"/api/conversations/batch/{job_id}/items", {"limit": 100})["items"]
    console.print(table(items, ITEM_COLUMNS, width=console.width))
    written: list[Mapping[str, Any]] = [item for item in items if item["conversation_id"]]
    if written:
        path = f"/api/conversations/{written[0]['conversation_id']}"
        answer = client.get(path, {"includeTurns": "true"})
        print_conversation(console, answer["conversation"], answer["turns"])
    console.rule("log.txt")
    for line in LogReader(client, job_id).new_lines():
        console.print(line, markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
