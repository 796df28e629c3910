"""configure, login, logout, whoami."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.config import DEFAULT_PROFILE, Profile, require_safe_url
from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.outputs import local_outputs_path, read_profile
from cli.render import record
from cli.text import plain

if TYPE_CHECKING:
    from cli.session import Session

app = typer.Typer()


@command(app, "configure")
def configure(
    run: Invocation,
    *,
    outputs: Annotated[
        Path | None, typer.Option(help="The file of `cdk deploy --outputs-file`.")
    ] = None,
    api_url: Annotated[str | None, typer.Option(help="Address of the API.")] = None,
    region: Annotated[str | None, typer.Option(help="AWS region of the user pool.")] = None,
    client_id: Annotated[str | None, typer.Option(help="App client of the user pool.")] = None,
) -> None:
    """Store the system that a profile connects to, and make the profile the current one."""
    name = run.requested_profile or DEFAULT_PROFILE
    by_hand = (api_url, region, client_id)
    if outputs and not any(by_hand):
        profile = read_profile(outputs, name)
    elif api_url and region and client_id and not outputs:
        profile = Profile(name, require_safe_url(api_url, "--api-url"), region, client_id)
    else:
        raise UsageError(
            "Either --outputs, or all of --api-url, --region and --client-id, must be given."
        )
    run.store.save(profile)
    document = {"profile": name, "api_url": profile.api_url, "region": profile.region}
    run.answer(document, lambda console: console.print(record(document)))
    run.say("Now sign in with `brightrun login`.")


@command(app, "login")
def login(
    run: Invocation,
    *,
    username: Annotated[str | None, typer.Option(help="E-mail address.")] = None,
    password_stdin: Annotated[
        bool,
        typer.Option(
            help="Read the password from standard input; a second line is the new password, "
            "should the user pool demand one."
        ),
    ] = False,
    local: Annotated[
        bool, typer.Option(help="Sign in to the local system without prompting.")
    ] = False,
) -> None:
    """Sign in; the session is kept and renewed until `brightrun logout`."""
    if local:
        _login_locally(run, asked=bool(username or password_stdin))
        return
    session = run.session
    if not username:
        _require_questions(run, "--username", forbidden=password_stdin)
        username = str(typer.prompt("E-mail address"))
    if password_stdin:
        lines = iter(sys.stdin.read().splitlines())
        session.sign_in(
            username,
            _next_line(lines, "the password"),
            lambda: _next_line(lines, "the new password that the user pool demands"),
        )
    else:
        _require_questions(run, "--password-stdin")
        password = typer.prompt("Password", hide_input=True)
        session.sign_in(username, password, _ask_new_password)
    _answer_signed_in(run, session)


@command(app, "logout")
def logout(run: Invocation) -> None:
    """Delete the session here and revoke it on the server."""
    ended = run.session.sign_out()
    document = {"profile": run.profile_name, "signed_out": True, "ended_on_server": ended}
    run.answer(document, lambda console: console.print(record(document)))


@command(app, "whoami")
def whoami(run: Invocation) -> None:
    """Show the profile, the system and the user."""
    claims = run.session.claims()
    profile = run.session.profile
    document = {
        "profile": profile.name,
        "api_url": profile.api_url,
        "region": profile.region,
        "email": claims.get("email"),
        "sub": claims["sub"],
        "generator": profile.generator,
    }
    run.answer(document, lambda console: console.print(record(document)))


def _login_locally(run: Invocation, *, asked: bool) -> None:
    from cli.session import LOCAL_PROFILE, sign_in_locally

    if asked:
        raise UsageError("--local knows the user; drop --username and --password-stdin.")
    name = run.requested_profile or LOCAL_PROFILE
    session = sign_in_locally(local_outputs_path(), run.store, name)
    _answer_signed_in(run, session)


def _answer_signed_in(run: Invocation, session: "Session") -> None:
    profile, username = session.profile, session.username
    run.store.make_current(profile.name)
    document = {"profile": profile.name, "api_url": profile.api_url, "username": username}
    sentence = f"Signed in to {profile.api_url} as {username}."
    run.answer(document, lambda console: console.print(plain(sentence)))


def _require_questions(run: Invocation, option: str, *, forbidden: bool = False) -> None:
    if run.as_json or forbidden:
        raise UsageError(
            f"{option} is needed: nothing is asked under --json or with --password-stdin."
        )


def _next_line(lines: Iterator[str], meaning: str) -> str:
    if line := next(lines, None):
        return line
    raise UsageError(f"Standard input has no line with {meaning}.")


def _ask_new_password() -> str:
    typer.echo("The user pool demands a new password.")
    return str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))
