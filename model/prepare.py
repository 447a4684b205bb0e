"""Prepare a data set for training: `python -m model.prepare --help`."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from core.command_line import with_underscores
from core.console import SafeConsole
from core.errors import ConfigurationError
from core.log import quieten_libraries
from core.private_files import keep_files_private
from model.command_line import run as run_command
from model.data.array_folder import is_array_folder
from model.data.data_set_file import open_data_set
from model.inference.structure import Structure
from model.preparation.inputs.array_task import plan_arrays
from model.preparation.inputs.cases import Plan
from model.preparation.inputs.structure_set_plan import StructureSetOptions, plan_structure_sets
from model.preparation.inputs.sunnybrook import plan_sunnybrook
from model.preparation.options import prepare_parser
from model.preparation.report.page import page_of
from model.preparation.report.summary import Summary
from model.preparation.run import Settings, run


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m model.prepare") -> int:
    """Prepare a data set; `prog` names the command in its --help.

    Returns:
        0 if written; 2 if the input cannot be used; 130 if interrupted.
    """
    keep_files_private()
    given = sys.argv[1:] if arguments is None else arguments
    options = prepare_parser(prog).parse_args([with_underscores(word) for word in given])
    quieten_libraries()
    return run_command(lambda: _prepare(options))


def _prepare(options: argparse.Namespace) -> int:
    console = SafeConsole(highlight=False)
    settings = _settings(options)
    try:
        settings.output.parent.mkdir(parents=True, exist_ok=True)
        with _progress(console) as bar:
            plan = _plan(options, bar)
            shown = bar.add_task("patients", total=len(plan.tasks))
            result = run(plan, settings, lambda _patient: bar.advance(shown))
        summary = Summary(result)
        page = _write_report(summary, settings)
    except OSError as error:
        raise ConfigurationError(
            f"{settings.output}: {error.strerror or error}; finished patients are kept, run again"
        ) from error
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; finished patients are kept, run again to go on\n")
        return 130
    _print(console, summary)
    written = [str(path) for path in (settings.output, page) if path.exists()]
    console.print(f"Wrote {', '.join(written)}", soft_wrap=True)
    return 0 if summary.totals["drawn_images"] else _nothing_usable(settings)


def _settings(options: argparse.Namespace) -> Settings:
    if not options.input.is_dir():
        raise ConfigurationError(f"--input {options.input}: not a folder")
    return Settings(
        options.output, options.workers, pictures=not options.no_pictures, replace=options.replace
    )


def _plan(options: argparse.Namespace, bar: Progress) -> Plan:
    kind = options.kind if options.kind != "auto" else _kind_of(options.input)
    if options.pixel_spacing and kind != "arrays":
        raise ConfigurationError(f"--pixel_spacing: {options.input} holds no arrays but DICOM")
    if kind == "text_contours":
        return plan_sunnybrook(options.input, options.contradictions)
    if kind == "arrays":
        return plan_arrays(
            options.input,
            names=options.names,
            pixel_spacing_mm=options.pixel_spacing,
            modality=options.modality,
        )
    shown = bar.add_task("files", total=None)
    set_options = StructureSetOptions(
        options.structures,
        options.patient_keys,
        options.slices,
        options.skipped,
        options.workers,
        *_existing(options.output),
    )
    return plan_structure_sets(
        options.input,
        set_options,
        lambda done, total: bar.update(shown, completed=done, total=total),
    )


def _existing(path: Path) -> tuple[tuple[Structure, ...], dict[str, str]]:
    """Structures of the existing data set, and its patients by the keys of their series."""
    if not path.exists():
        return (), {}
    data_set = open_data_set(path)
    return data_set.structures, {one.series: one.patient for one in data_set.samples()}


def _kind_of(folder: Path) -> str:
    if (folder / "link.csv").is_file():
        return "text_contours"
    return "arrays" if is_array_folder(folder) else "structure_sets"


def _progress(console: Console) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    return Progress(*columns, TimeElapsedColumn(), console=console)


def _write_report(summary: Summary, settings: Settings) -> Path:
    folder, stem = settings.output.parent, settings.output.stem
    page = folder / f"{stem}.report.html"
    content = json.dumps(summary.values(), indent=1)
    _replace(folder / f"{stem}.report.json", f"{content}\n")
    _replace(page, page_of(summary, settings.pictures_folder))
    return page


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.rename(path)


def _print(console: Console, summary: Summary) -> None:
    console.print(f"{summary.opening}.", soft_wrap=True, markup=False)
    for line in summary.headlines:
        console.print(f"! {line}", soft_wrap=True, markup=False)
    table = Table("found", box=None)
    table.add_column("number", justify="right")
    for name, count in summary.table.items():
        table.add_row(name, str(count))
    console.print(table)


def _nothing_usable(settings: Settings) -> int:
    sys.stderr.write(f"{settings.output}: not one drawn image could be used, see the report\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
