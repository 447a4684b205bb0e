"""A job's volume.h5, or one made by other software, becomes DICOM within half a stored unit."""

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import FileDataset

from core.errors import OutputError, PixelError
from imaging.geometry.placement import RULES_3D, place
from imaging.hdf5.volume_file import write_volume_hdf5
from imaging.pixels.pixel_format import cells_of, format_of
from imaging.series.series import read_folder
from imaging.series.volume import read_volume
from pipeline.conversion import dicom_to_hdf5, hdf5_to_dicom
from tests.support.dicom.synthetic import FRAME, SERIES, STUDY, make_series, ramp


def _foreign(voxels: npt.NDArray[Any], **changes: Any) -> bytes:
    """The least that docs/hdf5.md asks of other software; None leaves an attribute out."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file["voxels"] = voxels
        file["positions_mm"] = [[1.0, 2.0, 5.0 * index] for index in range(len(voxels))]
        attributes = {
            "schema_version": 2, "orientation": [1.0, 0, 0, 0, 1.0, 0],
            "pixel_spacing_mm": [2.0, 3.0],
        } | changes  # fmt: skip
        file.attrs.update({key: value for key, value in attributes.items() if value is not None})
    return memory.getvalue()


def _edited(content: bytes, edit: Any) -> bytes:
    memory = io.BytesIO(content)
    with h5py.File(memory, "r+") as file:
        edit(file)
    return memory.getvalue()


def _values(data_set: FileDataset) -> npt.NDArray[np.float64]:
    pixel_format = format_of(data_set)
    stored = cells_of(data_set, pixel_format).astype(np.float64)
    return stored * pixel_format.slope + pixel_format.intercept


@pytest.fixture
def templates() -> list[FileDataset]:
    return make_series(ramp("<u2", 16), bits_stored=16)


def test_the_volume_of_a_job_comes_back_under_its_own_instances(
    ct_folder: Path, ct: list[FileDataset], tmp_path: Path
) -> None:
    volume = read_volume(place(read_folder(ct_folder)[0][0].headers, RULES_3D).phases[0])
    computed = volume.voxels * np.float32(0.5)
    write_volume_hdf5(tmp_path / "volume.h5", computed, volume.headers)
    restored = list(hdf5_to_dicom((tmp_path / "volume.h5").read_bytes(), ct))
    for one, expected, header in zip(restored, computed, volume.headers, strict=True):
        assert one.SourceImageSequence[0].ReferencedSOPInstanceUID == header.sop_instance_uid
        assert np.abs(_values(one) - expected).max() <= 0.5 + 1e-6
        assert one.SeriesDescription.endswith("NOT FOR DOSE")


def test_geometry_is_that_of_the_file(templates: list[FileDataset]) -> None:
    restored = list(hdf5_to_dicom(_foreign(ramp("<i2", 12).astype(np.float32)), templates))
    assert [list(one.ImagePositionPatient) for one in restored] == [
        [1, 2, 0], [1, 2, 5], [1, 2, 10]
    ]  # fmt: skip
    assert list(restored[0].PixelSpacing) == [2, 3]
    assert [one.InstanceNumber for one in restored] == [1, 2, 3]
    assert (restored[0].StudyInstanceUID, restored[0].FrameOfReferenceUID) == (STUDY, FRAME)
    assert restored[0].PatientName == "Nobody^At All"
    assert restored[0].SeriesInstanceUID != SERIES
    assert "SourceImageSequence" not in restored[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8])
def test_voxels_of_any_numeric_type_are_taken(
    dtype: npt.DTypeLike, templates: list[FileDataset]
) -> None:
    voxels = (ramp("<u1", 7)).astype(dtype)
    restored = list(hdf5_to_dicom(_foreign(voxels), templates))
    assert all(
        np.array_equal(_values(one), slice_) for one, slice_ in zip(restored, voxels, strict=True)
    )


def test_small_values_are_not_rounded_away(templates: list[FileDataset]) -> None:
    voxels = np.random.default_rng(1).random((3, 40, 36), dtype=np.float32)
    for one, expected in zip(hdf5_to_dicom(_foreign(voxels), templates), voxels, strict=True):
        assert np.abs(_values(one) - expected).max() <= 1 / 65534


def test_a_mask_keeps_its_numbers(templates: list[FileDataset]) -> None:
    voxels = np.zeros((2, 40, 36), np.float32)
    voxels[0, 3:9, 4:8] = 1
    for one, expected in zip(hdf5_to_dicom(_foreign(voxels), templates), voxels, strict=True):
        assert np.array_equal(_values(one), expected)


def test_a_file_of_the_first_schema_is_read(templates: list[FileDataset]) -> None:
    content = _foreign(ramp("<u2", 16).astype(np.float32), schema_version=1)
    assert len(list(hdf5_to_dicom(content, templates))) == 3


def test_voxels_changed_beside_stored_values_are_refused(templates: list[FileDataset]) -> None:
    def change(file: Any) -> None:
        file["voxels"][1, 2, 3] += 1

    content = _edited(dicom_to_hdf5(templates).hdf5, change)
    with pytest.raises(PixelError, match="voxels of slice 1 are not its stored values rescaled"):
        hdf5_to_dicom(content, templates)

    def remove(file: Any) -> None:
        del file["stored"]

    restored = list(hdf5_to_dicom(_edited(content, remove), templates))
    before = _values(templates[1])[2, 3]
    assert _values(restored[1])[2, 3] == before + 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema_version": None}, "no attribute schema_version"),
        ({"schema_version": 99}, "schema version 99, expected 1 to 2"),
        ({"schema_version": "two"}, "not a readable volume"),
        ({"orientation": None}, "not a readable volume.*orientation"),
        ({"orientation": [1.0, 0, 0]}, "orientations has shape"),
        ({"pixel_spacing_mm": [np.nan, 1.0]}, "expected finite numbers"),
    ],
)
def test_a_file_that_does_not_follow_the_schema_is_refused(
    changes: dict[str, Any], words: str, templates: list[FileDataset]
) -> None:
    content = _foreign(ramp("<u2", 16).astype(np.float32), **changes)
    with pytest.raises(PixelError, match=words):
        hdf5_to_dicom(content, templates)


@pytest.mark.parametrize(
    ("voxels", "words"),
    [
        (np.zeros((4, 5), np.float32), "expected numbers"),
        (np.zeros((0, 4, 5), np.float32), "expected numbers"),
        (np.zeros((2, 4, 5), bool), "expected numbers"),
    ],
)
def test_voxels_that_are_no_slices_of_numbers_are_refused(
    voxels: npt.NDArray[Any], words: str, templates: list[FileDataset]
) -> None:
    with pytest.raises(PixelError, match=words):
        hdf5_to_dicom(_foreign(voxels), templates)


def test_tables_that_do_not_fit_the_slices_are_refused(templates: list[FileDataset]) -> None:
    def shorten(file: Any) -> None:
        positions = file["positions_mm"][:2]
        del file["positions_mm"]
        file["positions_mm"] = positions

    content = _edited(_foreign(ramp("<u2", 16)), shorten)
    with pytest.raises(PixelError, match="a table of 2 rows for 3 slices"):
        hdf5_to_dicom(content, templates)


@pytest.mark.parametrize("orientation", [[1.0, 0, 0, 1.0, 0, 0], [2.0, 0, 0, 0, 1.0, 0]])
def test_directions_that_are_no_rectangular_grid_are_refused(
    orientation: list[float], templates: list[FileDataset]
) -> None:
    content = _foreign(ramp("<u2", 16).astype(np.float32), orientation=orientation)
    with pytest.raises(PixelError, match="perpendicular"):
        hdf5_to_dicom(content, templates)


def test_values_that_are_no_numbers_are_refused(templates: list[FileDataset]) -> None:
    voxels = np.full((2, 4, 5), np.nan, np.float32)
    with pytest.raises(OutputError, match="not finite"):
        list(hdf5_to_dicom(_foreign(voxels), templates))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("bits_allocated", 12, "12 bits allocated and 16 stored"),
        ("bits_stored", 9, "slice 0 has stored values from 0 to 21835, expected 0 to 511"),
        ("rescale_slopes", np.inf, "not a finite number"),
        ("padding_values", 70000.0, "padding 70000, expected 16 bits"),
    ],
)
def test_formats_that_no_image_has_are_refused(
    key: str, value: float, words: str, templates: list[FileDataset]
) -> None:
    def change(file: Any) -> None:
        file[f"stored/{key}"][0] = value

    with pytest.raises(PixelError, match=words):
        hdf5_to_dicom(_edited(dicom_to_hdf5(templates).hdf5, change), templates)
