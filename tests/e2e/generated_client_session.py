"""What a program does with the generated client: run in the client's own environment.

    python generated_client_session.py API_URL < token

The package `brightrun_client` is on PYTHONPATH. Prints one JSON object of what it was answered.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from typing import Any

GIVE_UP_S = 60.0
FINAL = {"completed", "failed", "cancelled"}


class Session:
    """Operations by tag and name, as their modules are called."""

    def __init__(self, api_url: str, token: str) -> None:
        package = import_module("brightrun_client")
        self._client = package.AuthenticatedClient(
            base_url=api_url, token=token, raise_on_unexpected_status=True
        )
        self.models = import_module("brightrun_client.models")

    def answer(self, operation: str, *path: str, **arguments: Any) -> Any:
        """The whole response of an operation, such as `batches.show_batch_job`."""
        module = import_module(f"brightrun_client.api.{operation}")
        return module.sync_detailed(*path, client=self._client, **arguments)

    def ask(self, operation: str, *path: str, **arguments: Any) -> Any:
        """The parsed body of a success."""
        answer = self.answer(operation, *path, **arguments)
        assert answer.status_code < 300, answer.content
        return answer.parsed


def ordered(session: Session) -> str:
    """Order two conversations of what the scaffolding lists; the job's id."""
    models = session.models
    arcs = session.ask("scaffolding.list_emotional_arcs").emotional_arcs
    topics = session.ask("scaffolding.list_training_topics").training_topics
    personas = session.ask("scaffolding.list_personas").personas
    body = models.BatchBody(
        name="Generated client",
        parameter_sets=[
            models.RequestedSet(
                parameters=models.SetParameters(
                    persona_id=persona.persona_key,
                    emotional_arc_id=arcs[0].arc_key,
                    training_topic_id=topics[0].topic_key,
                )
            )
            for persona in personas[:2]
        ],
    )
    key = "generated-client-1"
    first = session.ask("generation.generate_batch", body=body, idempotency_key=key)
    again = session.ask("generation.generate_batch", body=body, idempotency_key=key)
    assert first.job_id == again.job_id
    return str(first.job_id)


def followed(session: Session, job_id: str) -> Any:
    """Poll with the last ETag until the job has ended; its status."""
    etag: dict[str, str] = {}
    deadline = time.monotonic() + GIVE_UP_S
    while time.monotonic() < deadline:
        answer = session.answer("batches.show_batch_status", job_id, **etag)
        if answer.status_code == 200:
            status = answer.parsed
            etag = {"if_none_match": answer.headers["etag"]}
            if status.status in FINAL:
                return status
        time.sleep(0.2)
    raise TimeoutError(job_id)


def main() -> None:
    """Do it, and print what the test compares."""
    session = Session(sys.argv[1], sys.stdin.read().strip())
    job_id = ordered(session)
    status = followed(session, job_id)
    seen = session.answer("batches.show_batch_status", job_id)
    unchanged = session.answer(
        "batches.show_batch_status", job_id, if_none_match=seen.headers["etag"]
    )
    listed = session.ask("conversations.list_conversations", batch_job_id=job_id)
    costs = session.ask("costs.show_costs", period=session.models.ShowCostsPeriod.WEEK).data
    missing = session.answer("conversations.show_conversation", "no-such-conversation")
    report = {
        "job_id": job_id,
        "status": status.status,
        "cost_usd": status.cost_usd,
        "unchanged": [unchanged.status_code, unchanged.content.decode()],
        "conversations": [one.conversation_id for one in listed.conversations],
        "simulated_cost": costs.simulated_cost,
        "cost_records": [
            [one.job_id, one.cost_type, one.amount, one.simulated] for one in costs.records
        ],
        "missing": [missing.status_code, missing.parsed.code],
    }
    print(json.dumps(report))  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main()
