"""batch create: a plan to look at, a sample to read first, or the whole batch."""

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.batch_conversations import (
    conversations_of,
    quality_report,
    read_conversation,
    show_conversations,
    show_quality_report,
)
from cli.batch_plan import (
    CREATE,
    PLANNED,
    BatchOptions,
    combinations_of,
    preview_batch,
    require_complete,
    show_preview,
)
from cli.batch_watching import BatchStatus, describe, watch_batch
from cli.client import Document
from cli.commands.judgements import judge as judge_all
from cli.errors import ExitCode, InterruptedByUserError, UsageError
from cli.invocation import Invocation, command
from cli.render import table
from cli.text import money, number

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a batch is created: what happens before, and what afterwards."""

    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan and its price; create nothing.")
    ] = False
    sample: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            help="Write so many first, spread over personas, arcs and topics, and show them; then "
            "ask to go on with the rest.",
        ),
    ] = None
    rest_of: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Leave out the combinations of this batch: the sample's."),
    ] = None
    idempotency_key: Annotated[
        str | None,
        typer.Option(help="A request repeated with the same key returns the same batch."),
    ] = None
    watch: Annotated[bool, typer.Option("--watch", help="Follow the batch to its end.")] = False
    judge: Annotated[
        bool,
        typer.Option(
            "--judge",
            help="With --watch: have the conversations judged by another model, at extra cost.",
        ),
    ] = False
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False

    def require_sensible(self) -> None:
        """Raise UsageError for options that contradict each other."""
        if self.judge and not self.watch:
            raise UsageError("--judge needs --watch: only what is written can be judged.")
        if self.sample and self.rest_of:
            raise UsageError("--rest-of goes on after a sample; give it without --sample.")

    def key(self, part: str = "") -> str:
        """The Idempotency-Key; always one, as a repeated request must not start a second batch."""
        given = self.idempotency_key or str(uuid.uuid4())
        return f"{given}-{part}" if part else given


@command(app, "create")
def create_batch(run: Invocation, *, options: BatchOptions, manner: Manner) -> ExitCode:
    """Create a batch: one conversation for every persona, arc and topic chosen."""
    manner.require_sensible()
    options = options.from_now()
    excluded = combinations_of(run.client, manner.rest_of) if manner.rest_of else []
    request = options.request(**({"exclude": excluded} if excluded else {}))
    if manner.dry_run:
        return _answer_plan(run, request, options, manner)
    preview = _agreed_plan(run, request) if not run.as_json or manner.sample else None
    if manner.sample and preview and manner.sample < preview["totalItems"]:
        return _SampledBatch(run, options, manner, preview).create()
    if not manner.yes and not run.as_json and not typer.confirm("Create the batch?"):
        raise InterruptedByUserError("Nothing was created.")
    return _create(run, request, manner)


def _agreed_plan(run: Invocation, request: Document) -> Document:
    """Show the plan before anything is asked; raises an error that names all that is missing."""
    preview = preview_batch(run.client, request)
    require_complete(preview)
    if not run.as_json:
        show_preview(run.console, preview)
    _say_what_is_charged(run)
    return preview


def _say_what_is_charged(run: Invocation) -> None:
    if run.session.profile.generator == "simulated":
        run.say("Simulated here: nothing is charged.")


def _answer_plan(
    run: Invocation, request: Document, options: BatchOptions, manner: Manner
) -> ExitCode:
    preview = preview_batch(run.client, request)
    if manner.sample:
        sample = preview_batch(run.client, options.request(sample=manner.sample))
        preview = {**preview, "sample": sample["items"]}

    def show(console: "Console") -> None:
        show_preview(console, preview)
        if "sample" in preview:
            console.print(f"The sample of {number(len(preview['sample']))}:")
            console.print(table(preview["sample"], PLANNED, width=console.width))

    run.answer(preview, show)
    _say_what_is_charged(run)
    run.say("A dry run: nothing was created.")
    return ExitCode.JOB_NOT_SUCCESSFUL if preview["problems"] else ExitCode.OK


def _create(run: Invocation, request: Document, manner: Manner) -> ExitCode:
    key = manner.key()
    created = run.client.post(CREATE, request, idempotency_key=key)
    return _answer_created(run, {**created, "idempotencyKey": key}, manner)


def _answer_created(run: Invocation, created: dict[str, Any], manner: Manner) -> ExitCode:
    job_id = created["jobId"]
    run.say(f"Batch {job_id} is {created['status']}: {number(created['totalItems'])} conversations")
    if not manner.watch:
        hint = f"Follow it with `brightrun batch watch {job_id}`."
        run.answer(created, lambda console: console.print(hint))
        return ExitCode.OK
    last = watch_batch(run.client, job_id, run.progress_console)
    document = {**created, **last.document, "quality": quality_report(run.client, job_id)}
    ids = [one["conversation_id"] for one in conversations_of(run.client, job_id)]
    if manner.judge and ids:
        # Advice: whatever becomes of it, the batch's own end is the exit code.
        document["judgements"], _ = judge_all(run, ids, None, watch=True)

    def show(console: "Console") -> None:
        console.print(describe(last))
        show_quality_report(console, document["quality"])

    run.answer(document, show)
    return ExitCode.OK if last.is_success else ExitCode.JOB_NOT_SUCCESSFUL


@dataclass(frozen=True)
class _SampledBatch:
    """A batch that is written in two jobs: a sample to read, and the rest."""

    run: Invocation
    options: BatchOptions
    manner: Manner
    preview: Document

    def create(self) -> ExitCode:
        """Write the sample, show it, ask, and create the rest.

        Whatever ends this early, the sample stays, and the command to go on is printed. Under
        --json the rest is created only with --yes, since nothing is asked.
        """
        run, manner = self.run, self.manner
        question = f"Write a sample of {manner.sample} first?"
        if not manner.yes and not run.as_json and not typer.confirm(question):
            raise InterruptedByUserError("Nothing was created.")
        request = {
            **self.options.request(sample=manner.sample),
            "name": f"{self.options.name} (sample)",
        }
        created = run.client.post(CREATE, request, idempotency_key=manner.key("sample"))
        job_id = created["jobId"]
        go_on = self.options.command("--rest-of", job_id)
        try:
            last = watch_batch(run.client, job_id, run.progress_console)
            document = self._shown(last, go_on)
            self._ask(last)
        except InterruptedByUserError as error:
            error.hint = f"The sample stays. {error.hint or ''} Go on with the rest:\n{go_on}"
            raise
        if not last.successful or (run.as_json and not manner.yes):
            return self._stopped(last, document, go_on)
        rest = self.options.request(exclude=combinations_of(run.client, job_id))
        if run.as_json:
            return self._answer_both(rest, document)
        return _create(run, rest, manner)

    def _shown(self, last: BatchStatus, go_on: str) -> Document:
        """Read the sample's conversations, and show them in full."""
        client = self.run.client
        found = conversations_of(client, last.job_id)
        answers = [read_conversation(client, one["conversation_id"], turns=True) for one in found]
        if not self.run.as_json:
            show_conversations(self.run.console, answers)
        self.run.say(f"Sample {last.job_id}: {describe(last)}")
        return {**last.document, "conversations": answers, "go_on": go_on}

    def _ask(self, last: BatchStatus) -> None:
        if self.manner.yes or self.run.as_json or not last.successful:
            return
        share = 1 - last.total / self.preview["totalItems"]
        rest = number(self.preview["totalItems"] - last.total)
        price = money(self.preview["estimatedCost"]["p50"] * share)
        if not typer.confirm(f"Go on with the other {rest}, for about {price}?"):
            raise InterruptedByUserError("The rest was not created.")

    def _stopped(self, last: BatchStatus, document: Document, go_on: str) -> ExitCode:
        answer = {"success": last.is_success, "sample": document, "rest": None}
        self.run.answer(answer, lambda console: console.print(f"Go on with the rest:\n{go_on}"))
        return ExitCode.OK if last.is_success else ExitCode.JOB_NOT_SUCCESSFUL

    def _answer_both(self, rest: Document, document: Document) -> ExitCode:
        """Create the rest, and answer with one document for both jobs."""
        run, manner = self.run, self.manner
        created = run.client.post(CREATE, rest, idempotency_key=manner.key())
        succeeded = True
        if manner.watch:
            last = watch_batch(run.client, created["jobId"], run.progress_console)
            created, succeeded = {**created, **last.document}, last.is_success
        run.answer({"success": succeeded, "sample": document, "rest": created}, lambda _: None)
        return ExitCode.OK if succeeded else ExitCode.JOB_NOT_SUCCESSFUL
