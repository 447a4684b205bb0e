"""How well a model's masks agree with drawn ones, on the original grid."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import LearningDataError, ModelError
from imaging.metrics import dice, hausdorff_95_mm, mean_surface_distance_mm
from model.data.samples import Defect, Masks, Sample, SampleEntry, SampleSource
from model.data.structure_selection import StructureSelection
from model.inference.predict import UnetSegmenter


@dataclass(frozen=True, slots=True)
class Measurement:
    """One structure on one instance."""

    key: str
    patient: str
    structure: str
    model: str
    """Name of the model that was measured."""
    dice: float
    hausdorff_95_mm: float
    """Infinite where nothing was drawn by the model, as the mean distance is."""
    mean_distance_mm: float
    by_hand_mm2: float
    by_model_mm2: float
    """Areas."""
    trained_on: bool = False
    """Whether the model was trained on this patient: it says nothing of others."""

    @property
    def compares(self) -> bool:
        """Not where neither drew: an image without it says nothing of how it is drawn."""
        return self.by_hand_mm2 > 0 or self.by_model_mm2 > 0


def measure(
    segmenter: UnetSegmenter, source: SampleSource, entries: Sequence[SampleEntry]
) -> tuple[list[Measurement], list[Defect]]:
    """Each known structure of each of `entries`, predicted and compared; and what is damaged.

    `source` has the structures of the model, in its order (`drawn_by`). An image that cannot be
    read is named, and the others are measured.
    """
    measurements: list[Measurement] = []
    damaged: list[Defect] = []
    for entry in entries:
        try:
            measurements += measure_sample(segmenter, source.read(entry))
        except (LearningDataError, ModelError) as error:
            damaged.append(Defect(entry.key, str(error)))
    return measurements, damaged


def measure_sample(segmenter: UnetSegmenter, sample: Sample) -> Iterator[Measurement]:
    """Each known structure of `sample`."""
    card = segmenter.card
    masks = segmenter.predict(sample.image[None], sample.pixel_spacing_mm)
    names = [structure.name for structure in card.structures]
    seen = sample.patient in card.training_patients
    for name, truth, known in zip(names, sample.masks, sample.known, strict=True):
        if known:
            one = _compare(sample, (name, card.name), masks[name][0], truth)
            yield replace(one, trained_on=seen)


def drawn_by(segmenter: UnetSegmenter, source: SampleSource) -> StructureSelection:
    """`source` with the structures that the model draws.

    Raises:
        ModelError: it has not got them all.
    """
    names = [structure.name for structure in segmenter.card.structures]
    known = [structure.name for structure in source.structures]
    if not set(names) <= set(known):
        raise ModelError(
            f"Model '{segmenter.card.name}' draws {', '.join(names)}, "
            f"the data set has {', '.join(known)}"
        )
    return StructureSelection(source, names)


def _compare(sample: Sample, names: tuple[str, str], found: Masks, truth: Masks) -> Measurement:
    spacing = sample.pixel_spacing_mm
    pixel_mm2 = spacing[0] * spacing[1]
    return Measurement(
        key=sample.key,
        patient=sample.patient,
        structure=names[0],
        model=names[1],
        dice=float(dice(found, truth)),
        hausdorff_95_mm=float(hausdorff_95_mm(found, truth, spacing)),
        mean_distance_mm=float(mean_surface_distance_mm(found, truth, spacing)),
        by_hand_mm2=float(np.count_nonzero(truth)) * pixel_mm2,
        by_model_mm2=float(np.count_nonzero(found)) * pixel_mm2,
    )
