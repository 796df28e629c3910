"""The command line of the local engine: starting, stopping, and looking after its data."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from local.console import sign_in_link
from local.errors import LocalError
from local.instance import find_instance, stop_instance
from local.settings import HOST, DataFolder, Settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns 0, or 1 with one line on standard error, 130 after Ctrl-C.

    Silent when whoever reads its output has had enough of it.
    """
    options = _parser().parse_args(arguments)
    commands = {
        "up": _up,
        "down": _down,
        "status": _status,
        "serve": _serve,
        "backup": _backup,
        "restore": _restore,
        "repair": _repair,
        "logs": _logs,
    }
    try:
        settings = Settings.from_environment(
            port=options.port, data_dir=options.data_dir, template_dir=options.template_dir
        )
        code = commands[options.command](settings, options)
        sys.stdout.flush()
    except LocalError as error:
        print(error, file=sys.stderr)
    except BrokenPipeError:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - flushed once more at the exit
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"{place}{error.strerror or error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    else:
        return code
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local", description="Bright Run on this machine: what cdk.out says."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    descriptions = {
        "up": "start in the background and return when ready",
        "down": "stop; all data stays",
        "status": "say what runs where; exit code 1 when nothing runs",
        "serve": "run in the foreground until interrupted",
        "backup": "write all data to one file; the system must be down",
        "restore": "make a data folder of a backup",
        "repair": "set aside what is damaged in the data folder and keep the rest",
        "logs": "show what the engine and the functions logged",
    }
    for name, description in descriptions.items():
        command = commands.add_parser(name, help=description, description=description)
        command.add_argument("--port", type=int, help="BRIGHTRUN_PORT, else 8610; 0: any free port")
        command.add_argument("--data-dir", type=Path, help="BRIGHTRUN_DATA_DIR, else .local")
        command.add_argument("--template-dir", type=Path, help="the cloud assembly, else cdk.out")
        command.add_argument("--json", action="store_true", help="print JSON")
        command.add_argument("--ready-descriptor", type=int, help=argparse.SUPPRESS)
        if name in ("backup", "restore"):
            optional = "?" if name == "backup" else None
            command.add_argument("file", type=Path, nargs=optional, help="the backup, a .tar.gz")
        if name == "logs":
            command.add_argument("--follow", action="store_true", help="go on until interrupted")
            command.add_argument("--function", metavar="NAME", help="of one function, or: engine")
            command.add_argument("--job", metavar="ID", help="of one batch or training job")
            command.add_argument("--newest", type=int, default=200, help="entries to begin with")
    return parser


def _up(settings: Settings, options: argparse.Namespace) -> int:
    from local.engine import start

    if find_instance(DataFolder(settings.data_dir).lock) is not None:
        return _status(settings, options)
    system = start(
        port=settings.port, data_dir=settings.data_dir, template_dir=settings.template_dir
    )
    _print(system.status, as_json=options.json)
    return 0


def _down(settings: Settings, options: argparse.Namespace) -> int:
    stopped = stop_instance(DataFolder(settings.data_dir).lock)
    _print({"state": "stopped" if stopped else "not running"}, as_json=options.json)
    return 0


def _status(settings: Settings, options: argparse.Namespace) -> int:
    import urllib.error
    import urllib.request

    instance = find_instance(DataFolder(settings.data_dir).lock)
    if instance is None:
        _print({"state": "not running"}, as_json=options.json)
        return 1
    url = f"http://{HOST}:{instance.port}/_local/status"
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url) as response:
            _print(json.load(response), as_json=options.json)
    except urllib.error.URLError:
        _print({"state": "starting"}, as_json=options.json)
    return 0


def _serve(settings: Settings, options: argparse.Namespace) -> int:
    from local.foreground import run_in_foreground

    def print_status(status: Mapping[str, Any]) -> None:
        _print(status, as_json=options.json)

    if options.ready_descriptor is None:
        run_in_foreground(settings, print_status)
        return 0
    with os.fdopen(options.ready_descriptor, "w") as ready:
        return _serve_for(ready, settings)


def _serve_for(starter: IO[str], settings: Settings) -> int:
    """Serve on behalf of ``local.engine.start``, which waits for one JSON document."""
    from local.foreground import run_in_foreground

    def tell(document: Mapping[str, Any]) -> None:
        if not starter.closed:
            json.dump(document, starter)
            starter.close()

    try:
        run_in_foreground(settings, tell)
    except LocalError as error:
        tell({"error": str(error)})
        raise
    except Exception as error:
        tell({"error": repr(error)})
        raise
    return 0


def _backup(settings: Settings, options: argparse.Namespace) -> int:
    from local.backup import back_up

    os.umask(0o077)  # it holds users and tokens
    now = datetime.now(UTC)
    file = options.file or Path(f"brightrun-backup-{now:%Y%m%d-%H%M%S}.tar.gz")
    size = back_up(DataFolder(settings.data_dir), file)
    _print({"backup": str(file.absolute()), "bytes": size}, as_json=options.json)
    return 0


def _restore(settings: Settings, options: argparse.Namespace) -> int:
    from local.backup import restore

    os.umask(0o077)
    restore(options.file, DataFolder(settings.data_dir))
    _print({"data_dir": str(settings.data_dir), "state": "restored"}, as_json=options.json)
    return 0


def _repair(settings: Settings, options: argparse.Namespace) -> int:
    from local.repair import repair

    reports = repair(DataFolder(settings.data_dir))
    if options.json:
        _print({"repaired": reports}, as_json=True)
    else:
        print("\n".join(reports) or "Nothing was damaged.")
    return 0


def _logs(settings: Settings, options: argparse.Namespace) -> int:
    from local.logs import LogQuery, show_logs

    query = LogQuery(options.function, options.job, options.newest)
    with suppress(KeyboardInterrupt):
        for line in show_logs(DataFolder(settings.data_dir), query, follow=options.follow):
            print(line, flush=options.follow)
    return 0


def _print(document: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(document))
        return
    if document.get("state") == "ready":
        link = sign_in_link(document["api_url"], Path(document["password_file"]))
        print(f"{'console':20} {link}")
    for name, value in document.items():
        text = ", ".join(value) if isinstance(value, list) else value
        print(f"{name.replace('_', ' '):20} {text}")
