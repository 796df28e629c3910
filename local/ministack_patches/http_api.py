"""Two answers of HTTP APIs.

Reasons: a CORS configuration from a template is stored with CloudFormation's capital letters and
never found, so every preflight is refused; a failed handler answers 502 with its stack trace,
where API Gateway answers 500 and keeps the trace to itself.
"""

from typing import Any

_SERVER_ERROR = {
    "statusCode": 500,
    "headers": {"Content-Type": "application/json"},
    "body": '{"message":"Internal Server Error"}',
}


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
            return dict(_SERVER_ERROR), None
        return to_response(result)

    apigateway._cors_response_headers = cors_response_headers
    apigateway._cors_preflight_response = cors_preflight_response
    lambda_svc.lambda_execute_result_to_api_proxy_response = proxy_response


def _lower_first_letters(configuration: dict[str, Any]) -> dict[str, Any]:
    return {name[0].lower() + name[1:]: value for name, value in configuration.items()}
