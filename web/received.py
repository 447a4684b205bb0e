"""The images of a series as they came, for a case that has no result to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import GeometryError, NotADataSetError, PixelError
from imaging.frames import read_headers
from imaging.geometry import RULES_2D, place
from imaging.header import Header
from imaging.pixels import read_frame, read_stored
from imaging.series import is_image
from web.slices import encode

Phases = tuple[tuple[Header, ...], ...]


@dataclass(frozen=True, slots=True)
class Received:
    """The images of a series in the order in which a person looks at them."""

    phases: Phases
    notes: tuple[str, ...]
    """What keeps them from being shown in space, or at all."""


def read_received(paths: Sequence[Path]) -> Received:
    """The images in the files `paths`, in space and time where geometry allows, else by number."""
    headers, unreadable = _headers(paths)
    images = [header for header in headers if is_image(header)]
    notes = [f"{unreadable} instances cannot be read"] if unreadable else []
    if len(images) < len(headers):
        notes.append(f"{len(headers) - len(images)} instances are no images")
    if not images:
        return Received((), tuple(notes))
    try:
        return Received(place(images, RULES_2D).phases, tuple(notes))
    except GeometryError as error:
        by_number = sorted(images, key=lambda one: (one.instance_number, one.sop_instance_uid))
        return Received((tuple(by_number),), (*notes, f"In order of their numbers: {error}"))


def encoded_image(path: Path, frame: int | None) -> bytes:
    """The pixels of one image in rescaled units, encoded as `slices.encode` does it.

    Raises:
        PixelError: as `pixels.read_pixels`, or there is no such frame.
    """
    stored = read_stored(path) if frame is None else read_frame(path, frame)
    if len(stored.values) != 1:
        raise PixelError(f"{path.name}: {len(stored.values)} frames without a place of their own")
    return encode(stored.rescaled()[0])


def _headers(paths: Sequence[Path]) -> tuple[list[Header], int]:
    headers: list[Header] = []
    unreadable = 0
    for path in paths:
        try:
            headers += read_headers(path)
        except NotADataSetError:
            unreadable += 1
    return headers, unreadable
