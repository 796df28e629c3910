"""The local engine with a meter at its door: counts every request, and the database's units.

Run as a child of `benchmarks.batch_system`; it prints the engine's status document in one line
when it is ready, and answers GET /_meter with the counts so far.

Write units are what the emulator reports as consumed; tests/benchmarks holds that against
DynamoDB's documented rules. It reports reads as one flat unit, so read units are worked out here
from the bytes that each read evaluated.
"""

from __future__ import annotations

import argparse
import json
import re
import threading
from collections import Counter
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from unittest import mock

from local import generator, service
from local.emulator import Emulator
from local.foreground import run_in_foreground
from local.settings import Settings

METER_PATH = "/_meter"

_READ_UNIT_BYTES = 4096
"""Source: DynamoDB developer guide, "DynamoDB read and write operations"."""

_LEASE_SECONDS = "900"
"""No lease is renewed while we count: renewals go by time, not by item, and are worked out."""

_READS = {"BatchGetItem", "GetItem", "Query"}
_SINGLE_WRITES = {"PutItem", "UpdateItem"}
_WRITES = {*_SINGLE_WRITES, "BatchWriteItem", "TransactWriteItems"}
_evaluated_bytes: ContextVar[int] = ContextVar("evaluated_bytes", default=0)


class Meter:
    """Counts since the start: requests by service and action, units by table."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str, amount: float = 1) -> None:
        """Count something."""
        with self._lock:
            self._counts[name] += amount  # type: ignore[assignment]

    def document(self) -> str:
        """The counts as JSON."""
        with self._lock:
            return json.dumps(self._counts)

    def request(self, headers: Mapping[str, str], method: str, path: str) -> None:
        """Count a request to the emulated AWS; objects by their kind."""
        if "/s3/aws4_request" in headers.get("authorization", ""):
            self.add(f"s3 {method} {object_kind(path)}")
        elif target := headers.get("x-amz-target"):
            service_name, _, action = target.partition(".")
            self.add(f"requests {service_name.partition('_')[0]} {action}")

    def database(self, action: str, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        """Count the units of one answered request to the database."""
        if action in _READS:
            units = read_units(_evaluated_bytes.get(), consistent=asked.get("ConsistentRead"))
            self.add(f"read units {table_of(asked['TableName'])}", units)
        elif "ConsumedCapacity" in answer:
            consumed = answer["ConsumedCapacity"]
            for entry in consumed if isinstance(consumed, list) else [consumed]:
                name = table_of(entry["TableName"])
                self.add(f"write units {name} {action}", entry["CapacityUnits"])
        elif action in _WRITES:
            self.add(f"write units refused {action}", refused_write_units(action, asked))


def read_units(evaluated: int, *, consistent: bool | None) -> float:
    """Read units of one GetItem or Query page that evaluated so many bytes; 1 at the least."""
    units = max(1, -(-evaluated // _READ_UNIT_BYTES))
    return units if consistent else units / 2


def refused_write_units(action: str, asked: Mapping[str, Any]) -> int:
    """Write units of a write whose condition failed, which is billed like one that succeeded.

    Counts every row as 1 KB or less, which all rows are that conditions here are about.
    """
    return 1 if action in _SINGLE_WRITES else 2 * len(asked["TransactItems"])


def object_kind(path: str) -> str:
    """What an object is: the last part of its key, but "raw" for the raw answers."""
    return "raw" if "/raw/" in path else path.rpartition("/")[2]


def table_of(physical_name: str) -> str:
    """The construct's name in the name of its table."""
    found = re.search(r"-([A-Za-z]+)Table", physical_name)
    return found.group(1) if found else physical_name


class MeteredEmulator(Emulator):
    """The emulated AWS, metered."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        from ministack.services import dynamodb

        self._meter = Meter()
        self._dynamodb = dynamodb
        self._answer = dynamodb.handle_request
        self._paginate = dynamodb._paginate_evaluated_items
        dynamodb.handle_request = self._metered_database
        dynamodb._paginate_evaluated_items = self._measured_page

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or the counts."""
        if scope["type"] == "http":
            if scope["path"] == METER_PATH:
                await _respond(send, self._meter.document())
                return
            headers = {name.decode().lower(): text.decode() for name, text in scope["headers"]}
            self._meter.request(headers, scope["method"], scope["path"])
        await super().handle(scope, receive, send)

    async def _metered_database(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: Any
    ) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        asked = json.loads(body or b"{}")
        if action in _WRITES:
            body = json.dumps({**asked, "ReturnConsumedCapacity": "TOTAL"}).encode()
        status, answer_headers, content = await self._answer(method, path, headers, body, query)
        if action in _READS | _WRITES:
            answer = json.loads(content)
            if action == "GetItem":
                _evaluated_bytes.set(self._dynamodb._item_size_bytes(answer.get("Item", {})))
            if action == "BatchGetItem":
                self._meter_batch_get(asked, answer)
            else:
                self._meter.database(action, asked, answer)
        return status, answer_headers, content

    def _meter_batch_get(self, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        """Count each row by itself, as DynamoDB does."""
        for table, items in answer["Responses"].items():
            consistent = asked["RequestItems"][table].get("ConsistentRead")
            sizes = map(self._dynamodb._item_size_bytes, items)
            units = sum(read_units(size, consistent=consistent) for size in sizes)
            self._meter.add(f"read units {table_of(table)}", units)

    def _measured_page(self, *arguments: Any) -> Any:
        page, more = self._paginate(*arguments)
        _evaluated_bytes.set(sum(self._dynamodb._item_size_bytes(item) for item in page))
        return page, more


async def _respond(send: Any, text: str) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--template-dir", type=Path, required=True)
    arguments = parser.parse_args()
    settings = Settings.from_environment(
        port=0, data_dir=arguments.data_dir, template_dir=arguments.template_dir
    )
    with (
        mock.patch.object(service, "Emulator", MeteredEmulator),
        mock.patch.dict(generator.SHORTER_PAUSES, {"LeaseSeconds": _LEASE_SECONDS}),
    ):
        run_in_foreground(settings, lambda status: print(json.dumps(status), flush=True))


if __name__ == "__main__":
    main()
