"""Structure sets of other vendors give the masks that their vendors meant."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import rt_utils

from imaging.contours.findings import FindingKind, summarise
from imaging.instances.header import Header, read_header
from imaging.metrics import dice
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import to_masks
from tests.contours.sts_agreement import compare

Mask = np.ndarray
SIZE = 40


def test_published_structure_set_becomes_the_published_mask_voxel_by_voxel(
    ct_folder: Path, ct_structure_set: Path
) -> None:
    found = compare(ct_folder, ct_structure_set, ct_folder.parent / "CT_mask.nii.gz")
    assert found.theirs.sum() == 25693
    assert found.different == 0
    assert dice(found.ours, found.theirs) == 1.0
    assert found.structure_set.patient_key == found.headers[0].patient_key


def test_every_dangling_reference_of_it_is_named_with_its_distance(
    ct_folder: Path, ct_structure_set: Path
) -> None:
    found = compare(ct_folder, ct_structure_set, ct_folder.parent / "CT_mask.nii.gz")
    assert [finding.kind for finding in found.findings] == [FindingKind.DANGLING] * 20
    assert {finding.contour for finding in found.findings} == set(range(1, 21))
    known = {header.sop_instance_uid for header in found.headers}
    for finding in found.findings:
        assert finding.referenced_sop_instance_uid not in known | {""}
        assert finding.distance_mm == pytest.approx(0.0, abs=0.01)
    assert summarise(found.findings) == [
        "ROI 1 'GTV_Mass_CT' refers to an instance that is not in the series; "
        "20 contours, up to 0.00 mm"
    ]


@pytest.fixture(scope="session")
def square_ct(ct_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Header]:
    """Twelve slices cut to a square, which rt-utils needs; two are missing inside."""
    folder = tmp_path_factory.mktemp("square")
    for path in sorted(ct_folder.glob("*.dcm"))[:14]:
        data_set = pydicom.dcmread(path)
        data_set.PixelData = data_set.pixel_array[:SIZE, :SIZE].tobytes()
        data_set.Rows = data_set.Columns = SIZE
        data_set.save_as(folder / path.name)
    by_position = sorted(
        (read_header(path) for path in folder.glob("*.dcm")),
        key=lambda header: header.image_position_mm or (),
    )
    for header in by_position[6:8]:
        header.path.unlink()
    return by_position[:6] + by_position[8:]


def ring() -> Mask:
    row, column = np.indices((SIZE, SIZE)) - SIZE // 2
    distance = np.hypot(row, column)
    return (distance < 15) & (distance > 8) | (distance < 4)


def single_pixels() -> Mask:
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[3, 5] = mask[10, 10:12] = mask[20:22, 30] = mask[30, 30] = mask[31, 31] = True
    return mask


def thin_wall() -> Mask:
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[5:30, 6:35] = True
    mask[6:29, 7:34] = False
    return mask


def at_the_border() -> Mask:
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[:9, 30:] = True
    return mask


def noise() -> Mask:
    return np.random.default_rng(3).random((SIZE, SIZE)) < 0.35


@pytest.mark.parametrize("shape", [ring, single_pixels, thin_wall, at_the_border, noise])
def test_masks_that_rt_utils_wrote_come_back_the_same(
    shape: Callable[[], Mask], square_ct: list[Header], tmp_path: Path
) -> None:
    """rt-utils 1.2.7 draws through pixel centres and averages the distances between slices."""
    mask = np.repeat(shape()[np.newaxis], len(square_ct), axis=0)
    mask[0] = False
    builder = rt_utils.RTStructBuilder.create_new(str(square_ct[0].path.parent))
    builder.add_roi(mask=np.moveaxis(mask, 0, -1), name="GTV")
    builder.save(str(tmp_path / "RS.dcm"))
    masks, findings = to_masks(read_structure_set(tmp_path / "RS.dcm"), square_ct)
    assert np.array_equal(masks["GTV"], mask)
    assert {finding.kind for finding in findings} == {
        FindingKind.ON_CENTRES,
        FindingKind.OFF_PLANE,
    }
