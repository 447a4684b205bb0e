"""Train a model on drawn images: `python -m model.train --help`."""

import argparse
import dataclasses
import logging
import math
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import pytorch_lightning as lightning
import torch
from rich.console import Console

from core.errors import ConfigurationError
from model.augment import Augmentation
from model.checkpoint import Finishing, ModelCard, check_card, save_checkpoint
from model.command_line import run, with_underscores
from model.data import BatchSettings, SampleDataModule
from model.evaluate import choose_patients, print_defects, table_of
from model.folds import Fold, fold_of
from model.grid import WorkingGrid
from model.measure import mean_dice, measure, summarise
from model.module import Learning, SegmentationModule
from model.predict import load_segmenter
from model.samples import SampleEntry, SampleSource, fingerprint
from model.sources import open_source
from model.train_options import train_parser

_EPOCH_STEPS = 50
_SPACING_MARGIN = 2.0
"""Scaling in training covers images this much finer or coarser than those it has seen."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 trained and written; 2 wrong input."""
    given = sys.argv[1:] if arguments is None else arguments
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    options = train_parser().parse_args(with_underscores(given))
    return run(lambda: _train(options))


def _train(options: argparse.Namespace) -> int:
    console = Console()
    source = open_source(options.data_dir)
    print_defects(console, source, source.patients)
    choose_patients(source, [*options.exclude, *options.measure])
    usable = sorted(set(source.patients) - set(options.exclude) - set(options.measure))
    if not usable:
        raise ConfigurationError(f"{options.data_dir}: no patient is left to train on")
    fold = fold_of(usable, options.k_folds, options.k_fold_index, options.seed)
    card = _card(options, source, source.samples(fold.training))
    _check_before_training(options, card)
    _fit(options, source, fold, card)
    measured = fold.validation | set(options.measure)
    if measured:
        _measure(console, options.output, source, measured)
    console.print(f"Wrote {options.output}", highlight=False)
    return 0


def _check_before_training(options: argparse.Namespace, card: ModelCard) -> None:
    """What would otherwise fail only after the work is done.

    Raises:
        ConfigurationError: crops that the network cannot halve, or a folder that cannot be written.
        ModelError: a value that a checkpoint may not have.
    """
    check_card(card)
    stride = 2 ** (len(card.encoder_widths) - 1)
    if any(size % stride or size < 2 * stride for size in options.input_shape[1:]):
        raise ConfigurationError(
            f"--input_shape {','.join(map(str, options.input_shape))}: expected multiples of "
            f"{stride} from {2 * stride} on, for an encoder of {len(card.encoder_widths)} levels"
        )
    try:
        options.output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--output {options.output}: {error.strerror}") from error


def _card(
    options: argparse.Namespace, source: SampleSource, training: Sequence[SampleEntry]
) -> ModelCard:
    spacings = [spacing for entry in training for spacing in entry.pixel_spacing_mm]
    first, *others = source.structures
    return ModelCard(
        name=options.name or options.output.stem,
        version=options.version,
        intended_use="demonstration",
        structures=source.structures,
        finishing=(
            Finishing(fill_holes=True),
            *(Finishing(without=(first.name,)) for _ in others),
        ),
        encoder_widths=options.encoder_args,
        working_spacing_mm=options.working_spacing,
        percentiles=(1.0, 99.0),
        modalities=tuple(sorted({entry.modality for entry in training})),
        pixel_spacing_range_mm=(
            round(min(spacings) / _SPACING_MARGIN, 3),
            round(max(spacings) * _SPACING_MARGIN, 3),
        ),
        views=options.views,
        training_fingerprint=fingerprint(training),
        training_instances=len(training),
    )


def _fit(options: argparse.Namespace, source: SampleSource, fold: Fold, card: ModelCard) -> None:
    """Train and write the checkpoint, without any measurement yet."""
    lightning.seed_everything(options.seed, workers=True, verbose=False)
    torch.set_num_threads(options.threads or torch.get_num_threads())
    names = tuple(structure.name for structure in card.structures)
    batches_per_pass = card.training_instances / options.batch_size
    settings = BatchSettings(
        batch_size=options.batch_size,
        passes=max(1, math.ceil(min(_EPOCH_STEPS, options.max_steps) / batches_per_pass)),
        num_workers=options.num_workers,
        seed=options.seed,
        augmentation=Augmentation(crop=(options.input_shape[1], options.input_shape[2])),
    )
    learning = Learning(options.learning_rate, steps=options.max_steps)
    module = SegmentationModule(card.encoder_widths, names, learning)
    grid = WorkingGrid(
        card.working_spacing_mm, card.percentiles, 2 ** (len(card.encoder_widths) - 1)
    )
    data = SampleDataModule(source, fold, grid, settings)
    trainer = _trainer(options, bool(fold.validation), _epochs(settings, options.max_steps, card))
    trainer.fit(module, data)
    save_checkpoint(options.output, card, module.network.state_dict())


def _epochs(settings: BatchSettings, steps: int, card: ModelCard) -> int:
    return math.ceil(steps / (settings.passes * card.training_instances // settings.batch_size))


def _trainer(options: argparse.Namespace, validates: bool, epochs: int) -> lightning.Trainer:
    return lightning.Trainer(
        max_steps=options.max_steps,
        max_epochs=epochs,
        accelerator="auto",
        devices=1,
        precision=options.precision,
        gradient_clip_val=5.0,
        limit_val_batches=1.0 if validates else 0,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        log_every_n_steps=10,
    )


def _measure(console: Console, path: Path, source: SampleSource, patients: Collection[str]) -> None:
    """Measure the written checkpoint on patients it has not seen, and note that in its card."""
    segmenter = load_segmenter(path)
    measurements = measure(segmenter, source, source.samples(patients))
    console.print(table_of(summarise(measurements), "Patients not trained on"))
    card = dataclasses.replace(
        segmenter.card,
        measured_dice=mean_dice(measurements),
        measured_on=", ".join(sorted(patients)),
    )
    save_checkpoint(path, card, segmenter.network.state_dict())


if __name__ == "__main__":
    raise SystemExit(main())
