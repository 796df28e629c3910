"""The HTTP API as a Python object: signed-in requests, bounded retries, pages."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from cli.config import is_loopback
from cli.errors import UnavailableError, error_from_response
from cli.retry import RetryPolicy

if TYPE_CHECKING:
    import httpx2

Document = dict[str, Any]
Params = Mapping[str, str | int | None]
PAGE_SIZE = 100  # the API's own maximum
# The gateway ends a request after 30 s, so an answer that takes longer never comes.
TIMEOUT_S = 35.0
CONNECT_TIMEOUT_S = 10.0


class TokenSource(Protocol):
    """Provides access tokens, as a Session does."""

    def access_token(self, *, renew: bool = False) -> str:
        """Return a usable token, a new one when `renew` is set."""


class Answer(Document):
    """A JSON object of a response; a missing field raises UnavailableError, not KeyError."""

    def __missing__(self, name: str) -> Any:
        """Raise UnavailableError naming the field."""
        raise UnavailableError(
            f"The server's answer has no field {name!r}.",
            code="unexpected_answer",
            hint="This command and the server are of different versions; update both.",
        )


def rows_of(page: Document, key: str) -> list[Any]:
    """The rows of a list answer; the routes of datasets and training keep theirs under `data`."""
    rows: list[Any] = page.get("data", page)[key]
    return rows


def segment(identifier: str) -> str:
    """Quote an id or key for use as one segment of a path."""
    return quote(identifier, safe="")


class ApiClient:
    """One Bright Run API, local or deployed.

    Every method returns the decoded JSON object and raises a CliError otherwise. GET, and POST
    with an idempotency key, are repeated on connection trouble, 429, 5xx and a 409 that passes.
    `on_replay` is called when a first request turns out to repeat an earlier one with its key.
    """

    def __init__(
        self,
        api_url: str,
        tokens: TokenSource,
        retry: RetryPolicy | None = None,
        on_replay: Callable[[], None] = lambda: None,
    ) -> None:
        import httpx2

        self._on_replay = on_replay
        self.api_url = api_url
        self.retry = retry or RetryPolicy()
        self._tokens = tokens
        self._polled: dict[httpx2.URL, tuple[str, Document] | None] = {}
        self._http = httpx2.Client(
            base_url=api_url,
            timeout=httpx2.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            headers={"accept": "application/json", "user-agent": "brightrun-cli"},
            # A proxy cannot reach this machine's own loopback interface.
            trust_env=not is_loopback(api_url),
        )

    def get(self, path: str, params: Params | None = None) -> Document:
        """Read; parameters that are None are left out."""
        request = self._http.build_request("GET", path, params=_given(params))
        return self._call(request, repeatable=True)

    def poll(self, path: str) -> Document:
        """Read what is read again and again: while it stays the same, the API sends no body."""
        request = self._http.build_request("GET", path)
        last = self._polled.setdefault(request.url, None)
        if last is not None:
            request.headers["if-none-match"] = last[0]
        return self._call(request, repeatable=True)

    def post(
        self,
        path: str,
        body: Document | None = None,
        idempotency_key: str | None = None,
        params: Params | None = None,
    ) -> Document:
        """Create or start something; repeated on trouble only with an idempotency key."""
        headers = {"idempotency-key": idempotency_key} if idempotency_key else {}
        request = self._http.build_request(
            "POST", path, json=body or {}, headers=headers, params=_given(params)
        )
        return self._call(request, repeatable=idempotency_key is not None)

    def patch(self, path: str, body: Document, if_match: str | None = None) -> Document:
        """Change some fields, of the version with this ETag where one is given."""
        headers = {"if-match": if_match} if if_match else {}
        request = self._http.build_request("PATCH", path, json=body, headers=headers)
        return self._call(request, repeatable=False)

    def put(self, path: str, body: Document, if_match: str | None = None) -> Document:
        """Replace a record, of the version with this ETag where one is given."""
        headers = {"if-match": if_match} if if_match else {}
        request = self._http.build_request("PUT", path, json=body, headers=headers)
        return self._call(request, repeatable=False)

    def delete(
        self, path: str, params: Params | None = None, if_match: str | None = None
    ) -> Document:
        """Deactivate or remove, of the version with this ETag where one is given."""
        headers = {"if-match": if_match} if if_match else {}
        request = self._http.build_request("DELETE", path, params=_given(params), headers=headers)
        return self._call(request, repeatable=False)

    def pages(
        self, path: str, key: str, params: Params | None = None, limit: int | None = None
    ) -> Iterator[Document]:
        """Yield page after page until `limit` rows stand under `key` (None: every row).

        `params` may name the cursor to begin at. A page may hold fewer rows than asked for, a
        filter drops some, and a route that does not page answers all rows, whatever the limit.
        """
        asked: dict[str, str | int | None] = dict(params or {})
        remaining = limit
        while remaining is None or remaining > 0:
            size = PAGE_SIZE if remaining is None else min(PAGE_SIZE, remaining)
            page = self.get(path, {**asked, "limit": size})
            yield page
            if remaining is not None:
                remaining -= len(rows_of(page, key))
            asked["cursor"] = page.get("next_cursor")
            if asked["cursor"] is None:
                return

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, request: "httpx2.Request", *, repeatable: bool) -> Document:
        attempt = 1
        while True:
            token = self._tokens.access_token()
            try:
                return self._exchange(request, token, is_first=attempt == 1)
            except UnavailableError as error:
                wait = self.retry.wait_s(attempt, error.retry_after) if repeatable else None
                if wait is None:
                    raise
                self.retry.sleep(wait)
                attempt += 1

    def _exchange(self, request: "httpx2.Request", token: str, *, is_first: bool) -> Document:
        response = self._send(request, token)
        if response.status_code == 401:
            # The authorizer refuses before anything is done, so any method may be sent again.
            response = self._send(request, self._tokens.access_token(renew=True))
        last = self._polled.get(request.url)
        if response.status_code == 304 and last is not None:
            return last[1]
        if not response.is_success:
            raise error_from_response(response)
        document = _decoded(response)
        if is_first and "idempotent-replayed" in response.headers:
            document["replayed"] = True
            self._on_replay()
        if request.url in self._polled and "etag" in response.headers:
            self._polled[request.url] = response.headers["etag"], document
        return document

    def _send(self, request: "httpx2.Request", token: str) -> "httpx2.Response":
        import httpx2

        request.headers["authorization"] = f"Bearer {token}"
        try:
            return self._http.send(request)
        except httpx2.RequestError as error:
            raise UnavailableError(
                f"{request.method} {request.url.copy_with(query=None)} got no answer: "
                f"{error or type(error).__name__}.",
                hint="Check that the system runs and that this machine can reach it.",
            ) from error


def _given(params: Params | None) -> Params:
    return {name: value for name, value in (params or {}).items() if value is not None}


def _decoded(response: "httpx2.Response") -> Document:
    try:
        body = response.json(object_hook=Answer)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise UnavailableError(
            f"{response.request.url} answered with something other than a JSON object.",
            hint="Check the profile's API address with `brightrun whoami`.",
        )
    return body
