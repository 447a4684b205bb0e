"""The cases of the matrix: what is drawn, and on which images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tests.readers import masks
from tests.readers.masks import Builder, Shape
from tests.support.dicom.phantom_files import Phantom

Form = Literal["oblong", "square"]
FORMS: tuple[Form, ...] = ("oblong", "square")
"""Each case on oblong pixels of an oblong image, and on a square twin for readers that need it."""

_SLICES, _SIDE, _LONG_SIDE = 11, 40, 56
_STEP_MM = 2.5
_OBLONG_MM, _SQUARE_MM = (1.3, 0.7), (1.0, 1.0)
_AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
_DOUBLY_OBLIQUE = (0.8, 0.6, 0.0, -0.36, 0.48, 0.8)
_CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
_FEET_FIRST = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
_UNEVEN_MM = (0.0, 2.5, 5.0, 7.5, 10.0, 12.5, 15.0, 19.0, 23.0, 27.0, 31.0)
_TWO_MISSING_MM = (0.0, 2.5, 5.0, 7.5, 15.0, 17.5, 20.0, 22.5, 25.0, 27.5)


@dataclass(frozen=True, slots=True)
class Case:
    """What one case asks of a reader; the rest is as plain as its form allows."""

    name: str
    build: Builder
    orientation: tuple[float, ...] = _AXIAL
    offsets_mm: Sequence[float] = tuple(_STEP_MM * number for number in range(_SLICES))
    origin_mm: tuple[float, float, float] = (-20.0, 15.0, -40.0)
    spacing_mm: tuple[float, float] | None = None
    shape: Shape | None = None
    is_oblong: bool = False

    def phantom(self, form: Form) -> Phantom:
        """The case on images of `form`; one that is about shape or spacing keeps its own."""
        along_row, down_column = np.reshape(self.orientation, (2, 3))
        steps_mm = np.outer(self.offsets_mm, np.cross(along_row, down_column))
        return Phantom(
            name=self.name,
            mask=self.build(self._shape(form)),
            spacing_mm=self.spacing_mm or (_OBLONG_MM if form == "oblong" else _SQUARE_MM),
            orientation=self.orientation,
            positions_mm=np.round(np.array(self.origin_mm) + steps_mm, 6),
        )

    def _shape(self, form: Form) -> Shape:
        if self.shape is not None:
            slices, rows, columns = self.shape
            long_side = max(rows, columns)
            return (slices, rows, long_side + 11 if form == "oblong" else long_side)
        wide = form == "oblong" or self.is_oblong
        return (len(self.offsets_mm), _SIDE, _LONG_SIDE if wide else _SIDE)


def all_cases() -> list[Case]:
    """The 21 cases, each once."""
    real = masks.real_size()
    offsets_mm = [3.27 * number for number in range(real[0])]
    real_mm = (0.976562, 0.976562)
    return [
        Case("sphere", masks.sphere),
        Case("one voxel", masks.pixels((17, 22))),
        Case("two voxels", masks.pixels((17, 22), (17, 23))),
        Case("four voxels", masks.pixels((17, 22), (17, 23), (18, 22), (18, 23))),
        Case("ring", masks.ring),
        Case("nested island", masks.nested_island),
        Case("one-voxel wall", masks.thin_wall),
        Case("diagonal touch", masks.diagonal_touch),
        Case("oblong pixels", masks.sphere, spacing_mm=_OBLONG_MM),
        Case("oblique", masks.sphere, orientation=_DOUBLY_OBLIQUE),
        Case("coronal", masks.sphere, orientation=_CORONAL),
        Case("feet first", masks.sphere, orientation=_FEET_FIRST),
        Case("uneven distances", masks.sphere, offsets_mm=_UNEVEN_MM),
        Case("two slices missing", masks.sphere, offsets_mm=_TWO_MISSING_MM),
        Case("oblong image", masks.far_corner, is_oblong=True),
        Case("touches the border", masks.border),
        Case("fractional origin", masks.ring, origin_mm=(-123.456789, 87.654321, -33.217)),
        Case("noise", masks.noise),
        Case("blobs", masks.blobs),
        Case("real body", masks.real_body, offsets_mm=offsets_mm, spacing_mm=real_mm, shape=real),
        Case("real noise", masks.real_noisy, offsets_mm=offsets_mm, spacing_mm=real_mm, shape=real),
    ]
