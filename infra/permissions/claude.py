"""What process_next holds besides, by the provider of Claude that a deployment names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from infra.permissions.grant import Grant

_REGISTRY = (
    Path(__file__).resolve().parents[2] / "layers/common/python/brightrun/claude/claude_models.json"
)
_MODELS = json.loads(_REGISTRY.read_text(encoding="utf-8"))["models"]
# The registry's models as Amazon Bedrock names them; each is called by its global profile.
BEDROCK_MODELS = tuple(str(model["bedrock_id"]).removeprefix("global.") for model in _MODELS)

# What process_next holds besides, where the parameter ClaudeProvider names the provider. A global
# inference profile runs a model where there is room; AWS authorises the call three times over, on
# the profile, on the model in the caller's region, and on the model without a region.
PROVIDER_GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "aws": (
        Grant(
            ("aws-external-anthropic:CreateInference",),
            "ClaudeWorkspace",
            "call Claude in one workspace of Claude Platform on AWS",
        ),
        Grant(
            (
                "aws-external-anthropic:CreateBatchInference",
                "aws-external-anthropic:GetBatchInference",
                "aws-external-anthropic:ListBatchInferences",
                "aws-external-anthropic:CancelBatchInference",
            ),
            "ClaudeWorkspace",
            "send Message Batches there, find one again, read its results, cancel it",
        ),
    ),
    "bedrock": tuple(
        Grant(("bedrock:InvokeModel",), f"{place}{model}", why)
        for model in BEDROCK_MODELS
        for place, why in (
            ("BedrockProfiles/global.", "call Claude by its global inference profile"),
            ("BedrockModels/", "let the profile use the model in this region"),
            ("BedrockModelsOfAnyRegion/", "let the profile use the model where it has room"),
        )
    ),
}
