"""Today and a case at the widths of a desk, a small window and a telephone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from network.sender import Sender
from node.ledger.tables.instances import ABORTED, record_rejection
from tests.support.peers import write_series
from tests.support.web.clinic import Clinic, open_clinic
from tests.support.web.screen import overflow
from tests.support.web.serving import Site, serving

pytestmark = [pytest.mark.slow, pytest.mark.peer("chromium")]
LONG = "w" * 150
RULES = [{"called_ae_title": "SLICEWIRE", "pipeline": "blur", "tags": {"ProtocolName": LONG}}]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return open_clinic(tmp_path_factory.mktemp("widths"), pipeline=None, rules=RULES)


@pytest.fixture(scope="module")
def held(clinic: Clinic, ct_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """A case that waits for a person; besides it one without a rule, and a rejected system."""
    ct, folder = sorted(ct_folder.glob("*.dcm"))[:3], tmp_path_factory.mktemp("ct")
    number = clinic.receive(write_series(ct, folder / "held"), outcome=ABORTED)
    clinic.receive(write_series(ct, folder / "kept"))
    with clinic.completion.ledger.writing() as connection:
        sender = Sender("CT_1", "SLICEWIRE", "192.0.2.7")
        record_rejection(connection, sender, clinic.completion.clock.now, f"no peer {LONG}")
    return number


@pytest.fixture(scope="module")
def site(clinic: Clinic, held: int) -> Iterator[Site]:
    with serving(clinic.configuration) as served:
        yield served


@pytest.mark.parametrize("path", ["/", "/cases", "/cases/1", "/log", "/peers", "/configuration"])
def test_no_page_is_wider_than_its_window(window: Page, site: Site, path: str) -> None:
    window.goto(site.url + path)
    assert overflow(window) <= 0


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("held", "received only over an aborted association"),
        ("untaken", "came nearest: ProtocolName is not given, not w"),
        ("rejected", "192.0.2.7"),
        ("send-to", "SLICEWIRE at 127.0.0.1:11112"),
    ],
)
def test_today_answers_whatever_the_width(window: Page, site: Site, part: str, words: str) -> None:
    window.goto(site.url)
    section = window.locator(f"#{part}")
    expect(section).to_contain_text(words)
    found = section.get_by_text(words[:20]).last.bounding_box()
    assert found is not None
    assert found["x"] >= 0
    assert found["x"] + found["width"] <= window.evaluate("innerWidth")


def test_columns_of_a_list_do_not_overlap(window: Page, site: Site) -> None:
    window.goto(site.url)
    row = window.locator("#held [data-row]").first
    wide = row.evaluate(
        "row => [...row.children].map(cell => [cell.scrollWidth, cell.clientWidth])"
    )
    assert all(content <= room for content, room in wide)


def test_reason_and_image_are_first_on_a_case(window: Page, site: Site, held: int) -> None:
    window.goto(f"{site.url}/cases/{held}")
    window.wait_for_selector("#stage[data-index]")
    reason = window.locator("#head .notice").bounding_box()
    stage = window.locator("#stage").bounding_box()
    assert reason is not None
    assert stage is not None
    assert reason["width"] > 0.55 * window.evaluate("innerWidth")
    assert reason["y"] + reason["height"] <= stage["y"]
    assert stage["y"] + 150 < window.evaluate("innerHeight")


def test_a_dialog_wraps_and_fits(window: Page, site: Site, held: int) -> None:
    window.goto(f"{site.url}/cases/{held}")
    window.locator("#sure-release p").evaluate("(p, words) => (p.textContent = words)", LONG)
    for verb in ("release", "cancel"):
        window.locator(f"#ask-{verb}").click()
        dialog = window.locator(f"#sure-{verb}")
        box = dialog.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= window.evaluate("innerWidth")
        assert dialog.evaluate("one => one.scrollWidth <= one.clientWidth")
        window.keyboard.press("Escape")


def test_run_on_today_opens_its_dialog(window: Page, site: Site) -> None:
    window.goto(site.url)
    window.locator("#untaken a.run").click()
    expect(window.locator("#sure-run")).to_be_visible()


def test_a_ct_opens_in_the_soft_tissue_window_with_its_presets(
    window: Page, site: Site, held: int
) -> None:
    window.goto(f"{site.url}/cases/{held}")
    window.wait_for_selector("#stage[data-index]")
    assert window.locator("#preset").input_value() == "soft tissue"
    assert window.inner_text("#window-words").startswith("window 400 · level 40")
    names = window.locator("#preset option").all_inner_texts()
    assert {"soft tissue", "lung", "bone", "brain", "liver"} <= set(names)
