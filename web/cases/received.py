"""The images of a series as received, for the viewer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import GeometryError, NotADataSetError, PixelError, SlicewireError
from imaging.geometry.placement import RULES_2D, place
from imaging.instances.frames import read_headers
from imaging.instances.header import Header
from imaging.pixels.reader import read_frame, read_stored
from imaging.series.series import is_image
from imaging.series.set_aside import set_aside
from web.cases.slices import encode

Phases = tuple[tuple[Header, ...], ...]


@dataclass(frozen=True, slots=True)
class Received:
    """The received images of a series in display order."""

    phases: Phases
    notes: tuple[str, ...]
    """Why instances are not shown in spatial order, or not at all."""
    unfiled: int = 0
    """Number of instances whose files do not exist yet; the node writes them soon."""


def read_received(paths: Sequence[Path]) -> Received:
    """Read the images in `paths`; ordered in space and time if possible, else by number."""
    headers, unreadable, unfiled = _headers(paths)
    images = [header for header in headers if is_image(header)]
    others = len(headers) - len(images)
    notes = [f"{unfiled} instances are still being filed"] if unfiled else []
    notes += [f"{unreadable} instances cannot be read"] if unreadable else []
    notes += [f"{others} instances are no images"] if others else []
    phases, why = _in_order(images)
    return Received(phases, (*notes, *why), unfiled)


def encoded_image(path: Path, frame: int | None) -> bytes:
    """The pixels of one image in rescaled units, encoded as by `slices.encode`.

    `frame` counts from 1; None stands for the only frame of an instance.

    Raises:
        PixelError: the pixels cannot be read, or there is no such frame.
    """
    stored = read_stored(path) if frame is None else read_frame(path, frame)
    if len(stored.values) != 1:
        raise PixelError(f"{path.name}: {len(stored.values)} frames without a place of their own")
    return encode(stored.rescaled()[0])


def is_missing(error: SlicewireError) -> bool:
    """True if a file could not be read because it does not exist."""
    return isinstance(error.__cause__, FileNotFoundError)


def _in_order(images: Sequence[Header]) -> tuple[Phases, tuple[str, ...]]:
    """Phases of images in space, or one phase by InstanceNumber with the reason why."""
    if not images:
        return (), ()
    try:
        return place(images, RULES_2D).phases, set_aside(images).warnings
    except GeometryError as error:
        by_number = sorted(images, key=lambda one: (one.instance_number, one.sop_instance_uid))
        return (tuple(by_number),), (f"In order of their numbers: {error}",)


def _headers(paths: Sequence[Path]) -> tuple[list[Header], int, int]:
    """Headers, the number of damaged files, and the number of files that do not exist yet."""
    headers: list[Header] = []
    unreadable = unfiled = 0
    for path in paths:
        try:
            headers += read_headers(path)
        except NotADataSetError as error:
            if is_missing(error):
                unfiled += 1
            else:
                unreadable += 1
    return headers, unreadable, unfiled
