"""Measure checkpoints against hand-drawn contours: `python -m model.evaluate --help`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from core.command_line import with_underscores
from core.errors import ConfigurationError
from core.private_files import keep_files_private
from model.command_line import add_spacing_option, names, run
from model.evaluation.notes import notes_on
from model.evaluation.patients import Evaluation, evaluate
from model.evaluation.report import write_report
from model.evaluation.score_table import (
    print_damaged,
    print_defects,
    print_notes,
    table_of,
    wide_console,
)
from model.evaluation.summaries import mean_dice, summarise
from model.preparation.inputs.sources import assumption, open_source


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m model.evaluate") -> int:
    """Evaluate; `prog` names the command in its --help.

    Returns:
        0 if measured; 1 if images are damaged, or a mean Dice is below `--least_dice`; 2 on
        wrong input.
    """
    keep_files_private()
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser(prog).parse_args([with_underscores(word) for word in given])
    return run(lambda: _evaluate(options))


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Measure checkpoints against hand-drawn contours: Dice, 95 % Hausdorff "
        "distance, mean surface distance and volume error for each structure and patient, on the "
        "original grid of the images. Writes a page that shows the worst instances first.",
        epilog="Exit code: 0 measured, 1 some images could not be read or a mean Dice is below "
        "--least_dice, 2 wrong input.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--checkpoint", type=Path, required=True, nargs="+",
        help="checkpoint of model.train; of several (one for each fold), each is measured on the "
        "patients that it was not trained on",
    )  # fmt: skip
    parser.add_argument(
        "--data_dir", type=Path, required=True,
        help="HDF5 data set of model.prepare, or a folder with link.csv or of arrays",
    )  # fmt: skip
    add_spacing_option(parser)
    parser.add_argument(
        "--patients", type=names, default=(), metavar="KEY,KEY",
        help="patients to measure on (default: all that the checkpoint was not trained on). "
        "A single checkpoint may be measured on its own training patients; the report says so",
    )  # fmt: skip
    parser.add_argument(
        "--report", type=Path, default=Path("evaluation.html"), metavar="FILE.html",
        help="the page to write (default: %(default)s); all figures go into FILE.json beside it",
    )  # fmt: skip
    parser.add_argument(
        "--pictures",
        type=int,
        default=60,
        help="number of instances on the page (default: %(default)s)",
    )
    parser.add_argument(
        "--least_dice", type=float, default=0.0,
        help="exit with 1 if a structure's mean Dice is below this (default: only report)",
    )  # fmt: skip
    parser.add_argument(
        "--threads", type=int, default=0, help="CPU threads; 0 leaves the choice to PyTorch"
    )
    return parser


def _evaluate(options: argparse.Namespace) -> int:
    console = wide_console()
    torch.set_num_threads(options.threads or torch.get_num_threads())
    source = open_source(options.data_dir, options.pixel_spacing)
    print_notes(console, filter(None, [assumption(options.data_dir, options.pixel_spacing)]))
    evaluation = evaluate(options.checkpoint, source, options.patients)
    print_defects(console, source, {one.patient for one in evaluation.measurements})
    console.print(table_of(summarise(evaluation.measurements), _title(evaluation)))
    try:
        write_report(options.report, evaluation, source, options.pictures)
    except OSError as error:
        raise ConfigurationError(f"--report {options.report}: {error.strerror}") from error
    console.print(f"Wrote {options.report} and {options.report.with_suffix('.json').name}")
    print_notes(console, notes_on(evaluation))
    print_damaged(console, evaluation.damaged)
    scores = mean_dice(evaluation.measurements).values()
    is_below = any(score < options.least_dice for score in scores)
    return 1 if is_below or evaluation.damaged else 0


def _title(evaluation: Evaluation) -> str:
    names = [f"'{one.card.name}'" for one in evaluation.models]
    return f"Model{'s' if len(names) > 1 else ''} {', '.join(names)}"


if __name__ == "__main__":
    raise SystemExit(main())
