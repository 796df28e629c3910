"""One engine per data folder, found and stopped through its lock."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.instance import (
    AlreadyRunning,
    Instance,
    InstanceLock,
    StopFailed,
    find_instance,
    stop_instance,
)

HOLDER = """
import os, sys, time
from pathlib import Path
from local.instance import Instance, InstanceLock
with InstanceLock(Path(sys.argv[1])) as lock:
    lock.note(Instance(os.getpid(), 1234))
    print("held", flush=True)
    time.sleep(60)
"""


def test_holder_of_the_lock_is_found_and_stopped(tmp_path: Path) -> None:
    file = tmp_path / "engine.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert find_instance(file) == Instance(holder.pid, 1234)
        with pytest.raises(AlreadyRunning, match="python -m local down"):
            InstanceLock(file)
        assert stop_instance(file) is True
    assert find_instance(file) is None


def test_holder_that_does_not_say_who_it_is_is_an_error_of_one_line(tmp_path: Path) -> None:
    file = tmp_path / "engine.lock"
    with InstanceLock(file):
        file.write_text('{"pid": 1')
        with pytest.raises(StopFailed, match="end `python -m local serve` by hand"):
            find_instance(file)


def test_file_of_an_engine_that_was_killed_is_no_engine(tmp_path: Path) -> None:
    file = tmp_path / "engine.lock"
    file.write_text(f'{{"pid": {os.getpid()}, "port": 1}}')
    assert find_instance(file) is None
    assert stop_instance(file) is False
    with InstanceLock(file) as lock:
        lock.note(Instance(1, 2))
    assert file.read_text() == '{"pid": 1, "port": 2}'


def test_folder_without_a_lock_has_no_engine(tmp_path: Path) -> None:
    assert find_instance(tmp_path / "engine.lock") is None
    assert stop_instance(tmp_path / "engine.lock") is False
