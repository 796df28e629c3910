"""Writes the prompts of an order with NeMo Data Designer: `python data_designer_client.py ORDER`.

Says "ready" once everything is imported, begins at a line on its input, and ends with a JSON line.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

order: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text("utf-8"))
os.environ["NEMO_TELEMETRY_ENABLED"] = "false"

import data_designer.config as dd  # noqa: E402 - it reads the environment
import pandas as pd  # noqa: E402
from data_designer.config.seed_source_dataframe import DataFrameSeedSource  # noqa: E402
from data_designer.interface import DataDesigner  # noqa: E402


def builder() -> dd.DataDesignerConfigBuilder:
    """One column of answers beside the column of prompts."""
    model = dd.ModelConfig(
        alias="writer",
        model=order["model"],
        provider="simulated",
        skip_health_check=True,
        inference_parameters=dd.ChatCompletionInferenceParams(
            max_tokens=order["max_tokens"], max_parallel_requests=order["calls"]
        ),
    )
    made = dd.DataDesignerConfigBuilder(model_configs=[model])
    prompts = pd.DataFrame({"prompt": order["prompts"]})
    made.with_seed_dataset(DataFrameSeedSource(df=prompts))
    column = dd.LLMTextColumnConfig(name="answer", prompt="{{ prompt }}", model_alias="writer")
    made.add_column(column)
    return made


def main() -> None:
    """Run the order."""
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    provider = dd.ModelProvider(
        name="simulated",
        endpoint=order["url"],
        provider_type="anthropic",
        api_key="simulated",
        extra_body=order["body"],
    )
    designer = DataDesigner(artifact_path=order["folder"], model_providers=[provider])
    answers = designer.create(builder(), num_records=len(order["prompts"])).load_dataset()
    print(json.dumps({"seconds": time.monotonic() - began, "answers": len(answers)}), flush=True)


main()
