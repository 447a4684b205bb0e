"""How well a model's masks agree with drawn ones, on the original grid."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import LearningDataError, ModelError
from imaging.metrics import dice, hausdorff_95_mm, mean_surface_distance_mm
from model.chosen import ChosenStructures
from model.predict import Segmenter
from model.samples import Defect, Masks, Sample, SampleEntry, SampleSource


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

    @property
    def compares(self) -> bool:
        """Not where neither drew: an image without it says nothing of how it is drawn."""
        return self.by_hand_mm2 > 0 or self.by_model_mm2 > 0


@dataclass(frozen=True, slots=True)
class Summary:
    """One structure over the instances of one patient, or of all."""

    patient: str
    structure: str
    instances: int
    mean_dice: float
    least_dice: float
    mean_hausdorff_95_mm: float
    mean_distance_mm: float
    """Both over the instances that are neither lost nor extra."""
    volume_error: float
    """(by model - by hand) / by hand, over the areas of these instances: their distance is one."""
    lost: int
    """Instances that were drawn on by hand, and share no pixel with the prediction."""
    extra: int
    """Instances on which only the model drew; their Dice is 0."""


def measure(
    segmenter: Segmenter, source: SampleSource, entries: Sequence[SampleEntry]
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


def measure_sample(segmenter: Segmenter, sample: Sample) -> Iterator[Measurement]:
    """Each known structure of `sample`."""
    card = segmenter.card
    masks = segmenter.predict(sample.image[None], sample.pixel_spacing_mm)
    names = [structure.name for structure in card.structures]
    for name, truth, known in zip(names, sample.masks, sample.known, strict=True):
        if known:
            yield _compare(sample, (name, card.name), masks[name][0], truth)


def drawn_by(segmenter: Segmenter, source: SampleSource) -> ChosenStructures:
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
    return ChosenStructures(source, names)


def summarise(measurements: Sequence[Measurement]) -> list[Summary]:
    """By patient and structure, then all patients together when there are several.

    Over the instances on which hand or model drew.
    """
    measurements = [one for one in measurements if one.compares]
    patients = sorted({one.patient for one in measurements})
    structures = list(dict.fromkeys(one.structure for one in measurements))
    groups = [
        (patient, structure, [one for one in measurements if one.patient == patient])
        for patient in patients
        for structure in structures
    ]
    if len(patients) > 1:
        groups += [("all", structure, measurements) for structure in structures]
    chosen = (
        (patient, structure, [one for one in of if one.structure == structure])
        for patient, structure, of in groups
    )
    return [_summary(patient, structure, of) for patient, structure, of in chosen if of]


def mean_dice(measurements: Sequence[Measurement]) -> dict[str, float]:
    """Mean Dice of each structure, over what compares, rounded to what is worth stating."""
    scores: dict[str, list[float]] = {}
    for one in measurements:
        if not one.compares:
            continue
        scores.setdefault(one.structure, []).append(one.dice)
    return {name: round(float(np.mean(values)), 4) for name, values in scores.items()}


def _compare(sample: Sample, names: tuple[str, str], found: Masks, truth: Masks) -> Measurement:
    spacing = sample.pixel_spacing_mm
    pixel_mm2 = spacing[0] * spacing[1]
    return Measurement(
        key=sample.key,
        patient=sample.patient,
        structure=names[0],
        model=names[1],
        dice=dice(found, truth),
        hausdorff_95_mm=hausdorff_95_mm(found, truth, spacing),
        mean_distance_mm=mean_surface_distance_mm(found, truth, spacing),
        by_hand_mm2=float(np.count_nonzero(truth)) * pixel_mm2,
        by_model_mm2=float(np.count_nonzero(found)) * pixel_mm2,
    )


def _summary(patient: str, structure: str, measurements: list[Measurement]) -> Summary:
    scores = [one.dice for one in measurements]
    found = [one for one in measurements if one.dice > 0]
    by_hand = sum(one.by_hand_mm2 for one in measurements)
    by_model = sum(one.by_model_mm2 for one in measurements)
    return Summary(
        patient,
        structure,
        instances=len(measurements),
        mean_dice=float(np.mean(scores)),
        least_dice=min(scores),
        mean_hausdorff_95_mm=_mean([one.hausdorff_95_mm for one in found]),
        mean_distance_mm=_mean([one.mean_distance_mm for one in found]),
        volume_error=(by_model - by_hand) / by_hand if by_hand else math.inf,
        lost=int(sum(one.by_hand_mm2 > 0 and one.dice == 0 for one in measurements)),
        extra=int(sum(one.by_hand_mm2 == 0 for one in measurements)),
    )


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else math.inf
