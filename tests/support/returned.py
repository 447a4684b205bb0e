"""The series in a folder, as a planning system knows what it sent."""

from pathlib import Path

from imaging.instances.header import Header
from imaging.series.series import read_folder


def headers_of(folder: Path) -> dict[str, Header]:
    """Headers of the first series in `folder` by SOP Instance UID."""
    series, _ = read_folder(folder)
    return {header.sop_instance_uid: header for header in series[0].headers}
