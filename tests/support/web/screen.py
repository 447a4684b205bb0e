"""What is on the screen, measured: pixels of the viewer's canvases, and where they ought to be."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Locator, Page
from scipy.spatial import cKDTree

from imaging.geometry.plane import Plane, plane_of
from imaging.instances.header import Header
from imaging.pictures import edges_once
from imaging.rtstruct.reader import RoiContours, StructureSet

Points = npt.NDArray[np.float64]
_READ = """id => {
  const canvas = document.getElementById(id);
  const context = canvas.getContext("2d");
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  for (let at = 0; at < data.length; at += 8192)
    text += String.fromCharCode(...data.subarray(at, at + 8192));
  return [canvas.width, canvas.height, btoa(text)];
}"""


@dataclass(frozen=True)
class Fit:
    """A whole image in the middle of the stage, as large as it goes, in true proportions."""

    x: float
    y: float
    across: float
    down: float

    def place(self, pixels: Points) -> Points:
        """(n, 2) as (column, row), the first pixel's centre at (0, 0), to canvas units."""
        placed: Points = (pixels + 0.5) * np.array([self.across, self.down]) + [self.x, self.y]
        return placed


def fit(stage: tuple[int, int], shape: tuple[int, int], spacing_mm: tuple[float, float]) -> Fit:
    """`stage` is width and height, `shape` rows and columns, `spacing_mm` between them."""
    height_mm, width_mm = shape[0] * spacing_mm[0], shape[1] * spacing_mm[1]
    scale = min(stage[0] / width_mm, stage[1] / height_mm)
    across, down = scale * spacing_mm[1], scale * spacing_mm[0]
    x, y = (stage[0] - width_mm * scale) / 2, (stage[1] - height_mm * scale) / 2
    return Fit(x, y, across, down)


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def is_whole_in(page: Page, one: Locator) -> bool:
    """True if the window shows an element from its left edge to its right one."""
    box = one.bounding_box()
    width = page.evaluate("innerWidth")
    return box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width


def canvas_of(page: Page, name: str) -> npt.NDArray[np.uint8]:
    """[row, column, RGBA] of a canvas."""
    width, height, text = page.evaluate(_READ, name)
    pixels = np.frombuffer(base64.b64decode(text), np.uint8)
    return pixels.reshape(height, width, 4)


def wait_for_image(page: Page, index: int | None = None) -> None:
    """Until an image (this one) is shown with its contours."""
    at = "" if index is None else f'[data-index="{index}"]'
    page.wait_for_selector(f'#stage{at}[data-rests="true"][data-drawn]:not([data-drawn=""])')


def segments_of(roi: RoiContours, uid: str, plane: Plane) -> Points:
    """(n, 2, 2): what is to be seen of a structure on an image, in its pixel coordinates."""
    found = [
        edges_once(plane.to_pixels(contour.points_mm)[0])
        for contour in roi.contours
        if contour.referenced_sop_instance_uid == uid
    ]
    return np.concatenate(found)


def along(segments: Points, step: float = 0.5) -> Points:
    """(n, 2): points along segments, `step` apart."""
    parts: list[Any] = []
    for start, end in segments:
        count = max(2, int(np.ceil(np.linalg.norm(end - start) / step)) + 1)
        parts.append(np.linspace(start, end, count))
    return np.concatenate(parts)


def lines_drawn(page: Page) -> Points:
    """(n, 2): centres of the canvas pixels that are drawn on, in canvas units."""
    rows, columns = np.nonzero(canvas_of(page, "contours")[..., 3] > 100)
    centres: Points = np.stack([columns, rows], axis=1).astype(np.float64) + 0.5
    return centres


def lines_expected(
    page: Page, sent: StructureSet, header: Header, names: tuple[str, ...]
) -> Points:
    """Where the contours of the structure set belong, in canvas units."""
    picture = canvas_of(page, "contours")
    assert header.pixel_spacing_mm is not None
    stage = picture.shape[1], picture.shape[0]
    placed = fit(stage, (header.rows, header.columns), header.pixel_spacing_mm)
    parts = [
        along(segments_of(roi, header.sop_instance_uid, plane_of(header)))
        for roi in sent.rois
        if roi.name in names
    ]
    return placed.place(np.concatenate(parts))


def check_lines(found: Points, expected: Points) -> None:
    """Everything that belongs there is drawn, and nothing else."""
    missing, _ = cKDTree(found).query(expected)
    beside, _ = cKDTree(expected).query(found)
    assert missing.max() < 1.0
    assert beside.max() < 3.5  # half a line with its edge, and half a step between points
