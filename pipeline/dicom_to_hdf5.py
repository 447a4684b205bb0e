"""DICOM to HDF5 and JSON: `python -m pipeline.dicom_to_hdf5 -i DICOM_DIR -h OUT.h5 -j OUT.json`.

The same in memory, without files, is `pipeline.conversion.dicom_to_hdf5`.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from core.command_line import ArgumentParser
from core.errors import ConfigurationError
from core.private_files import keep_files_private
from imaging.instances.reading_faults import explained
from pipeline.command_line import (
    add_path,
    complain,
    conversion_parser,
    existing_folder,
    new_file,
    run_command,
    run_process,
)
from pipeline.conversion import dicom_to_hdf5
from pipeline.conversion_files import choose_series, image_series, read_instances, write_files

_PROG = "python -m pipeline.dicom_to_hdf5"


def main(argv: Sequence[str] | None = None, *, prog: str = _PROG) -> int:
    """Run the command, called `prog` in its --help; returns the exit code."""
    keep_files_private()
    return run_command(lambda: _convert(_parser(prog).parse_args(argv)))


def _parser(prog: str) -> ArgumentParser:
    parser = conversion_parser(
        prog,
        "Convert one DICOM image series to HDF5 (voxels, stored values, geometry; no patient "
        "identity) and its attributes to JSON (with the patient's identity). Layout and fields: "
        "docs/hdf5.md.",
    )
    add_path(
        parser, ("-i", "--input"), existing_folder,
        metavar="DICOM_DIR", help="folder to search for the series, at any depth",
    )  # fmt: skip
    add_path(parser, ("-h", "--hdf5"), new_file, metavar="OUT.h5", help="HDF5 file to write")
    parser.add_argument(
        "-j", "--json", type=new_file, metavar="OUT.json",
        help="JSON file to write (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--series", metavar="UID", help="SeriesInstanceUID, needed if the folder has several series"
    )
    return parser


def _convert(values: argparse.Namespace) -> str:
    if values.json and values.json.absolute() == values.hdf5.absolute():
        raise ConfigurationError(f"-j/--json: expected another file than {values.hdf5}")
    series, skipped = image_series(values.input)
    for line in skipped:
        complain(f"skipped {line}")
    chosen = choose_series(series, values.series)
    paths = [header.path for header in chosen.headers]
    with explained(paths):
        converted = dicom_to_hdf5(read_instances(paths, pixels=True))
    for line in converted.summary["warnings"]:
        complain(f"warning: {line}")
    contents: dict[Path, bytes] = {values.hdf5: converted.hdf5}
    if values.json:
        text = json.dumps(converted.summary, indent=2, ensure_ascii=False, allow_nan=False)
        contents[values.json] = f"{text}\n".encode()
    write_files(contents)
    pixels = converted.summary["pixels"]
    return (
        f"{values.hdf5}: {pixels['slices']} slices of {pixels['rows']} x {pixels['columns']} "
        f"pixels in {len(converted.hdf5) / 1e6:.1f} MB, series {chosen.uid}"
    )


if __name__ == "__main__":
    run_process(main)
