"""Which patients a checkpoint is measured on, and what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigurationError, LearningDataError, ModelError
from model.checkpoint import ModelCard
from model.measure import Measurement, drawn_by, measure
from model.plan import check_patients
from model.predict import load_segmenter
from model.samples import Defect, SampleSource


@dataclass(frozen=True, slots=True)
class Model:
    """One checkpoint, and the patients it was measured on."""

    path: Path
    card: ModelCard
    sha256: str
    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Checkpoints and all that was measured; `rows` pairs each measurement with its checkpoint."""

    models: tuple[Model, ...]
    rows: tuple[tuple[Model, Measurement], ...]
    damaged: tuple[Defect, ...] = ()
    """Images that could not be read, each once; they count for nothing."""

    @property
    def measurements(self) -> list[Measurement]:
        """Of all checkpoints."""
        return [measurement for _, measurement in self.rows]


def evaluate(paths: Sequence[Path], source: SampleSource, patients: Sequence[str]) -> Evaluation:
    """Each checkpoint on `patients`, or on those of `source` that it has not seen.

    Raises:
        ModelError: not a checkpoint, or one that draws what the data set has not got.
        ConfigurationError: no such patients, or none left to measure on.
        LearningDataError: not one instance can be read.
    """
    check_patients(source, patients)
    models: list[Model] = []
    rows: list[tuple[Model, Measurement]] = []
    damaged: dict[str, Defect] = {}
    for path in paths:
        segmenter = load_segmenter(path)
        chosen = drawn_by(segmenter, source)
        measured = _patients_for(segmenter.card, source, patients, is_only=len(paths) == 1)
        model = Model(path, segmenter.card, segmenter.sha256, measured)
        found, unreadable = measure(segmenter, chosen, chosen.samples(measured))
        models.append(model)
        rows += [(model, one) for one in found]
        damaged |= {defect.key: defect for defect in unreadable}
    _check_measured(rows, tuple(damaged.values()))
    return Evaluation(tuple(models), tuple(rows), tuple(damaged.values()))


def _check_measured(rows: Sequence[tuple[Model, Measurement]], damaged: Sequence[Defect]) -> None:
    """Nothing, when there is something to report."""
    if not rows and damaged:
        raise LearningDataError(
            f"Not one of {len(damaged)} images could be read, the first: {damaged[0].reason}"
        )
    if not rows:
        raise ConfigurationError("Nothing that these models draw was drawn on these patients")


def _patients_for(
    card: ModelCard, source: SampleSource, patients: Sequence[str], *, is_only: bool
) -> tuple[str, ...]:
    if patients and is_only:
        return tuple(sorted(patients))
    if not card.training_patients and not is_only:
        raise ModelError(
            f"Model '{card.name}' does not say which patients it has seen, expected checkpoints "
            "of this version of model.train, or one at a time"
        )
    unseen = set(patients or source.patients) - set(card.training_patients)
    if not unseen:
        raise ConfigurationError(
            f"Model '{card.name}' was trained on all of {', '.join(patients or source.patients)}: "
            "name the patients to measure it on nevertheless (--patients)"
        )
    return tuple(sorted(unseen))
