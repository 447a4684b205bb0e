"""Encoding of rescaled values as 16-bit integers with slope and intercept (PS3.3 C.11.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.valuerep import format_number_as_ds

from core.errors import OutputError
from imaging.pixels.reader import Voxels
from imaging.pixels.rescale import rescale_of

PET = "1.2.840.10008.5.1.4.1.1.128"
_STEPS = 65534.0  # one fewer than 16 bits allow, to leave room for rounding of slope and intercept


@dataclass(frozen=True, slots=True)
class Encoding:
    """Pixel encoding: signedness, and slope and intercept as DS strings."""

    signed: bool
    slope: str
    intercept: str
    from_source: bool
    """True if all sources have this encoding, so that other attributes need not change."""

    def stored(self, values: Voxels) -> npt.NDArray[Any]:
        """Encode `values` as the nearest 16-bit integers, little endian, in the same shape."""
        exact = (values.astype(np.float64) - float(self.intercept)) / float(self.slope)
        return np.rint(exact).astype("<i2" if self.signed else "<u2")


def choose_encoding(
    sources: Sequence[Dataset], values: Voxels, *, only_fitting: bool = False
) -> Encoding:
    """Choose one encoding for all `values`: the sources' if it fits, else one made for the range.

    PET keeps an intercept of 0 (PS3.3 C.8.9.4.1.5). With `only_fitting`, the sources' encoding is
    not considered.

    Raises:
        OutputError: values that are not finite, or do not fit in 16 bits with any DS slope.
        PixelError: a source has an unusable slope or intercept.
    """
    lowest, highest = float(values.min()), float(values.max())
    if not np.isfinite([lowest, highest]).all():
        raise OutputError("The result has values that are not finite numbers")
    shared = None if only_fitting else _shared_encoding(sources)
    is_pet = str(sources[0].SOPClassUID) == PET
    is_allowed = shared and not (is_pet and float(shared.intercept))
    if shared and is_allowed and _holds(shared, lowest, highest):
        return shared
    fitting = _through_zero(lowest, highest) if is_pet else _from_lowest(lowest, highest)
    if not _holds(fitting, lowest, highest):
        raise OutputError(f"Values from {lowest:g} to {highest:g} do not fit in 16 bits")
    return fitting


def _shared_encoding(sources: Sequence[Dataset]) -> Encoding | None:
    """Encoding of all sources; None if they differ."""
    kinds = {(int(source.PixelRepresentation), *rescale_of(source)) for source in sources}
    if len(kinds) > 1:
        return None
    source = sources[0]
    return Encoding(
        signed=source.PixelRepresentation == 1,
        slope=str(source.get("RescaleSlope") or 1),
        intercept=str(source.get("RescaleIntercept") or 0),
        from_source=True,
    )


def _holds(encoding: Encoding, lowest: float, highest: float) -> bool:
    slope, intercept = float(encoding.slope), float(encoding.intercept)
    if slope <= 0:
        return False
    first, last = (-32768, 32767) if encoding.signed else (0, 65535)
    return (
        first <= round((lowest - intercept) / slope)
        and round((highest - intercept) / slope) <= last
    )


def _from_lowest(lowest: float, highest: float) -> Encoding:
    slope = (highest - lowest) / _STEPS or 1.0
    return Encoding(False, _decimal(slope), _decimal(lowest), from_source=False)


def _through_zero(lowest: float, highest: float) -> Encoding:
    signed = lowest < 0
    steps = _STEPS / 2 if signed else _STEPS
    slope = max(-lowest, highest) / steps or 1.0
    return Encoding(signed, _decimal(slope), "0", from_source=False)


def _decimal(value: float) -> str:
    return str(format_number_as_ds(value))
