"""receipt: what a base model will see of a training file, counted offline by the trainer's code."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import ExitCode, UsageError
from cli.invocation import Invocation, command
from cli.private_files import explained
from cli.receipt_display import show_receipt
from cli.template_options import TemplateDate, TemplateVariables, template_settings

if TYPE_CHECKING:
    from brightrun.sft.receipt import Receipt
    from brightrun.sft.settings import DatasetSettings

app = typer.Typer()

Tokenizer = Annotated[
    Path,
    typer.Option(
        "--tokenizer",
        metavar="DIR",
        help="A base model's folder: tokenizer.json, tokenizer_config.json, chat_template.jinja.",
    ),
]


@command(app, "receipt")
def receipt(
    run: Invocation,
    *,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL: v4, messages or turns.")],
    tokenizer: Tokenizer,
    max_seq_length: Annotated[
        int, typer.Option(min=32, help="Maximum tokens of one sequence.")
    ] = 4096,
    epochs: Annotated[int, typer.Option(min=1, max=100)] = 3,
    batch_size: Annotated[int, typer.Option(min=1, max=4096, help="Pairs per step.")] = 16,
    merge: Annotated[
        bool,
        typer.Option(
            help="Train the pairs of a conversation in one sequence where that saves tokens."
        ),
    ] = True,
    validation_fraction: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of conversations held out for validation.")
    ] = 0.1,
    seed: Annotated[int, typer.Option(min=0)] = 42,
    split: Annotated[
        Path | None, typer.Option(help="A split.json that lists the conversations held out.")
    ] = None,
    template_variables: TemplateVariables = None,
    template_date: TemplateDate = None,
    rows: Annotated[int, typer.Option(min=0, max=100, help="How many rows to show.")] = 3,
) -> ExitCode:
    """Count what a model will see of a file.

    Every row is counted, offline, with the code of the trainer. Exits 0 if the file is trainable,
    1 if the trainer would refuse it, 2 if it cannot be read.
    """
    from brightrun.sft.settings import DatasetSettings

    settings = DatasetSettings(
        max_seq_length=max_seq_length,
        epochs=epochs,
        batch_size=batch_size,
        prefix_merge="auto" if merge else "off",
        validation_fraction=validation_fraction,
        seed=seed,
        **template_settings(template_variables, template_date),
    )
    counted = _count(source, tokenizer, split, settings, rows)
    document = _document(source, counted)
    run.answer(document, lambda console: show_receipt(console, document))
    return ExitCode.JOB_NOT_SUCCESSFUL if counted.refusal else ExitCode.OK


def _count(
    source: Path, tokenizer: Path, split: Path | None, settings: "DatasetSettings", rows: int
) -> "Receipt":
    from brightrun.sft.errors import DatasetError, ModelError
    from brightrun.sft.make_receipt import make_receipt
    from brightrun.sft.splits import read_split
    from brightrun.sft.tokenizer import OfflineTokenizer

    try:
        with explained("read", source), source.open("rb") as stream:
            return make_receipt(
                stream,
                OfflineTokenizer(tokenizer),
                settings,
                name=source.name,
                split=read_split(_text(split)) if split else None,
                rows_shown=rows,
            )
    except DatasetError as error:
        hint = f"`brightrun validate {source}` lists all that is wrong; `brightrun convert` makes "
        raise UsageError(str(error), hint=f"{hint}messages of other formats.") from error
    except ModelError as error:
        raise UsageError(f"--tokenizer {tokenizer}: {error}") from error


def _text(path: Path) -> bytes:
    with explained("read", path):
        return path.read_bytes()


def _document(source: Path, counted: "Receipt") -> dict[str, Any]:
    import msgspec

    said: dict[str, Any] = msgspec.to_builtins(counted)
    return {"success": counted.refusal is None, "file": str(source), **said}
