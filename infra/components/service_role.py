"""A role here: one service may assume it, and it allows what its grants say and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.permissions import Grant


def service_role(
    scope: Construct,
    *,
    service: str,
    grants: Sequence[Grant],
    arns: Mapping[str, str],
    taken_for: str = "",
) -> iam.IRole:
    """Create the role of the component that is `scope`; `arns` maps a grant's target to its ARN.

    `taken_for` is the ARN, wildcards allowed, of what the service may take the role for. Lambda
    names no source when it takes an execution role, so that a condition would lock it out; there it
    is iam:PassRole, which only this account's own principals have, that keeps others away.

    The policy is part of the role, so nothing can start before its permissions exist, and the
    returned role ignores the statements that CDK's constructs would add on their own.
    Raises KeyError for a grant whose target is not in `arns`.
    """
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal(service, conditions=_source(scope, taken_for)),
        inline_policies={"Grants": policy_of(grants, arns)},
    )
    return role.without_policy_updates()


def _source(scope: Construct, taken_for: str) -> dict[str, dict[str, str]]:
    """The service acts for this account and for this resource, not as somebody's deputy."""
    if not taken_for:
        return {}
    return {
        "StringEquals": {"aws:SourceAccount": Stack.of(scope).account},
        "ArnLike": {"aws:SourceArn": taken_for},
    }


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
