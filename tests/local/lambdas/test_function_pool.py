"""Functions run as processes: results, errors, time limits, concurrency, their end."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.lambdas import warm_workers
from local.lambdas.function import MAX_PAYLOAD_BYTES, Function
from local.lambdas.pool import FunctionPool
from local.lambdas.template import Templates
from local.lifeline import Lifeline
from tests.local.running_system import until

pytestmark = pytest.mark.slow

HANDLER = """
import os, sys, time

class Mine(Exception):
    pass

def handle(event, context):
    operation = event.get("op")
    if operation == "raise":
        raise Mine("boom")
    if operation == "sleep":
        time.sleep(event["seconds"])
    if operation == "exit":
        os._exit(7)
    if operation == "unserializable":
        return {"a set"}
    if operation == "large":
        return event["letter"] * event["size"]
    if operation == "print":
        print(event["text"])
    return {
        "event": event,
        "process": os.getpid(),
        "name": context.function_name,
        "request": context.aws_request_id,
        "remaining": context.get_remaining_time_in_millis(),
        "variable": os.environ.get("OF_THE_TEMPLATE"),
        "key": os.environ.get("ANTHROPIC_API_KEY"),
    }
"""

MakePool = Callable[..., FunctionPool]


@pytest.fixture
def make_pool(tmp_path: Path) -> Iterator[MakePool]:
    lifeline = Lifeline()
    templates = Templates(lifeline.descriptor)
    pools: list[FunctionPool] = []

    def make(
        code: str = HANDLER,
        timeout_seconds: float = 30,
        concurrency: int = 4,
        log_file: Path = tmp_path / "tested.log",
    ) -> FunctionPool:
        (tmp_path / "handler.py").write_text(code)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(tmp_path),
            "OF_THE_TEMPLATE": "set",
            "_HANDLER": "handler.handle",
        }
        function = Function(
            name="tested",
            arn="arn",
            handler="handler.handle",
            path=(tmp_path,),
            environment=environment,
            timeout_seconds=timeout_seconds,
            memory_mb=128,
            log_file=log_file,
        )
        pools.append(FunctionPool(function, templates, concurrency=concurrency))
        return pools[-1]

    yield make
    for each in pools:
        each.close()
    templates.close()
    lifeline.cut()


def test_result_context_and_environment_are_as_in_lambda(make_pool: MakePool) -> None:
    invocation = make_pool().invoke({"a": 1})
    assert not invocation.failed
    assert invocation.payload["event"] == {"a": 1}
    assert invocation.payload["name"] == "tested"
    assert 25_000 < invocation.payload["remaining"] <= 30_000
    assert invocation.payload["variable"] == "set"
    assert invocation.payload["key"] is None


def test_handler_does_not_fail_when_the_disk_has_no_room_for_its_log(make_pool: MakePool) -> None:
    pool = make_pool(log_file=Path("/dev/full"))
    assert not pool.invoke({"op": "print", "text": "a line"}).failed
    assert pool.invoke({"op": "raise"}).payload["errorType"] == "Mine"


def test_every_invocation_is_in_the_log_of_its_function(
    make_pool: MakePool, tmp_path: Path
) -> None:
    pool = make_pool(timeout_seconds=0.5)
    pool.invoke({"jobId": "a job", "text": "a secret", "op": "none"})
    pool.invoke({"requestContext": {"http": {"method": "GET", "path": "/api/x"}}, "body": "secret"})
    pool.invoke({"op": "raise"})
    pool.invoke({"op": "sleep", "seconds": 60})
    log = (tmp_path / "tested.log").read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [line["level"] for line in lines] == ["INFO", "INFO", "ERROR", "ERROR"]
    assert lines[0]["jobId"] == "a job"
    assert lines[1]["request"] == "GET /api/x"
    assert [line["error_type"] for line in lines[2:]] == ["Mine", "Sandbox.Timedout"]
    assert 500 <= lines[3]["duration_ms"] < 5_000
    assert "secret" not in log


def test_worker_stays_warm_between_invocations_and_after_an_error(make_pool: MakePool) -> None:
    pool = make_pool()
    first = pool.invoke({}).payload
    failed = pool.invoke({"op": "raise"})
    last = pool.invoke({}).payload
    assert failed.failed
    assert first["process"] == last["process"]
    assert first["request"] != last["request"]


def test_error_has_its_class_name_and_trace(make_pool: MakePool) -> None:
    error = make_pool().invoke({"op": "raise"}).payload
    assert error["errorType"] == "Mine"
    assert error["errorMessage"] == "boom"
    assert any('raise Mine("boom")' in line for line in error["stackTrace"])


def test_too_slow_handler_is_killed_and_the_next_one_is_fresh(make_pool: MakePool) -> None:
    pool = make_pool(timeout_seconds=1)
    before = pool.invoke({}).payload["process"]
    timed_out = pool.invoke({"op": "sleep", "seconds": 30})
    assert timed_out.payload["errorType"] == "Sandbox.Timedout"
    until(lambda: not _lives(before))
    assert pool.invoke({}).payload["process"] != before


def test_exiting_handler_is_an_exit_error(make_pool: MakePool) -> None:
    pool = make_pool()
    assert pool.invoke({"op": "exit"}).payload["errorType"] == "Runtime.ExitError"
    assert not pool.invoke({}).failed


def test_handler_that_cannot_be_imported_fails_every_invocation(make_pool: MakePool) -> None:
    pool = make_pool("import nothing_of_that_name\n")
    for _ in range(2):
        error = pool.invoke({})
        assert error.failed
        assert error.payload["errorType"] == "ModuleNotFoundError"


def test_result_that_is_no_json_is_a_marshal_error(make_pool: MakePool) -> None:
    error = make_pool().invoke({"op": "unserializable"})
    assert error.payload["errorType"] == "Runtime.MarshalError"


def test_payloads_over_6_mb_are_refused(make_pool: MakePool) -> None:
    pool = make_pool()
    request = pool.invoke({"padding": "x" * MAX_PAYLOAD_BYTES})
    response = pool.invoke({"op": "large", "letter": "x", "size": MAX_PAYLOAD_BYTES})
    assert request.payload["errorType"] == "RequestTooLargeException"
    assert response.payload["errorType"] == "Function.ResponseSizeTooLarge"


@pytest.mark.parametrize(("letter", "per_letter"), [("é", 2), ("漢", 3), ("\ud800", 3)])
def test_payloads_are_counted_as_lambda_does_in_utf_8(
    make_pool: MakePool, letter: str, per_letter: int
) -> None:
    pool = make_pool()
    most = MAX_PAYLOAD_BYTES // per_letter
    fits = pool.invoke({"op": "large", "letter": letter, "size": most - 100})
    assert fits.payload == letter * (most - 100)
    assert pool.invoke({"op": "large", "letter": letter, "size": most + 1}).failed
    assert not pool.invoke({"padding": letter * (most - 100)}).failed
    assert pool.invoke({"padding": letter * (most + 1)}).failed


def test_invocations_beyond_the_concurrency_wait_for_a_worker(make_pool: MakePool) -> None:
    pool = make_pool(concurrency=3)
    processes: list[int] = []

    def invoke() -> None:
        event = {"op": "sleep", "seconds": 0.2}
        processes.append(pool.invoke(event).payload["process"])

    threads = [threading.Thread(target=invoke) for _ in range(9)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(processes)) == 3
    assert time.monotonic() - started >= 0.6


def test_closing_ends_a_worker_in_the_middle_of_an_invocation(make_pool: MakePool) -> None:
    pool = make_pool()
    process = pool.invoke({}).payload["process"]
    outcomes: list[Any] = []
    thread = threading.Thread(
        target=lambda: outcomes.append(pool.invoke({"op": "sleep", "seconds": 30}))
    )
    thread.start()
    time.sleep(0.2)
    pool.close()
    thread.join(10)
    assert outcomes[0].payload["errorType"] == "Runtime.ExitError"
    until(lambda: not _lives(process))


def test_unused_workers_end(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_workers, "IDLE_SECONDS", 0.2)
    pool = make_pool()
    process = pool.invoke({}).payload["process"]
    until(lambda: not _lives(process))
    assert pool.invoke({}).payload["process"] != process


def test_functions_share_one_template_and_nothing_else(tmp_path: Path) -> None:
    lifeline = Lifeline()
    templates = Templates(lifeline.descriptor)
    pools = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "handler.py").write_text(
            "import os\n"
            "def handle(event, _):\n"
            "    print('said by', os.environ['OWN'])\n"
            "    return [os.environ['OWN'], os.getcwd(), os.getppid(), sorted(os.environ)]\n"
        )
        environment = {"OWN": name, f"ONLY_{name}": "yes", "TZ": ":UTC"}
        function = Function(
            name, "arn", "handler.handle", (folder,), environment, 30, 128, folder / "log"
        )
        pools.append(FunctionPool(function, templates, concurrency=1))
    one, other = (pool.invoke({}).payload for pool in pools)
    assert (one[0], other[0]) == ("one", "other")
    assert (one[1], other[1]) == (str(tmp_path / "one"), str(tmp_path / "other"))
    assert one[2] == other[2] != os.getpid()
    assert one[3] == ["ONLY_one", "OWN", "TZ"]
    assert (tmp_path / "other" / "log").read_text().startswith("said by other")
    for pool in pools:
        pool.close()
    templates.close()
    lifeline.cut()


def test_a_template_that_was_killed_is_started_again(make_pool: MakePool) -> None:
    pool = make_pool(concurrency=2)
    process = pool.invoke({}).payload["process"]
    template = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(template, signal.SIGKILL)
    until(lambda: not _runs(template))
    os.kill(process, signal.SIGKILL)
    assert pool.invoke({}).payload["errorType"] == "Runtime.ExitError"
    assert not pool.invoke({}).failed


def _runs(process: int) -> bool:
    """Whether a process is there and has not ended, waited for or not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_output_of_a_handler_goes_to_its_log_file(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool()
    pool.invoke({"op": "print", "text": "a line of the handler"})
    pool.invoke({"op": "raise"})
    log = (tmp_path / "tested.log").read_text()
    assert "a line of the handler" in log
    assert "Mine: boom" in log


def test_workers_end_when_the_process_of_the_engine_is_killed(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text("import time\ndef handle(event, _): time.sleep(60)\n")
    script = """
import os, sys, threading, time
from pathlib import Path
from local.lambdas.function import Function
from local.lambdas.pool import FunctionPool
from local.lambdas.template import Templates
from local.lifeline import Lifeline
folder = Path(sys.argv[1])
environment = {"PYTHONPATH": str(folder), "_HANDLER": "handler.handle"}
function = Function("f", "arn", "handler.handle", (folder,), environment, 60, 128, folder / "log")
pool = FunctionPool(function, Templates(Lifeline().descriptor), concurrency=1)
threading.Thread(target=pool.invoke, args=({},), daemon=True).start()
while not pool.workers.processes():
    time.sleep(0.01)
print(*pool.workers.processes(), flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as engine:
        assert engine.stdout is not None
        worker = int(engine.stdout.readline())
        assert _lives(worker)
        engine.kill()
    until(lambda: not _lives(worker))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
