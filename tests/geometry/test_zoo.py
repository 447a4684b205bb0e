"""Awkward series: each gives the values of its NIfTI file, or is refused with a message."""

import re
from pathlib import Path

import numpy as np
import pytest

from core.errors import SlicewireError
from imaging.geometry.placement import RULES_2D, RULES_3D, GeometryRules, place
from imaging.instances.frames import read_headers
from imaging.instances.header import Header
from imaging.series.series import check_one_series
from imaging.series.volume import read_volume
from tests.support.nifti import read_nifti

EQUAL_TO_NIFTI = (
    "failing/slicecount/001",
    "ge/anatomical/001",
    "ge/anatomical/001_implicit",
    "ge/anatomical/001_single_slice",
    "generic/anatomical/001",
    "generic/anatomical/001_implicit",
    "generic/anatomical/002_non_isotropic",
    "generic/compressed/001",
    "generic/compressed_j2k/001",
    "generic/compressed_jpeg/001",
    "generic/compressed_jpegls/001",
    "generic/compressed_rle/001",
    "hitachi/anatomical/001",
    "hitachi/anatomical/001_implicit",
    "philips_enhanced/anatomical/001",
    "philips_enhanced/anatomical/001_implicit",
)
"""Folders whose NIfTI file lies beside them."""

REFUSED = {
    ("failing/gantrytilting/001", "3D"): r"not stacked along their normal \(.*, 14\.0 degrees\)",
    ("failing/notavolume/001", "3D"): r"4 instances at one position are not a volume",
    ("failing/sliceincrement/001", "2D"): r"gap of 10 mm after slice 3, expected 5 mm",
    ("failing/sliceincrement/001", "3D"): r"gap of 10 mm after slice 3, expected 5 mm",
    ("failing/sliceincrement/002", "2D"): r"gap of 1\.499 mm after slice 3, expected 0\.7497 mm",
    ("failing/sliceincrement/002", "3D"): r"gap of 1\.499 mm after slice 3, expected 0\.7497 mm",
    ("failing/sliceorientation/001", "2D"): r"2 orientations \(2, 2 instances\), expected one",
    ("failing/sliceorientation/001", "3D"): r"2 orientations \(2, 2 instances\), expected one",
}
"""Series and rules to the reason. In two dimensions tilt and several images at a place are none."""

RULES = {"2D": RULES_2D, "3D": RULES_3D}
EVERY_SERIES = sorted({*EQUAL_TO_NIFTI, *(name for name, _ in REFUSED)})


def headers_in(folder: Path) -> list[Header]:
    return [header for path in sorted(folder.iterdir()) for header in read_headers(path)]


def test_the_tables_name_every_series(zoo: Path) -> None:
    folders = {path.parent for path in zoo.rglob("*") if path.is_file() and path.suffix != ".nii"}
    assert sorted(str(folder.relative_to(zoo)) for folder in folders) == EVERY_SERIES


@pytest.mark.parametrize("name", EQUAL_TO_NIFTI)
def test_every_voxel_is_where_the_nifti_file_has_it(zoo: Path, name: str) -> None:
    headers = headers_in(zoo / name)
    check_one_series(headers)
    volume = read_volume(place(headers, RULES_3D).phases[0])
    values, to_lps_mm = read_nifti(zoo / f"{name}_ground_truth.nii")
    indices = np.indices(values.shape).reshape(3, -1)
    lps_mm = to_lps_mm[:, :3] @ indices + to_lps_mm[:, 3:]
    ours = np.linalg.inv(volume.affine_mm) @ np.vstack([lps_mm, np.ones(lps_mm.shape[1])])
    ours = ours[:3]
    nearest = np.rint(ours).astype(int)
    assert values.size == volume.voxels.size
    assert np.abs(ours - nearest).max() < 0.02
    assert np.abs(volume.voxels[tuple(nearest)] - values.reshape(-1)).max() < 0.51


@pytest.mark.parametrize("name", EVERY_SERIES)
@pytest.mark.parametrize("rules", RULES)
def test_a_series_is_refused_for_the_right_reason_or_taken(
    zoo: Path, name: str, rules: str
) -> None:
    reason = _why_not(headers_in(zoo / name), RULES[rules])
    expected = REFUSED.get((name, rules))
    assert (reason == "") if expected is None else re.search(expected, reason)


def _why_not(headers: list[Header], rules: GeometryRules) -> str:
    try:
        check_one_series(headers)
        read_volume(place(headers, rules).phases[0])
    except SlicewireError as error:
        return str(error)
    return ""
