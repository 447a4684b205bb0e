"""Structure sets of a few contours, drawn on the images of a series."""

from collections.abc import Callable

import numpy as np

from imaging.contours.findings import Finding
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header
from imaging.rtstruct.placement import Reference
from imaging.rtstruct.reader import Contour, RoiContours, StructureSet
from imaging.rtstruct.to_masks import to_masks

Phantom = Callable[..., list[Header]]
SQUARE = np.array([(2.5, 1.5), (8.5, 1.5), (8.5, 5.5), (2.5, 5.5)])


def on(
    header: Header, offset_mm: float = 0.0, uid: str = "", kind: str = "CLOSED_PLANAR"
) -> Contour:
    """A square of 6 x 4 pixels, moved along the normal of an instance."""
    return drawn(header, SQUARE, offset_mm, uid, kind)


def drawn(
    header: Header,
    pixels: np.ndarray,
    offset_mm: float = 0.0,
    uid: str = "",
    kind: str = "CLOSED_PLANAR",
) -> Contour:
    plane = plane_of(header)
    references = (Reference(uid),) if uid else ()
    return Contour(plane.to_patient(pixels) + offset_mm * plane.normal, kind, references)


def holding(*contours: Contour, frame_uid: str = "1.2.3.6") -> StructureSet:
    roi = RoiContours(1, "GTV", None, "", "MANUAL", frame_uid, contours)
    return StructureSet("1", "2", "3", "", (frame_uid,), (), "", "", (roi,))


def counts(structure_set: StructureSet, headers: list[Header]) -> tuple[list[int], list[Finding]]:
    masks, findings = to_masks(structure_set, headers)
    return masks["GTV"].sum(axis=(1, 2)).tolist(), findings
