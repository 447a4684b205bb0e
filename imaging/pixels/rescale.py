"""Rescale slope and intercept of an image, checked for usable values."""

import math
from typing import Any

from pydicom.dataset import Dataset

from core.errors import PixelError
from imaging.instances.element_words import WAY_OUT, element_fault, told_instance


def rescale_of(data_set: Dataset, name: str | None = None) -> tuple[float, float]:
    """RescaleSlope and RescaleIntercept (PS3.3 C.11.1); 1 and 0 if absent or empty.

    Args:
        data_set: an instance, or the attributes of one frame.
        name: name of the image in messages; default: by its SOP Instance UID.

    Raises:
        PixelError: one of them is not a single finite number, or the slope is 0: every pixel
            would have the same value.
    """
    name = name or told_instance(data_set)
    slope = _number(data_set, "RescaleSlope", name, otherwise=1.0)
    if slope == 0:
        raise PixelError(f"{name}: RescaleSlope is 0, expected a number other than 0")
    return slope, _number(data_set, "RescaleIntercept", name, otherwise=0.0)


def _number(data_set: Dataset, keyword: str, name: str, *, otherwise: float) -> float:
    try:
        value: Any = data_set.get(keyword)
        if value is None or value == "":
            return otherwise
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        words = element_fault(data_set, keyword, "one finite number")
        raise PixelError(f"{name}: {words}; {WAY_OUT}")
    return number
