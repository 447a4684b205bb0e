"""One SOP Instance UID in two series: neither is written over, and a person is told which."""

from pathlib import Path

import pydicom
import pytest

from node.verbs import TAKES
from tests.support.completion import Completion, series_uid
from tests.support.peers import write_series


@pytest.fixture
def copied(ct_paths: list[Path], tmp_path: Path) -> list[Path]:
    """Another series, whose last instance has the UID of one of `ct_paths`."""
    taken = str(pydicom.dcmread(ct_paths[-1]).SOPInstanceUID)

    def change(data_set: pydicom.FileDataset, index: int) -> None:
        if index == len(ct_paths) - 1:
            data_set.SOPInstanceUID = taken

    return write_series(ct_paths, tmp_path / "copied", change)


def test_the_second_series_is_held_and_names_the_first(
    completion: Completion, ct_paths: list[Path], copied: list[Path]
) -> None:
    for paths in (ct_paths, copied):
        completion.send(paths)
        completion.settle()
    row = completion.series(copied)
    assert (row.state, list(row.holds)) == ("held", ["content disputed"])
    assert "1 instances were received before in another series" in row.reason
    assert f"in series {series_uid(ct_paths)}; all contents are kept" in row.reason
    assert completion.jobs(copied) == []
    assert len(completion.jobs(ct_paths)[0].request.instance_paths) == len(ct_paths)


def test_taking_the_newest_runs_the_whole_second_series(
    completion: Completion, ct_paths: list[Path], copied: list[Path]
) -> None:
    for paths in (ct_paths, copied):
        completion.send(paths)
        completion.settle()
    assert not completion.command(TAKES["newest"], copied).is_refused
    completion.settle()
    (job,) = completion.jobs(copied)
    assert len(job.request.instance_paths) == len(copied)
    assert completion.series(ct_paths).state == "processing"
