"""What the benchmark says that processes use."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from benchmarks.batch_processes import watched

_PARENT = """
    import subprocess, sys
    child = [sys.executable, "-c", sys.argv[1]]
    sys.stdin.readline()
    subprocess.run(child, check=True)
    print("done", flush=True)
    sys.stdin.readline()
"""
_BUSY = "import time\nheld = bytearray(60_000_000)\nwhile time.process_time() < 1.2: pass"


def test_the_time_and_memory_of_a_child_that_ended_are_counted() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_PARENT), _BUSY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        with watched(parent.pid) as usage:
            parent.stdin.write("go\n")
            parent.stdin.flush()
            assert parent.stdout.readline() == "done\n"
        parent.communicate("end\n")
    assert 0.5 < usage.cpu_s < 5
    assert usage.processes == 2
    assert usage.rss_mb >= usage.pss_mb > 55


def test_what_others_use_is_not_counted() -> None:
    with (
        subprocess.Popen([sys.executable, "-c", _BUSY]) as other,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as idle,
    ):
        with watched(idle.pid) as usage:
            other.wait()
        idle.communicate(b"\n")
    assert usage.cpu_s < 0.5
    assert usage.processes <= 1
    assert os.getpid() != idle.pid
