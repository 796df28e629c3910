"""Where requests go, and which of them change what only the snapshot keeps."""

import pytest

from local.front_door import Destination, destination_of, needs_snapshot

SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/s3/aws4_request"}
BEARER = {"authorization": "Bearer token"}


@pytest.mark.parametrize(
    ("path", "query", "headers", "destination"),
    [
        ("/api", "", {}, Destination.API),
        ("/api/conversations", "limit=5", BEARER, Destination.API),
        ("/api/x", "", SIGNED, Destination.AWS),
        ("/api/x", "X-Amz-Signature=0", {}, Destination.AWS),
        ("/api/x", "a=1&X-Amz-Credential=local", {}, Destination.AWS),
        ("/", "", {}, Destination.CONSOLE),
        ("/batches/new", "a=1", {}, Destination.CONSOLE),
        ("/assets/index-1.js", "", {"origin": "http://127.0.0.1:8610"}, Destination.CONSOLE),
        ("/_local/", "", {}, Destination.STATUS_PAGE),
        ("/", "", SIGNED, Destination.AWS),
        ("/", "", {"x-amz-target": "DynamoDB_20120810.GetItem"}, Destination.AWS),
        ("/", "", {"x-amz-target": "SageMaker.CreateTrainingJob"}, Destination.SAGEMAKER),
        ("/", "", {**SIGNED, "x-amz-target": "SageMaker.AddTags"}, Destination.SAGEMAKER),
        ("/_local/status", "", {}, Destination.STATUS_DOCUMENT),
        ("/apiary", "", {}, Destination.CONSOLE),
        ("/us-east-1_pool/.well-known/jwks.json", "", {}, Destination.AWS),
        ("/_ministack/reset", "", {}, Destination.REFUSED),
        ("/_ministack/reset", "", SIGNED, Destination.REFUSED),
        ("/_localstack/health", "", {}, Destination.REFUSED),
    ],
)
def test_request_goes_by_signature_first_and_path_second(
    path: str, query: str, headers: dict[str, str], destination: Destination
) -> None:
    assert destination_of("GET", path, query, {"host": "127.0.0.1:8610", **headers}) is destination


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8610", "localhost:8610", "bucket.localhost:8610", "[::1]:8610"]
)
def test_loopback_host_names_are_served(host: str) -> None:
    assert destination_of("GET", "/", "", {"host": host}) is Destination.CONSOLE


@pytest.mark.parametrize(
    "host", ["", "rebound.example:8610", "127.0.0.1.example", "localhost.evil"]
)
def test_other_host_names_are_refused(host: str) -> None:
    assert destination_of("GET", "/", "", {"host": host} if host else {}) is Destination.REFUSED


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://localhost.evil"])
def test_web_pages_from_elsewhere_cannot_reach_the_emulated_aws(origin: str) -> None:
    target = {"x-amz-target": "secretsmanager.GetSecretValue"}
    headers = {"host": "127.0.0.1:8610", "origin": origin}
    assert destination_of("POST", "/", "", {**headers, **target}) is Destination.REFUSED
    sagemaker = {"x-amz-target": "SageMaker.CreateTrainingJob"}
    assert destination_of("POST", "/", "", {**headers, **sagemaker}) is Destination.REFUSED
    assert destination_of("PUT", "/bucket/key", "", headers) is Destination.REFUSED
    assert (
        destination_of("GET", "/api/x", "", headers) is Destination.API
    )  # its own CORS rules decide


def test_web_pages_of_this_machine_may_use_the_emulated_aws() -> None:
    headers = {"host": "127.0.0.1:8610", "origin": "http://localhost:5173"}
    assert destination_of("GET", "/bucket/key", "X-Amz-Signature=0", headers) is Destination.AWS


@pytest.mark.parametrize(
    ("method", "path", "target", "expected"),
    [
        ("POST", "/", "DynamoDB_20120810.PutItem", False),
        ("POST", "/", "DynamoDB_20120810.TransactWriteItems", False),
        ("POST", "/", "DynamoDB_20120810.Query", False),
        ("POST", "/", "DynamoDB_20120810.CreateTable", True),
        ("POST", "/", "DynamoDB_20120810.UpdateTimeToLive", True),
        ("POST", "/", "AWSStepFunctions.StartExecution", False),
        ("POST", "/", "AWSStepFunctions.UpdateStateMachine", True),
        ("POST", "/", "AWSCognitoIdentityProviderService.InitiateAuth", True),
        ("POST", "/", "secretsmanager.PutSecretValue", True),
        ("PUT", "/bucket/key", None, False),
        ("PUT", "/bucket", None, True),
        ("GET", "/bucket", None, False),
    ],
)
def test_snapshot_is_needed_for_what_no_journal_keeps(
    method: str, path: str, target: str | None, expected: bool
) -> None:
    headers = {**SIGNED, **({"x-amz-target": target} if target else {})}
    assert needs_snapshot(method, path, headers) is expected
