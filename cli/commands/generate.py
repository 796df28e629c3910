"""generate: one conversation."""

import uuid
from typing import Annotated, Any

import typer

from cli.batch_watching import BatchStatus, watch_batch
from cli.client import Document, segment
from cli.errors import ExitCode
from cli.invocation import Invocation, command
from cli.text import plain

app = typer.Typer()


@command(app, "generate")
def generate(
    run: Invocation,
    *,
    persona: Annotated[str, typer.Option(help="Key or id.")],
    arc: Annotated[str, typer.Option(help="Key or id.")],
    topic: Annotated[str, typer.Option(help="Key or id.")],
    template: Annotated[
        str | None, typer.Option(help="Id of a template; by default one is chosen for the arc.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option(help="Key of a domain; by default financial_planning.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Write in this language, such as de; by default en.")
    ] = None,
    idempotency_key: Annotated[
        str | None,
        typer.Option(help="A request repeated with the same key returns the same conversation."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is written.")] = False,
) -> ExitCode:
    """Write one conversation."""
    body: dict[str, Any] = {
        "persona_id": persona,
        "emotional_arc_id": arc,
        "training_topic_id": topic,
    }
    optional = {"template_id": template, "domain": domain, "language": language}
    body |= {name: value for name, value in optional.items() if value}
    # Always a key: a repeated request after a lost answer must not be paid for twice.
    key = idempotency_key or str(uuid.uuid4())
    path = "/api/conversations/generate-with-scaffolding"
    started = run.client.post(path, body, idempotency_key=key)
    conversation, job_id = started["conversation_id"], started["jobId"]
    if not wait:
        hint = f"Conversation {conversation} is {started['status']} as batch {job_id}."
        run.answer(started, lambda console: console.print(hint))
        return ExitCode.OK
    last = watch_batch(run.client, job_id, run.progress_console)
    return _answer_outcome(run, started, last)


def _answer_outcome(run: Invocation, started: Document, last: BatchStatus) -> ExitCode:
    document = {**started, **last.document}
    if last.is_success:
        hint = f"Read it with `brightrun conversations show {started['conversation_id']}`."
        run.answer(document, lambda console: console.print(hint))
        return ExitCode.OK
    items = run.client.get(f"/api/conversations/batch/{segment(last.job_id)}/items")["items"]
    reasons = [item["error_message"] for item in items if item["error_message"]]
    document["error_messages"] = reasons
    sentence = f"Not written ({last.status}): {'; '.join(reasons) or 'no reason is recorded'}"
    run.answer(document, lambda console: console.print(plain(sentence)))
    return ExitCode.JOB_NOT_SUCCESSFUL
