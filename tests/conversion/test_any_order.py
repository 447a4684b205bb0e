"""The same instances give the same bytes in whatever order they come."""

import random
from collections.abc import Callable
from copy import deepcopy
from io import BytesIO

import pytest
from pydicom.dataset import FileDataset

from pipeline.conversion import dicom_to_hdf5, hdf5_to_dicom
from tests.support.dicom.synthetic import make_series, ramp


def _at_one_position() -> list[FileDataset]:
    instances = make_series(ramp("<u2", 12), bits_stored=12)
    for one in instances:
        one.InstanceNumber, one.ImagePositionPatient = 1, [0, 0, 0]
    return instances


def _phases_without_time() -> list[FileDataset]:
    instances = make_series(ramp("<u2", 12), bits_stored=12)
    others = deepcopy(instances)
    for number, one in enumerate(others):
        one.SOPInstanceUID = f"1.2.826.99.4.{number}"
        one.PixelData = one.PixelData[::-1]
    for one in instances + others:
        one.InstanceNumber = 7
    return instances + others


def _turned_by_a_hair() -> list[FileDataset]:
    """Within the tolerance of one orientation, so that each has a normal of its own."""
    instances = make_series(ramp("<u2", 12), bits_stored=12)
    for number, one in enumerate(instances):
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0.0003 * number]
        one.RescaleSlope = ("1", "1.0", "1.00")[number]
    return instances


def _bytes(data_set: FileDataset) -> bytes:
    memory = BytesIO()
    data_set.save_as(memory, enforce_file_format=True)
    return memory.getvalue()


@pytest.mark.parametrize("make", [_at_one_position, _phases_without_time, _turned_by_a_hair])
def test_shuffled_instances_give_the_same_files_there_and_back(
    make: Callable[[], list[FileDataset]],
) -> None:
    instances = make()
    hdf5 = dicom_to_hdf5(instances).hdf5
    restored = [_bytes(one) for one in hdf5_to_dicom(hdf5, instances[:2])]
    for seed in range(5):
        shuffled = random.Random(seed).sample(instances, len(instances))
        assert dicom_to_hdf5(shuffled).hdf5 == hdf5
    turned = instances[:2][::-1]
    assert [_bytes(one) for one in hdf5_to_dicom(hdf5, turned)] == restored
