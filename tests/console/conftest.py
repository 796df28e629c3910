"""The console in a browser, over a running system of the deployed templates."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.e2e.conftest import Installation

expect.set_options(timeout=15_000)

# As root, and without the requests that a browser makes for itself.
_CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as `make browser` installs it.

    For a module only: while it is open, an event loop runs in this thread, and no other test that
    needs one of its own may run.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "There is no Chromium; `make browser` installs Debian's."
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=_CHROMIUM_FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def shared_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running system, for all modules of a worker."""
    installation = Installation(tmp_path_factory.mktemp("data"))
    installation.start()
    yield installation
    installation.stop()


@pytest.fixture(scope="module")
def system(shared_system: Installation, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """The running system as a user of the module's own, who sees nothing of other modules."""
    shared_system.reset_claude()
    with shared_system.as_user(f"{request.module.__name__}@example.com") as installation:
        yield installation


class SignedIn:
    """A page of someone who has signed in, and what the browser complained about since."""

    def __init__(self, page: Page, system: Installation) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._listen)
        self.url = system.console_url
        page.goto(self.url)
        page.get_by_label("E-mail").fill(system.username)
        page.get_by_label("Password").fill(system.password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Batches", exact=True).wait_for()

    def open(self, path: str) -> Page:
        """Go to a page by its address, as from a bookmark."""
        self.page.goto(f"{self.url}{path}")
        return self.page

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(message.text)


@pytest.fixture
def signed_in(browser: Browser, system: Installation) -> Iterator[SignedIn]:
    """A signed-in page; the test fails if the browser's console shows an error or a warning."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-US")
    context.set_default_timeout(15_000)
    page = SignedIn(context.new_page(), system)
    yield page
    context.close()
    assert page.faults == []


@pytest.fixture(scope="session")
def axe_source() -> str:
    """The accessibility checker that the console's own packages bring."""
    root = Path(__file__).resolve().parents[2]
    return (root / "console" / "node_modules" / "axe-core" / "axe.min.js").read_text()
