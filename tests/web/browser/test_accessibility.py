"""Every page is without serious accessibility faults, in light and in dark, by axe-core."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from node.ledger.tables.conditions import set_condition
from node.ledger.tables.instances import ABORTED
from tests.support.peers import write_series
from tests.support.web.clinic import Clinic
from tests.support.web.serving import Site
from tests.web.browser.conftest import VIEWPORT

pytestmark = [pytest.mark.slow, pytest.mark.peer("chromium")]
AXE = files("axe_playwright_python") / "axe.min.js"
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def busy(clinic: Clinic, ct_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """Besides the case that is done, one that is held and one that failed."""
    ct, folder = sorted(ct_folder.glob("*.dcm"))[:3], tmp_path_factory.mktemp("ct")
    held = clinic.receive(write_series(ct, folder / "held"), outcome=ABORTED)
    failed = clinic.receive(write_series(ct, folder / "failed"))
    clinic.fail("Checkpoint broken.ckpt: no checkpoint")
    clinic.receive(write_series(ct, folder / "queued"))
    with clinic.completion.ledger.writing() as connection:
        set_condition(connection, "disk", "1 MB free, expected 500 MB", 1.0)
    return [held, failed]


@pytest.fixture(params=["light", "dark"])
def coloured(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=VIEWPORT, color_scheme=request.param)
    yield context.new_page()
    context.close()


def faults(page: Page) -> list[str]:
    """Serious ones, with the element and what axe says of it."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    return [
        f"{one['id']}: {node['html'][:120]} {node.get('failureSummary', '')}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/cases",
        "/peers",
        "/models",
        "/configuration",
        "/log",
        "/login",
        "/cases/1",
        "/nothing",
        "/api/docs",
    ],
)
def test_a_page_has_no_serious_fault(
    coloured: Page, site: Site, busy: list[int], path: str
) -> None:
    coloured.goto(site.url + path)
    coloured.wait_for_load_state("load")
    coloured.wait_for_timeout(500)
    assert faults(coloured) == []


def test_a_fault_would_be_seen(coloured: Page, site: Site) -> None:
    coloured.goto(site.url)
    coloured.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert any(one.startswith("button-name") for one in faults(coloured))


def test_a_held_and_a_failed_case_have_no_serious_fault(
    coloured: Page, site: Site, busy: list[int]
) -> None:
    for number in busy:
        coloured.goto(f"{site.url}/cases/{number}")
        coloured.wait_for_selector("#stage[data-index]")
        assert faults(coloured) == []
        coloured.locator("[data-ask]").first.click()
        assert faults(coloured) == []


def test_everything_is_reached_and_done_by_keyboard(coloured: Page, site: Site) -> None:
    coloured.goto(f"{site.url}/cases/1")
    coloured.wait_for_selector("#structures tbody input")
    reached = []
    for _ in range(40):
        coloured.keyboard.press("Tab")
        reached.append(
            coloured.evaluate("document.activeElement.id || document.activeElement.className")
        )
    assert "skip" in reached[0]
    for name in ("stage", "view", "slice", "phase", "preset", "fit", "zoom-in", "to-structures"):
        assert name in reached, json.dumps(reached)


def test_text_may_be_twice_as_large_without_anything_lost(browser: Browser, site: Site) -> None:
    half = {"width": VIEWPORT["width"] // 2, "height": VIEWPORT["height"] // 2}
    context = browser.new_context(viewport={"width": half["width"], "height": half["height"]})
    page = context.new_page()
    for path in ("/", "/cases/1"):
        page.goto(site.url + path)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
    context.close()
