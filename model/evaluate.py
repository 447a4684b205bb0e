"""Measure a checkpoint on drawn images: `python -m model.evaluate --help`."""

import argparse
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.errors import ConfigurationError, ModelError
from model.checkpoint import ModelCard
from model.command_line import names, run, with_underscores
from model.measure import Summary, mean_dice, measure, summarise
from model.predict import load_segmenter
from model.samples import SampleEntry, SampleSource
from model.sources import open_source


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
        help="HDF5 data set of model.prepare, or folders that it takes (docs/data_sets.md)",
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
    source = open_source(options.data_dir)
    chosen = choose_patients(source, options.patients)
    check_structures(segmenter.card, source)
    measurements = measure(segmenter, source, chosen)
    console = Console()
    print_defects(console, source, {entry.patient for entry in chosen})
    console.print(table_of(summarise(measurements), f"Model '{segmenter.card.name}'"))
    too_low = [score for score in mean_dice(measurements).values() if score < options.least_dice]
    return 1 if too_low else 0


def choose_patients(source: SampleSource, patients: Sequence[str]) -> tuple[SampleEntry, ...]:
    """The instances of `patients`, or all when none is named.

    Raises:
        ConfigurationError: a patient has no usable contour there.
    """
    unknown = set(patients) - set(source.patients)
    if unknown:
        raise ConfigurationError(
            f"No usable contours of patient {', '.join(sorted(unknown))}, "
            f"expected some of {', '.join(source.patients)}"
        )
    return source.samples(patients or None)


def check_structures(card: ModelCard, source: SampleSource) -> None:
    """Nothing, when the model draws what was drawn by hand.

    Raises:
        ModelError: other structures, or another order.
    """
    drawn = [structure.name for structure in card.structures]
    known = [structure.name for structure in source.structures]
    if drawn != known:
        raise ModelError(
            f"Model '{card.name}' draws {', '.join(drawn)}, the data set has {', '.join(known)}"
        )


def print_defects(console: Console, source: SampleSource, patients: Collection[str]) -> None:
    """One line for each thing of `patients` that was left out."""
    for defect in source.defects:
        if defect.key.split("/")[0] in patients:
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
