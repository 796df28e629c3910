"""The console: the built pages of ``console/``, served as CloudFront serves them on AWS."""

import json
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from local.settings import REPOSITORY, USER_NAME

BUILT_PAGES = REPOSITORY / "console" / "dist"
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_IMMUTABLE = "public, max-age=31536000, immutable"
_CONFIG = "/config.json"
_INDEX = "/index.html"

_NOT_BUILT = b"""<!doctype html><html lang=en><meta charset=utf-8><title>Bright Run, local</title>
<h1>The pages are not built</h1><p>Run <code>make console</code>, then <code>make down up</code>.
<p><a href="/_local/">What runs here</a></html>
"""


class Console:
    """The files of the built pages, by path; any other path of a page is its one document.

    The files are read once: whoever builds the pages anew starts the system anew.
    """

    def __init__(self, folder: Path = BUILT_PAGES) -> None:
        self._files: Mapping[str, bytes] = {
            f"/{file.relative_to(folder).as_posix()}": file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }

    def respond(
        self, path: str, accept: str, status: Mapping[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        """Return the status code, headers and body for a path.

        A browser that goes to a page asks for `text/html` first, and gets the one document.
        """
        if path == _CONFIG:
            return 200, self._headers("application/json", "no-cache"), _config(status)
        is_page = path == "/" or accept.startswith("text/html")
        name = _INDEX if is_page and path not in self._files else path
        if name == _INDEX and name not in self._files:
            return 200, self._headers("text/html", "no-cache"), _NOT_BUILT
        if name not in self._files:
            return 404, self._headers("text/plain", "no-cache"), b"There is no such file.\n"
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        # The names of assets hold a hash of their content; the document names the current ones.
        caching = _IMMUTABLE if name.startswith("/assets/") else "no-cache"
        return 200, self._headers(kind, caching), self._files[name]

    def _headers(self, kind: str, caching: str) -> dict[str, str]:
        return {**_SECURITY_HEADERS, "content-type": kind, "cache-control": caching}


def sign_in_link(url: str, password_file: Path) -> str:
    """Return the address that signs in with one click.

    The password stands in the fragment, which a browser sends to nobody and the page removes.
    """
    return f"{url}/#{urlencode({'password': password_file.read_text().strip()})}"


def _config(status: Mapping[str, Any]) -> bytes:
    """What the pages must know: the API is at their own address, as are the users."""
    sign_in = {
        "kind": "local",
        "clientId": status.get("user_pool_client"),
        "username": USER_NAME,
    }
    return json.dumps({"apiUrl": "", "signIn": sign_in}).encode()
