"""Errors that dciodvfy reports for a structure set."""

import re
import subprocess
from pathlib import Path

import pydicom

from imaging.instances.header import Header

SUMMARY = "Error - Dicom dataset contains invalid data values for Value Representations"
VALUE = re.compile(r"<([^<>]*)>")


def dciodvfy_errors(path: Path) -> set[str]:
    """Lines of errors, less the one that sums up those of values."""
    done = subprocess.run(
        ["/usr/bin/dciodvfy", str(path)], capture_output=True, text=True, check=False
    )
    lines = {line.strip() for line in done.stderr.splitlines() if line.startswith("Error - ")}
    assert "RTStructureSet" in done.stderr
    return lines - {SUMMARY}


def values_of(headers: list[Header]) -> set[str]:
    """All that may have been copied from the source."""
    source = pydicom.dcmread(headers[0].path, stop_before_pixels=True)
    values = {str(element.value) for element in source}
    for header in headers:
        values |= {header.sop_instance_uid, header.frame_of_reference_uid}
    return values
