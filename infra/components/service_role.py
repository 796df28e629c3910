"""A role here: one service may assume it, and it allows what its grants say and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.permissions import Grant


def service_role(
    scope: Construct, *, service: str, grants: Sequence[Grant], arns: Mapping[str, str]
) -> iam.IRole:
    """Create the role of the component that is `scope`; `arns` maps a grant's target to its ARN.

    The policy is part of the role, so nothing can start before its permissions exist, and the
    returned role ignores the statements that CDK's constructs would add on their own.
    Raises KeyError for a grant whose target is not in `arns`.
    """
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal(service),
        inline_policies={"Grants": policy_of(grants, arns)},
    )
    return role.without_policy_updates()


def policy_of(grants: Sequence[Grant], arns: Mapping[str, str]) -> iam.PolicyDocument:
    """Write grants as a policy; raises KeyError for a grant whose target is not in `arns`."""
    return iam.PolicyDocument(statements=[_statement(grant, arns) for grant in grants])


def _statement(grant: Grant, arns: Mapping[str, str]) -> iam.PolicyStatement:
    _, slash, narrower = grant.resource.partition("/")
    resource = "*" if grant.resource == "*" else f"{arns[grant.target]}{slash}{narrower}"
    condition = {"StringEquals": {"iam:PassedToService": grant.passed_to}}
    return iam.PolicyStatement(
        actions=list(grant.actions),
        resources=[resource],
        conditions=condition if grant.passed_to else {},
    )
