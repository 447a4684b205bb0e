"""What concerns the whole node works at three widths: pause and resume, reload, search."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Locator, Page, expect
from pydicom.dataset import FileDataset
from sqlalchemy import func, select

from core.config.file import ConfigurationFile
from core.config.settings import Configuration
from node.commands import carry_out
from node.ledger.schema import commands
from node.reloading import Reloading
from tests.support.node_process import wait_until
from tests.support.peers import write_series
from tests.support.web.clinic import open_clinic
from tests.support.web.screen import is_whole_in, overflow
from tests.support.web.serving import Site, serving
from web.server.app import follow

pytestmark = [pytest.mark.slow, pytest.mark.peer("chromium")]
PEERS = [
    {"name": name, "ae_title": title, "ip": "192.0.2.10", "port": 104}
    for name, title in (("tps", "TPS"), ("the-archive-of-the-other-house", "ARCHIVE_OF_OTHER"))
]


@dataclass
class House:
    """A node's pages and file, and its work, done when the test says so."""

    site: Site
    file: ConfigurationFile
    reloading: Reloading

    def write(self, **keys: object) -> None:
        path = self.file.given
        assert path is not None
        path.write_text(yaml.safe_dump({"peers": PEERS} | keys))

    def press(self, button: Locator) -> None:
        """Press a button that asks the node, which then does what was asked."""
        asked = self.asked()
        button.click()
        wait_until(lambda: self.asked() > asked, 120)
        carry_out(self.site.ledger)
        self.reloading.answer_next()

    def asked(self) -> int:
        with self.site.ledger.reading() as connection:
            return connection.scalar(select(func.count()).select_from(commands)) or 0

    def follow(self, configuration: Configuration) -> None:
        follow(self.site.app, replace(self.site.settings, configuration=configuration))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, ct_folder: Path) -> Iterator[House]:
    """Its cases: one of Müller, Ada, and two others."""
    folder = tmp_path_factory.mktemp("house")
    clinic = open_clinic(folder, peers=PEERS, pipeline=None)
    for number, name in enumerate(("Other^A", "Müller^Ada", "Other^B")):

        def named(data_set: FileDataset, _: int, name: str = name) -> None:
            data_set.SpecificCharacterSet, data_set.PatientName = "ISO_IR 192", name

        slices = sorted(ct_folder.glob("*.dcm"))[:1]
        clinic.receive(write_series(slices, folder / str(number), named))
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"peers": PEERS}))
    url = clinic.configuration.plain_database_url
    flags = {"storage_path": clinic.configuration.storage_path}
    file = ConfigurationFile(path, flags | ({} if url is None else {"database_url": url}))
    with serving(file.read(), file) as site:
        reloading = Reloading(site.settings.configuration, site.ledger, lambda _: file.read())
        opened = House(site, file, reloading)
        reloading.add(opened)
        yield opened


@pytest.mark.parametrize("name", [peer["name"] for peer in PEERS])
def test_a_peer_is_paused_and_resumed(window: Page, house: House, name: str) -> None:
    window.goto(f"{house.site.url}/peers")
    row = window.locator("tbody tr", has=window.locator("th", has_text=name))
    house.press(seen(window, row.get_by_role("button", name="Pause")))
    expect(row).to_contain_text("is paused since")
    assert overflow(window) <= 0
    house.press(seen(window, row.get_by_role("button", name="Resume")))
    expect(row).not_to_contain_text("is paused since")


def test_a_pipeline_is_paused_and_resumed_and_today_says_so(window: Page, house: House) -> None:
    window.goto(f"{house.site.url}/models")
    card = window.locator("section.card").filter(has=window.get_by_role("heading", name="blur"))
    house.press(seen(window, card.get_by_role("button", name="Pause")))
    expect(card).to_contain_text("is paused since")
    assert overflow(window) <= 0
    window.goto(house.site.url)
    told = window.get_by_text("is paused since")
    assert is_whole_in(window, told)
    assert overflow(window) <= 0
    window.get_by_role("link", name="pipeline blur").click()
    house.press(seen(window, card.get_by_role("button", name="Resume")))
    expect(card).not_to_contain_text("is paused since")


def test_a_changed_file_is_marked_and_reloaded(window: Page, house: House) -> None:
    house.write(completion={"settle_s": 7.5}, scp_port=104)
    window.goto(f"{house.site.url}/configuration")
    part = window.locator("#configuration")
    expect(part).to_contain_text("A reload takes: completion.settle_s")
    expect(part).to_contain_text("Needs a restart: scp_port")
    for words in ("in the file: 7.5, taken by a reload", "in the file: 104, needs a restart"):
        assert is_whole_in(window, window.get_by_text(words))
    assert overflow(window) <= 0
    house.press(seen(window, window.get_by_role("button", name="Reload the file")))
    expect(part).not_to_contain_text("taken by a reload")
    expect(part).to_contain_text("Needs a restart: scp_port")
    house.write()
    house.press(window.get_by_role("button", name="Reload the file"))
    expect(part).to_contain_text("The node runs with what the file has")


def test_a_case_is_searched_for(window: Page, house: House) -> None:
    window.goto(f"{house.site.url}/cases")
    expect(window.locator("[data-row]")).to_have_count(3)
    field = window.get_by_label("Patient, description, date, sender, case")
    assert is_whole_in(window, field)
    field.fill("muller, ada")
    seen(window, window.get_by_role("button", name="Search", exact=True)).click()
    expect(window.locator("[data-row]")).to_have_count(1)
    expect(window.locator("[data-row]")).to_contain_text("Müller")
    assert overflow(window) <= 0
    assert "ller" not in window.url
    seen(window, window.get_by_role("link", name="All cases")).click()
    expect(window.locator("[data-row]")).to_have_count(3)


def seen(page: Page, one: Locator) -> Locator:
    """An element that is to be seen as a whole without scrolling sideways."""
    expect(one).to_be_visible()
    assert is_whole_in(page, one)
    return one
