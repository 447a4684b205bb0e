"""Scores, notes and defects as text on a terminal."""

from collections.abc import Collection, Iterable, Sequence

from rich.console import Console
from rich.table import Table

from core.console import SafeConsole
from model.data.samples import Defect, SampleSource
from model.evaluation.summaries import ALL, Summary

HEADINGS = (
    "patient", "structure", "instances", "Dice", "least", "HD95 mm", "largest", "mean mm",
    "largest", "volume", "lost", "extra",
)  # fmt: skip
_WIDTH = 160


def wide_console() -> Console:
    """Console on standard output, wide enough for `table_of` if redirected to a file."""
    console = SafeConsole()
    return console if console.is_terminal else SafeConsole(width=_WIDTH)


def cells_of(summary: Summary) -> tuple[str, ...]:
    """Cells of a table row, in the order of `HEADINGS`."""
    return (
        summary.patient + _marks(summary),
        summary.structure,
        str(summary.instances),
        f"{summary.mean_dice:.3f}",
        f"{summary.least_dice:.3f}",
        f"{summary.mean_hausdorff_95_mm:.1f}",
        f"{summary.largest_hausdorff_95_mm:.1f}",
        f"{summary.mean_distance_mm:.2f}",
        f"{summary.largest_distance_mm:.2f}",
        f"{summary.volume_error:+.1%}",
        str(summary.lost),
        str(summary.extra),
    )


def _marks(summary: Summary) -> str:
    """Marks after a patient's key: measured by several models, or trained on."""
    several = f", {summary.models} models" if summary.models > 1 and summary.patient != ALL else ""
    return several + (", trained on" if summary.trained_on else "")


def table_of(summaries: Sequence[Summary], title: str) -> Table:
    """Table with a row for each patient and structure."""
    table = Table(title=title)
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, no_wrap=True, justify="left" if number < 2 else "right")
    for one in summaries:
        table.add_row(*cells_of(one))
    return table


def print_defects(console: Console, source: SampleSource, patients: Collection[str]) -> None:
    """Print a line for each instance or series of `patients` that was left out."""
    for defect in source.defects:
        if defect.key.split("/")[0] in patients:
            console.print(f"{defect.key}: {defect.reason}", highlight=False, soft_wrap=True)


def print_notes(console: Console, notes: Iterable[str]) -> None:
    """Print each of `notes` on a line."""
    for note in notes:
        console.print(f"! {note}", highlight=False, soft_wrap=True, markup=False)


def print_damaged(console: Console, damaged: Sequence[Defect]) -> None:
    """Print which images could not be read; prints nothing if there are none."""
    if damaged:
        words = (
            "image could not be read and counts"
            if len(damaged) == 1
            else ("images could not be read and count")
        )
        console.print(f"! {len(damaged)} {words} for nothing:", highlight=False)
    for defect in damaged:
        line = f"{defect.key}: {defect.reason}"
        console.print(line, highlight=False, soft_wrap=True, markup=False)
