"""Summaries of measurements, in which each instance counts once for any number of models."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from model.evaluation.measure import Measurement

ALL = "all"
"""Stands for all patients together, in place of a patient's key."""
Weighted = tuple[Measurement, float]
"""Measurement and its weight: 1 / number of models that measured the instance."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Scores of one structure over the instances of one patient, or of all.

    An instance that several models measured counts once, each model with an equal share.
    """

    patient: str
    structure: str
    instances: int
    mean_dice: float
    least_dice: float
    mean_hausdorff_95_mm: float
    mean_distance_mm: float
    """Both means are over the instances that are neither lost nor extra."""
    largest_hausdorff_95_mm: float
    largest_distance_mm: float
    """Both are over all instances on which hand and model drew, including those without a common
    pixel, which the means leave out."""
    volume_error: float
    """(by model - by hand) / by hand, over the areas of all instances."""
    lost: int
    """Instances drawn on by hand whose prediction has no pixel in common."""
    extra: int
    """Instances on which only the model drew; their Dice is 0."""
    models: int = 1
    """Largest number of models that measured one instance."""
    trained_on: bool = False
    """True if a model was trained on these instances."""


def summarise(measurements: Sequence[Measurement]) -> list[Summary]:
    """Summaries by patient and structure, then of all patients together if there are several.

    Instances on which neither hand nor model drew are left out. Patients that a model was trained
    on count for all together only if there are no others.
    """
    weighted = _weighted(measurements)
    patients = sorted({one.patient for one, _ in weighted})
    groups = [
        (patient, [one for one in weighted if one[0].patient == patient]) for patient in patients
    ]
    together = _not_trained_on(weighted)
    if len({one.patient for one, _ in together}) > 1:
        groups.append((ALL, together))
    structures = list(dict.fromkeys(one.structure for one, _ in weighted))
    chosen = (
        (patient, structure, [one for one in of if one[0].structure == structure])
        for patient, of in groups
        for structure in structures
    )
    return [_summary(patient, structure, of) for patient, structure, of in chosen if of]


def mean_dice(measurements: Sequence[Measurement]) -> dict[str, float]:
    """Mean Dice by structure, rounded to 4 digits, as in the row of all patients together."""
    counted = _not_trained_on(_weighted(measurements))
    names = list(dict.fromkeys(one.structure for one, _ in counted))
    of = {name: [one for one in counted if one[0].structure == name] for name in names}
    return {name: round(_mean(of[name], lambda one: one.dice), 4) for name in names}


def _weighted(measurements: Sequence[Measurement]) -> list[Weighted]:
    """Measurements that compare, with their weights; models that drew nothing count in these."""
    models = Counter((one.key, one.structure) for one in measurements)
    return [(one, 1.0 / models[one.key, one.structure]) for one in measurements if one.compares]


def _not_trained_on(measurements: Sequence[Weighted]) -> list[Weighted]:
    return [one for one in measurements if not one[0].trained_on] or list(measurements)


def _summary(patient: str, structure: str, measurements: Sequence[Weighted]) -> Summary:
    found = [one for one in measurements if one[0].dice > 0]
    drawn = [one for one, _ in measurements if one.by_hand_mm2 > 0 and one.by_model_mm2 > 0]
    by_hand = sum(one.by_hand_mm2 * share for one, share in measurements)
    by_model = sum(one.by_model_mm2 * share for one, share in measurements)
    every = [one for one, _ in measurements]
    return Summary(
        patient,
        structure,
        instances=len({one.key for one in every}),
        mean_dice=_mean(measurements, lambda one: one.dice),
        least_dice=min(one.dice for one in every),
        mean_hausdorff_95_mm=_mean(found, lambda one: one.hausdorff_95_mm),
        mean_distance_mm=_mean(found, lambda one: one.mean_distance_mm),
        largest_hausdorff_95_mm=max((one.hausdorff_95_mm for one in drawn), default=math.inf),
        largest_distance_mm=max((one.mean_distance_mm for one in drawn), default=math.inf),
        volume_error=(by_model - by_hand) / by_hand if by_hand else math.inf,
        lost=len({one.key for one in every if one.by_hand_mm2 > 0 and one.dice == 0}),
        extra=len({one.key for one in every if one.by_hand_mm2 == 0}),
        models=round(max(1 / share for _, share in measurements)),
        trained_on=any(one.trained_on for one in every),
    )


def _mean(measurements: Sequence[Weighted], value: Callable[[Measurement], float]) -> float:
    """Weighted mean of `value`; infinite if there is no measurement."""
    total = sum(share for _, share in measurements)
    return sum(value(one) * share for one, share in measurements) / total if total else math.inf
