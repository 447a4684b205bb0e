"""Measure a checkpoint on drawn images: `python -m model.evaluate --help`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.errors import ConfigurationError, ModelError
from model.checkpoint import ModelCard
from model.command_line import names, run, with_underscores
from model.measure import Summary, mean_dice, measure, summarise
from model.predict import load_segmenter
from model.samples import Collection
from model.sunnybrook import read_sunnybrook


def main(arguments: Sequence[str] | None = None) -> int:
    """0 measured; 1 a structure is below `--least_dice`, or an instance lost; 2 wrong input."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(with_underscores(given))
    return run(lambda: _evaluate(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m model.evaluate",
        description="Dice and 95 % Hausdorff distance of a checkpoint on hand-drawn contours, "
        "for each structure and patient, on the original grid of the images.",
        epilog="Exit code: 0 measured, 1 below --least_dice, 2 wrong input.",
    )
    parser.add_argument(
        "--checkpoint", type=Path, required=True, help="file written by model.train"
    )
    parser.add_argument(
        "--data_dir", type=Path, required=True,
        help="folder with dicoms/, contourfiles/ and link.csv",
    )  # fmt: skip
    parser.add_argument(
        "--patients", type=names, default=(), metavar="KEY,KEY",
        help="only these patients (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--least_dice", type=float, default=0.0,
        help="fail when a structure's mean Dice is below this (default: only report)",
    )  # fmt: skip
    return parser


def _evaluate(options: argparse.Namespace) -> int:
    segmenter = load_segmenter(options.checkpoint)
    collection = read_sunnybrook(options.data_dir)
    chosen = choose_patients(collection, options.patients)
    check_structures(segmenter.card, chosen)
    measurements = measure(segmenter, chosen.samples)
    console = Console()
    print_defects(console, chosen)
    console.print(table_of(summarise(measurements), f"Model '{segmenter.card.name}'"))
    too_low = [score for score in mean_dice(measurements).values() if score < options.least_dice]
    return 1 if too_low else 0


def choose_patients(collection: Collection, patients: Sequence[str]) -> Collection:
    """The part of `collection` that belongs to `patients`, or all of it when none is named.

    Raises:
        ConfigurationError: a patient has no usable contour there.
    """
    unknown = set(patients) - set(collection.patients)
    if unknown:
        raise ConfigurationError(
            f"No usable contours of patient {', '.join(sorted(unknown))}, "
            f"expected some of {', '.join(collection.patients)}"
        )
    return collection.of_patients(set(patients)) if patients else collection


def check_structures(card: ModelCard, collection: Collection) -> None:
    """Nothing, when the model draws what was drawn by hand.

    Raises:
        ModelError: other structures, or another order.
    """
    drawn = tuple(structure.name for structure in card.structures)
    if drawn != collection.structures:
        raise ModelError(
            f"Model '{card.name}' draws {', '.join(drawn)}, "
            f"the data set has {', '.join(collection.structures)}"
        )


def print_defects(console: Console, collection: Collection) -> None:
    """One line for each thing that was left out."""
    for defect in collection.defects:
        console.print(f"{defect.key}: {defect.reason}", highlight=False, soft_wrap=True)


def table_of(summaries: Sequence[Summary], title: str) -> Table:
    """A row for each patient and structure."""
    table = Table(title=title)
    for heading in ("patient", "structure"):
        table.add_column(heading, no_wrap=True)
    for heading in ("instances", "Dice", "least", "HD95 mm", "lost"):
        table.add_column(heading, justify="right")
    for one in summaries:
        figures = f"{one.mean_dice:.3f}", f"{one.least_dice:.3f}", f"{one.mean_hausdorff_95_mm:.1f}"
        table.add_row(one.patient, one.structure, str(one.instances), *figures, str(one.lost))
    return table


if __name__ == "__main__":
    raise SystemExit(main())
