"""Writes the prompts of an order with Bespoke Curator: `python curator_client.py ORDER`.

Says "ready" once everything is imported, begins at a line on its input, and ends with a JSON line.
Its Anthropic backend asks for a model that is gone before it begins, so LiteLLM's is used.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

order: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text("utf-8"))
os.environ |= {
    "CURATOR_CACHE_DIR": order["folder"],
    "CURATOR_DISABLE_CACHE": "1",
    "CURATOR_VIEWER": "0",
    "TELEMETRY_ENABLED": "false",
    "ANTHROPIC_API_KEY": "simulated",
}

from bespokelabs import curator  # noqa: E402 - it reads the environment


class Writer(curator.LLM):
    """One answer for each prompt."""

    def prompt(self, row: dict[str, str]) -> str:
        """What is sent."""
        return row["prompt"]

    def parse(self, _: dict[str, str], response: str) -> dict[str, str]:
        """What is kept."""
        return {"answer": response}


def main() -> None:
    """Run the order."""
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    writer = Writer(
        model_name=f"anthropic/{order['model']}",
        backend="litellm",
        backend_params={
            "base_url": order["url"],
            "max_requests_per_minute": 1_000_000,
            "max_tokens_per_minute": 1_000_000_000,
            "max_concurrent_requests": order["calls"],
        },
        generation_params={"max_tokens": order["max_tokens"], **order["body"]},
    )
    response = writer([{"prompt": prompt} for prompt in order["prompts"]])
    answers = getattr(response, "dataset", response)["answer"]
    print(json.dumps({"seconds": time.monotonic() - began, "answers": len(answers)}), flush=True)


main()
