"""Command line of `model.prepare`."""

import argparse
import os
from pathlib import Path

from model.command_line import above_zero, names, spacing

KINDS = ("auto", "text_contours", "structure_sets", "arrays")


def prepare_parser(prog: str = "python -m model.prepare") -> argparse.ArgumentParser:
    """Parser of the command that prepares a data set, called `prog` in its --help."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Prepare a data set for training from hand-drawn contours: DICOM images with "
        "text contours and link.csv, DICOM series with RT Structure Sets, or folders of arrays. "
        "Writes a report (.report.html, .report.json) and pictures of all images with contours "
        "beside the data set. Run it again to add patients, or to continue after an interruption.",
        epilog="Options are accepted with hyphens too. Exit code: 0 written (the report has all "
        "findings), 2 the input cannot be used.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--input", type=Path, required=True, help="folder to read")
    parser.add_argument("--output", type=Path, required=True, help="HDF5 file to write or extend")
    parser.add_argument("--kind", choices=KINDS, default="auto", help="kind of data in the folder")
    parser.add_argument(
        "--workers",
        type=above_zero,
        default=_default_workers(),
        help="number of parallel processes",
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace patients whose content has changed"
    )
    parser.add_argument("--no_pictures", action="store_true", help="write no pictures")
    _add_text_contours(parser.add_argument_group("text contours"))
    _add_structure_sets(parser.add_argument_group("structure sets"))
    _add_arrays(parser.add_argument_group("arrays"))
    return parser


def _add_text_contours(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--contradictions", choices=("exclude", "keep"), default="exclude",
        help="what to do with o-contours that do not enclose their i-contour",
    )  # fmt: skip


def _add_structure_sets(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--structures", type=Path, metavar="TABLE",
        help="YAML or CSV file of ROI name patterns and structure names, such as 'GTV*: GTV'; "
        "without it, every structure is taken under its own name",
    )  # fmt: skip
    group.add_argument(
        "--patient_keys", choices=("person", "folder", "hash"), default="person",
        help="how patients are identified and named: person: by ID, name and birth date, named "
        "after the folder with all their images; folder: by the top folders; hash: as person, "
        "but named by a hash",
    )  # fmt: skip
    group.add_argument(
        "--slices", choices=("all", "drawn"), default="all",
        help="take all images of a series, or only those with a structure",
    )  # fmt: skip
    group.add_argument(
        "--skipped", choices=("unknown", "empty"), default="unknown",
        help="meaning of slices without a contour between slices with one: the structure is "
        "unknown there (as after contouring every second slice), or known to be absent",
    )  # fmt: skip


def _add_arrays(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--names",
        type=names,
        default=(),
        metavar="NAME,NAME",
        help="structure names of the masks' channels",
    )
    group.add_argument(
        "--pixel_spacing", type=spacing, default=None, metavar="MM[,MM]",
        help="distance between rows and between columns in mm, or one number for both; without it, "
        "1 mm is assumed",
    )  # fmt: skip
    group.add_argument("--modality", default="", help="DICOM modality: CT, MR, ...")


def _default_workers() -> int:
    """Number of cores of this process, at most 8, as each worker holds a series in memory."""
    return max(1, min(8, len(os.sched_getaffinity(0))))
