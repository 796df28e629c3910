"""What process_next holds besides, by the provider of Claude that a deployment names."""

from __future__ import annotations

from collections.abc import Mapping

from infra.permissions.grant import Grant

# The models of claude/claude_models.json as Amazon Bedrock names them.
BEDROCK_MODELS = (
    "anthropic.claude-sonnet-5-5",
    "anthropic.claude-haiku-5-5",
    "anthropic.claude-opus-5-5",
    "anthropic.claude-sonnet-5",
    "anthropic.claude-haiku-4-5-20251001-v1:0",
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
)

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
