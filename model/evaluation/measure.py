"""Measurement of a model's masks against hand-drawn ones, on the original grid."""

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
    """Scores of one structure on one instance; distances in mm, areas in mm2."""

    key: str
    patient: str
    structure: str
    model: str
    """Name of the model that was measured."""
    dice: float
    hausdorff_95_mm: float
    """Infinite if only hand or only model drew; so is the mean distance."""
    mean_distance_mm: float
    by_hand_mm2: float
    by_model_mm2: float
    trained_on: bool = False
    """True if the model was trained on this patient: such scores say nothing about others."""

    @property
    def compares(self) -> bool:
        """False if neither hand nor model drew: such an image has nothing to compare."""
        return self.by_hand_mm2 > 0 or self.by_model_mm2 > 0


def measure(
    segmenter: UnetSegmenter, source: SampleSource, entries: Sequence[SampleEntry]
) -> tuple[list[Measurement], list[Defect]]:
    """Predict and compare each known structure of each of `entries`.

    `source` has the structures of the model, in its order (`select_structures`).

    Returns:
        The measurements, and the images that could not be read.

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
    """Predict and compare each known structure of `sample`."""
    card = segmenter.card
    masks = segmenter.predict(sample.image[None], sample.pixel_spacing_mm)
    names = [structure.name for structure in card.structures]
    seen = sample.patient in card.training_patients
    for name, truth, known in zip(names, sample.masks, sample.known, strict=True):
        if known:
            one = _compare(sample, (name, card.name), masks[name][0], truth)
            yield replace(one, trained_on=seen)


def select_structures(segmenter: UnetSegmenter, source: SampleSource) -> StructureSelection:
    """Select the structures of the model from `source`, in the model's order.

    Raises:
        ModelError: `source` lacks one of them.
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
