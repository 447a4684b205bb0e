"""Series made from the facts of public reports: each image has one value, so that mixing shows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID, EnhancedCTImageStorage, EnhancedMRImageStorage, MRImageStorage

from imaging.geometry.placement import RULES_3D, Placement, place
from imaging.instances.frames import read_headers
from imaging.instances.header import Header
from imaging.pixels.reader import read_frames
from tests.support.dicom.enhanced import item
from tests.support.dicom.synthetic import make_series

STEP_MM = 3.0
Describe = Callable[[Dataset, int], None]
Placed = Callable[[Sequence[FileDataset]], Placement]
Volumes = Callable[[Sequence[FileDataset]], list[list[int]]]


def ct(values: Sequence[int], describe: Describe, **changes: Any) -> list[FileDataset]:
    """CT images of one value each, `describe`d by their number from 0."""
    cells = np.repeat(np.array(values, dtype="<u2"), 12 * 10).reshape(-1, 12, 10)
    images = make_series(cells, bits_stored=16, **{"RescaleIntercept": 0} | changes)
    for number, image in enumerate(images):
        describe(image, number)
    return images


def mr(values: Sequence[int], describe: Describe) -> list[FileDataset]:
    """As `ct`, of MR."""
    kind = {"Modality": "MR", "ImageType": ["ORIGINAL", "PRIMARY", "M"]}
    images = ct(values, describe, SOPClassUID=MRImageStorage, **kind)
    for image in images:
        image.file_meta.MediaStorageSOPClassUID = MRImageStorage
    return images


def at(image: Dataset, slice_number: int) -> None:
    """Puts an image on a slice."""
    image.ImagePositionPatient = [0, 0, STEP_MM * slice_number]


def enhanced(
    values: Sequence[int], slices: Sequence[int], describe: Describe, number: int = 1
) -> FileDataset:
    """An enhanced MR of frames of one value each; `describe` gets each frame's groups."""
    frames = ct(values, lambda *_: None)
    whole = frames[0]
    whole.SOPClassUID = whole.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    whole.SOPInstanceUID = whole.file_meta.MediaStorageSOPInstanceUID = UID(
        f"1.2.826.99.9.{number}"
    )
    whole.Modality, whole.InstanceNumber = "MR", number
    whole.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    whole.PixelData = b"".join(one.PixelData for one in frames)
    whole.NumberOfFrames = len(frames)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(whole, keyword)
    shared = item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
        PixelMeasuresSequence=[item(PixelSpacing=[1, 1], SliceThickness=STEP_MM)],
    )
    whole.SharedFunctionalGroupsSequence = [shared]
    whole.PerFrameFunctionalGroupsSequence = []
    for index, slice_number in enumerate(slices):
        position = [0, 0, STEP_MM * slice_number]
        groups = item(PlanePositionSequence=[item(ImagePositionPatient=position)])
        describe(groups, index)
        whole.PerFrameFunctionalGroupsSequence.append(groups)
    return whole


def as_ct(whole: FileDataset) -> FileDataset:
    """The same, of CT."""
    whole.SOPClassUID = whole.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    whole.Modality = "CT"
    return whole


@pytest.fixture
def placed(tmp_path: Path) -> Placed:
    """How a pipeline that computes across slices orders a series; raises as that does."""

    def of(images: Sequence[FileDataset]) -> Placement:
        headers: list[Header] = []
        for number, image in enumerate(images):
            path = tmp_path / f"{number}.dcm"
            image.save_as(path, enforce_file_format=True)
            headers += read_headers(path)
        return place(headers, RULES_3D)

    return of


@pytest.fixture
def volumes(placed: Placed) -> Volumes:
    """The values of each volume, slice after slice."""

    def of(images: Sequence[FileDataset]) -> list[list[int]]:
        return [[_value(image) for image in phase] for phase in placed(images).phases]

    return of


def _value(header: Header) -> int:
    stored = read_frames(header.path)[(header.frame_number or 1) - 1].values
    (value,) = np.unique(stored).tolist()
    return int(value)
