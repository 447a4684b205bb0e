"""Removal of images that are not slices from a series, with warnings that describe them.

Pages (`imaging/instances/pages.py`) and localizers across the stack are always set aside, and a
few other images if none of them may be a slice (`imaging/geometry/odd_ones.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import GeometryError
from core.hold_reasons import HoldReason
from imaging.geometry.odd_ones import find_odd_images
from imaging.geometry.plane import has_valid_plane
from imaging.instances.header import Header
from imaging.instances.pages import is_secondary_capture, page_without_position
from imaging.series.localizers import set_aside_localizers

_CT = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1")
_MOST_SCOUTS = 2


@dataclass(frozen=True, slots=True)
class Kept:
    """Images of a series that were kept, and descriptions of those set aside."""

    headers: tuple[Header, ...]
    """Images that may form a stack; empty if all are pages."""
    warnings: tuple[str, ...]
    """One for each kind of image set aside, with their number and the UID of the first."""
    pages: str
    """Kinds of pages with their numbers, such as "2 x a montage (ImageType)"."""


def set_aside(headers: Sequence[Header]) -> Kept:
    """Set aside pages, localizers across the stack, and a few odd images."""
    planes, pages = _pages(headers)
    warnings = [_words(headers, found, f"no plane: {what}") for what, found in pages]
    words = ", ".join(f"{len(found)} x {what}" for what, found in pages)
    if not planes:
        return Kept((), tuple(warnings), words)
    slices, of_localizers = set_aside_localizers(planes)
    odd = find_odd_images(slices)
    of_odd_images = [_words(headers, found, f"no slice: {what}") for what, found in odd.items()]
    images = {one.image for found in odd.values() for one in found}
    kept = tuple(one for one in slices if one.image not in images)
    return Kept(kept, (*warnings, *of_localizers, *of_odd_images), words)


def planes_of(kept: Kept, headers: Sequence[Header]) -> tuple[Header, ...]:
    """Images of a series that were kept.

    Raises:
        GeometryError: no image was kept; describes the pages.
    """
    if not kept.headers:
        raise GeometryError(
            f"Series {headers[0].series_instance_uid}: no image is a plane of the patient "
            f"({kept.pages}), expected slices",
            HoldReason.NO_PLANES,
        )
    return kept.headers


def _pages(headers: Sequence[Header]) -> tuple[list[Header], list[tuple[str, list[Header]]]]:
    """Split into planes, and pages by their description."""
    captures = [is_secondary_capture(one.sop_class_uid) for one in headers]
    is_among_others = sum(captures) <= len(headers) / 2
    found: dict[str, list[Header]] = {}
    for header, is_capture in zip(headers, captures, strict=True):
        found.setdefault(_page(header, is_alone=is_capture and is_among_others), []).append(header)
    planes = found.pop("", [])
    if _are_scouts(planes):
        found["a projection (ImageType LOCALIZER of a CT)"], planes = planes, []
    return planes, list(found.items())


def _are_scouts(planes: Sequence[Header]) -> bool:
    """True for one or two localizers of a CT alone; many are slices with a wrong ImageType."""
    are_localizers = all(one.is_localizer and one.sop_class_uid in _CT for one in planes)
    return are_localizers and 0 < len(planes) <= _MOST_SCOUTS


def _page(header: Header, *, is_alone: bool) -> str:
    if header.page:
        return header.page
    if is_alone:
        return "a secondary capture among other images (SOPClassUID)"
    image_type = str(header.distinction("ImageType") or "")
    words = page_without_position(header.sop_class_uid, image_type)
    return "" if not words or has_valid_plane(header) else words


def _words(headers: Sequence[Header], aside: Sequence[Header], what: str) -> str:
    return (
        f"Series {headers[0].series_instance_uid}: {len(aside)} of {len(headers)} images set "
        f"aside, {what}, such as {aside[0].sop_instance_uid}"
    )
