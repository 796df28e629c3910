"""Logs in one order, by function and by job, and what follows."""

import json
from pathlib import Path

import pytest

from local.logs import LogFiles, LogQuery, NoSuchLog, show_logs
from local.settings import DataFolder

JOB = "0196b3f0-0000-7000-8000-000000000001"


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.create()
    write(
        folder.engine_log,
        "2026-01-01 10:00:00,000+0000 INFO Ready.",
        "2026-01-01 10:00:03,000+0000 ERROR Broken",
        "Traceback (most recent call last):",
        "  a line of it",
    )
    write(
        folder.logs / "process_next.log",
        function_line("2026-01-01 10:00:01,000+0000", jobId=JOB),
        function_line("2026-01-01 10:00:02,000+0000", jobId="another"),
    )
    return folder


def function_line(time: str, **fields: str) -> str:
    return json.dumps({"level": "INFO", "timestamp": time, **fields})


def write(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def shown(folder: DataFolder, **query: str) -> list[str]:
    return list(show_logs(folder, LogQuery(**query), follow=False))  # type: ignore[arg-type]


def test_lines_of_all_files_are_in_the_order_of_their_times(folder: DataFolder) -> None:
    lines = shown(folder)
    assert [line.partition(" | ")[0] for line in lines] == [
        "engine",
        "process_next",
        "process_next",
        "engine",
        "engine",
        "engine",
    ]
    assert lines[-1] == "engine |   a line of it"


def test_logs_of_one_function(folder: DataFolder) -> None:
    assert len(shown(folder, function="process_next")) == 2
    with pytest.raises(NoSuchLog, match=r"no log of finish; there are: engine, process_next\."):
        shown(folder, function="finish")


def test_logs_of_one_job_are_the_entries_that_name_it_and_its_training(folder: DataFolder) -> None:
    training = folder.training / f"brightrun-{JOB}"
    training.mkdir()
    write(training / "train.log", "loss 3.1", "loss 2.9")
    lines = shown(folder, job=JOB)
    assert len(lines) == 3
    assert sum(line.startswith(f"training brightrun-{JOB} | loss") for line in lines) == 2


def test_newest_entries_come_first_of_all(folder: DataFolder) -> None:
    assert len(list(show_logs(folder, LogQuery(newest=1), follow=False))) == 3


def test_following_shows_whole_lines_as_they_come_and_files_begun_anew(folder: DataFolder) -> None:
    files = LogFiles(folder, LogQuery(function="engine"))
    assert len(files.read()) == 2
    with folder.engine_log.open("a") as log:
        log.write("2026-01-01 10:00:04,000+0000 INFO half")
    assert files.read() == []
    write(folder.engine_log, " and whole")
    assert [entry.text[-14:] for entry in files.read()] == ["half and whole"]
    folder.engine_log.write_text("2026-01-01 10:00:05,000+0000 INFO new\n")
    assert [entry.text[-3:] for entry in files.read()] == ["new"]
