"""How well a model's masks agree with drawn ones, on the original grid."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from imaging.metrics import dice, hausdorff_95_mm
from model.predict import Segmenter
from model.samples import Sample, SampleEntry, SampleSource


@dataclass(frozen=True, slots=True)
class Measurement:
    """One structure on one instance."""

    key: str
    patient: str
    structure: str
    dice: float
    hausdorff_95_mm: float
    """Infinite where nothing was drawn by the model."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One structure over the instances of one patient, or of all."""

    patient: str
    structure: str
    instances: int
    mean_dice: float
    least_dice: float
    mean_hausdorff_95_mm: float
    """Over the instances that are not lost."""
    lost: int
    """Instances on which prediction and truth share no pixel."""


def measure(
    segmenter: Segmenter, source: SampleSource, entries: Sequence[SampleEntry]
) -> list[Measurement]:
    """Each known structure of each of `entries`, predicted and compared."""
    samples = (source.read(entry) for entry in entries)
    return [one for sample in samples for one in _measure_sample(segmenter, sample)]


def summarise(measurements: Sequence[Measurement]) -> list[Summary]:
    """By patient and structure, then all patients together when there are several."""
    patients = sorted({one.patient for one in measurements})
    structures = list(dict.fromkeys(one.structure for one in measurements))
    groups = [
        (patient, structure, [one for one in measurements if one.patient == patient])
        for patient in patients
        for structure in structures
    ]
    if len(patients) > 1:
        groups += [("all", structure, list(measurements)) for structure in structures]
    summaries = (_summary(patient, structure, of) for patient, structure, of in groups)
    return [summary for summary in summaries if summary.instances]


def mean_dice(measurements: Sequence[Measurement]) -> dict[str, float]:
    """Mean Dice of each structure, rounded to what is worth stating."""
    scores: dict[str, list[float]] = {}
    for one in measurements:
        scores.setdefault(one.structure, []).append(one.dice)
    return {name: round(float(np.mean(values)), 4) for name, values in scores.items()}


def _measure_sample(segmenter: Segmenter, sample: Sample) -> Iterator[Measurement]:
    masks = segmenter.predict(sample.image[None], sample.pixel_spacing_mm)
    names = [structure.name for structure in segmenter.card.structures]
    for name, truth, known in zip(names, sample.masks, sample.known, strict=True):
        if known:
            drawn = masks[name][0]
            distance = hausdorff_95_mm(drawn, truth, sample.pixel_spacing_mm)
            yield Measurement(sample.key, sample.patient, name, dice(drawn, truth), distance)


def _summary(patient: str, structure: str, measurements: list[Measurement]) -> Summary:
    chosen = [one for one in measurements if one.structure == structure]
    if not chosen:
        return Summary(patient, structure, 0, 0.0, 0.0, 0.0, 0)
    scores = [one.dice for one in chosen]
    found = [one.hausdorff_95_mm for one in chosen if one.dice > 0]
    return Summary(
        patient,
        structure,
        instances=len(chosen),
        mean_dice=float(np.mean(scores)),
        least_dice=min(scores),
        mean_hausdorff_95_mm=float(np.mean(found)) if found else float("inf"),
        lost=len(chosen) - len(found),
    )
