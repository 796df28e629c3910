"""Executions on disk: records, histories, and a bound to what finished ones may take."""

from pathlib import Path
from typing import Any

from local.durability.execution_store import ExecutionStore, StoredHistory


def _execution(name: str, status: str = "RUNNING", stopped: str | None = None) -> dict[str, Any]:
    return {"executionArn": name, "status": status, "stopDate": stopped, "events": []}


def _finish(store: ExecutionStore, name: str, stopped: str, size: int = 10) -> list[str]:
    execution = _execution(name)
    store.save(execution)
    store.append(name, {"id": 1, "padding": "x" * size})
    execution.update(status="SUCCEEDED", stopDate=stopped)
    return store.finish(execution)


def test_running_execution_comes_back_with_its_events(tmp_path: Path) -> None:
    store = ExecutionStore(tmp_path)
    store.save(_execution("one"))
    store.append("one", {"id": 1})
    store.append("one", {"id": 2})
    store.close()
    [loaded] = ExecutionStore(tmp_path).load()
    assert loaded == {**_execution("one"), "events": [{"id": 1}, {"id": 2}]}


def test_torn_event_is_left_out_and_the_next_one_is_whole(tmp_path: Path) -> None:
    store = ExecutionStore(tmp_path)
    store.save(_execution("one"))
    store.append("one", {"id": 1})
    store.close()
    [journal] = tmp_path.glob("*.jsonl")
    journal.write_bytes(journal.read_bytes() + b'{"id": 2')
    again = ExecutionStore(tmp_path)
    [loaded] = again.load()
    assert loaded["events"] == [{"id": 1}]
    again.append("one", {"id": 2})
    again.close()
    assert list(ExecutionStore(tmp_path).load()[0]["events"]) == [{"id": 1}, {"id": 2}]


def test_history_of_a_finished_execution_stays_on_disk(tmp_path: Path) -> None:
    store = ExecutionStore(tmp_path)
    execution = _execution("one")
    store.append("one", {"id": 1})
    execution.update(status="SUCCEEDED", stopDate="2026")
    store.finish(execution)
    assert isinstance(execution["events"], StoredHistory)
    assert len(execution["events"]) == 1
    [loaded] = ExecutionStore(tmp_path).load()
    assert list(loaded["events"]) == [{"id": 1}]


def test_oldest_finished_executions_make_room(tmp_path: Path) -> None:
    store = ExecutionStore(tmp_path, budget_bytes=2_500)
    assert _finish(store, "first", "2026-01-01", size=1_000) == []
    assert _finish(store, "second", "2026-01-02", size=1_000) == []
    assert _finish(store, "third", "2026-01-03", size=1_000) == ["first"]
    assert [each["executionArn"] for each in ExecutionStore(tmp_path).load()] == [
        "second",
        "third",
    ]


def test_room_counts_what_earlier_engines_left(tmp_path: Path) -> None:
    _finish(ExecutionStore(tmp_path), "first", "2026-01-01", size=1_000)
    store = ExecutionStore(tmp_path, budget_bytes=1_500)
    store.load()
    assert _finish(store, "second", "2026-01-02", size=1_000) == ["first"]


def test_running_executions_are_never_removed(tmp_path: Path) -> None:
    store = ExecutionStore(tmp_path, budget_bytes=10)
    store.save(_execution("running"))
    store.append("running", {"id": 1, "padding": "x" * 1_000})
    _finish(store, "first", "2026-01-01")
    assert _finish(store, "second", "2026-01-02") == ["first"]
    store.close()
    names = {each["executionArn"] for each in ExecutionStore(tmp_path).load()}
    assert names == {"running", "second"}
