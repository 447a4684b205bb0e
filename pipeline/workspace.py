"""Folder of an attempt, which becomes the job's results only when it is complete."""

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydicom.dataset import FileDataset

from core.durable import commit_folder
from core.errors import OutputError
from core.job import JobResult, OutputInstance
from core.storage_layout import uncommitted

DICOM_FOLDER = "dicom"
REPORT_FILE = "report.json"
VOLUME_FILE = "volume.h5"
OVERVIEW_FILE = "overview.png"


@contextmanager
def attempt_folder(committed: Path) -> Iterator[Path]:
    """New folder beside `committed`, removed at the end unless it was committed."""
    folder = uncommitted(committed, uuid.uuid4().hex)
    (folder / DICOM_FOLDER).mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_instance(data_set: FileDataset, folder: Path) -> OutputInstance:
    """Write one result into the attempt's `folder`; the returned path is relative to it."""
    path = Path(DICOM_FOLDER, f"{data_set.SOPInstanceUID}.dcm")
    data_set.save_as(folder / path, enforce_file_format=True)
    return OutputInstance(
        path=str(path),
        sop_class_uid=str(data_set.SOPClassUID),
        sop_instance_uid=str(data_set.SOPInstanceUID),
        series_instance_uid=str(data_set.SeriesInstanceUID),
        sha256=hashlib.sha256((folder / path).read_bytes()).hexdigest(),
    )


def commit(folder: Path, committed: Path, result: JobResult, report: dict[str, Any]) -> JobResult:
    """Write the report and rename `folder` to `committed`.

    Returns:
        `result`, or that of an earlier attempt if it was committed before.
    """
    content = json.dumps(report | {"result": asdict(result)}, indent=2)
    (folder / REPORT_FILE).write_text(content + "\n", encoding="utf-8")
    return result if commit_folder(folder, committed) else read_result(committed)


def read_result(committed: Path) -> JobResult:
    """Read the result that an attempt committed.

    Raises:
        OutputError: the report cannot be read.
    """
    try:
        fields = json.loads((committed / REPORT_FILE).read_text(encoding="utf-8"))["result"]
        outputs = tuple(OutputInstance(**output) for output in fields["instances"])
        warnings = tuple(fields["warnings"])
        return JobResult(**(fields | {"instances": outputs, "warnings": warnings}))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise OutputError(f"Results in {committed.name} have no readable report") from error
