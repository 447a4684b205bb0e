"""Notes on an evaluation: patients trained on, measured several times, or not at all."""

from collections import Counter
from collections.abc import Iterator

from model.evaluation.patients import Evaluation, Model


def notes_on(evaluation: Evaluation) -> list[str]:
    """Sentences for the reader; none if each patient was left out by exactly one checkpoint."""
    notes = [note for model in evaluation.models for note in _on_model(model)]
    return [*notes, *_on_shares(evaluation), *_on_unmeasured(evaluation)]


def _on_model(model: Model) -> Iterator[str]:
    name = f"Model '{model.card.name}' ({model.path.name})"
    trained_on = sorted(set(model.patients) & set(model.card.training_patients))
    if trained_on:
        yield (
            f"{name} was trained on {', '.join(trained_on)}: their scores say nothing about other "
            "patients, and count for the overall means only if there are no others"
        )
    if not model.card.training_patients:
        yield f"{name} does not say which patients it was trained on: perhaps on these"
    if not model.patients:
        yield f"{name} was trained on all of these patients and is not measured"


def _on_shares(evaluation: Evaluation) -> Iterator[str]:
    counts = Counter(patient for model in evaluation.models for patient in model.patients)
    several = sorted(patient for patient, count in counts.items() if count > 1)
    if several:
        yield (
            f"{', '.join(several)}: left out by several of these checkpoints; each image counts "
            "once, with the mean of their scores"
        )


def _on_unmeasured(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.unmeasured:
        yield (
            f"All of these checkpoints were trained on {', '.join(evaluation.unmeasured)}: "
            "not measured"
        )
