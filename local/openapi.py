"""Writes docs/openapi.json: one document of the HTTP API, made from the handlers' own routes."""

import importlib
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.routes import ROUTES

Schema = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "openapi.json"
LAYER = ROOT / "layers" / "common" / "python"

INFO = {
    "title": "Bright Run",
    "version": "1.0.0",
    "description": "Plans, writes, checks and delivers conversations for LoRA training.",
}
TAGS = {
    "Scaffolding": "The records that conversations are planned with.",
    "Templates": "The templates of the prompts for Claude.",
    "Generation": "Start the generation of conversations.",
    "Batches": "Follow and control batches.",
    "Conversations": "Read and download conversations.",
    "Enrichment": "Validate conversations and turn them into training pairs.",
    "Review": "Approve or reject conversations, with an audit trail.",
    "Training files": "Training files made from conversations, in versions.",
    "Datasets": "Validated files that models are trained on.",
    "Estimates": "Duration and cost of training, before it starts.",
    "Training jobs": "Train adapters and follow the training.",
    "Models": "The trained adapters.",
    "Costs": "What training has cost.",
    "Notifications": "Events of interest to the owner.",
    "Failures": "Conversations that could not be generated, with reports.",
    "Generation log": "Every call to Claude, and what it cost.",
}
PROBLEMS = {
    400: "The request is not valid, or its record does not allow it; `details` say where.",
    404: "There is no such record, or it is another owner's.",
    409: "The record is in another state, which `details` hold; with Retry-After, it passes.",
    415: "The body is not application/json.",
    422: "The Idempotency-Key was used with a different request before.",
    500: "Internal server error.",
    503: "The storage is unavailable; Retry-After says when to try again.",
}
GATEWAY_ANSWERS = {
    401: "The token is missing, wrong or expired.",
    403: "The user's groups do not allow it; or the token is an ID token: send the access token.",
    413: "The request has more than the 6 MB that its function takes.",
    429: "Too many requests: of all users, or of this one, as a Problem with Retry-After.",
}
ETAG: Schema = {
    "ETag": {
        "description": "The tag for If-None-Match, and for If-Match where the record has versions.",
        "schema": {"type": "string"},
    }
}
GATEWAY_MESSAGE: Schema = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": {"type": "string"}},
    "description": "An answer of API Gateway itself.",
}

RESOLVERS_OWN = {"HTTPValidationError", "ValidationError", "ResponseValidationError"}
"""Answers that Powertools would give without our problems."""


def document() -> Schema:
    """Merge the OpenAPI documents of all API functions; raises ValueError where they disagree."""
    paths: dict[str, Schema] = {}
    schemas: dict[str, Schema] = {"GatewayMessage": GATEWAY_MESSAGE, **_problem_schemas()}
    for name in ROUTES:
        api = importlib.import_module(f"functions.{name}.handler").api
        part = json.loads(api.get_openapi_json_schema())
        words = {one.operation_id: one.func for one in api._static_routes + api._dynamic_routes}
        for path, method, operation in operations(part):
            function = words[operation["operationId"]]
            paths.setdefault(path, {})[method] = _operation(path, method, operation, function)
        for model, schema in part["components"]["schemas"].items():
            if schemas.setdefault(model, schema) != schema:
                raise ValueError(f"Two models are called {model}.")
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/"}],
        "security": [{"CognitoToken": []}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "paths": {path: dict(sorted(paths[path].items())) for path in sorted(paths)},
        "components": {
            "securitySchemes": {
                "CognitoToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
            "responses": _responses(),
            "schemas": _without_titles(
                {name: schemas[name] for name in sorted(schemas.keys() - RESOLVERS_OWN)}
            ),
        },
    }


def operations(part: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Give every operation of a document, with its path and method."""
    for path, methods in part["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _operation(path: str, method: str, operation: Schema, function: Any) -> Schema:
    """Describe an operation by its function's docstring, and add its error responses."""
    summary, _, description = (inspect.getdoc(function) or "").partition("\n\n")
    success = {
        code: {**answer, "description": "Success."}
        for code, answer in operation["responses"].items()
        if code.startswith("2")
    }
    parameters = [_parameter(one) for one in operation.get("parameters", [])]
    if method == "get":
        parameters.append(_if_none_match())
    errors = _error_codes(path, method, operation, parameters)
    fields = {
        "tags": operation["tags"],
        "operationId": function.__name__,
        "summary": summary,
        "description": " ".join(description.split()),
        "parameters": parameters,
        "requestBody": operation.get("requestBody"),
        "responses": _with_etags(method, success)
        | {str(code): {"$ref": f"#/components/responses/{code}"} for code in errors},
    }
    return {name: _without_titles(value) for name, value in fields.items() if value}


def _with_etags(method: str, success: Schema) -> Schema:
    """Add the ETag to what a GET answers, and its 304."""
    if method != "get":
        return success
    tagged = {code: {**answer, "headers": ETAG} for code, answer in success.items()}
    return tagged | {"304": {"$ref": "#/components/responses/304"}}


def _if_none_match() -> Schema:
    from brightrun.http.etags import IF_NONE_MATCH

    return dict(IF_NONE_MATCH)


def _error_codes(path: str, method: str, operation: Schema, parameters: list[Schema]) -> list[int]:
    takes_body = "requestBody" in operation
    keyed = any(one["name"] == "idempotency-key" for one in parameters)
    answered = {
        400: takes_body or parameters,
        401: True,
        403: True,
        404: takes_body or "{" in path or path.endswith("/select"),
        409: method != "get",
        413: takes_body,
        415: method != "get",
        422: keyed,
        429: True,
        500: True,
        503: True,
    }
    return [code for code, possible in answered.items() if possible]


def _parameter(parameter: Schema) -> Schema:
    """Remove null, since a parameter is absent rather than null, and repeated descriptions."""
    schema = parameter["schema"]
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    said_elsewhere = {"anyOf", "description"} if len(kinds) == 1 else {"description"}
    kept = {name: value for name, value in schema.items() if name not in said_elsewhere}
    return {**parameter, "schema": kept | kinds[0] if len(kinds) == 1 else kept}


def _responses() -> Schema:
    gateway = {
        code: _response(words, "application/json", "GatewayMessage")
        for code, words in GATEWAY_ANSWERS.items()
    }
    problems = {
        code: _response(words, "application/problem+json", "Problem")
        for code, words in PROBLEMS.items()
    }
    unchanged = {304: {"description": "What the caller has is still right.", "headers": ETAG}}
    return {str(code): answer for code, answer in sorted((unchanged | gateway | problems).items())}


def _response(words: str, media_type: str, model: str) -> Schema:
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"description": words, "content": {media_type: {"schema": schema}}}


def _problem_schemas() -> dict[str, Schema]:
    from brightrun.http.problems import Problem

    problem = Problem.model_json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    return {**problem.pop("$defs"), "Problem": problem}


def _without_titles(schema: Any) -> Any:
    """Remove the titles that pydantic derives from names: they add nothing."""
    if isinstance(schema, Mapping):
        return {
            name: _without_titles(value)
            for name, value in schema.items()
            if not (name == "title" and isinstance(value, str))
        }
    return [_without_titles(one) for one in schema] if isinstance(schema, list) else schema


def text() -> str:
    """Write the document as it is committed."""
    return json.dumps(document(), indent=2) + "\n"


def main() -> None:
    """Write docs/openapi.json."""
    sys.path.insert(0, str(LAYER))  # as the Lambda runtime finds it
    DOCUMENT.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
