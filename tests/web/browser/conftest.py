"""Debian's Chromium, and a page that fails the test when a script or the policy complains."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.support.web.clinic import Clinic, open_clinic
from tests.support.web.serving import Site, serving

CHROMIUM = "/usr/bin/chromium"
VIEWPORT = ViewportSize(width=1366, height=768)
WITHIN_MS = 120_000
"""A busy machine loads a page, and what it imports for it, slowly."""
SIZES = {1440: 900, 1024: 768, 390: 844}
"""A desk, a small window and a telephone."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=WITHIN_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of a laptop; afterwards nothing may have gone wrong in it."""
    context = browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(WITHIN_MS)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if _is_fault(said.text) else None)
    yield opened
    context.close()
    assert faults == []


@pytest.fixture(scope="module", params=SIZES)
def window(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A window of each of three widths; no script may have failed in it."""
    width = request.param
    context = browser.new_context(viewport=ViewportSize(width=width, height=SIZES[width]))
    context.set_default_timeout(WITHIN_MS)
    opened, faults = context.new_page(), list[str]()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    context.close()
    assert faults == []


def _is_fault(words: str) -> bool:
    return "Content Security Policy" in words or "Uncaught" in words


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    """A node's storage without a node."""
    return open_clinic(tmp_path_factory.mktemp("clinic"))


@pytest.fixture(scope="module")
def cine_case(clinic: Clinic, cine_folder: Path) -> int:
    """Two phases at two positions, contoured for real."""
    number = clinic.receive([cine_folder / f"{number}.dcm" for number in (89, 99, 109, 119)])
    clinic.run()
    return number


@pytest.fixture(scope="module")
def site(clinic: Clinic, cine_case: int) -> Iterator[Site]:
    with serving(clinic.configuration) as served:
        yield served
