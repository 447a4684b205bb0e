"""Case of one instance with text contours: an i-contour and an o-contour."""

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import ContourError, NotADataSetError, PixelError
from imaging.contours.polygon_fill import Mask, polygons_to_mask
from imaging.contours.text_contours import read_text_contour
from imaging.instances.header import Header, read_header
from imaging.pixels.reader import read_pixels
from model.data.annotated_images import AnnotatedImage
from model.data.samples import Image
from model.preparation.inputs.cases import Case, series_key
from model.preparation.inputs.contradictions import Choice, contradiction
from model.preparation.report.remarks import Kind, Remark

SOURCE = "text contours"
_OPEN_STEPS, _OPEN_PX = 3.0, 3.0
"""Contours whose ends are further apart than both this many of their longest steps and this many
pixels are open; closed ones end within one step."""
_BEYOND_PX = 2.0
"""Tolerance: contours may touch the edge, and programs count pixels from 0 or 1."""


@dataclass(slots=True)
class InstanceContours:
    """Files, remarks and digests of one instance with contours."""

    key: str
    instance: Path
    paths: Mapping[str, Path]
    """Contour files by kind, `i` and `o`."""
    remarks: list[Remark] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    def header(self) -> Header | None:
        """Header of the instance, or None, with a remark, if it cannot be used."""
        if not self.instance.is_file():
            words = f"contour without its image {self.instance.name}"
            self._remark(Kind.NO_IMAGE, words, len(self.paths))
            return None
        try:
            with warnings.catch_warnings():
                # UIDs of this data set break the rule against leading zeros.
                warnings.simplefilter("ignore", UserWarning)
                header = read_header(self.instance)
        except NotADataSetError as error:
            self._remark(Kind.UNREADABLE_IMAGE, str(error))
            return None
        if header.pixel_spacing_mm is None or min(header.pixel_spacing_mm) <= 0:
            words = f"instance {header.sop_instance_uid} has no pixel spacing"
            self._remark(Kind.UNREADABLE_IMAGE, words)
            return None
        return header

    def case(self, header: Header, choice: Choice) -> Case:
        """Case with image and masks, or without if they cannot be used."""
        spacing = header.pixel_spacing_mm
        image = self._image()
        masks = {} if image is None else self._masks((image.shape[0], image.shape[1]))
        if image is None or spacing is None or "i" not in masks:
            if "i" not in self.paths:
                self._remark(Kind.NO_INNER, "o-contour without an i-contour")
            return self.without_image()
        left_out = self._contradiction(masks, choice)
        return Case(
            self.key,
            AnnotatedImage(
                number=self.key.rpartition("/")[2],
                image=image,
                masks=_layers(masks),
                known=(True, "o" in masks),
                pixel_spacing_mm=spacing,
            ),
            series_key(header, SOURCE),
            contours=len(self.paths),
            matched=len(masks),
            remarks=tuple(self.remarks),
            left_out=left_out,
            contour_digests=tuple(self.digests),
        )

    def without_image(self) -> Case:
        """Case without image and masks."""
        return Case(
            self.key,
            contours=len(self.paths),
            remarks=tuple(self.remarks),
            contour_digests=tuple(self.digests),
        )

    def _image(self) -> Image | None:
        try:
            frames = read_pixels(self.instance)
        except PixelError as error:
            self._remark(Kind.UNREADABLE_IMAGE, str(error))
            return None
        if len(frames) != 1:
            words = f"{self.instance.name}: {len(frames)} frames, expected one image"
            self._remark(Kind.UNREADABLE_IMAGE, words)
            return None
        image: Image = frames[0]
        return image

    def _masks(self, shape: tuple[int, int]) -> dict[str, Mask]:
        masks = {}
        for kind, path in self.paths.items():
            try:
                polygon = read_text_contour(path)
            except ContourError as error:
                self._remark(Kind.UNREADABLE_CONTOUR, str(error))
                continue
            self.digests.append(hashlib.sha256(polygon.tobytes()).hexdigest())
            gap = opening_px(polygon)
            mask = polygons_to_mask([polygon], shape)
            if gap:
                words = f"{path.name}: open, its ends are {gap:.1f} pixels apart"
                self._remark(Kind.OPEN, words)
            elif mask.any() and beyond_px(polygon, shape) > _BEYOND_PX:
                words = (
                    f"{path.name}: reaches {beyond_px(polygon, shape):.1f} pixels beyond its image "
                    f"of {shape[0]} x {shape[1]}, so it was drawn on another one or at another size"
                )
                self._remark(Kind.BEYOND, words)
            elif not mask.any():
                words = f"{path.name}: the contour covers no pixel of its image"
                self._remark(Kind.OUTSIDE, words)
            else:
                masks[kind] = mask
        return masks

    def _contradiction(self, masks: dict[str, Mask], choice: Choice) -> tuple[Mask, ...]:
        """Remove the o-contour from `masks` if it does not enclose its i-contour; return it."""
        if "o" not in masks:
            return ()
        remark = contradiction(self.key, masks["i"], masks["o"], choice)
        if remark is None:
            return ()
        self.remarks.append(remark)
        return (masks.pop("o"),) if remark.left_out else ()

    def _remark(self, kind: Kind, words: str, count: int = 1) -> None:
        self.remarks.append(Remark(kind, self.key, words, count=count))


def opening_px(polygon: npt.NDArray[np.float64]) -> float:
    """Distance in pixels between the ends of an open `polygon` (n, 2); 0 if it is closed."""
    longest = float(np.linalg.norm(np.diff(polygon, axis=0), axis=1).max())
    gap = float(np.linalg.norm(polygon[0] - polygon[-1]))
    return gap if gap > max(_OPEN_STEPS * longest, _OPEN_PX) else 0.0


def beyond_px(polygon: npt.NDArray[np.float64], shape: tuple[int, int]) -> float:
    """Largest distance in pixels of `polygon` (n, 2; column, row) beyond an image of `shape`."""
    rows, columns = shape
    over = polygon - np.array([columns - 0.5, rows - 0.5])
    return float(max(over.max(), (-0.5 - polygon).max(), 0.0))


def _layers(masks: Mapping[str, Mask]) -> Mask:
    """Masks [structure, row, column]: endocardium, and the ring around it if known."""
    endocardium = masks["i"]
    ring = masks["o"] & ~endocardium if "o" in masks else np.zeros_like(endocardium)
    return np.stack([endocardium, ring])
