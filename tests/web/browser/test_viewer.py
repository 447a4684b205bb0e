"""The viewer shows the right image with the contours that were sent, at the right pixels."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from playwright.sync_api import Page, expect
from pydicom.dataset import FileDataset

from imaging.instances.header import Header, read_header
from imaging.rtstruct.reader import StructureSet, read_structure_set
from node.ledger.tables.instances import ABORTED
from tests.support.peers import write_series
from tests.support.web.clinic import Clinic
from tests.support.web.screen import (
    canvas_of,
    check_lines,
    fit,
    lines_drawn,
    lines_expected,
    wait_for_image,
)
from tests.support.web.serving import Site

pytestmark = [pytest.mark.slow, pytest.mark.peer("chromium")]
ENDOCARDIUM, MYOCARDIUM = "LV_Endocardium", "LV_Myocardium"


@pytest.fixture
def viewer(page: Page, site: Site, cine_case: int) -> Page:
    page.goto(f"{site.url}/cases/{cine_case}")
    wait_for_image(page)
    page.wait_for_selector("#structures tbody tr")
    page.wait_for_timeout(100)
    return page


@pytest.fixture(scope="module")
def sent(clinic: Clinic, cine_case: int) -> StructureSet:
    """What the node sends."""
    folder = Path(clinic.case(cine_case).history.result_folders[0])
    [path] = (folder / "dicom").glob("*.dcm")
    return read_structure_set(path)


@pytest.fixture(scope="module")
def headers(cine_folder: Path) -> dict[int, Header]:
    """By InstanceNumber."""
    found = [read_header(cine_folder / f"{number}.dcm") for number in (89, 99, 109, 119)]
    return {header.instance_number: header for header in found}


def header_shown(page: Page, headers: dict[int, Header]) -> Header:
    return headers[int(page.inner_text("#place").split("instance ")[1])]


@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_contours_are_drawn_where_the_structure_set_that_was_sent_has_them(
    viewer: Page, sent: StructureSet, headers: dict[int, Header], index: int
) -> None:
    viewer.locator("#phase").fill(str(index // 2))
    viewer.locator("#slice").fill(str(index % 2))
    wait_for_image(viewer, index)
    header = header_shown(viewer, headers)
    names = (ENDOCARDIUM, MYOCARDIUM)
    check_lines(lines_drawn(viewer), lines_expected(viewer, sent, header, names))


def test_a_structure_is_switched_off_and_on_by_its_name(
    viewer: Page, sent: StructureSet, headers: dict[int, Header]
) -> None:
    header = header_shown(viewer, headers)
    viewer.get_by_role("checkbox", name=MYOCARDIUM).uncheck()
    viewer.wait_for_timeout(300)
    check_lines(lines_drawn(viewer), lines_expected(viewer, sent, header, (ENDOCARDIUM,)))
    viewer.get_by_role("checkbox", name=ENDOCARDIUM).uncheck()
    viewer.wait_for_timeout(300)
    assert not len(lines_drawn(viewer))
    viewer.get_by_role("checkbox", name=MYOCARDIUM).check()
    viewer.wait_for_timeout(300)
    check_lines(lines_drawn(viewer), lines_expected(viewer, sent, header, (MYOCARDIUM,)))


def test_structures_differ_by_more_than_their_colour(viewer: Page) -> None:
    samples = viewer.locator("#structures canvas")
    pictures = [
        samples.nth(number).evaluate(
            "one => [...one.getContext('2d').getImageData(0, 15, one.width, 1).data]"
        )
        for number in range(2)
    ]
    strong = [np.array(one).reshape(-1, 4)[:, 3] > 200 for one in pictures]
    assert (strong[0] != strong[1]).any()


def test_an_image_pixel_lies_where_its_contour_coordinates_say(
    viewer: Page, headers: dict[int, Header], cine_folder: Path
) -> None:
    viewer.focus("#stage")
    for _ in range(5):
        viewer.keyboard.press("+")
    viewer.wait_for_timeout(300)
    header = header_shown(viewer, headers)
    words = viewer.inner_text("#window-words")
    width, level = (float(part.split()[1]) for part in words.splitlines()[0].split(" · "))
    picture = canvas_of(viewer, "picture")
    assert header.pixel_spacing_mm is not None
    stage = picture.shape[1], picture.shape[0]
    whole = fit(stage, (header.rows, header.columns), header.pixel_spacing_mm)
    scale = whole.across * 1.25**5
    rng = np.random.default_rng(1)
    pixels = rng.integers((70, 92), (186, 164), (200, 2))
    middle = np.array(stage) / 2
    places = middle + (pixels + 0.5 - np.array([header.columns, header.rows]) / 2) * scale
    values = pydicom.dcmread(header.path).pixel_array[pixels[:, 1], pixels[:, 0]]
    expected = np.clip((values - (level - width / 2)) / width, 0, 1) * 255
    columns, rows = np.floor(places).astype(int).T
    found = picture[rows, columns, 0].astype(float)
    away = np.abs(found - expected).mean()
    assert away < 4
    for row, column in ((0, 1), (0, -1), (1, 0), (-1, 0)):  # half a pixel would be seen
        beside = picture[rows + round(row * scale / 2), columns + round(column * scale / 2), 0]
        assert np.abs(beside.astype(float) - expected).mean() > 1.5 * away


def test_wheel_keys_and_sliders_go_through_slices_and_phases(viewer: Page) -> None:
    stage = viewer.locator("#stage")
    place = viewer.locator("#place")
    stage.focus()
    viewer.keyboard.press("End")
    expect(place).to_contain_text("Slice 2 of 2, phase 1 of 2")
    viewer.keyboard.press("ArrowRight")
    expect(place).to_contain_text("Slice 2 of 2, phase 2 of 2")
    viewer.keyboard.press("ArrowUp")
    expect(place).to_contain_text("Slice 1 of 2, phase 2 of 2")
    stage.hover()
    viewer.mouse.wheel(0, 60)
    expect(place).to_contain_text("Slice 2 of 2, phase 2 of 2")
    viewer.locator("#phase").press("ArrowLeft")
    expect(place).to_contain_text("Slice 2 of 2, phase 1 of 2")
    label = viewer.locator("#contours").get_attribute("aria-label") or ""
    assert label == f"slice 2 of 2, phase 1 of 2, with {ENDOCARDIUM}, {MYOCARDIUM}"


def test_volumes_are_those_of_the_phase_that_is_shown(viewer: Page) -> None:
    first = viewer.inner_text("#structures tbody")
    viewer.locator("#phase").fill("1")
    wait_for_image(viewer, 2)
    assert viewer.inner_text("#structures tbody") != first


def test_dragging_changes_window_and_level_and_the_value_under_the_pointer_stays(
    viewer: Page,
) -> None:
    box = viewer.locator("#stage").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    viewer.mouse.move(x, y)
    value, before = viewer.inner_text("#under"), viewer.inner_text("#window-words")
    bright = canvas_of(viewer, "picture")[..., 0].mean()
    viewer.mouse.down()
    viewer.mouse.move(x, y + 90, steps=5)
    viewer.mouse.up()
    viewer.mouse.move(x, y)
    viewer.wait_for_timeout(300)
    assert canvas_of(viewer, "picture")[..., 0].mean() > bright + 3  # a lower level is brighter
    assert viewer.inner_text("#window-words") != before
    assert viewer.inner_text("#under") == value


def test_an_image_that_cannot_be_read_is_said_and_no_other_one_is_shown_for_it(
    viewer: Page,
) -> None:
    viewer.route("**/slices/3", lambda route: route.fulfill(status=404, json={"msg": "gone"}))
    viewer.reload()
    wait_for_image(viewer, 0)
    viewer.locator("#phase").fill("1")
    viewer.locator("#slice").fill("1")
    expect(viewer.locator("#said")).to_have_text("The image cannot be shown: gone")
    assert not canvas_of(viewer, "contours").any()
    assert not canvas_of(viewer, "picture")[..., :3].any()


def test_images_are_shown_in_true_proportions(
    page: Page, site: Site, clinic: Clinic, ct_folder: Path, tmp_path: Path
) -> None:
    def stretched(data_set: FileDataset, _: int) -> None:
        data_set.PixelSpacing = [2.0, 0.5]
        data_set.PixelData = np.full((data_set.Rows, data_set.Columns), 900, np.int16).tobytes()

    paths = write_series(sorted(ct_folder.glob("*.dcm"))[:3], tmp_path / "stretched", stretched)
    number = clinic.receive(paths, outcome=ABORTED)
    page.goto(f"{site.url}/cases/{number}")
    page.wait_for_selector("#stage[data-index]")
    page.select_option("#preset", "soft tissue")
    page.wait_for_timeout(300)
    picture = canvas_of(page, "picture")
    header = read_header(paths[0])
    placed = fit((picture.shape[1], picture.shape[0]), (header.rows, header.columns), (2.0, 0.5))
    rows, columns = np.nonzero(picture[..., 0] > 127)
    found = np.array([[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]])
    corners = placed.place(np.array([[-0.5, -0.5], [header.columns - 0.5, header.rows - 0.5]]))
    assert np.abs(found - corners).max() <= 1
    width, height = found[1] - found[0]
    assert width / height == pytest.approx(header.columns * 0.5 / (header.rows * 2.0), rel=0.01)
