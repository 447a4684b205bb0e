"""`python -m bench.one_slice`: one slice's contours as rt-utils and as Slicewire write them.

A disc with a hole, an island in the hole and a single pixel; every vertex is a dot.
"""

import argparse
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import rt_utils
from PIL import Image, ImageDraw, ImageFont

from imaging.contours.pixel_edges import Mask, Polygon
from imaging.contours.polygon_fill import polygons_to_mask
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header, read_header
from imaging.rtstruct.reader import read_structure_set
from tests.support.dicom.phantom_files import (
    IMAGES,
    ROI_NAME,
    STRUCTURE_SET,
    Phantom,
    write_phantom,
)

_SIDE, _SLICE = 25, 1
_ZOOM, _BAND, _GAP = 20, 58, 12
_FINE = 40
_PAPER, _INK = (255, 255, 255), (25, 25, 28)
_BACKGROUND, _FOREGROUND, _GRID = (238, 240, 243), (160, 190, 226), (215, 219, 225)
_LINE, _DOT = (200, 30, 40), (110, 0, 20)


def main() -> None:
    """Write the picture of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("docs/images/one_slice.png"))
    output: Path = parser.parse_args().output
    phantom = _phantom()
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-") as name:
        folder = Path(name)
        headers = write_phantom(phantom, folder)
        theirs = _written_by_rt_utils(folder / IMAGES, phantom.mask, folder / "rt_utils.dcm")
        panels = [
            _panel(phantom.mask[_SLICE], _polygons(path, headers[_SLICE]), title)
            for path, title in (
                (theirs, f"rt-utils {version('rt_utils')}"),
                (folder / STRUCTURE_SET, "Slicewire"),
            )
        ]
    width, height = panels[0].size
    picture = Image.new("RGB", (2 * width + 3 * _GAP, height + 2 * _GAP), _PAPER)
    for number, panel in enumerate(panels):
        picture.paste(panel, (_GAP + number * (width + _GAP), _GAP))
    picture.quantize(64).save(output, format="PNG", optimize=True)


def _phantom() -> Phantom:
    rows, columns = np.indices((_SIDE, _SIDE))
    distance = np.hypot(rows - 13, columns - 11)
    plane = (distance < 10.2) & (distance > 5.4) | (distance < 2.3)
    plane[3, 22] = True
    mask = np.zeros((3, _SIDE, _SIDE), dtype=bool)
    mask[_SLICE] = plane
    positions_mm = np.array([(0.0, 0.0, 2.5 * number) for number in range(3)])
    return Phantom("one slice", mask, (1.0, 1.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), positions_mm)


def _written_by_rt_utils(images: Path, mask: Mask, path: Path) -> Path:
    structure_set = rt_utils.RTStructBuilder.create_new(str(images))
    structure_set.add_roi(np.moveaxis(mask, 0, -1), color=[255, 0, 0], name=ROI_NAME)
    structure_set.save(str(path))
    return path


def _polygons(path: Path, header: Header) -> list[Polygon]:
    (roi,) = read_structure_set(path).rois
    plane = plane_of(read_header(header.path))
    return [plane.to_pixels(contour.points_mm)[0] for contour in roi.contours]


def _panel(mask: Mask, polygons: list[Polygon], title: str) -> Image.Image:
    side = _SIDE * _ZOOM
    panel = Image.new("RGB", (side + 1, side + 1 + _BAND), _PAPER)
    draw = ImageDraw.Draw(panel)
    for row, column in np.ndindex(mask.shape):
        corner = (column * _ZOOM, row * _ZOOM)
        box = (*corner, corner[0] + _ZOOM, corner[1] + _ZOOM)
        draw.rectangle(box, _FOREGROUND if mask[row, column] else _BACKGROUND, _GRID)
    for polygon in polygons:
        places = [tuple(place) for place in ((polygon + 0.5) * _ZOOM).tolist()]
        draw.line([*places, places[0]], _LINE, 2)
        for x, y in places:
            draw.ellipse((x - 2.5, y - 2.5, x + 2.5, y + 2.5), _DOT)
    for number, line in enumerate((title, _facts(mask, polygons))):
        draw.text((2, side + 8 + 24 * number), line, _INK, ImageFont.load_default(19 - 2 * number))
    return panel


def _facts(mask: Mask, polygons: list[Polygon]) -> str:
    fine = [(polygon + 0.5) * _FINE - 0.5 for polygon in polygons]
    area = polygons_to_mask(fine, (_SIDE * _FINE, _SIDE * _FINE)).sum() / _FINE**2
    fewest = min(len(polygon) for polygon in polygons)
    return (
        f"area {area:.0f} of {mask.sum()} pixels; {len(polygons)} contours, "
        f"the smallest has {fewest} point{'s' * (fewest > 1)}"
    )


if __name__ == "__main__":
    main()
