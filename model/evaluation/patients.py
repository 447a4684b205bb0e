"""Evaluation of checkpoints on the patients that each was not trained on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigurationError, LearningDataError, ModelError
from model.data.samples import Defect, SampleSource
from model.evaluation.measure import Measurement, measure, select_structures
from model.inference.checkpoint import load_checkpoint
from model.inference.predict import load_segmenter
from model.inference.unet_card import UnetCard
from model.training.plan import check_patients


@dataclass(frozen=True, slots=True)
class Model:
    """Checkpoint with its card, and the patients it was measured on."""

    path: Path
    card: UnetCard
    sha256: str
    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Checkpoints and their measurements; `rows` pairs each measurement with its checkpoint."""

    models: tuple[Model, ...]
    rows: tuple[tuple[Model, Measurement], ...]
    damaged: tuple[Defect, ...] = ()
    """Images that could not be read, each once; no score counts them."""
    unmeasured: tuple[str, ...] = ()
    """Patients of the data set that every checkpoint was trained on."""

    @property
    def measurements(self) -> list[Measurement]:
        """Measurements of all checkpoints."""
        return [measurement for _, measurement in self.rows]


def evaluate(paths: Sequence[Path], source: SampleSource, patients: Sequence[str]) -> Evaluation:
    """Measure each checkpoint on those of `patients` that it was not trained on.

    Without `patients`, all of `source` are taken.

    Raises:
        ModelError: a file is not a checkpoint, or the data set lacks one of its structures.
        ConfigurationError: a patient is unknown, or none is left to measure on.
        LearningDataError: no instance can be read.
    """
    check_patients(source, patients)
    models: list[Model] = []
    rows: list[tuple[Model, Measurement]] = []
    damaged: dict[str, Defect] = {}
    for path, measured in _assign_patients(paths, source, patients).items():
        segmenter = load_segmenter(path)
        selection = select_structures(segmenter, source)
        model = Model(path, segmenter.card, segmenter.sha256, measured)
        found, unreadable = measure(segmenter, selection, selection.samples(measured))
        models.append(model)
        rows += [(model, one) for one in found]
        damaged |= {defect.key: defect for defect in unreadable}
    _check_measured(rows, tuple(damaged.values()))
    left = set(patients or source.patients) - {one for model in models for one in model.patients}
    return Evaluation(tuple(models), tuple(rows), tuple(damaged.values()), tuple(sorted(left)))


def _check_measured(rows: Sequence[tuple[Model, Measurement]], damaged: Sequence[Defect]) -> None:
    """Raise an error that says why, if there is no measurement to report."""
    if not rows and damaged:
        raise LearningDataError(
            f"Not one of {len(damaged)} images could be read, the first: {damaged[0].reason}"
        )
    if not rows:
        raise ConfigurationError(
            "None of the structures of these models was drawn on these patients"
        )


def _assign_patients(
    paths: Sequence[Path], source: SampleSource, patients: Sequence[str]
) -> dict[Path, tuple[str, ...]]:
    """Patients to measure each checkpoint on: those that it was not trained on.

    A single checkpoint is measured on all named `patients`, even those it was trained on. Of
    several, a checkpoint that was trained on all of them is measured on none.
    """
    cards = {path: load_checkpoint(path)[0] for path in paths}
    if patients and len(cards) == 1:
        return {path: tuple(sorted(patients)) for path in cards}
    asked = set(patients or source.patients)
    shares = {path: asked - set(card.training_patients) for path, card in cards.items()}
    _check_cards(list(cards.values()))
    _check_left_out(asked, shares, is_named=bool(patients))
    return {path: tuple(sorted(share)) for path, share in shares.items()}


def _check_cards(cards: Sequence[UnetCard]) -> None:
    silent = [card.name for card in cards if not card.training_patients]
    if silent and len(cards) > 1:
        raise ModelError(
            f"Model '{silent[0]}' does not say which patients it was trained on, expected "
            "checkpoints of this version of model.train, or one at a time"
        )


def _check_left_out(
    asked: Collection[str], shares: Mapping[Path, Collection[str]], *, is_named: bool
) -> None:
    """Check that there is a patient to measure on, and a checkpoint for each named patient."""
    left_out = {patient for share in shares.values() for patient in share}
    missing = set(asked) - left_out
    if not left_out or (is_named and missing):
        raise ConfigurationError(
            f"All of {', '.join(path.name for path in shares)} were trained on "
            f"{', '.join(sorted(missing))}: expected a checkpoint that left them out, or one "
            "checkpoint alone with these patients named (--patients)"
        )
