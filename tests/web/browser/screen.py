"""What is on the screen, measured: pixels of the viewer's canvases, and where they ought to be."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Page

from imaging.pictures import edges_once
from imaging.plane import Plane
from imaging.structure_set_reader import RoiContours

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
        return np.array([self.x, self.y]) + (pixels + 0.5) * np.array([self.across, self.down])


def fit(stage: tuple[int, int], shape: tuple[int, int], spacing_mm: tuple[float, float]) -> Fit:
    """`stage` is width and height, `shape` rows and columns, `spacing_mm` between them."""
    height_mm, width_mm = shape[0] * spacing_mm[0], shape[1] * spacing_mm[1]
    scale = min(stage[0] / width_mm, stage[1] / height_mm)
    across, down = scale * spacing_mm[1], scale * spacing_mm[0]
    x, y = (stage[0] - width_mm * scale) / 2, (stage[1] - height_mm * scale) / 2
    return Fit(x, y, across, down)


def canvas_of(page: Page, name: str) -> npt.NDArray[np.uint8]:
    """[row, column, RGBA] of a canvas."""
    width, height, text = page.evaluate(_READ, name)
    pixels = np.frombuffer(base64.b64decode(text), np.uint8)
    return pixels.reshape(height, width, 4)


def wait_for_image(page: Page, index: int | None = None) -> None:
    """Until an image (this one) is shown with its contours."""
    at = "" if index is None else f'[data-index="{index}"]'
    page.wait_for_selector(f'#stage{at}[data-drawn]:not([data-drawn=""])')


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
