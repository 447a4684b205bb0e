"""The command line of preparing a data set."""

import argparse
import os
from pathlib import Path

from model.command_line import above_zero, names, spacing

KINDS = ("auto", "text_contours", "structure_sets", "arrays")


def prepare_parser(prog: str = "python -m model.prepare") -> argparse.ArgumentParser:
    """Options of the command that prepares a data set, called `prog`."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Make a data set to learn from, out of contours that lie on disk: DICOM with "
        "text contours and link.csv, DICOM series with RT Structure Sets, or arrays. Beside it "
        "lie a report (.report.html, .report.json) and pictures of every image drawn on. Run it "
        "again to add patients, or to go on after it was interrupted.",
        epilog="Options are accepted with hyphens too. Exit code: 0 written, whatever was found is "
        "in the report; 2 the input cannot be used.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--input", type=Path, required=True, help="folder to read")
    parser.add_argument("--output", type=Path, required=True, help="HDF5 file to write or extend")
    parser.add_argument("--kind", choices=KINDS, default="auto", help="what the folder holds")
    parser.add_argument(
        "--workers", type=above_zero, default=_default_workers(), help="processes side by side"
    )
    parser.add_argument(
        "--replace", action="store_true", help="take the new content of patients who are there"
    )
    parser.add_argument("--no_pictures", action="store_true", help="leave the pictures out")
    _add_text_contours(parser.add_argument_group("text contours"))
    _add_structure_sets(parser.add_argument_group("structure sets"))
    _add_arrays(parser.add_argument_group("arrays"))
    return parser


def _add_text_contours(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--contradictions", choices=("exclude", "keep"), default="exclude",
        help="o-contours that their i-contour leaves",
    )  # fmt: skip


def _add_structure_sets(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--structures", type=Path, metavar="TABLE",
        help="YAML or CSV of patterns and names, such as 'GTV*: GTV'; without it, every structure "
        "under its own name",
    )  # fmt: skip
    group.add_argument(
        "--patient_keys", choices=("person", "folder", "hash"), default="person",
        help="patients are told apart by their IDs and called by the folder that has all of them, "
        "told apart by the folders of the input, or told apart by IDs and called by a hash",
    )  # fmt: skip
    group.add_argument(
        "--slices", choices=("all", "drawn"), default="all",
        help="take all images of a series, or only those with a structure on them",
    )  # fmt: skip
    group.add_argument(
        "--skipped", choices=("unknown", "empty"), default="unknown",
        help="whether a structure is unknown on slices between drawn ones where it is not drawn, "
        "as after contouring every second slice; or known to be absent",
    )  # fmt: skip


def _add_arrays(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--names", type=names, default=(), metavar="NAME,NAME", help="of the masks' channels"
    )
    group.add_argument(
        "--pixel_spacing", type=spacing, default=None, metavar="MM[,MM]",
        help="distance between rows and between columns in mm; one number for both; without it, "
        "1 mm is assumed",
    )  # fmt: skip
    group.add_argument("--modality", default="", help="as in DICOM: CT, MR, ...")


def _default_workers() -> int:
    """As many as there are cores for this process, at most 8: each holds a series."""
    return max(1, min(8, len(os.sched_getaffinity(0))))
