"""Reading a batch job's log, whole or as it grows."""

import time
from collections import Counter
from collections.abc import Callable, Iterator

from cli.client import ApiClient, segment
from cli.progress import POLL_S, batch_status


class LogReader:
    """Reads each line once, however often it is asked.

    The last page is read again from its own cursor, since it may have grown; workers write at
    the same time, so a line may turn up before others of its page that were read already.
    """

    def __init__(self, client: ApiClient, job_id: str) -> None:
        self._client = client
        self._path = f"/api/batch-jobs/{segment(job_id)}/log"
        self._cursor: str | None = None
        self._seen: Counter[str] = Counter()

    def new_lines(self) -> Iterator[str]:
        """Yield the lines not read so far, oldest first."""
        while True:
            page = self._client.get(self._path, {"cursor": self._cursor})
            lines: list[str] = page["lines"]
            unread = Counter(lines) - self._seen
            for line in lines:
                if unread[line]:
                    unread[line] -= 1
                    yield line
            self._seen = Counter(lines)
            following = page.get("next_cursor")
            if following is None or not lines:
                return
            self._cursor, self._seen = following, Counter()


def follow_log(
    client: ApiClient,
    job_id: str,
    *,
    interval_s: float = POLL_S,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Yield the log's lines as they come, until the job is at rest and its last line is read."""
    reader = LogReader(client, job_id)
    while True:
        # Asked before reading: what is written up to the end is then certain to be read.
        at_rest = batch_status(client, job_id).is_at_rest
        yield from reader.new_lines()
        if at_rest:
            return
        sleep(interval_s)
