"""How Claude is asked, as CloudFormation parameters that reach a function's environment."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from aws_cdk import CfnParameter, Stack

# Environment variable -> the parameter's name and properties.
PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "CLAUDE_PROVIDER": (
        "ClaudeProvider",
        {
            "default": "direct",
            "allowed_values": ["direct", "aws", "bedrock", "simulator"],
            "description": "Whom to ask: Anthropic by key, AWS by role, or the simulator",
        },
    ),
    "CLAUDE_MODEL": (
        "ClaudeModel",
        {
            "default": "claude-sonnet-5-5",
            "description": "The model that writes conversations; a name in the model registry",
        },
    ),
    "CLAUDE_BASE_URL": (
        "ClaudeBaseUrl",
        {"default": "", "description": "Empty: the provider's own address"},
    ),
    "CLAUDE_WORKSPACE_ID": (
        "ClaudeWorkspaceId",
        {
            "default": "",
            # No * can come through it into the policy that names the workspace.
            "allowed_pattern": "(wrkspc_[A-Za-z0-9]+)?",
            "constraint_description": "must be a workspace's id (wrkspc_...), or empty",
            "description": "The workspace of Claude Platform on AWS, for ClaudeProvider=aws",
        },
    ),
    "LEASE_SECONDS": (
        "LeaseSeconds",
        {
            "type": "Number",
            "default": 60,
            "min_value": 5,
            "max_value": 900,
            "description": "How long a claimed item is left alone before another may take it",
        },
    ),
    "MAX_CLAUDE_CALLS": (
        "MaxClaudeCalls",
        {
            "type": "Number",
            "default": 0,
            "min_value": 0,
            "max_value": 10_000,
            "description": "Calls to a model in flight, of all batches; 0: as many as it carries",
        },
    ),
    "RETRY_BASE_SECONDS": (
        "RetryBaseSeconds",
        {
            "type": "Number",
            "default": 8,
            "min_value": 0,
            "max_value": 300,
            "description": "First pause after Claude was throttled or overloaded; it doubles",
        },
    ),
}


def claude_environment(
    stack: Stack, variables: Collection[str] = PARAMETERS.keys()
) -> dict[str, str]:
    """Declare the parameters behind `variables` on `stack` and return those variables' values.

    Each stack declares its own: a value shared through an export could never change again, because
    CloudFormation refuses to change an export in use. They are set by stack: what is given without
    a stack's name goes to every stack, and CloudFormation refuses what a stack does not declare.
    """
    return {
        variable: CfnParameter(stack, name, **properties).value_as_string
        for variable, (name, properties) in PARAMETERS.items()
        if variable in variables
    }
