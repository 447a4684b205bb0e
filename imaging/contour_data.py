"""ContourSequence (3006,0040): exact, and within the limits that receivers set."""

import struct
from collections.abc import Iterable, Iterator
from types import MappingProxyType

import numpy as np
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.tag import BaseTag, ItemTag, Tag
from pydicom.valuerep import format_number_as_ds

from core.errors import ContourError
from imaging.contours import Holes, mask_to_polygons
from imaging.header import Header
from imaging.pixel_edges import Mask, Polygon
from imaging.plane import Plane, plane_of
from imaging.structure_set_modules import build_item, image_reference

LONGEST_BYTES = 65_534
"""Above it the element changes its VR when it is sent in explicit VR."""
_LONGEST_NUMBER = 16
_CONTOUR_SEQUENCE = Tag("ContourSequence")
_CONTOUR_DATA = Tag("ContourData")
_NUMBER_OF_CONTOUR_POINTS = Tag("NumberOfContourPoints")
_FINE_SPACING_MM = 0.1
_X_Y_Z = 3
# PS3.3 C.8.8.6.3; one contour of a structure with XOR, all of them
_GEOMETRIC_TYPES = MappingProxyType({"keyhole": "CLOSED_PLANAR", "xor": "CLOSEDPLANAR_XOR"})


class ContourFormat:
    """How points of one image's plane are written.

    A coordinate that is the same all over the plane, such as z of an axial image, is written as the
    shortest text of the number in ImagePositionPatient, so that it equals the image's to the last
    bit. The others have four decimals (0.1 micrometre), or six where pixels are below 0.1 mm.
    """

    def __init__(self, plane: Plane, shape: tuple[int, int]) -> None:
        """For an image of `shape` (rows, columns) in `plane`.

        Raises:
            ContourError: a coordinate would take more than the 16 characters of a DS value.
        """
        self._plane = plane
        steps = np.abs(np.stack([plane.column_step_mm, plane.row_step_mm]))
        fine = np.linalg.norm(steps, axis=1).min() < _FINE_SPACING_MM
        self._decimals = 6 if fine else 4
        self._varying = np.flatnonzero(steps.any(axis=0))
        texts = [
            f"%.{self._decimals}f" if axis in self._varying else _shortest(plane.origin_mm[axis])
            for axis in range(_X_Y_Z)
        ]
        self._point = "\\".join(texts) + "\\"
        self._point_bytes = self._longest_point(shape)

    @property
    def most_points(self) -> int:
        """So many points stay within `LONGEST_BYTES`, wherever on the image they are."""
        return LONGEST_BYTES // self._point_bytes

    def encode(self, polygon: Polygon) -> bytes:
        """`polygon` (n, 2) as (column, row) to the value of ContourData, padded to even length."""
        places = self._plane.to_patient(polygon)[:, self._varying]
        numbers = np.round(places, self._decimals) + 0.0  # no negative zeros
        text = (self._point * len(polygon)) % tuple(numbers.ravel().tolist())
        value = text[:-1].encode("ascii")
        return value + b" " * (len(value) % 2)

    def _longest_point(self, shape: tuple[int, int]) -> int:
        rows, columns = shape
        edges = np.array([(-1, -1), (columns, -1), (-1, rows), (columns, rows)], dtype=np.float64)
        corners = self._plane.to_patient(edges)[:, self._varying]
        texts = [(self._point % tuple(corner)).split("\\")[:_X_Y_Z] for corner in corners.tolist()]
        lengths = [max(len(text) for text in column) for column in zip(*texts, strict=True)]
        if max(lengths) > _LONGEST_NUMBER:
            raise ContourError(
                f"A coordinate of the image takes {max(lengths)} characters in mm, expected at "
                f"most {_LONGEST_NUMBER}: its position is {self._plane.origin_mm.tolist()} mm"
            )
        return sum(lengths) + _X_Y_Z


class InstanceContours:
    """Masks of one instance to items of ContourSequence, as they are written.

    Implicit VR little endian: pydicom would make some ten objects of every contour.
    """

    def __init__(self, header: Header, holes: Holes = "keyhole") -> None:
        """For the image of `header`, with `holes` as `mask_to_polygons` has them.

        Raises:
            GeometryError: it has no place in the patient.
            ContourError: its coordinates do not fit into DS values.
        """
        self._format = ContourFormat(plane_of(header), (header.rows, header.columns))
        self._holes: Holes = holes
        self._begin = _encoded(
            build_item(
                {
                    "ContourImageSequence": [image_reference(header)],
                    "ContourGeometricType": _GEOMETRIC_TYPES[holes],
                }
            )
        )

    def items(self, mask: Mask) -> Iterator[bytes]:
        """One item for each polygon of `mask` [row, column]."""
        most_points = self._format.most_points
        for polygon in mask_to_polygons(mask, holes=self._holes, most_points=most_points):
            count = str(len(polygon)).encode("ascii")
            content = (
                self._begin
                + _element(_NUMBER_OF_CONTOUR_POINTS, count + b" " * (len(count) % 2))
                + _element(_CONTOUR_DATA, self._format.encode(polygon))
            )
            yield _element(ItemTag, content)


def contour_sequence(items: Iterable[bytes]) -> RawDataElement | None:
    """ContourSequence of encoded `items`, or None if there are none; parsed when asked for."""
    value = b"".join(items)
    if not value:
        return None
    return RawDataElement(_CONTOUR_SEQUENCE, "SQ", len(value), value, 0, True, True, True, False)


def _encoded(item: Dataset) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = True, True
    write_dataset(buffer, item)
    return buffer.getvalue()


def _element(tag: BaseTag, value: bytes) -> bytes:
    return struct.pack("<HHL", tag.group, tag.element, len(value)) + value


def _shortest(value: float) -> str:
    text = repr(float(value)).removesuffix(".0")
    return text if len(text) <= _LONGEST_NUMBER else str(format_number_as_ds(float(value)))
