"""Refuses state machines that would run differently here than on AWS.

Reason: ministack accepts any definition, by its API and from templates.
"""

from collections.abc import Callable
from typing import Any

from local.workflows.definition_lint import problems_in

Request = dict[str, Any]


def install() -> None:
    """Check definitions that are created or updated, by the API or by CloudFormation."""
    from ministack.services import stepfunctions
    from ministack.services.cloudformation import provisioners

    stepfunctions._create_state_machine = _checked(stepfunctions._create_state_machine)
    stepfunctions._update_state_machine = _checked(stepfunctions._update_state_machine)
    provisioners._sfn_definition = _checked_definition(provisioners._sfn_definition)


def _checked(accept: Callable[[Request], Any]) -> Callable[[Request], Any]:
    def check(request: Request) -> Any:
        from ministack.core.responses import error_response_json

        problems = problems_in(request["definition"]) if "definition" in request else []
        if problems:
            return error_response_json("InvalidDefinition", _message(problems), 400)
        return accept(request)

    return check


def _checked_definition(resolve: Callable[[Request], str]) -> Callable[[Request], str]:
    def check(properties: Request) -> str:
        definition = resolve(properties)
        problems = problems_in(definition)
        if problems:
            raise ValueError(_message(problems))
        return definition

    return check


def _message(problems: list[str]) -> str:
    return f"Invalid State Machine Definition: {'; '.join(problems)}"
