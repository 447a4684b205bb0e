"""What happens to a case in the tests of several promises."""

from pathlib import Path

import pydicom
import pytest

from core.job import JobResult, OutputInstance
from node.ledger.__main__ import main
from node.ledger.requests.jobs import (
    JobRow,
    finish_job,
    start_job,
)
from node.scp.refusals import Refusal
from tests.support.completion import Completion
from tests.support.databases import database_url_for

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


def finish(completion: Completion, job: JobRow) -> None:
    """The job has run and left one structure set."""
    output = OutputInstance("rs.dcm", RTSTRUCT, f"1.2.{job.created_at:.0f}", "1.2.4", "")
    with completion.ledger.writing() as connection:
        start_job(connection, job.job_id, completion.clock.now)
        finish_job(connection, job.job_id, JobResult((output,), True, "drawn"), 1.0)


def told(
    capsys: pytest.CaptureFixture[str], completion: Completion, *words: str, code: int = 0
) -> str:
    storage_path = str(completion.configuration.storage_path)
    database_url = database_url_for(completion.configuration.storage_path)
    flags = ["--storage_path", storage_path]
    flags += [] if database_url is None else ["--database_url", database_url]
    capsys.readouterr()  # what the node logged before
    assert main([*flags, *words]) == code
    return capsys.readouterr().out


def refusal(path: Path, *, series_known: bool = True) -> Refusal:
    data_set = pydicom.dcmread(path, stop_before_pixels=True)
    series_uid = str(data_set.SeriesInstanceUID) if series_known else ""
    return Refusal(str(data_set.SOPInstanceUID), series_uid, "0xA700, Disk full")
