"""Pictures of every image that somebody drew on, many to a sheet, and one by one what is wrong."""

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
"""What is shown and not learnt."""


@dataclass(slots=True)
class Sheets:
    """The pictures of one patient, written as the images come."""

    folder: Path
    """The patient's own."""
    structures: tuple[Structure, ...]
    sheets: int = 0
    """How many are written."""
    _panels: list[Panel] = field(default_factory=list)

    def begin(self) -> None:
        """Make the folder; what another run drew there goes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob("*.png"):
            path.unlink()

    def add(self, case: Case) -> None:
        """Show `case` where something was drawn on it."""
        panel = self._panel(case)
        if panel is None:
            return
        if case.left_out and case.annotated is not None:
            # not cropped: where a contour went astray is seen in the whole image
            self._write(f"{case.annotated.number}.png", [panel], whole=True)
        self._panels.append(panel)
        if len(self._panels) == _ON_A_SHEET:
            self.finish()

    def finish(self) -> None:
        """Write what is left over."""
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
