"""Check that the images of a phase are of one kind, so that they can form one volume."""

from collections.abc import Sequence

from core.errors import GeometryError
from core.hold_reasons import HoldReason
from imaging.instances.header import Header

_NUMBERS = ("EchoTime", "DiffusionBValue")
_TEXTS = ("EchoNumbers", "ComplexImageComponent", "ConvolutionKernel")
_SAME = 0.05
_IMAGE_TYPE = "ImageType"
_PIXEL_KINDS = frozenset(
    (
        *("M", "M_FFE", "M_IR", "M_SE", "MAGNITUDE", "P", "P_FFE", "PHASE"),
        *("R", "R_FFE", "REAL", "I", "I_FFE", "IMAGINARY", "ADC", "TRACEW", "FA"),
        *("W", "WATER", "F", "FAT", "IP", "IN_PHASE", "OP", "OPP_PHASE", "OUT_PHASE"),
    )
)
"""Values of ImageType that tell what quantity the pixels are."""


def check_one_kind(phase: Sequence[Header]) -> None:
    """Check that the images of a phase do not differ in echo, b-value, kernel or pixel quantity.

    Raises:
        GeometryError: the images differ; names the attribute and its number of values.
    """
    for keyword in (*_NUMBERS, *_TEXTS, _IMAGE_TYPE):
        values = {_known(header, keyword) for header in phase}
        if len(values) > 1 and not _is_close(values):
            raise GeometryError(
                f"Series {phase[0].series_instance_uid}: images at neighbouring positions have "
                f"{len(values)} values of {keyword}, expected one in a volume",
                HoldReason.INDISTINCT,
                helps="send each kind of image as a series of its own",
            )


def _known(header: Header, keyword: str) -> object:
    value = header.distinction(keyword)
    if keyword == _IMAGE_TYPE:
        return frozenset(str(value or "").split("\\")) & _PIXEL_KINDS
    return value


def _is_close(values: set[object]) -> bool:
    numbers = [value for value in values if isinstance(value, float)]
    if len(numbers) < len(values):
        return False
    return max(numbers) - min(numbers) <= _SAME * abs(max(numbers))
