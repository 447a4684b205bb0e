"""A node runs, a series comes over the network, and a person watches and decides."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from imaging.instances.header import read_header
from imaging.rtstruct.reader import read_structure_set
from tests.support.node_process import (
    SENDABLE,
    NodeProcess,
    Sink,
    send,
    series_uid,
    wait_until,
)
from tests.support.peers import EXPLICIT, IMPLICIT, associate, store_file, write_series
from tests.support.ports import free_port
from tests.support.web.screen import check_lines, lines_drawn, lines_expected, wait_for_image

pytestmark = [pytest.mark.slow, pytest.mark.peer("chromium")]


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture(scope="module")
def node(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """With its pages; results go to a peer that can be asked by C-ECHO."""
    node = NodeProcess(
        tmp_path_factory.mktemp("node"),
        scu_ip="127.0.0.1",
        scu_port=sink.port,
        pipeline="unet",
        peers=[{"name": "nobody", "ae_title": "NOBODY", "ip": "127.0.0.1", "port": free_port()}],
    )
    yield node.start("--web-port", str(free_port()))
    assert node.stop() == 0


@pytest.fixture(scope="module")
def url(node: NodeProcess) -> str:
    """Where the node said that its pages are, once they answer."""
    assert node.process.stdout is not None
    found = node.process.stdout.readline().split(": ", 1)[1].strip().rstrip("/")
    wait_until(lambda: _answers(found))
    return found


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def cine(cine_folder: Path, tmp_path: Path) -> list[Path]:
    paths = [cine_folder / f"{number}.dcm" for number in (89, 99, 109, 119)]
    return write_series(paths, tmp_path / "cine")


def abort(node: NodeProcess, paths: list[Path]) -> None:
    """A sender that is cut off after its last instance."""
    with associate(node.address, syntaxes=(EXPLICIT, IMPLICIT), classes=SENDABLE) as association:
        assert [store_file(association, path) for path in paths] == [0] * len(paths)
        association.abort()


def test_a_series_is_watched_coming_in_and_its_contours_are_those_that_arrived(
    page: Page, node: NodeProcess, sink: Sink, url: str, cine: list[Path], tmp_path: Path
) -> None:
    page.goto(url)
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate("window.neverLoadedAgain = true")
    visits = sink.released
    send(node, cine)
    coming = page.locator("#under-way tbody tr").first
    expect(coming).to_contain_text("SCD0000501", timeout=10_000)
    row = page.locator("#came tbody tr").first
    expect(row).to_contain_text("delivered", timeout=90_000)
    assert page.evaluate("window.neverLoadedAgain")
    row.get_by_role("link").click()
    wait_for_image(page)
    page.wait_for_selector("#structures tbody tr")
    page.wait_for_timeout(100)
    arrived = tmp_path / "rs.dcm"
    sink.wait_for(visits + 1)[-1].save_as(arrived, enforce_file_format=True)
    sent = read_structure_set(arrived)
    headers = {read_header(path).instance_number: read_header(path) for path in cine}
    header = headers[int(page.inner_text("#place").split("instance ")[1])]
    names = tuple(roi.name for roi in sent.rois)
    check_lines(lines_drawn(page), lines_expected(page, sent, header, names))


def test_a_held_series_is_looked_at_and_released_after_one_question(
    page: Page, node: NodeProcess, url: str, cine: list[Path]
) -> None:
    page.goto(url)
    abort(node, cine)
    row = page.locator("#held tbody tr").first
    expect(row).to_contain_text("received only over an aborted association", timeout=20_000)
    row.get_by_role("link").click()
    page.wait_for_selector("#stage[data-index]")  # what came is shown all the same
    expect(page.locator("#structures-words")).to_have_text("none: no structure set was made")
    page.evaluate("window.neverLoadedAgain = true")
    page.get_by_role("button", name="Release …").click()
    page.get_by_role("button", name="No").click()
    assert node.wait_for_state(series_uid(cine), "held")
    page.get_by_role("button", name="Release …").click()
    page.get_by_role("button", name="Release case").click()
    expect(page.locator("#head .badge")).to_have_text("delivered", timeout=90_000)
    expect(page.locator("#history")).to_contain_text(
        "released by a person, by local from 127.0.0.1"
    )
    wait_for_image(page)  # with contours now
    page.get_by_role("button", name="Send again …").click()
    page.keyboard.press("Escape")
    assert not page.locator("dialog[open]").count()


def test_a_peer_is_asked_by_c_echo_and_its_answer_is_shown(page: Page, url: str) -> None:
    page.goto(f"{url}/peers")
    page.get_by_role("button", name="Ask now").click()
    row = page.locator("tbody tr", has_text="NOBODY")
    asked = row.locator("td[data-head=C-ECHO] .answer")
    expect(asked).to_contain_text("does not answer")
    expect(row.locator(".badge")).to_have_text("down")


def test_without_the_stream_the_page_asks_every_few_seconds(
    page: Page, node: NodeProcess, url: str, cine: list[Path]
) -> None:
    page.route("**/api/events/stream", lambda route: route.abort())
    page.goto(url)
    expect(page.locator("#live")).to_have_text(re.compile("asks every"))
    before = page.locator("#came tbody tr").count()
    send(node, cine, called="NOT_ROUTED")
    expect(page.locator("#came tbody tr")).to_have_count(before + 1, timeout=20_000)
