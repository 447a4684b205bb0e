"""Live updates are for the page that is looked at."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from node.ledger.tables.instances import ABORTED
from tests.support.peers import write_series
from tests.support.web.clinic import Clinic
from tests.support.web.serving import Site

pytestmark = [pytest.mark.slow, pytest.mark.peer("chromium")]
_SEE = """isHidden => {
  Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_tab_in_the_background_hangs_up_and_catches_up_when_it_is_seen(
    page: Page, site: Site, clinic: Clinic, ct_folder: Path, tmp_path: Path
) -> None:
    page.goto(site.url)
    expect(page.locator("#live")).to_have_text("live", timeout=30_000)
    with page.expect_event("requestfailed") as cut_off:
        page.evaluate(_SEE, True)
    assert cut_off.value.url.endswith("/api/events/stream")
    ct = write_series(sorted(ct_folder.glob("*.dcm"))[:3], tmp_path / "held")
    number = clinic.receive(ct, outcome=ABORTED)
    page.wait_for_timeout(2000)
    row = page.locator(f'#held a[href="/cases/{number}"]')
    assert not row.count()
    page.evaluate(_SEE, False)
    expect(row).to_be_visible(timeout=30_000)
