"""batch create."""

import uuid
from typing import Annotated, Any, Literal

import typer

from cli.batch_plan import BatchPlan, plan_batch
from cli.batch_watching import describe, watch_batch
from cli.commands.judgements import conversations_of
from cli.commands.judgements import judge as judge_all
from cli.errors import ExitCode, InterruptedByUserError, UsageError
from cli.invocation import Invocation, command
from cli.scaffolding import TEMPLATES, find_id
from cli.text import duration, money

app = typer.Typer()

CHOICE = "Key or id; repeat it for several, or write all."


@command(app, "create")
def create_batch(
    run: Invocation,
    *,
    name: Annotated[str, typer.Option(help="The name of the batch.")],
    persona: Annotated[list[str], typer.Option(help=CHOICE)],
    arc: Annotated[list[str], typer.Option(help=CHOICE)],
    topic: Annotated[list[str], typer.Option(help=CHOICE)],
    concurrency: Annotated[
        int, typer.Option(min=1, max=10, help="Conversations written at the same time.")
    ] = 3,
    on_error: Annotated[
        Literal["stop", "continue"],
        typer.Option(help="Whether a failed conversation stops the batch."),
    ] = "continue",
    priority: Annotated[Literal["low", "normal", "high"], typer.Option()] = "normal",
    template: Annotated[
        str | None, typer.Option(help="Id of a template; by default one is chosen for each arc.")
    ] = None,
    idempotency_key: Annotated[
        str | None,
        typer.Option(help="A request repeated with the same key returns the same batch."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the batch to its end.")] = False,
    judge: Annotated[
        bool,
        typer.Option(
            "--judge",
            help="With --watch: have the conversations judged by another model, at extra cost.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> ExitCode:
    """Create a batch: one conversation for every persona, arc and topic chosen."""
    if judge and not watch:
        raise UsageError("--judge needs --watch: only what is written can be judged.")
    plan = plan_batch(run.client, persona, arc, topic)
    if not run.as_json:
        _confirm(run, plan, concurrency, yes=yes)
    body = {
        "name": name,
        **plan.source(find_id(run.client, TEMPLATES, template)),
        "concurrentProcessing": concurrency,
        "errorHandling": on_error,
        "priority": priority,
    }
    # Always a key: a repeated request after a lost answer must not start a second batch.
    key = idempotency_key or str(uuid.uuid4())
    created = run.client.post("/api/conversations/generate-batch", body, idempotency_key=key)
    return _answer_created(run, {**created, "idempotencyKey": key}, watch=watch, judge=judge)


def _confirm(run: Invocation, plan: BatchPlan, concurrency: int, *, yes: bool) -> None:
    run.say(
        f"{len(plan.persona_ids)} personas x {len(plan.arc_ids)} arcs x "
        f"{len(plan.topic_ids)} topics = {plan.count} conversations"
    )
    run.say(
        f"Written by Claude: about {money(plan.cost_usd)}, "
        f"at most {duration(plan.longest_s(concurrency))}"
    )
    if run.session.profile.generator == "simulated":
        run.say("Simulated here: nothing is charged.")
    if not yes and not typer.confirm("Create the batch?"):
        raise InterruptedByUserError("Nothing was created.")


def _answer_created(
    run: Invocation, created: dict[str, Any], *, watch: bool, judge: bool
) -> ExitCode:
    job_id = created["jobId"]
    run.say(
        f"Batch {job_id} is {created['status']}: {created['totalItems']} conversations, "
        f"estimated by the server at {money(created['estimatedCost'])}."
    )
    if not watch:
        hint = f"Follow it with `brightrun batch watch {job_id}`."
        run.answer(created, lambda console: console.print(hint))
        return ExitCode.OK
    last = watch_batch(run.client, job_id, run.progress_console)
    judged: dict[str, Any] = {}
    if judge and (ids := conversations_of(run, job_id)):
        # Advice: whatever becomes of it, the batch's own end is the exit code.
        judged["judgements"], _ = judge_all(run, ids, None, watch=True)
    document = {**created, **last.document, **judged}
    run.answer(document, lambda console: console.print(describe(last)))
    return ExitCode.OK if last.is_success else ExitCode.JOB_NOT_SUCCESSFUL
