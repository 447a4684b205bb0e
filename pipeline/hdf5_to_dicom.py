"""HDF5 to DICOM: `python -m pipeline.hdf5_to_dicom -h IN.h5 -d TEMPLATE_DICOM -o OUT_DIR`.

The same in memory, without files, is `pipeline.conversion.hdf5_to_dicom`.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydicom.dataset import FileDataset

from core.command_line import ArgumentParser
from core.private_files import keep_files_private
from core.uids import PYDICOM_ROOT_UID
from imaging.hdf5.reader import series_uid_in
from imaging.instances.reading_faults import explained
from pipeline.command_line import (
    add_path,
    complain,
    conversion_parser,
    empty_folder,
    existing,
    existing_file,
    root_uid,
    run_command,
    run_process,
)
from pipeline.conversion import hdf5_to_dicom
from pipeline.conversion_files import choose_series, image_series, new_folder, read_instances

_PROG = "python -m pipeline.hdf5_to_dicom"


def main(argv: Sequence[str] | None = None, *, prog: str = _PROG) -> int:
    """Run the command, called `prog` in its --help; returns the exit code."""
    keep_files_private()
    return run_command(lambda: _convert(_parser(prog).parse_args(argv)))


def _parser(prog: str) -> ArgumentParser:
    parser = conversion_parser(
        prog,
        "Convert an HDF5 volume to a new DICOM series, one file for each slice: stored values are "
        "restored bit by bit, voxels without them become 16-bit integers. Layout: docs/hdf5.md.",
    )
    add_path(parser, ("-h", "--hdf5"), existing_file, metavar="IN.h5", help="HDF5 file to read")
    add_path(
        parser, ("-d", "--template"), existing, metavar="TEMPLATE_DICOM",
        help="DICOM file or folder to take patient, study and all other attributes from; best the "
        "series that the HDF5 file was made from",
    )  # fmt: skip
    add_path(
        parser, ("-o", "--output"), empty_folder,
        metavar="OUT_DIR", help="new or empty folder for the series",
    )  # fmt: skip
    parser.add_argument(
        "--series", metavar="UID",
        help="SeriesInstanceUID of the template, needed if its folder has several series and not "
        "that of the HDF5 file",
    )  # fmt: skip
    parser.add_argument(
        "--root_uid", type=root_uid, default=PYDICOM_ROOT_UID, help="root of the new UIDs"
    )
    return parser


def _convert(values: argparse.Namespace) -> str:
    content = values.hdf5.read_bytes()
    own_uid = series_uid_in(content, values.hdf5.name)
    paths = _template_paths(values.template, values.series, own_uid)
    with explained(paths), new_folder(values.output) as folder:
        templates = read_instances(paths, pixels=False)
        made = hdf5_to_dicom(content, templates, root_uid=values.root_uid, name=values.hdf5.name)
        count, series_uid = _write(made, folder)
    return f"{values.output}: {count} instances of the new series {series_uid}"


def _template_paths(template: Path, wanted_uid: str | None, own_uid: str) -> list[Path]:
    if template.is_file():
        return [template]
    series, skipped = image_series(template)
    for line in skipped:
        complain(f"skipped {line}")
    if wanted_uid is None and any(one.uid == own_uid for one in series):
        wanted_uid = own_uid
    return [header.path for header in choose_series(series, wanted_uid).headers]


def _write(data_sets: Iterable[FileDataset], folder: Path) -> tuple[int, str]:
    series_uids = []
    for data_set in data_sets:
        series_uids.append(str(data_set.SeriesInstanceUID))
        data_set.save_as(folder / f"{data_set.SOPInstanceUID}.dcm", enforce_file_format=True)
    return len(series_uids), series_uids[0]


if __name__ == "__main__":
    run_process(main)
