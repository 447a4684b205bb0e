"""Plan of a training run: data, fold and card, checked before training starts."""

import argparse
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.errors import ConfigurationError
from model.data.folds import Fold, fold_of, possible_folds
from model.data.samples import SampleEntry, SampleSource, fingerprint
from model.data.structure_selection import StructureSelection, check_selected, choose_names
from model.inference.checkpoint import check_card
from model.inference.grid import WorkingGrid
from model.inference.unet_card import Postprocessing, UnetCard

_SPACING_MARGIN = 2.0
"""Factor by which pixel spacings may be finer or coarser than in training: scaling covers it."""
_PERCENTILES = (1.0, 99.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """Data, fold and card of a training run."""

    source: SampleSource
    """Samples with the selected structures only, rings filled."""
    fold: Fold
    card: UnetCard
    """Card as written, before the scores are added."""
    notes: tuple[str, ...] = ()
    """What was done otherwise than asked, in sentences."""

    @property
    def grid(self) -> WorkingGrid:
        """Preprocessing of images for the network."""
        stride = 2 ** (len(self.card.encoder_widths) - 1)
        return WorkingGrid(self.card.working_spacing_mm, self.card.percentiles, stride)


def plan_of(options: argparse.Namespace, source: SampleSource) -> Plan:
    """Make the plan for `source` from the `options` of `train_parser`.

    Raises:
        ConfigurationError: structures, patients, folds or crops are impossible.
        ModelError: a value is not allowed on a card.
    """
    names = choose_names(source.structures, options.structures, options.output_channels)
    check_selected("--rings", [name for pair in options.rings for name in pair], names)
    check_selected("--around", [name for pair in options.around for name in pair], names)
    check_selected("--solid", options.solid, names)
    chosen = StructureSelection(source, names, options.rings)
    held_out = {*options.exclude, *options.measure}
    check_patients(source, held_out)
    usable = sorted({entry.patient for entry in chosen.samples()} - held_out)
    if not usable:
        raise ConfigurationError(f"{options.data_dir}: no patient is left to train on")
    k_folds, cut = possible_folds(len(usable), options.k_folds)
    fold = fold_of(usable, k_folds, options.k_fold_index if k_folds else 0, options.seed)
    plan = Plan(chosen, fold, _card(options, chosen, fold), (cut,) if cut else ())
    check_card(plan.card)
    _check_crops(options.input_shape, len(plan.card.encoder_widths))
    return plan


def check_patients(source: SampleSource, patients: Collection[str]) -> None:
    """Check that `source` has samples of each of `patients`.

    Raises:
        ConfigurationError: a patient has no usable contour in `source`.
    """
    unknown = set(patients) - set(source.patients)
    if unknown:
        raise ConfigurationError(
            f"No usable contours of patient {', '.join(sorted(unknown))}, "
            f"expected some of {', '.join(source.patients)}"
        )


def _card(options: argparse.Namespace, source: StructureSelection, fold: Fold) -> UnetCard:
    training = source.samples(fold.training)
    spacings = [spacing for entry in training for spacing in entry.pixel_spacing_mm]
    return UnetCard(
        name=options.name or options.output.stem,
        version=options.version,
        intended_use=options.intended_use,
        structures=source.structures,
        finishing=_postprocessing(options, source),
        encoder_widths=options.encoder_args,
        working_spacing_mm=options.working_spacing or round(statistics.median(spacings), 4),
        percentiles=_PERCENTILES,
        modalities=_modalities(options.modality, training),
        pixel_spacing_range_mm=(
            round(min(spacings) / _SPACING_MARGIN, 3),
            round(max(spacings) * _SPACING_MARGIN, 3),
        ),
        views=options.views,
        training_fingerprint=fingerprint(training),
        training_instances=len(training),
        training_patients=tuple(sorted(fold.training)),
    )


def _postprocessing(
    options: argparse.Namespace, source: StructureSelection
) -> tuple[Postprocessing, ...]:
    """Settings by structure: rings and their inner structures are solid, others by --solid."""
    filled, around = dict(options.rings), dict(options.around)
    solid = {*options.solid, *filled, *filled.values(), *around.values()}
    inner = filled | around
    return tuple(
        Postprocessing(
            largest_component=structure.name in solid or structure.name in around,
            fill_holes=structure.name in solid,
            without=(inner[structure.name],) if structure.name in inner else (),
        )
        for structure in source.structures
    )


def _modalities(given: str, entries: Sequence[SampleEntry]) -> tuple[str, ...]:
    """Modalities of the data; `given` stands in where the data states none."""
    found = {entry.modality or given for entry in entries}
    if "" in found:
        raise ConfigurationError(
            "The data set does not state the modality of its images, and a model accepts only "
            "images of its own modality: expected --modality with CT, MR or another of DICOM's"
        )
    return tuple(sorted(found))


def _check_crops(input_shape: tuple[int, ...], levels: int) -> None:
    stride = 2 ** (levels - 1)
    if any(size % stride or size < 2 * stride for size in input_shape[1:]):
        raise ConfigurationError(
            f"--input_shape {','.join(map(str, input_shape))}: expected multiples of "
            f"{stride} from {2 * stride} on, for an encoder of {levels} levels"
        )
