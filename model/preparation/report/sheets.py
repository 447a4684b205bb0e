"""Pictures of all images with contours: sheets of many, and single ones of faults."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from imaging.contours.tracing import mask_to_polygons
from imaging.pictures import Outline, Panel, box_around, overview_picture, write_png
from model.inference.structure import Structure
from model.preparation.inputs.cases import Case

_ON_A_SHEET = 36
_MARGIN_PX = 24.0
LEFT_OUT_RGB = (255, 70, 70)
"""Colour of masks that are not in the data set."""


@dataclass(slots=True)
class Sheets:
    """Writer of one patient's pictures."""

    folder: Path
    """Folder of the patient's pictures."""
    structures: tuple[Structure, ...]
    sheets: int = 0
    """Number of sheets written so far."""
    _panels: list[Panel] = field(default_factory=list)

    def begin(self) -> None:
        """Make the folder, and remove pictures of earlier runs from it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob("*.png"):
            path.unlink()

    def add(self, case: Case) -> None:
        """Add `case` to the current sheet if it has contours."""
        panel = self._panel(case)
        if panel is None:
            return
        if case.left_out and case.annotated is not None:
            # not cropped, so that the whole image shows where a misplaced contour is
            self._write(f"{case.annotated.number}.png", [panel], whole=True)
        self._panels.append(panel)
        if len(self._panels) == _ON_A_SHEET:
            self.finish()

    def finish(self) -> None:
        """Write the current sheet if it has images."""
        if self._panels:
            self.sheets += 1
            self._write(f"sheet-{self.sheets:02d}.png", self._panels)
            self._panels = []

    def _panel(self, case: Case) -> Panel | None:
        annotated = case.annotated
        if annotated is None:
            return None
        layers = [*zip(annotated.masks, (one.color_rgb for one in self.structures), strict=True)]
        layers += [(mask, LEFT_OUT_RGB) for mask in case.left_out]
        outlines = [
            Outline(points, color)
            for mask, color in layers
            for points in mask_to_polygons(np.asarray(mask))
        ]
        if not outlines:
            return None
        caption = f"{annotated.number}: left out in red" if case.left_out else annotated.number
        rows_mm, columns_mm = annotated.pixel_spacing_mm
        return Panel(annotated.image, outlines, caption, aspect=rows_mm / columns_mm)

    def _write(self, name: str, panels: list[Panel], *, whole: bool = False) -> None:
        shapes = {panel.image.shape for panel in panels}
        box = None if whole or len(shapes) > 1 else box_around(panels, _MARGIN_PX)
        write_png(overview_picture(panels, box=box), self.folder / name)
