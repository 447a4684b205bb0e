"""Encoding of ContourSequence (3006,0040), exact and within the limits of receivers."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from types import MappingProxyType

import numpy as np
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag, ItemTag, Tag
from pydicom.valuerep import format_number_as_ds

from core.errors import ContourError
from imaging.contours.decimal_text import as_decimals, as_rows, joined
from imaging.contours.tracing import Holes, Masks, Outlines, masks_to_outlines
from imaging.geometry.plane import Plane, plane_of
from imaging.instances.header import Header

LONGEST_BYTES = 65_534
"""Limit of ContourData; longer values change their VR when they are sent in explicit VR."""
_LONGEST_NUMBER = 16
_CONTOUR_SEQUENCE = Tag("ContourSequence")
_CONTOUR_DATA = Tag("ContourData")
_NUMBER_OF_CONTOUR_POINTS = Tag("NumberOfContourPoints")
_CONTOUR_IMAGE_SEQUENCE, _GEOMETRIC_TYPE = Tag("ContourImageSequence"), Tag("ContourGeometricType")
_REFERENCED_CLASS = Tag("ReferencedSOPClassUID")
_REFERENCED_INSTANCE = Tag("ReferencedSOPInstanceUID")
_REFERENCED_FRAME = Tag("ReferencedFrameNumber")
_FINE_SPACING_MM = 0.1
_X_Y_Z = 3
# PS3.3 C.8.8.6.3; one contour of a structure with XOR, all of them
_GEOMETRIC_TYPES = MappingProxyType({"keyhole": b"CLOSED_PLANAR", "xor": b"CLOSEDPLANAR_XOR"})


class ContourFormat:
    """Text format of contour points in the plane of an image.

    A coordinate that is constant in the plane, such as z of an axial image, is written as the
    shortest text that gives exactly the number in ImagePositionPatient. Other coordinates have four
    decimals (0.1 micrometre), or six if pixels are smaller than 0.1 mm.
    """

    def __init__(self, plane: Plane, shape: tuple[int, int]) -> None:
        """Choose the format for an image of `shape` (rows, columns) in `plane`.

        Raises:
            ContourError: a coordinate would take more than the 16 characters of a DS value.
        """
        steps = np.abs(np.stack([plane.column_step_mm, plane.row_step_mm]))
        fine = np.linalg.norm(steps, axis=1).min() < _FINE_SPACING_MM
        self.decimals = 6 if fine else 4
        self.fixed = tuple(
            None if varies else _shortest(origin)
            for varies, origin in zip(steps.max(axis=0) > 0, plane.origin_mm, strict=True)
        )
        """Text of x, y and z, if constant in the plane; else None."""
        self.most_points = LONGEST_BYTES // self._longest_point(plane, shape)
        """Number of points that fits within `LONGEST_BYTES`, wherever they are on the image."""

    @property
    def kind(self) -> tuple[int, tuple[bool, ...]]:
        """Key that is equal for planes whose points have the same format."""
        return self.decimals, tuple(text is None for text in self.fixed)

    def _longest_point(self, plane: Plane, shape: tuple[int, int]) -> int:
        rows, columns = shape
        edges = np.array([(-1, -1), (columns, -1), (-1, rows), (columns, rows)], dtype=np.float64)
        corners = plane.to_patient(edges)
        lengths = [
            len(text) if text else max(len(f"{one:.{self.decimals}f}") for one in corners[:, axis])
            for axis, text in enumerate(self.fixed)
        ]
        if max(lengths) > _LONGEST_NUMBER:
            raise ContourError(
                f"A coordinate of the image takes {max(lengths)} characters in mm, expected at "
                f"most {_LONGEST_NUMBER}: its position is {plane.origin_mm.tolist()} mm"
            )
        return sum(lengths) + _X_Y_Z


class SeriesContours:
    """Encoder of masks as items of ContourSequence, for the images of a series.

    Items are encoded here in implicit VR little endian, as pydicom would need some ten objects for
    every contour.
    """

    def __init__(self, headers: Sequence[Header], holes: Holes = "keyhole") -> None:
        """Prepare for the images of `headers`, in their order; `holes` as in `mask_to_polygons`.

        Raises:
            GeometryError: an image has no position in the patient.
            ContourError: coordinates of an image do not fit into DS values.
        """
        planes = [plane_of(header) for header in headers]
        self._formats = [
            ContourFormat(plane, (header.rows, header.columns))
            for plane, header in zip(planes, headers, strict=True)
        ]
        self._most_points = min(one.most_points for one in self._formats)
        kinds = [one.kind for one in self._formats]
        self._kind = np.array([kinds.index(kind) for kind in kinds])
        self._origins_mm = np.stack([plane.origin_mm for plane in planes])
        steps = [(plane.column_step_mm, plane.row_step_mm) for plane in planes]
        self._steps_mm = np.array(steps)
        self._fixed = [
            as_rows([one.fixed[axis] or "" for one in self._formats]) for axis in range(_X_Y_Z)
        ]
        self._holes: Holes = holes
        self._begins = [_common_elements(header, holes) for header in headers]

    def items(self, masks: Masks) -> Iterator[bytes]:
        """Yield an encoded item for each polygon of `masks` [image, row, column]."""
        for outlines in self._outlines(masks):
            kinds = self._kind[outlines.image]
            items = [
                item
                for kind in np.unique(kinds)
                for item in self._items_of(outlines.select(kinds == kind))
            ]
            yield from (item for _, item in sorted(items, key=itemgetter(0)))

    def _outlines(self, masks: Masks) -> Iterator[Outlines]:
        return masks_to_outlines(masks, holes=self._holes, most_points=self._most_points)

    def _items_of(self, outlines: Outlines) -> Iterator[tuple[int, bytes]]:
        """Yield image index and item of polygons whose points have the same format."""
        images = outlines.image.tolist()
        counts = outlines.lengths.tolist()
        for image, count, data in zip(images, counts, self._texts(outlines), strict=True):
            content = (
                self._begins[image]
                + _element(_NUMBER_OF_CONTOUR_POINTS, _even(b"%d" % count))
                + _element(_CONTOUR_DATA, _even(data))
            )
            yield image, _element(ItemTag, content)

    def _texts(self, outlines: Outlines) -> Iterator[bytes]:
        """Yield the value of ContourData of each polygon."""
        image = np.repeat(outlines.image, outlines.lengths)
        column, row = outlines.points.T[:, :, np.newaxis]
        steps_mm = self._steps_mm[image]
        points_mm = self._origins_mm[image] + column * steps_mm[:, 0] + row * steps_mm[:, 1]
        decimals, varies = self._formats[outlines.image[0]].kind
        columns = [
            as_decimals(points_mm[:, axis], decimals)
            if varies[axis]
            else self._fixed[axis].at(image)
            for axis in range(_X_Y_Z)
        ]
        text, lengths = joined(columns, b"\\")
        ends = np.cumsum(lengths)[np.cumsum(outlines.lengths) - 1].tolist()
        for begin, end in pairwise([0, *ends]):
            yield text[begin : end - 1]


def contour_sequence(items: Iterable[bytes]) -> RawDataElement | None:
    """ContourSequence of encoded `items`, parsed by pydicom on access; None without items."""
    value = b"".join(items)
    if not value:
        return None
    return RawDataElement(_CONTOUR_SEQUENCE, "SQ", len(value), value, 0, True, True, True, False)


def _common_elements(header: Header, holes: Holes) -> bytes:
    """Encoded elements common to all contours of an image: reference and geometric type."""
    reference = _element(_REFERENCED_CLASS, _uid(header.sop_class_uid))
    reference += _element(_REFERENCED_INSTANCE, _uid(header.sop_instance_uid))
    if header.frame_number is not None:
        reference += _element(_REFERENCED_FRAME, _even(b"%d" % header.frame_number))
    images = _element(_CONTOUR_IMAGE_SEQUENCE, _element(ItemTag, reference))
    return images + _element(_GEOMETRIC_TYPE, _even(_GEOMETRIC_TYPES[holes]))


def _uid(value: str) -> bytes:
    return value.encode("ascii") + b"\0" * (len(value) % 2)


def _even(value: bytes) -> bytes:
    return value + b" " * (len(value) % 2)


def _element(tag: BaseTag, value: bytes) -> bytes:
    return struct.pack("<HHL", tag.group, tag.element, len(value)) + value


def _shortest(value: float) -> str:
    text = repr(float(value)).removesuffix(".0")
    return text if len(text) <= _LONGEST_NUMBER else str(format_number_as_ds(float(value)))
