"""Bound on the memory that the decoded images of a series take in a worker."""

from collections.abc import Sequence

from core.errors import SeriesError
from core.hold_reasons import HoldReason
from imaging.instances.header import Header

_VOXEL_BYTES = 4  # float32
_MEGABYTE = 1_000_000


def decoded_bytes(headers: Sequence[Header]) -> int:
    """Return the bytes of the images as float32 voxels, by their headers."""
    return sum(
        header.rows * header.columns * header.samples_per_pixel * _frames(header) * _VOXEL_BYTES
        for header in headers
    )


def check_decoded_size(headers: Sequence[Header], maximum_mb: int) -> None:
    """Check that the images of a series may be decoded by a worker.

    Raises:
        SeriesError: they would take more than `engine.maximum_decoded_mb`.
    """
    found = decoded_bytes(headers)
    if found <= maximum_mb * _MEGABYTE:
        return
    largest = max(headers, key=lambda one: one.rows * one.columns * _frames(one))
    images = sum(map(_frames, headers))
    raise SeriesError(
        f"Series {headers[0].series_instance_uid}: {images} images of up to {largest.rows} x "
        f"{largest.columns} pixels take {-(-found // _MEGABYTE)} MB decoded, expected "
        f"{maximum_mb} MB or less (engine.maximum_decoded_mb)",
        HoldReason.TOO_LARGE,
    )


def _frames(header: Header) -> int:
    return header.number_of_frames if header.frame_number is None else 1
