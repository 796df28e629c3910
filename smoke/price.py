"""What a smoke test costs, told before it starts."""

from collections.abc import Iterator
from datetime import UTC, datetime

from brightrun.claude.registry import claude_model, estimated_cost_usd
from cli.text import money
from smoke.steps import CONVERSATIONS, Training

DEFAULT_MODEL = "claude-sonnet-5-5"
"""The model of a deployment that names no other; tests hold it to the template's."""
MACHINERY_USD = 0.25
"""Tables, functions, logs, image storage and the alarms' key for the hour that it takes."""


def price_lines(training: Training) -> Iterator[str]:
    """Yield what the parts cost at the most, and their sum; USD in us-east-1."""
    today = datetime.now(UTC).date()
    written = estimated_cost_usd(claude_model(DEFAULT_MODEL, today), CONVERSATIONS, today)
    limit = training.max_cost_usd or 0.0
    yield f"{CONVERSATIONS} conversations by {DEFAULT_MODEL}: about {money(written)}"
    yield f"a training job on {training.gpu}, which stops before: {money(limit)}"
    yield f"everything else, for an hour: less than {money(MACHINERY_USD)}"
    yield f"together at most about {money(written + limit + MACHINERY_USD)}"
