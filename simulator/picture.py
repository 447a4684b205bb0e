"""Picture of returned contours beside hand-drawn ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import PixelError
from imaging.instances.header import Header
from imaging.pictures import (
    Outline,
    Panel,
    box_around,
    choose_panels,
    overview_picture,
    side_by_side,
    write_png,
)
from imaging.pixels.reader import read_pixels
from simulator.returned_contours import Contours
from simulator.truth import RING, Truth

_MOST_PANELS = 9
_MARGIN_PIXELS = 15.0
_COLORS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0))
"""Palette of Okabe and Ito, distinguishable by colour-blind readers."""

Colors = Mapping[str, tuple[int, int, int]]


def write_contour_picture(
    path: Path,
    sent: Mapping[str, Header],
    returned: Contours,
    *,
    truth: Truth | None = None,
    pairs: Mapping[str, str] | None = None,
) -> bool:
    """Write a PNG to `path`, unless there is no contour to show.

    Args:
        path: of the picture.
        sent: headers of the images, by SOP Instance UID.
        returned: contours that the node sent back.
        truth: hand-drawn contours, shown on the right on the same images.
        pairs: structures of `truth` to those of `returned` that they were compared with. Pairs
            share a colour; if there are any, other structures of `truth` are not shown.

    Returns:
        True if the file was written.
    """
    drawn = {} if truth is None else _shown(truth, pairs or {})
    with_contours = {uid for part in (returned, drawn) for by in part.values() for uid in by}
    headers = _ordered([header for uid, header in sent.items() if uid in with_contours])
    if not headers:
        return False
    chosen = [headers[index] for index in choose_panels(len(headers), _MOST_PANELS)]
    colors = {name: _COLORS[i % len(_COLORS)] for i, name in enumerate(returned)}
    left = _panels(chosen, _compared_last(returned, pairs or {}), colors)
    right = _panels(chosen, drawn, _colors_of_truth(drawn, colors, pairs or {}))
    if not left:
        return False
    box = box_around([*left, *right], _MARGIN_PIXELS)
    picture = overview_picture(left, box=box)
    if truth is not None:
        picture = side_by_side(picture, overview_picture(right, box=box), ("Returned", "By hand"))
    write_png(picture, path)
    return True


def _shown(truth: Truth, pairs: Mapping[str, str]) -> Contours:
    wanted = set(pairs) or set(truth.contours) - {RING}
    return {name: by_uid for name, by_uid in truth.contours.items() if name in wanted}


def _compared_last(returned: Contours, pairs: Mapping[str, str]) -> Contours:
    """Contours with the compared structures last, so that they are drawn on top."""
    names = sorted(returned, key=lambda name: name in pairs.values())
    return {name: returned[name] for name in names}


def _ordered(headers: Sequence[Header]) -> list[Header]:
    return sorted(headers, key=lambda header: (header.instance_number, header.sop_instance_uid))


def _colors_of_truth(drawn: Contours, colors: Colors, pairs: Mapping[str, str]) -> Colors:
    return {
        name: colors.get(pairs.get(name, name), _COLORS[index % len(_COLORS)])
        for index, name in enumerate(drawn)
    }


def _panels(headers: Sequence[Header], contours: Contours, colors: Colors) -> list[Panel]:
    panels = []
    for header in headers:
        try:
            image = read_pixels(header.path)[0]
        except PixelError:
            continue
        outlines = [
            Outline(polygon, colors[name])
            for name, by_uid in contours.items()
            for polygon in by_uid.get(header.sop_instance_uid, [])
        ]
        spacing_mm = header.pixel_spacing_mm or (1.0, 1.0)
        caption = f"instance {header.instance_number}"
        panels.append(Panel(image, outlines, caption, aspect=spacing_mm[0] / spacing_mm[1]))
    return panels
