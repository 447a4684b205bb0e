"""In any orientation of a series, each voxel's value is at its position in the patient."""

import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import UID

from core.errors import GeometryError
from core.identity import Provenance
from imaging.derived.blur import gaussian_blur
from imaging.derived.series import build_derived_series
from imaging.geometry.placement import RULES_2D, RULES_3D, place
from imaging.series.image_series import order_series
from imaging.series.series import Series, read_folder
from imaging.series.volume import Volume, read_volume
from tests.support.dicom.synthetic import make_series

ROWS, COLUMNS, SPACING_MM, STEP_MM = 17, 29, (1.3, 0.7), 2.5
OBLIQUE = (0.8, 0.6, 0.0, -0.36, 0.48, 0.8)
ORIENTATIONS = {
    "axial": (1, 0, 0, 0, 1, 0),
    "axial, feet first": (-1, 0, 0, 0, 1, 0),
    "axial, prone": (-1, 0, 0, 0, -1, 0),
    "coronal": (1, 0, 0, 0, 0, -1),
    "coronal, feet first": (-1, 0, 0, 0, 0, 1),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "sagittal, feet first": (0, 1, 0, 0, 0, 1),
    "oblique": OBLIQUE,
}


def value_at(points_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A value that no two neighbours of the phantom share."""
    return 20.0 * points_mm[..., 0] + 31.0 * points_mm[..., 1] + 43.0 * points_mm[..., 2]


def phantom(orientation: Sequence[float], **changes: Any) -> list[FileDataset]:
    """Five slices whose stored values are `value_at` their pixels' centres, rounded."""
    along, down = np.array(orientation[:3], dtype=float), np.array(orientation[3:], dtype=float)
    normal = np.cross(along, down)
    column, row = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
    data_sets = []
    for number in range(5):
        origin = np.array([-12.5, 31.25, 7.0]) + number * STEP_MM * normal
        points = origin + column[..., None] * SPACING_MM[1] * along
        points = points + row[..., None] * SPACING_MM[0] * down
        cells = np.rint(value_at(points)).astype("<i2")[np.newaxis]
        [data_set] = make_series(cells, bits_stored=16, RescaleIntercept=0, **changes)
        data_set.ImagePositionPatient = [f"{value:.10g}" for value in origin]
        data_set.ImageOrientationPatient = list(orientation)
        data_set.PixelSpacing = list(SPACING_MM)
        data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = UID(
            f"1.2.{number}"
        )
        data_set.InstanceNumber = 100 - number
        data_sets.append(data_set)
    return data_sets


def save(data_sets: Sequence[FileDataset], folder: Path) -> Series:
    """As files whose names say nothing of their order, read back."""
    names = [f"IM{number:04d}.dcm" for number in range(len(data_sets))]
    random.Random(5).shuffle(names)
    for data_set, name in zip(data_sets, names, strict=True):
        data_set.save_as(folder / name, enforce_file_format=True)
    [series], _ = read_folder(folder)
    return series


def read(data_sets: Sequence[FileDataset], folder: Path) -> Volume:
    return read_volume(place(save(data_sets, folder).headers, RULES_3D).phases[0])


def places_mm(volume: Volume) -> npt.NDArray[np.float64]:
    """[slice, row, column, 3]."""
    indices = np.moveaxis(np.indices(volume.voxels.shape), 0, -1)
    return indices @ volume.affine_mm[:3, :3].T + volume.affine_mm[:3, 3]


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_each_voxel_has_the_value_of_its_place(name: str, tmp_path: Path) -> None:
    volume = read(phantom(ORIENTATIONS[name]), tmp_path)
    assert volume.voxels.shape == (5, ROWS, COLUMNS)
    assert volume.spacing_mm == pytest.approx((STEP_MM, *SPACING_MM))
    assert np.abs(volume.voxels - value_at(places_mm(volume))).max() < 0.51


@pytest.mark.parametrize("bits", [8, 10, 12, 16, 24, 32])
@pytest.mark.parametrize("kind", ["u", "i"])
def test_values_of_8_to_32_bits_signed_and_unsigned_are_exact(
    bits: int, kind: str, tmp_path: Path
) -> None:
    size = 1 if bits == 8 else 2 if bits <= 16 else 4
    lowest = -(1 << (bits - 1)) if kind == "i" else 0
    values = np.linspace(lowest, lowest + (1 << bits) - 1, 3 * 4 * 6).astype(np.int64)
    cells = values.astype(f"<{kind}{size}").reshape(3, 4, 6)
    series = make_series(cells, bits_stored=bits, RescaleSlope="0.5", RescaleIntercept="-3")
    volume = read(series, tmp_path)
    assert np.array_equal(volume.voxels, (values * 0.5 - 3).astype(np.float32).reshape(3, 4, 6))


def test_monochrome1_changes_how_an_image_is_shown_not_what_it_says(tmp_path: Path) -> None:
    created = datetime(2026, 3, 9, 14, 5, 6)
    provenance = Provenance("job", "1.2.3.4.", created, "blur")
    volumes = {}
    for word in ("MONOCHROME1", "MONOCHROME2"):
        (tmp_path / word).mkdir()
        series = phantom(OBLIQUE, PhotometricInterpretation=word)
        volumes[word] = read(series, tmp_path / word)
        blurred = gaussian_blur(volumes[word].voxels, 1.0, volumes[word].spacing_mm)
        derived = list(
            build_derived_series(volumes[word], blurred, provenance, description="Blurred")
        )
        assert {one.PhotometricInterpretation for one in derived} == {word}
        values = [one.pixel_array * float(one.RescaleSlope) for one in derived]
        assert np.abs(np.stack(values) - blurred).max() <= 0.5
    assert np.array_equal(volumes["MONOCHROME1"].voxels, volumes["MONOCHROME2"].voxels)


@pytest.mark.parametrize("rules", [RULES_2D, RULES_3D], ids=["2d", "3d"])
@pytest.mark.parametrize("change", ["other plane", "other size"])
def test_a_localizer_across_the_slices_is_set_aside_with_a_warning(
    rules: Any, change: str, tmp_path: Path
) -> None:
    slices = phantom(ORIENTATIONS["axial"], ImageType=["ORIGINAL", "PRIMARY", "AXIAL"])
    [scout] = phantom(
        ORIENTATIONS["coronal" if change == "other plane" else "axial"],
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
    )[:1]
    scout.SOPInstanceUID = scout.file_meta.MediaStorageSOPInstanceUID = UID("1.2.99")
    if change == "other size":
        scout.Rows, scout.PixelData = ROWS - 1, scout.PixelData[: -2 * COLUMNS]
    placement = place(save([*slices, scout], tmp_path).headers, rules)
    assert len(placement.headers) == 5
    assert "1.2.99" not in {header.sop_instance_uid for header in placement.headers}
    assert "1 of 6 images are localizers" in placement.warnings[0]
    assert "1.2.99" in placement.warnings[0]


def test_a_localizer_in_the_stack_stays_and_nothing_but_localizers_is_judged_as_it_is(
    tmp_path: Path,
) -> None:
    slices = phantom(ORIENTATIONS["axial"])
    slices[2].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    assert len(place(save(slices, tmp_path).headers, RULES_3D).headers) == 5
    views = [phantom(ORIENTATIONS[name])[0] for name in ("axial", "coronal", "sagittal")]
    (tmp_path / "views").mkdir()
    for number, view in enumerate(views):
        view.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        view.SOPInstanceUID = view.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.7.{number}")
    with pytest.raises(GeometryError, match="3 orientations"):
        place(save(views, tmp_path / "views").headers, RULES_2D)


def test_a_scout_that_does_not_say_localizer_is_set_aside_all_the_same(tmp_path: Path) -> None:
    slices = phantom(ORIENTATIONS["axial"])
    scout = phantom(ORIENTATIONS["coronal"])[0]
    scout.SOPInstanceUID = scout.file_meta.MediaStorageSOPInstanceUID = UID("1.2.99")
    placement = place(save([*slices, scout], tmp_path).headers, RULES_2D)
    assert len(placement.headers) == 5
    assert "1 of 6 images set aside, no slice: in another plane" in placement.warnings[0]


def test_hdf5_keeps_a_localizer_so_that_every_pixel_goes_back() -> None:
    slices = phantom(ORIENTATIONS["axial"])
    scout = phantom(ORIENTATIONS["coronal"], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])[0]
    scout.SOPInstanceUID = scout.file_meta.MediaStorageSOPInstanceUID = UID("1.2.99")
    series = order_series([*slices, scout])
    assert len(series.data_sets) == 6
    assert series.affine_mm is None
    assert "1 of 6 images are localizers" in series.warnings[0]
