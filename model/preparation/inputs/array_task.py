"""Input from folders of arrays: `img/<n>.npy` and `mask/<n>.npy`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ConfigurationError, LearningDataError
from model.data.annotated_images import AnnotatedImage, SeriesKey
from model.data.array_folder import (
    SERIES,
    SPACING_MM,
    ArrayFaultError,
    Fault,
    assumed_spacing,
    check_channels,
    default_structures,
    numbers_of,
    patient_folders,
    read_arrays,
)
from model.inference.structure import Structure
from model.preparation.inputs.cases import Case, Plan
from model.preparation.inputs.structure_table import check_names
from model.preparation.report.remarks import Kind, Remark

SOURCE = "arrays"
_KINDS = {
    Fault.NO_IMAGE: Kind.NO_IMAGE,
    Fault.NO_MASK: Kind.NO_MASK,
    Fault.SHAPE: Kind.SHAPE,
    Fault.DAMAGED: Kind.UNREADABLE_IMAGE,
}


@dataclass(frozen=True, slots=True)
class ArrayTask:
    """Task to prepare the patient in one folder of arrays."""

    folder: Path
    numbers: tuple[str, ...]
    structures: tuple[Structure, ...]
    pixel_spacing_mm: tuple[float, float] = SPACING_MM
    modality: str = ""
    source: str = field(default=SOURCE)

    @property
    def patient(self) -> str:
        """Key of the patient: the name of the folder."""
        return self.folder.name

    @property
    def images(self) -> int:
        """Number of arrays in `img`."""
        return sum(1 for _ in (self.folder / "img").glob("*.npy"))

    @property
    def files(self) -> tuple[Path, ...]:
        """Paths of all arrays of the patient."""
        return tuple(sorted(self.folder.glob("*/*.npy")))

    @property
    def options(self) -> str:
        """Pixel spacing and modality, which the arrays do not state."""
        return f"{self.pixel_spacing_mm} {self.modality}"

    def cases(self) -> Iterator[Case]:
        """Case for each pair of arrays; faults become remarks."""
        for number in self.numbers:
            key = f"{self.patient}/{number}"
            try:
                yield self._case(key, number)
            except ArrayFaultError as fault:
                remark = Remark(_KINDS[fault.kind], key, str(fault))
                yield Case(key, contours=int(fault.kind != Fault.NO_MASK), remarks=(remark,))

    def _case(self, key: str, number: str) -> Case:
        image, masks = read_arrays(self.folder, number)
        check_channels(key, masks, len(self.structures))
        remarks: tuple[Remark, ...] = ()
        if not masks.any():
            words = f"{key}: the mask is empty: none of its structures is on the image"
            remarks = (Remark(Kind.EMPTY, key, words, left_out=False),)
        known = (True,) * len(masks)
        one = AnnotatedImage(number, image, masks, known, self.pixel_spacing_mm)
        series = SeriesKey(SERIES, self.modality, SOURCE)
        return Case(key, one, series, contours=1, matched=1, remarks=remarks)


def plan_arrays(
    folder: Path,
    *,
    names: Sequence[str] = (),
    pixel_spacing_mm: tuple[float, float] | None = None,
    modality: str = "",
) -> Plan:
    """Plan a task for each patient folder; the first readable mask sets the number of channels.

    Without `pixel_spacing_mm`, 1 mm is assumed, with a remark.

    Raises:
        ConfigurationError: there is no usable pair, or not one of `names` for each channel.
    """
    folders = list(patient_folders(folder))
    channels = next(_channels(folders), 0)
    if not channels:
        raise ConfigurationError(f"{folder}: no image with a mask that can be read")
    if names and len(names) != channels:
        raise ConfigurationError(
            f"{folder}: masks of {channels} channels, {len(names)} names given, expected as many"
        )
    if names:
        check_names(names, "--names")
    structures = default_structures(channels, names)
    plan = Plan(structures)
    if pixel_spacing_mm is None:
        words = assumed_spacing(folder)
        plan.remarks.append(Remark(Kind.ASSUMED, "pixel spacing", words, left_out=False))
    for patient in folders:
        numbers = tuple(numbers_of(patient))
        spacing = pixel_spacing_mm or SPACING_MM
        plan.tasks.append(ArrayTask(patient, numbers, structures, spacing, modality))
    return plan


def _channels(folders: Sequence[Path]) -> Iterator[int]:
    for folder in folders:
        for number in numbers_of(folder):
            try:
                yield len(read_arrays(folder, number)[1])
            except LearningDataError:
                continue
