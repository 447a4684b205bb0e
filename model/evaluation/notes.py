"""What a reader of an evaluation must know of it: who was trained on, who counts how often."""

from collections import Counter
from collections.abc import Iterator

from model.evaluation.patients import Evaluation, Model


def notes_on(evaluation: Evaluation) -> list[str]:
    """One sentence each; none where every patient was left out by one checkpoint."""
    notes = [note for model in evaluation.models for note in _on_model(model)]
    return [*notes, *_on_shares(evaluation), *_on_unmeasured(evaluation)]


def _on_model(model: Model) -> Iterator[str]:
    name = f"Model '{model.card.name}' ({model.path.name})"
    trained_on = sorted(set(model.patients) & set(model.card.training_patients))
    if trained_on:
        yield (
            f"{name} was trained on {', '.join(trained_on)}: what is measured there says nothing "
            "of other patients, and counts for the means of all only where there is nothing else"
        )
    if not model.card.training_patients:
        yield f"{name} does not say which patients it was trained on: it may have seen these"
    if not model.patients:
        yield f"{name} was trained on all of these patients and is not measured"


def _on_shares(evaluation: Evaluation) -> Iterator[str]:
    counts = Counter(patient for model in evaluation.models for patient in model.patients)
    several = sorted(patient for patient, count in counts.items() if count > 1)
    if several:
        yield (
            f"{', '.join(several)}: left out by several of these checkpoints; each image counts "
            "once, with the mean of what they drew"
        )


def _on_unmeasured(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.unmeasured:
        yield (
            f"All of these checkpoints were trained on {', '.join(evaluation.unmeasured)}: "
            "not measured"
        )
