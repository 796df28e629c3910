"""The `brightrun` command: its groups, and the reporting of arguments that do not parse."""

import json
from typing import Any

import typer
from typer.core import TyperGroup

from cli.commands import (
    account,
    batch_control,
    batch_create,
    batch_view,
    consultant,
    conversations,
    convert,
    costs,
    coverage,
    datasets,
    deletion,
    doctor,
    domain,
    estimate,
    failures,
    generate,
    import_files,
    jobs,
    judgements,
    logs,
    models,
    notifications,
    preferences,
    quality,
    receipt,
    reviews,
    scaffolding,
    template_preview,
    train,
    training_files,
    validate,
)
from cli.errors import UsageError
from cli.scaffolding import ARCS, PERSONAS, TEMPLATES, TOPICS

EXIT_CODES = """Exit codes: 0 done; 1 the batch, conversation or training job ended failed, partly
failed, cancelled or paused, a file is not ready or not trainable, an import was refused in part, a
dry run found something missing, or an action about many left some out;
2 wrong usage, or no training file; 3 not signed in; 4 not found; 5 refused by the server;
6 server or network trouble, throttling included; 130 interrupted or declined."""


class JsonAwareGroup(TyperGroup):
    """Reports arguments that do not parse as JSON, if --json is among them."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command named by the arguments."""
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except typer.TyperException as error:
            if not as_json:
                raise
            failure = UsageError(error.format_message())
            typer.echo(json.dumps(failure.document(), ensure_ascii=False), err=True)
            raise typer.Exit(failure.exit_code) from error


def build_app() -> typer.Typer:
    """Assemble the groups of commands."""
    app = typer.Typer(
        cls=JsonAwareGroup,
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,  # a traceback must not print tokens
        help="Plan, write, check and fetch training conversations, on a local or deployed system. "
        "Begin with `brightrun login --local`, or `brightrun configure` and `brightrun login`.",
        epilog=EXIT_CODES,
    )
    offline = (convert.app, validate.app, receipt.app, estimate.app)
    for part in (
        account.app,
        doctor.app,
        scaffolding.compatibility_app,
        generate.app,
        import_files.app,
        train.app,
        costs.app,
        *offline,
    ):
        app.add_typer(part)
    batch = typer.Typer(help="The batches: create, watch, inspect, control.")
    for part in (batch_create.app, batch_view.app, batch_control.app):
        batch.add_typer(part)
    app.add_typer(batch, name="batch")
    kept = typer.Typer(help="The conversations: list, show, review, edit, enrich, download.")
    parts = (conversations, reviews, deletion, quality, coverage, preferences, judgements)
    for module in parts:
        kept.add_typer(module.app)
    app.add_typer(kept, name="conversations")
    app.add_typer(training_files.app, name="training-files")
    app.add_typer(datasets.app, name="dataset")
    app.add_typer(jobs.app, name="job")
    app.add_typer(models.app, name="model")
    app.add_typer(notifications.app, name="notifications")
    app.add_typer(failures.app, name="failures")
    app.add_typer(logs.app, name="logs")
    kinds = {"personas": PERSONAS, "arcs": ARCS, "topics": TOPICS, "templates": TEMPLATES}
    for name, kind in kinds.items():
        commands = scaffolding.kind_app(kind)
        if kind is TEMPLATES:
            template_preview.add_preview(commands)
        app.add_typer(commands, name=name)
    app.add_typer(consultant.app, name="consultant")
    app.add_typer(domain.app, name="domain")
    return app


def main() -> None:
    """Run the `brightrun` command."""
    build_app()()
