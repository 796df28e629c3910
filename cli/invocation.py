"""What every command shares: profile, client, output and error handling."""

import inspect
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, get_type_hints

import typer

from cli.config import ProfileStore, config_dir
from cli.errors import CliError, InterruptedByUserError
from cli.render import make_console
from cli.text import plain

if TYPE_CHECKING:
    from rich.console import Console

    from cli.client import ApiClient, Document
    from cli.session import Session

P = ParamSpec("P")
JsonFlag = Annotated[
    bool, typer.Option("--json", help="Print exactly one JSON document; never prompt.")
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        envvar="BRIGHTRUN_PROFILE",
        help="The profile to use; by default the last one configured or signed in to.",
    ),
]


@dataclass
class Invocation:
    """One run of one command; `at_end` closes what it opened."""

    at_end: ExitStack
    requested_profile: str | None = None
    as_json: bool = False
    store: ProfileStore = field(default_factory=lambda: ProfileStore(config_dir()))

    @property
    def profile_name(self) -> str:
        """The profile asked for, else the current one."""
        return self.requested_profile or self.store.current_name

    @cached_property
    def session(self) -> "Session":
        """The session of the profile, signed in or not."""
        from cli.session import Session

        return Session(self.store.load(self.profile_name), self.store)

    @cached_property
    def client(self) -> "ApiClient":
        """The API of the profile."""
        from cli.client import ApiClient

        client = ApiClient(
            self.session.profile.api_url,
            self.session,
            on_replay=lambda: self.say(
                "This was ordered before with the same key: nothing new was begun."
            ),
        )
        return self.at_end.enter_context(client)

    @cached_property
    def console(self) -> "Console":
        """The console for human readers."""
        return make_console()

    @property
    def progress_console(self) -> "Console | None":
        """The console for progress; None under --json."""
        return None if self.as_json else self.console

    def answer(self, document: "Document", show: "Callable[[Console], None]") -> None:
        """Print the result of the command, as JSON or with `show`."""
        if self.as_json:
            self.print_document(document)
        else:
            show(self.console)

    def print_document(self, document: "Document") -> None:
        """Print a result that is JSON with and without --json, such as a file to fill in."""
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))

    def say(self, sentence: str) -> None:
        """Print a message before the result, unless under --json."""
        if not self.as_json:
            self.console.print(plain(sentence), soft_wrap=True)  # commands stay copyable


SystemName = Annotated[
    str | None,
    typer.Option(
        "--system",
        metavar="NAME",
        envvar="BRIGHTRUN_PROFILE",
        help="The profile to use, as --profile of other commands.",
    ),
]
"""For a command that has a --profile of another meaning."""


def command(
    app: typer.Typer, name: str, *, system: Any = ProfileName
) -> Callable[
    [Callable[Concatenate[Invocation, P], int | None]],
    Callable[Concatenate[Invocation, P], int | None],
]:
    """Register a function as a command and give it the options every command has.

    `system` is the option that names the profile, ProfileName or SystemName.

    The function gets its Invocation first and may return an exit code; a CliError, Ctrl-C or a
    declined question is reported here, on stderr, and becomes the exit code of its kind. A
    parameter whose type is a dataclass stands for a group of options, one for each of its fields.
    """

    def register(
        function: Callable[Concatenate[Invocation, P], int | None],
    ) -> Callable[Concatenate[Invocation, P], int | None]:
        hints = get_type_hints(function, include_extras=True)
        groups = {name: kind for name, kind in hints.items() if _is_group(name, kind)}

        @wraps(function)
        def run(*, profile: str | None, as_json: bool, **options: Any) -> None:
            try:
                with ExitStack() as at_end:
                    invocation = Invocation(at_end, profile, as_json)
                    code = function(invocation, **_grouped(options, groups))  # type: ignore[call-arg]
            except (KeyboardInterrupt, typer.Abort):
                raise _reported(InterruptedByUserError("Interrupted."), as_json) from None
            except CliError as error:
                raise _reported(error, as_json) from error
            raise typer.Exit(code or 0)

        _set_signature(run, function, hints, system)
        app.command(name)(run)
        return function

    return register


def _is_group(name: str, kind: Any) -> bool:
    return is_dataclass(kind) and name not in {"run", "return"}


def _set_signature(
    run: Callable[..., None], function: Callable[..., Any], hints: dict[str, Any], system: Any
) -> None:
    """Let Typer see the function's own options without its Invocation, then the shared ones."""
    own = list(inspect.signature(function).parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters: list[inspect.Parameter] = []
    for one in own:
        if _is_group(one.name, hints[one.name]):
            parameters += _options_of(hints[one.name])
        else:
            parameters.append(one.replace(kind=keyword, annotation=hints[one.name]))
    parameters += [
        inspect.Parameter("profile", keyword, default=None, annotation=system),
        inspect.Parameter("as_json", keyword, default=False, annotation=JsonFlag),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}


def _grouped(options: dict[str, Any], groups: dict[str, Any]) -> dict[str, Any]:
    """Put the options of each group together into its dataclass."""
    for name, kind in groups.items():
        options[name] = kind(**{one.name: options.pop(one.name) for one in fields(kind)})
    return options


def _options_of(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if one.default is MISSING else one.default,
            annotation=hints[one.name],
        )
        for one in fields(group)
    ]


def _reported(error: CliError, as_json: bool) -> typer.Exit:
    if as_json:
        typer.echo(json.dumps(error.document(), ensure_ascii=False), err=True)
    else:
        print_error(error)
    return typer.Exit(int(error.exit_code))


def print_error(error: CliError) -> None:
    """Print an error for human readers: what, where, and how to fix it."""
    from rich.text import Text

    console = make_console(stderr=True)
    label = "" if isinstance(error, InterruptedByUserError) else "Error: "
    sentence = Text(label, style="bold red").append(plain(error.message), style="default")
    console.print(sentence, soft_wrap=True)
    details = error.details if isinstance(error.details, list) else [error.details]
    for detail in details:
        if isinstance(detail, dict) and {"field", "message"} <= detail.keys():
            console.print(f"  {plain(detail['field'])}: {plain(detail['message'])}")
        elif detail is not None:
            console.print(f"  {plain(detail)}")
    if error.hint:
        console.print(plain(error.hint), soft_wrap=True)
