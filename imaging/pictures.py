"""Pictures of contours drawn over their images, for visual review; without patient data."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from imaging.contours.pixel_edges import Polygon

_PANEL_SIDE = 320
_OVERSAMPLING = 3
_LINE = 1.6
_CAPTION = 22
_GAP = 4
_PAPER = (18, 18, 20)
_INK = (225, 225, 225)
_WINDOW_PERCENTILES = (1.0, 99.5)
_SAME_POINT = 1e-3
_COORDINATE_BITS = 32  # for one of two coordinates

Box = tuple[float, float, float, float]
"""Left, top, right, bottom of a part of an image, at pixel edges, as (column, row)."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed contour and its colour."""

    points: Polygon
    """(n, 2) in pixels as (column, row), the first pixel's centre at (0, 0)."""
    color_rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Panel:
    """An image with its contours and a caption."""

    image: npt.NDArray[np.floating]
    """[row, column]."""
    contours: Sequence[Outline]
    caption: str
    """Text below the image; must not contain patient data."""
    window: tuple[float, float] | None = None
    """Values shown black and white; None: the image's 1st and 99.5th percentiles."""
    aspect: float = 1.0
    """Distance between rows over distance between columns."""


def choose_panels(count: int, most: int) -> list[int]:
    """Choose at most `most` of `count` indices, evenly spread, with the first and the last."""
    return sorted({round(index) for index in np.linspace(0, count - 1, min(count, most)).tolist()})


def overview_picture(panels: Sequence[Panel], *, box: Box | None = None) -> Image.Image:
    """Draw `panels` in a grid that is about as wide as high.

    With `box` (see `box_around`), only that part of each image is shown. The bridges of keyhole
    contours, whose edges are run through in both directions, are not drawn.
    """
    columns = max(1, math.ceil(math.sqrt(len(panels))))
    tiles = [_draw_panel(panel, box or _whole_image(panel)) for panel in panels]
    width = max((tile.width for tile in tiles), default=_PANEL_SIDE)
    height = max((tile.height for tile in tiles), default=_PANEL_SIDE)
    rows = math.ceil(len(tiles) / columns)
    size = (columns * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP)
    picture = Image.new("RGB", size, _PAPER)
    for index, tile in enumerate(tiles):
        place = (index % columns * (width + _GAP), index // columns * (height + _GAP))
        picture.paste(tile, (place[0] + _GAP, place[1] + _GAP))
    return picture


def box_around(panels: Sequence[Panel], margin: float) -> Box | None:
    """Bounding box of all contours of all panels, `margin` pixels wider, within every image.

    None if there is no contour. Two pictures with the same box can be compared panel by panel.
    """
    points = [outline.points for panel in panels for outline in panel.contours]
    if not points:
        return None
    every = np.concatenate(points)
    low, high = every.min(axis=0) - margin, every.max(axis=0) + margin
    wholes = np.array([_whole_image(panel) for panel in panels])
    left, top = np.maximum(low, wholes[:, :2].max(axis=0)).tolist()
    right, bottom = np.minimum(high, wholes[:, 2:].min(axis=0)).tolist()
    return (left, top, right, bottom) if right - left >= 1 and bottom - top >= 1 else None


def side_by_side(left: Image.Image, right: Image.Image, titles: tuple[str, str]) -> Image.Image:
    """Join two pictures side by side, with a title above each."""
    band = 2 * _CAPTION
    size = (left.width + right.width + _GAP, max(left.height, right.height) + band)
    picture = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(picture)
    for part, title, start in ((left, titles[0], 0), (right, titles[1], left.width + _GAP)):
        picture.paste(part, (start, band))
        draw.text((start + 2 * _GAP, band // 4), title, fill=_INK, font=_font(20))
    return picture


def write_png(image: Image.Image, path: Path) -> None:
    """Write `image` to `path` as PNG without metadata."""
    image.save(path, format="PNG")


def _draw_panel(panel: Panel, box: Box) -> Image.Image:
    """Draw the part `box` of the panel's image, the contours over it and the caption below."""
    left, top, right, bottom = box
    scale = _PANEL_SIDE / max(right - left, (bottom - top) * panel.aspect)
    size = (round((right - left) * scale), round((bottom - top) * panel.aspect * scale))
    grey = Image.fromarray(_grey(panel)).resize(
        size, Image.Resampling.BICUBIC, box=(left + 0.5, top + 0.5, right + 0.5, bottom + 0.5)
    )
    tile = Image.new("RGB", (size[0], size[1] + _CAPTION), _PAPER)
    tile.paste(_with_outlines(grey.convert("RGB"), panel, (left, top, scale)))
    ImageDraw.Draw(tile).text((_GAP, size[1] + 3), panel.caption, fill=_INK, font=_font(13))
    return tile


def _with_outlines(
    image: Image.Image, panel: Panel, view: tuple[float, float, float]
) -> Image.Image:
    """Draw the outlines on an enlarged image and reduce it, so that lines are smooth."""
    if not panel.contours:
        return image
    left, top, scale = view
    large = image.resize((image.width * _OVERSAMPLING, image.height * _OVERSAMPLING))
    draw = ImageDraw.Draw(large)
    zoom = np.array([scale, scale * panel.aspect]) * _OVERSAMPLING
    for outline in panel.contours:
        for start, end in edges_once(outline.points):
            line = (np.stack([start, end]) - (left, top)) * zoom
            draw.line(line.ravel().tolist(), outline.color_rgb, round(_LINE * _OVERSAMPLING))
    return large.resize(image.size, Image.Resampling.LANCZOS)


def edges_once(points: Polygon) -> npt.NDArray[np.float64]:
    """Edges of a polygon that are not run through in both directions, (n, 2, 2): start and end."""
    edges = np.stack([points, np.roll(points, -1, axis=0)], axis=1)
    columns, rows = np.rint(points / _SAME_POINT).astype(np.int64).T
    places, start = np.unique((columns << _COORDINATE_BITS) + rows, return_inverse=True)
    if len(places) == len(points) > 2:
        return edges  # no point is visited twice
    end, count = np.roll(start, -1), len(points)
    once: npt.NDArray[np.float64] = edges[~np.isin(start * count + end, end * count + start)]
    return once


def _grey(panel: Panel) -> npt.NDArray[np.uint8]:
    values = np.asarray(panel.image, dtype=np.float64)
    black, white = panel.window or np.percentile(values, _WINDOW_PERCENTILES)
    span = max(float(white) - float(black), np.finfo(np.float64).tiny)
    with np.errstate(over="ignore"):  # where the window is a single value
        share = np.clip((values - black) / span, 0, 1)
    grey: npt.NDArray[np.uint8] = (share * 255).astype(np.uint8)
    return grey


def _whole_image(panel: Panel) -> Box:
    rows, columns = panel.image.shape
    return -0.5, -0.5, columns - 0.5, rows - 0.5


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
