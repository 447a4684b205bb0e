"""Train a model on hand-drawn contours: `python -m model.train --help`."""

import argparse
import dataclasses
import logging
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import structlog
from lightning_fabric.utilities.rank_zero import rank_zero_only
from rich.console import Console

from core.command_line import with_underscores
from core.errors import ConfigurationError
from core.private_files import keep_files_private
from model.command_line import run
from model.data.crop_coverage import CropCoverage, coverage_warning
from model.data.samples import SampleSource
from model.evaluation.measure import measure, select_structures
from model.evaluation.score_table import (
    print_damaged,
    print_defects,
    print_notes,
    table_of,
    wide_console,
)
from model.evaluation.summaries import mean_dice, summarise
from model.inference.checkpoint import save_checkpoint
from model.inference.predict import load_segmenter
from model.preparation.inputs.sources import assumption, open_source
from model.training.plan import Plan, plan_of
from model.training.resuming import RESUME_FILE
from model.training.run_folder import (
    new_run_folder,
    newest_run_folder,
    unfinished_run_folder,
    unnamed_output,
)
from model.training.run_log import logged_to
from model.training.train_options import train_parser
from model.training.training import fit

_log = structlog.get_logger(__name__)
_LONGEST_LIST = 256


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m model.train") -> int:
    """Train; `prog` names the command in its --help.

    Returns:
        0 trained and written; 2 wrong input.
    """
    keep_files_private()
    given = sys.argv[1:] if arguments is None else arguments
    options = train_parser(prog).parse_args([with_underscores(word) for word in given])
    return run(lambda: _train(options))


def _train(options: argparse.Namespace) -> int:
    console = wide_console()
    options.output = options.output or unnamed_output(is_resumed=options.resume)
    source = open_source(options.data_dir, options.pixel_spacing)
    print_notes(console, filter(None, [assumption(options.data_dir, options.pixel_spacing)]))
    print_defects(console, source, source.patients)
    plan = plan_of(options, source)
    print_notes(console, plan.notes)
    _make_parent(options.output)
    folder = _run_folder(options, plan, console)
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    with logged_to(folder / "debug.log"):
        _warn_of_missed_pixels(options, plan, console)
        _log.debug("training", patients=sorted(plan.fold.training), options=_plain(options))
        fit(options, plan, folder)
    if not _is_first():
        return 0
    measured = plan.fold.validation | set(options.measure)
    if measured:
        _measure(console, options.output, source, measured)
    console.print(f"Wrote {options.output}; logs in {folder}", highlight=False, soft_wrap=True)
    return 0


def _warn_of_missed_pixels(options: argparse.Namespace, plan: Plan, console: Console) -> None:
    """Tell the user about annotated pixels that crops cannot reach, as these are not learned."""
    if not _is_first():
        return
    coverage = CropCoverage((options.input_shape[1], options.input_shape[2]), options.shift)
    entries = plan.source.samples(plan.fold.training)
    words = coverage_warning(plan.source, entries, plan.grid, coverage)
    if words:
        _log.warning("drawn pixels out of reach", words=words)
        print_notes(console, [words])


def _is_first() -> bool:
    """True in the process that writes files: the only one, or rank 0 of several."""
    return int(getattr(rank_zero_only, "rank", 0)) == 0


def _make_parent(output: Path) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--output {output}: {error.strerror}") from error


def _run_folder(options: argparse.Namespace, plan: Plan, console: Console) -> Path:
    """Folder of the unfinished run with `--resume`, else a new one."""
    if not _is_first():
        return newest_run_folder(options)
    unfinished = unfinished_run_folder(options, plan.card) if options.resume else None
    if unfinished is not None:
        console.print(f"Resuming from {unfinished / RESUME_FILE}", highlight=False, soft_wrap=True)
        return unfinished
    if options.resume:
        console.print("No finished epoch to resume from: starting anew", highlight=False)
    return new_run_folder(options, plan.card)


def _measure(console: Console, path: Path, source: SampleSource, patients: Collection[str]) -> None:
    """Measure the checkpoint on `patients`, unseen in training; write the result to its card."""
    segmenter = load_segmenter(path)
    selection = select_structures(segmenter, source)
    measurements, damaged = measure(segmenter, selection, selection.samples(patients))
    print_damaged(console, damaged)
    console.print(table_of(summarise(measurements), "Patients not trained on"))
    card = dataclasses.replace(
        segmenter.card, measured_dice=mean_dice(measurements), measured_on=_listed(patients)
    )
    save_checkpoint(path, card, segmenter.network.state_dict())


def _listed(patients: Collection[str]) -> str:
    """Keys of `patients` as text, or their number if the keys do not fit on a card."""
    named = ", ".join(sorted(patients))
    return named if len(named) <= _LONGEST_LIST else f"{len(patients)} patients"


def _plain(options: argparse.Namespace) -> dict[str, str]:
    return {name: str(value) for name, value in vars(options).items()}


if __name__ == "__main__":
    raise SystemExit(main())
