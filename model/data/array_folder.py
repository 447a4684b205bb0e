"""Folders of NumPy arrays, read directly as a source of samples.

<patient>/img/<n>.npy     (1, rows, columns), any numbers
<patient>/mask/<n>.npy    (structures, rows, columns), 0 outside, any other number inside
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import LearningDataError
from model.data.samples import Defect, Image, Masks, Sample, SampleEntries, SampleEntry, digest_of
from model.inference.structure import Structure

COLORS = (
    (230, 159, 0),
    (0, 114, 178),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (213, 94, 0),
)
"""Palette of Okabe and Ito, distinguishable by colour-blind readers."""
SPACING_MM = (1.0, 1.0)
MODALITY = ""
SERIES = "arrays"
_DAMAGE = (
    OSError,  # missing or unreadable
    ValueError,  # not a .npy file, a damaged header, or objects in place of numbers
    EOFError,  # empty
    MemoryError,  # a header that claims more than the file holds
)
"""Raised by numpy.load on damaged or truncated files."""
_EXPECTED = "expected a .npy file of numbers, found another or a damaged one"


class Fault(StrEnum):
    """Kinds of faults of a pair of image and mask."""

    NO_IMAGE = "mask without its image"
    NO_MASK = "image without its mask"
    SHAPE = "shapes that do not fit"
    DAMAGED = "damaged"


class ArrayFaultError(LearningDataError):
    """A pair of image and mask that cannot be used."""

    def __init__(self, kind: Fault, words: str) -> None:
        super().__init__(words)
        self.kind = kind


class ArrayFolder(SampleEntries):
    """Samples in a folder of arrays, each read on demand; made by `open_array_folder`."""

    def __init__(
        self,
        folder: Path,
        structures: tuple[Structure, ...],
        entries: tuple[SampleEntry, ...],
        defects: tuple[Defect, ...],
    ) -> None:
        super().__init__(structures, entries, defects)
        self._folder = folder

    def read(self, entry: SampleEntry) -> Sample:
        """Read the image and masks of one instance.

        Raises:
            LearningDataError: its files have changed or are missing.
        """
        number = entry.key.rpartition("/")[2]
        image, masks = read_arrays(self._folder / entry.patient, number)
        return Sample(entry, image, masks)


def is_array_folder(folder: Path) -> bool:
    """True if `folder` has at least one patient with images and masks."""
    return any(patient_folders(folder))


def patient_folders(folder: Path) -> Iterator[Path]:
    """Folders of the patients, sorted by name."""
    if folder.is_dir():
        yield from (one for one in sorted(folder.iterdir()) if (one / "img").is_dir())


def open_array_folder(
    folder: Path, pixel_spacing_mm: tuple[float, float] = SPACING_MM
) -> ArrayFolder:
    """Open all pairs of image and mask below `folder`; each is read once to check it.

    Pairs that cannot be used are listed as defects.

    Raises:
        LearningDataError: there is no usable pair.
    """
    entries: list[SampleEntry] = []
    defects: list[Defect] = []
    for patient in patient_folders(folder):
        for number in numbers_of(patient):
            key = f"{patient.name}/{number}"
            try:
                pair = read_arrays(patient, number)
                expected = len(entries[0].known) if entries else len(pair[1])
                check_channels(key, pair[1], expected)
            except LearningDataError as error:
                defects.append(Defect(key, str(error)))
                continue
            entries.append(_entry(key, len(entries), pair, pixel_spacing_mm))
    if not entries:
        raise LearningDataError(f"{folder}: no image with a mask that can be read")
    structures = default_structures(len(entries[0].known))
    return ArrayFolder(folder, structures, tuple(entries), tuple(defects))


def assumed_spacing(folder: Path) -> str:
    """Note for the user that the pixel spacing of `folder` is assumed."""
    rows, _ = SPACING_MM
    return (
        f"{folder}: arrays say no pixel spacing, {rows:g} mm is assumed; all distances, and the "
        "range of spacings that the model accepts, depend on it (set it with --pixel_spacing)"
    )


def default_structures(count: int, names: Sequence[str] = ()) -> tuple[Structure, ...]:
    """Structures for `count` mask channels, called `names` or "Structure 1", ..."""
    names = names or [f"Structure {number + 1}" for number in range(count)]
    return tuple(
        Structure(name, COLORS[number % len(COLORS)], "ORGAN") for number, name in enumerate(names)
    )


def numbers_of(patient: Path) -> list[str]:
    """File names without suffix in `img` and `mask`; decimal ones first, by number."""
    found = {path.stem for kind in ("img", "mask") for path in (patient / kind).glob("*.npy")}
    return sorted(found, key=lambda name: (not name.isdecimal(), name.rjust(20, "0")))


def read_arrays(patient: Path, number: str) -> tuple[Image, Masks]:
    """Read the image [row, column] and masks [structure, row, column] of the pair `number`.

    Raises:
        ArrayFaultError: a file is missing, damaged or not numeric, or the shapes do not agree.
    """
    key = f"{patient.name}/{number}"
    image = _load(patient / "img" / f"{number}.npy", Fault.NO_IMAGE)
    masks = _load(patient / "mask" / f"{number}.npy", Fault.NO_MASK)
    if image.ndim != 3 or len(image) != 1 or masks.ndim != 3 or not len(masks) or not image.size:
        raise ArrayFaultError(
            Fault.SHAPE,
            f"{key}: image {image.shape} and mask {masks.shape}, "
            "expected (1, rows, columns) and (structures, rows, columns)",
        )
    if image.shape[1:] != masks.shape[1:]:
        raise ArrayFaultError(
            Fault.SHAPE,
            f"{key}: image of {image.shape[1]} x {image.shape[2]} rows and columns, "
            f"mask of {masks.shape[1]} x {masks.shape[2]}, expected the same",
        )
    pixels = image[0].astype(np.float32)
    if not np.isfinite(pixels).all() or not np.isfinite(masks).all():
        raise ArrayFaultError(Fault.DAMAGED, f"{key}: a pixel is not a finite number")
    return pixels, masks != 0


def check_channels(key: str, masks: Masks, expected: int) -> None:
    """Check that `masks` has the `expected` number of channels.

    Raises:
        ArrayFaultError: the number differs.
    """
    if len(masks) != expected:
        words = f"{key}: mask of {len(masks)} channels, expected {expected}"
        raise ArrayFaultError(Fault.SHAPE, words)


def _load(path: Path, missing: Fault) -> npt.NDArray[Any]:
    if not path.is_file():
        raise ArrayFaultError(missing, f"{path.parents[1].name}/{path.stem}: {missing}")
    try:
        values = np.load(path, allow_pickle=False)
    except _DAMAGE as error:
        words = f"{path.parents[1].name}/{path.stem}: not a readable array, {_EXPECTED}"
        raise ArrayFaultError(Fault.DAMAGED, words) from error
    if values.dtype.kind not in "biuf":
        words = f"{path.parents[1].name}/{path.stem}: holds {values.dtype}, expected numbers"
        raise ArrayFaultError(Fault.DAMAGED, words)
    return np.asarray(values)


def _entry(
    key: str, index: int, pair: tuple[Image, Masks], spacing_mm: Sequence[float]
) -> SampleEntry:
    image, masks = pair
    known = (True,) * len(masks)
    return SampleEntry(
        key=key,
        patient=key.partition("/")[0],
        series=SERIES,
        index=index,
        shape=(image.shape[0], image.shape[1]),
        pixel_spacing_mm=(float(spacing_mm[0]), float(spacing_mm[1])),
        known=known,
        modality=MODALITY,
        digest=digest_of(image, masks, known, spacing_mm),
    )
