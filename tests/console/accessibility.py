"""What axe finds on a page, and what makes a page wider than its window."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.effort import effort

_SCREENSHOTS = os.environ.get("CONSOLE_SCREENSHOTS")
Scheme = Literal["light", "dark"]
_SCHEMES: tuple[Scheme, ...] = ("light", "dark")
_WIDTHS = (1280, 320)
_LOOKS = effort(tuple(zip(_SCHEMES, _WIDTHS, strict=True)), tuple(product(_SCHEMES, _WIDTHS)))
"""Each theme and each width once; with full effort every theme in a wide and a narrow window."""


def faults_in_every_look(page: Page, axe_source: str) -> list[str]:
    """Return what is wrong with an open page in any theme and width: axe's violations, overflow."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = []
    for scheme, width in _LOOKS:
        _look(page, scheme, width)
        faults = violations(page, axe_source)
        if wider := _overflow(page):
            faults.append(f"{wider} pixels wider than its window")
        found += [f"{scheme}, {width} pixels: {fault}" for fault in faults]
    return found


def _look(page: Page, scheme: Scheme, width: int) -> None:
    """Change an open page's theme and width, and wait until it has followed."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 860})
    page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=scheme)


def violations(page: Page, axe_source: str) -> list[str]:
    """Return axe's violations of the page, each with its first element."""
    _keep_screenshot(page)
    # Evaluated, not added as a script: the page's Content-Security-Policy admits no other scripts.
    page.evaluate(axe_source)
    result: dict[str, Any] = page.evaluate("async () => await axe.run(document)")
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
        for one in result["violations"]
    ]


def _keep_screenshot(page: Page) -> None:
    """Keep a picture of what was checked in the folder that CONSOLE_SCREENSHOTS names."""
    if _SCREENSHOTS is None:
        return
    theme = page.evaluate("document.documentElement.dataset.theme")
    width = page.viewport_size["width"] if page.viewport_size else 0
    path = urlsplit(page.url).path.strip("/").replace("/", "-") or "start"
    page.screenshot(path=Path(_SCREENSHOTS) / f"{path}-{theme}-{width}.png")


def _overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )
