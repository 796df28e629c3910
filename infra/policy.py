"""The policy pack that runs at every synthesis; a finding that is not acknowledged stops it."""

from __future__ import annotations

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from infra import acknowledgements
from infra.settings import StageSettings

ADR = "docs/adr/0008-policy-acknowledgements.md"


def enforce_policy(app: App) -> None:
    """Check the whole app with the AwsSolutions pack when it is synthesized.

    Synthesis then raises RuntimeError and prints each finding that has no acknowledgement.
    """
    Validations.of(app).add_plugins(AwsSolutionsChecks())


def acknowledge(app: App, settings: StageSettings) -> None:
    """Accept the findings of the table; raises RuntimeError for a resource that does not exist."""
    for accepted in acknowledgements.acknowledged(settings):
        Validations.of(_at(app, accepted.path)).acknowledge(
            Acknowledgment(id=accepted.finding, reason=f"{accepted.reason} {ADR}")
        )


def _at(app: App, path: str) -> IConstruct:
    construct: IConstruct = app
    for part in path.split("/"):
        construct = construct.node.find_child(part)
    return construct
