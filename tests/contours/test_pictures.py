"""Pictures show contours where they are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imaging.contours.tracing import mask_to_polygons
from imaging.pictures import (
    Outline,
    Panel,
    box_around,
    choose_panels,
    overview_picture,
    side_by_side,
    write_png,
)

RED = (255, 0, 0)
SQUARE = np.array([(9.5, 19.5), (29.5, 19.5), (29.5, 49.5), (9.5, 49.5)])


def red(picture: Image.Image) -> np.ndarray:
    colours = np.asarray(picture).astype(int)
    return np.asarray(colours[..., 0] > colours[..., 1] + 120)


def black(rows: int = 80, columns: int = 40) -> np.ndarray:
    return np.zeros((rows, columns))


def test_outline_is_drawn_at_its_pixels() -> None:
    picture = overview_picture([Panel(black(), [Outline(SQUARE, RED)], "")])
    rows, columns = np.nonzero(red(picture))
    # 80 rows fill 320 points, four a pixel, behind a gap of four
    assert (rows.min() + rows.max()) / 2 == pytest.approx(4 + 4 * 35, abs=1)
    assert rows.max() - rows.min() == pytest.approx(4 * 30, abs=3)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(4 + 4 * 20, abs=1)
    assert columns.max() - columns.min() == pytest.approx(4 * 20, abs=3)


def test_inside_of_an_outline_stays_visible() -> None:
    picture = overview_picture([Panel(black(), [Outline(SQUARE, RED)], "")])
    assert not red(picture)[4 + 4 * 25 : 4 + 4 * 45, 4 + 4 * 15 : 4 + 4 * 25].any()


def test_bridge_of_a_keyhole_is_not_drawn() -> None:
    mask = np.zeros((80, 40), dtype=bool)
    mask[10:60, 5:35] = True
    mask[30:40, 15:25] = False
    (polygon,) = mask_to_polygons(mask)
    picture = overview_picture([Panel(black(), [Outline(polygon, RED)], "")])
    assert red(picture)[4 + 4 * 30 - 2 : 4 + 4 * 30 + 2].any()
    assert not red(picture)[4 + 4 * 12 : 4 + 4 * 28, 4 + 4 * 8 : 4 + 4 * 32].any()


def test_brightness_follows_the_image_or_the_window_given() -> None:
    image = np.linspace(0, 100, 80 * 40).reshape(80, 40)
    middle = (84, 164)
    free = overview_picture([Panel(image, [], "")]).getpixel(middle)
    fixed = overview_picture([Panel(image, [], "", window=(0.0, 200.0))]).getpixel(middle)
    assert isinstance(free, tuple) and isinstance(fixed, tuple)
    assert free[0] == pytest.approx(127, abs=6)
    assert fixed[0] == pytest.approx(64, abs=6)


def test_tall_pixels_make_a_tall_picture() -> None:
    square = overview_picture([Panel(black(40, 40), [], "")])
    tall = overview_picture([Panel(black(40, 40), [], "", aspect=2.0)])
    assert (square.width, tall.width) == (328, 168)


def test_box_shows_the_same_part_of_every_panel() -> None:
    panels = [Panel(black(), [Outline(SQUARE, RED)], ""), Panel(black(), [], "")]
    picture = overview_picture(panels, box=box_around(panels, 5.0))
    rows, _ = np.nonzero(red(picture))
    assert rows.max() - rows.min() == pytest.approx(320 * 30 / 40, abs=3)
    assert picture.size == (2 * (240 + 4) + 4, 320 + 22 + 8)


def test_box_ends_at_the_image_and_needs_a_contour() -> None:
    assert box_around([Panel(black(), [Outline(SQUARE, RED)], "")], 25) == (-0.5, -0.5, 39.5, 74.5)
    assert box_around([Panel(black(), [], "")], 25) is None


def test_chosen_panels_are_spread_from_first_to_last() -> None:
    assert choose_panels(11, 3) == [0, 5, 10]
    assert choose_panels(2, 9) == [0, 1]
    assert choose_panels(1, 9) == [0]
    assert choose_panels(0, 9) == []


def test_pictures_side_by_side_keep_their_content(tmp_path: Path) -> None:
    left = overview_picture([Panel(black(), [Outline(SQUARE, RED)], "")])
    right = overview_picture([Panel(black(), [], "")])
    both = side_by_side(left, right, ("returned", "hand-drawn"))
    assert red(both)[:, : left.width].any()
    assert not red(both)[:, left.width :].any()
    write_png(both, tmp_path / "both.png")
    with Image.open(tmp_path / "both.png") as read:
        assert (read.size, read.info) == (both.size, {})


def test_an_image_without_contours_is_enlarged_once_and_not_smoothed() -> None:
    rows = np.zeros((320, 320))
    rows[::2] = 1.0
    picture = np.asarray(overview_picture([Panel(rows, (), "", window=(0.0, 1.0))]))
    shown = picture[4:324, 4:324, 0]
    assert np.array_equal(shown, (rows * 255).astype(np.uint8))
