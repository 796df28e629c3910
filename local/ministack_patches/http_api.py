"""Three answers of HTTP APIs.

Reasons: a CORS configuration from a template is stored with CloudFormation's capital letters and
never found, so every preflight is refused; a failed handler answers 502 with its stack trace,
where API Gateway answers 500 and keeps the trace to itself; and a body that Lambda does not take is
the client's error, 413.
"""

import json
from typing import Any

_SERVER_ERROR = (500, "Internal Server Error")
_ANSWERS = {"RequestTooLargeException": (413, "Request Too Long")}
"""Status and message of a failed invocation, by the type of its error."""


def install() -> None:
    """Read CORS settings in either spelling; answer failed handlers as API Gateway does."""
    from ministack.services import apigateway, lambda_svc

    response_headers = apigateway._cors_response_headers
    preflight_response = apigateway._cors_preflight_response
    to_response = lambda_svc.lambda_execute_result_to_api_proxy_response

    def cors_response_headers(configuration: dict[str, Any], origin: str) -> Any:
        return response_headers(_lower_first_letters(configuration), origin)

    def cors_preflight_response(configuration: dict[str, Any], origin: str) -> Any:
        return preflight_response(_lower_first_letters(configuration), origin)

    def proxy_response(result: dict[str, Any]) -> Any:
        if result.get("error") and not result.get("throttle"):
            return _failed(result["body"].get("errorType")), None
        return to_response(result)

    apigateway._cors_response_headers = cors_response_headers
    apigateway._cors_preflight_response = cors_preflight_response
    lambda_svc.lambda_execute_result_to_api_proxy_response = proxy_response


def _failed(error_type: str | None) -> dict[str, Any]:
    status, message = _ANSWERS.get(error_type or "", _SERVER_ERROR)
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"message": message}),
    }


def _lower_first_letters(configuration: dict[str, Any]) -> dict[str, Any]:
    return {name[0].lower() + name[1:]: value for name, value in configuration.items()}
