"""Comparison of the pixel values of two instances, independent of their transfer syntaxes.

Frames are decoded one by one, so that a comparison needs memory for two frames only.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import FileDataset
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import UID

from core.errors import PixelError
from imaging.instances.reading_faults import explain_file
from imaging.pixels.extended_jpeg import decode_extended_jpeg, is_extended_jpeg
from imaging.pixels.pixel_faults import explain_pixels
from imaging.pixels.reader import DECODING_ERRORS

Frame = npt.NDArray[Any]
_OVERLAY_GROUPS = range(0x6000, 0x6020, 2)
_OVERLAY_BIT_POSITION = 0x0102


def same_pixels(one: Path, other: Path) -> bool:
    """True if both files have the same frames with equal stored values.

    Colours are compared as decoded, [row, column, sample], without conversion.
    Bits above BitsStored count only where an overlay lies in them (PS3.5 section 8.1.2).

    Raises:
        PixelError: the pixels of one of the files cannot be decoded.
    """
    pairs = zip_longest(_frames(one), _frames(other))
    return all(_is_same(first, second) for first, second in pairs)


def _is_same(one: Frame | None, other: Frame | None) -> bool:
    return one is not None and other is not None and np.array_equal(one, other)


def _frames(path: Path) -> Iterator[Frame]:
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        if is_extended_jpeg(header):
            yield from decode_extended_jpeg(pydicom.dcmread(path))
            return
        is_deflated = UID(header.file_meta.TransferSyntaxUID).is_deflated
        source = pydicom.dcmread(path) if is_deflated else path
        is_masked = not _has_overlay_within(header)
        yield from iter_pixels(source, raw=True, correct_unused_bits=is_masked)
    except DECODING_ERRORS as error:
        raise PixelError(f"{path.name}: {_words(path, error)}") from error


def _words(path: Path, error: Exception) -> str:
    with suppress(*DECODING_ERRORS):
        return explain_pixels(pydicom.dcmread(path))
    return explain_file(path, error)


def _has_overlay_within(header: FileDataset) -> bool:
    """True if an overlay is in unused bits of the pixels (retired, PS3.5 section 8.1.2)."""
    positions = ((group, _OVERLAY_BIT_POSITION) for group in _OVERLAY_GROUPS)
    return any(header[one].value for one in positions if one in header)
