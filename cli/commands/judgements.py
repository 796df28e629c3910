"""conversations judge."""

import uuid
from typing import Annotated, Any

import typer

from cli.batch_conversations import conversations_of
from cli.batch_watching import describe, watch_batch
from cli.bulk_action import MOST_AT_ONCE
from cli.client import Document
from cli.errors import ExitCode, InterruptedByUserError, UsageError
from cli.invocation import Invocation, command
from cli.text import money

app = typer.Typer()


@command(app, "judge")
def judge_conversations(
    run: Invocation,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="The conversations, or --batch.")
    ] = None,
    *,
    batch: Annotated[str | None, typer.Option(help="All conversations of this batch.")] = None,
    model: Annotated[
        str | None,
        typer.Option(help="The Claude model that judges; by default the server chooses."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the jobs to their end.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> ExitCode:
    """Have conversations judged by another Claude model, for advice only; this costs money."""
    if bool(ids) == bool(batch):
        raise UsageError("Give either conversations or --batch, not both or neither.")
    wanted = ids or [one["conversation_id"] for one in conversations_of(run.client, str(batch))]
    if not wanted:
        raise UsageError("The batch has no conversations.")
    question = f"Have {len(wanted)} conversations judged by Claude, at a price for each?"
    if not yes and not run.as_json and not typer.confirm(question):
        raise InterruptedByUserError("Nothing was judged.")
    jobs, succeeded = judge(run, wanted, model, watch=watch)
    document = {"success": succeeded, "jobs": jobs}
    run.answer(document, lambda console: console.print("Read it with `conversations show`."))
    return ExitCode.OK if succeeded else ExitCode.JOB_NOT_SUCCESSFUL


def judge(
    run: Invocation, ids: list[str], model: str | None, *, watch: bool
) -> tuple[list[Document], bool]:
    """Create the jobs and follow them; return them and whether all succeeded."""
    jobs: list[Document] = []
    succeeded = True
    for begin in range(0, len(ids), MOST_AT_ONCE):
        body: dict[str, Any] = {"conversationIds": ids[begin : begin + MOST_AT_ONCE]}
        body |= {"model": model} if model else {}
        # Always a key: a repeated request after a lost answer must not pay a second time.
        job = run.client.post("/api/conversations/judge", body, idempotency_key=str(uuid.uuid4()))
        jobs.append(job)
        run.say(f"{job['message']} Estimated at {money(job['estimatedCost'])}.")
        if watch and job["jobId"]:
            last = watch_batch(run.client, job["jobId"], run.progress_console)
            run.say(describe(last))
            succeeded = succeeded and last.is_success
    return jobs, succeeded
