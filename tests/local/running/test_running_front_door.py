"""The one port of a running engine."""

import boto3
import pytest
from botocore.config import Config

from tests.local.running_system import RunningSystem

pytestmark = pytest.mark.slow


def test_status_page_says_what_runs_where(system: RunningSystem) -> None:
    page = system.request("GET", "/_local/").text
    assert system.outputs["UserPoolId"] in page
    assert system.outputs["TableName"] in page
    assert system.local.status["data_dir"] in page


@pytest.mark.parametrize("path", ["/", "/batches/some-batch"])
def test_pages_of_the_console_may_run_only_their_own_scripts(
    system: RunningSystem, path: str
) -> None:
    page = system.request("GET", path, headers={"accept": "text/html,*/*;q=0.8"})
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert page.headers["content-type"] == "text/html"


def test_console_learns_where_to_sign_in(system: RunningSystem) -> None:
    config = system.request("GET", "/config.json").document
    assert config["signIn"]["clientId"] == system.local.status["user_pool_client"]
    assert config["signIn"]["username"] == system.local.status["username"]


def test_missing_file_of_the_console_is_not_found(system: RunningSystem) -> None:
    assert system.request("GET", "/assets/gone.js").status == 404


def test_status_document_is_what_the_start_returned(system: RunningSystem) -> None:
    assert system.request("GET", "/_local/status").document == system.local.status


def test_api_request_without_a_token_is_refused(system: RunningSystem) -> None:
    assert system.request("GET", "/api/echo").status == 401


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."])
def test_api_request_with_a_garbage_token_is_refused(system: RunningSystem, token: str) -> None:
    answer = system.request("GET", "/api/echo", headers={"authorization": f"Bearer {token}"})
    assert answer.status == 401


def test_api_request_with_a_tampered_token_is_refused(system: RunningSystem) -> None:
    header, claims, signature = system.sign_in().split(".")
    token = f"{header}.{claims}.{signature[::-1]}"
    answer = system.request("GET", "/api/echo", headers={"authorization": f"Bearer {token}"})
    assert answer.status == 401


def test_api_request_with_an_id_token_is_refused(system: RunningSystem) -> None:
    token = system.sign_in("IdToken")
    answer = system.request("GET", "/api/echo", headers={"authorization": f"Bearer {token}"})
    assert answer.status == 403


def test_api_request_of_the_local_user_reaches_the_function(system: RunningSystem) -> None:
    answer = system.request("GET", "/api/echo", headers=_token(system))
    assert answer.status == 200
    assert answer.document["path"] == "/api/echo"
    assert answer.document["greeting"] == "from the layer"
    assert answer.document["sub"]


def test_unknown_api_path_is_not_found(system: RunningSystem) -> None:
    assert system.request("GET", "/api/nothing", headers=_token(system)).status == 404


def test_failing_handler_answers_500_without_its_trace(system: RunningSystem) -> None:
    answer = system.request("GET", "/api/fail", headers=_token(system))
    assert answer.status == 500
    assert answer.document == {"message": "Internal Server Error"}


def test_a_body_that_lambda_does_not_take_is_the_callers_error(system: RunningSystem) -> None:
    large = {"text": "x" * 7_000_000}
    answer = system.request("POST", "/api/runs", body=large, headers=_token(system))
    assert answer.status == 413
    assert answer.document == {"message": "Request Too Long"}


def test_presigned_link_of_a_function_is_served_on_the_same_port(system: RunningSystem) -> None:
    link = system.request("GET", "/api/echo", headers=_token(system)).document["link"]
    assert link.startswith(system.local.api_url)
    stored = system.request("PUT", link, body={"by": "link"}, headers={"content-type": ""})
    assert stored.status == 200
    s3 = system.aws("s3")
    body = s3.get_object(Bucket=system.outputs["BucketName"], Key="by-link.txt")["Body"].read()
    assert body == b'{"by": "link"}'


def test_presigned_link_with_a_wrong_signature_is_refused(system: RunningSystem) -> None:
    link = system.request("GET", "/api/echo", headers=_token(system)).document["link"]
    forged = link.replace("X-Amz-Signature=", "X-Amz-Signature=0")
    assert system.request("PUT", forged, body={}, headers={"content-type": ""}).status == 403


def test_endpoint_url_from_the_environment_is_all_that_boto3_needs(
    system: RunningSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", system.local.api_url)
    s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket="api")
    s3.put_object(Bucket="api", Key="scaffolding/personas", Body=b"an object, not a route")
    body = s3.get_object(Bucket="api", Key="scaffolding/personas")["Body"].read()
    assert body == b"an object, not a route"


def test_preflight_from_the_allowed_origin_is_answered(system: RunningSystem) -> None:
    headers = {
        "origin": "https://console.example",
        "access-control-request-method": "POST",
    }
    answer = system.request("OPTIONS", "/api/runs", headers=headers)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "https://console.example"
    assert answer.headers["access-control-max-age"] == "600"


def test_preflight_from_another_origin_is_refused(system: RunningSystem) -> None:
    headers = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    assert system.request("OPTIONS", "/api/runs", headers=headers).status == 403


def test_request_under_a_foreign_host_name_is_refused(system: RunningSystem) -> None:
    answer = system.request("GET", "/_local/status", headers={"host": "rebound.example"})
    assert answer.status == 403


def test_emulator_cannot_be_wiped_by_a_web_page(system: RunningSystem) -> None:
    assert system.request("POST", "/_ministack/reset", body={}).status == 403
    assert system.table().table_status == "ACTIVE"


def _token(system: RunningSystem) -> dict[str, str]:
    return {"authorization": f"Bearer {system.sign_in()}"}
