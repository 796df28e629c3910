"""Leave to ask Claude through AWS, only where a parameter chooses such a provider.

Both providers sign with the function's role, so the grants are policies of their own beside the
role's: CloudFormation makes the one whose condition holds, or none for an API key.
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import (
    CfnCondition,
    CfnRule,
    CfnRuleAssertion,
    Fn,
    ICfnRuleConditionExpression,
    Stack,
)
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.components.service_role import policy_of
from infra.permissions import PROVIDER_GRANTS


def grant_claude_access(
    scope: Construct, role: iam.IRole, *, provider: str, workspace_id: str
) -> None:
    """Give `role` each entry of PROVIDER_GRANTS on the condition that `provider` names it.

    `provider` and `workspace_id` are values of parameters. Deploying fails before any change when
    the provider is `aws` and the workspace is missing.
    """
    stack = Stack.of(scope)
    arns = _arns(stack, workspace_id)
    for name, grants in PROVIDER_GRANTS.items():
        chosen = CfnCondition(
            stack, f"ClaudeThrough{name.capitalize()}", expression=_is(provider, name)
        )
        policy = iam.CfnPolicy(
            scope,
            f"{name.capitalize()}Grants",
            policy_name=f"claude-through-{name}",
            policy_document=policy_of(grants, arns),
            roles=[role.role_name],
        )
        policy.cfn_options.condition = chosen
    CfnRule(
        stack,
        "WorkspaceForClaudeOnAws",
        rule_condition=_is(provider, "aws"),
        assertions=[
            CfnRuleAssertion(
                assert_=Fn.condition_not(_is(workspace_id, "")),
                assert_description="ClaudeProvider=aws needs ClaudeWorkspaceId",
            )
        ],
    )


def _is(value: str, expected: str) -> ICfnRuleConditionExpression:
    return Fn.condition_equals(value, expected)


def _arns(stack: Stack, workspace_id: str) -> Mapping[str, str]:
    """What the grants name; models belong to no account, and a global profile's to no region."""
    return {
        "ClaudeWorkspace": stack.format_arn(
            service="aws-external-anthropic", resource="workspace", resource_name=workspace_id
        ),
        "BedrockProfiles": stack.format_arn(service="bedrock", resource="inference-profile"),
        "BedrockModels": stack.format_arn(
            service="bedrock", account="", resource="foundation-model"
        ),
        "BedrockModelsOfAnyRegion": stack.format_arn(
            service="bedrock", region="", account="", resource="foundation-model"
        ),
    }
