"""Signing in: with the local system's link, by password, and at a user pool's own pages."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.e2e.conftest import Installation

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-US")
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def test_the_printed_link_signs_in_with_one_click(page: Page, system: Installation) -> None:
    page.goto(f"{system.console_url}/#password={system.password}")
    assert "password" not in page.url
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Batches").wait_for()


def test_a_wrong_password_is_refused_in_words(page: Page, system: Installation) -> None:
    page.goto(system.console_url)
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").get_by_text("Incorrect username or password").wait_for()


def test_signing_out_leaves_nothing_of_the_session(page: Page, system: Installation) -> None:
    page.goto(f"{system.console_url}/#password={system.password}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for()
    assert page.evaluate("JSON.stringify({...sessionStorage})") == "{}"
    assert system.password not in page.evaluate("JSON.stringify({...localStorage})")


def test_a_refused_token_leads_back_to_signing_in(page: Page, system: Installation) -> None:
    page.goto(f"{system.console_url}/#password={system.password}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Batches").wait_for()
    page.evaluate(
        """() => {
            const session = JSON.parse(sessionStorage.getItem("brightrun.session"));
            session.accessToken = "revoked";
            sessionStorage.setItem("brightrun.session", JSON.stringify(session));
        }"""
    )
    page.reload()
    page.get_by_label("Password").wait_for()


def test_an_expired_token_is_renewed_without_a_word(page: Page, system: Installation) -> None:
    page.goto(f"{system.console_url}/#password={system.password}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Batches").wait_for()
    page.evaluate(
        """() => {
            const session = JSON.parse(sessionStorage.getItem("brightrun.session"));
            session.accessToken = "expired";
            session.expiresAt = 0;
            sessionStorage.setItem("brightrun.session", JSON.stringify(session));
        }"""
    )
    page.reload()
    page.get_by_text("No batch yet").wait_for()


class UserPoolPages:
    """Stands in for a user pool's own pages on AWS, whose tokens are those of the local pool."""

    def __init__(self, system: Installation) -> None:
        self.home = f"{system.console_url}/"
        self.domain = f"{system.console_url}/pool"
        self.challenge = ""
        self.verified = False
        self._token = system.token()

    def config(self, route: Route) -> None:
        sign_in = {
            "kind": "cognito",
            "clientId": "console",
            "authority": self.domain,
            "domain": self.domain,
        }
        route.fulfill(json={"apiUrl": "", "signIn": sign_in})

    def authorize(self, route: Route) -> None:
        asked = {
            key: value[0] for key, value in parse_qs(urlsplit(route.request.url).query).items()
        }
        assert asked["response_type"] == "code"
        assert asked["redirect_uri"] == self.home
        assert asked["code_challenge_method"] == "S256"
        assert "aws.cognito.signin.user.admin" in asked["scope"].split()
        self.challenge = asked["code_challenge"]
        answer = urlencode({"code": "one-time", "state": asked["state"]})
        route.fulfill(status=302, headers={"location": f"{self.home}?{answer}"})

    def token(self, route: Route) -> None:
        sent = {key: value[0] for key, value in parse_qs(route.request.post_data or "").items()}
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        self.verified = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.challenge
        claims = {"iss": self.domain, "sub": "someone", "email": "someone@example.com"}
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        route.fulfill(
            json={
                "access_token": self._token,
                "id_token": f"e30.{payload}.signature",
                "refresh_token": "refresh",
                "token_type": "Bearer",
                "expires_in": 3600,
            }
        )


def test_on_aws_the_user_pools_pages_hand_over_a_code_for_this_tab_only(
    page: Page, system: Installation
) -> None:
    pool = UserPoolPages(system)
    page.route("**/config.json", pool.config)
    page.route("**/pool/oauth2/authorize*", pool.authorize)
    page.route("**/pool/oauth2/token", pool.token)
    page.goto(f"{system.console_url}/conversations?status=approved")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Conversations").wait_for()
    assert pool.verified
    assert page.url.endswith("/conversations?status=approved")
    page.get_by_text("someone@example.com").wait_for()


def test_an_answer_that_this_tab_did_not_ask_for_is_refused(
    page: Page, system: Installation
) -> None:
    pool = UserPoolPages(system)
    page.route("**/config.json", pool.config)
    page.goto(f"{system.console_url}/?code=stolen&state=of-another")
    page.get_by_role("alert").get_by_text("No matching state").wait_for()
