"""Each fault of a segmentation that came back is found, in words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from core.identity import Provenance
from imaging.instances.header import Header
from imaging.rtstruct.writer import Roi
from imaging.seg.writer import Algorithm, build_segmentation
from simulator.checks import is_complete, judge, read_headers, sort_returned
from tests.support.returned import headers_of


@pytest.fixture
def sent(ct_folder: Path) -> dict[str, Header]:
    return headers_of(ct_folder)


@pytest.fixture
def segmentation(sent: dict[str, Header], provenance: Provenance, tmp_path: Path) -> Path:
    """One structure on two slices of the CT."""
    headers = list(sent.values())
    mask = np.zeros((len(headers), headers[0].rows, headers[0].columns), dtype=bool)
    mask[5:7, 20:30, 40:60] = True
    data_set = build_segmentation(
        headers,
        {"GTV": mask},
        [Roi("GTV", (255, 0, 0), "GTV")],
        provenance,
        algorithm=Algorithm("by hand", "1"),
        label="AUTO",
    )
    path = tmp_path / "segmentation.dcm"
    data_set.save_as(path, enforce_file_format=True)
    return path


def faults(sent: dict[str, Header], path: Path) -> str:
    return str([one.words for one in judge(sent, [path]).checks if not one.passed])


def _frame(data_set: Any) -> Any:
    return data_set.PerFrameFunctionalGroupsSequence[0]


def _foreign(data_set: Any) -> None:
    source = _frame(data_set).DerivationImageSequence[0].SourceImageSequence[0]
    source.ReferencedSOPInstanceUID = "1.2.3.4"


def _moved(data_set: Any) -> None:
    _frame(data_set).PlanePositionSequence[0].ImagePositionPatient[2] += 3.27


def _other_frame_of_reference(data_set: Any) -> None:
    data_set.FrameOfReferenceUID = "1.2.3.5"


def _empty(data_set: Any) -> None:
    data_set.PixelData = bytes(len(data_set.PixelData))


def _cut_off(data_set: Any) -> None:
    data_set.PixelData = data_set.PixelData[:-1000]


def _undescribed(data_set: Any) -> None:
    data_set.SegmentSequence[0].SegmentNumber = 7


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_foreign, "refers to instance 1.2.3.4, which was not sent"),
        (_moved, "lies 3.270 mm beside its source"),
        (_other_frame_of_reference, "another frame of reference"),
        (_empty, "has no voxel"),
        (_cut_off, "not a readable Segmentation"),
        (_undescribed, "has no description"),
    ],
)
def test_a_segmentation_with_one_fault_fails_by_it(
    sent: dict[str, Header], segmentation: Path, change: Callable[[Any], None], words: str
) -> None:
    assert faults(sent, segmentation) == "[]"
    data_set = pydicom.dcmread(segmentation)
    change(data_set)
    pydicom.dcmwrite(segmentation, data_set)
    assert words in faults(sent, segmentation)


def test_a_segmentation_is_no_derived_series(sent: dict[str, Header], segmentation: Path) -> None:
    headers, _ = read_headers([segmentation])
    found = sort_returned(headers, sent)
    assert (len(found.segmentations), found.derived, found.others) == (1, {}, [])
    assert not is_complete(headers, dict(list(sent.items())[:1]), "series")
