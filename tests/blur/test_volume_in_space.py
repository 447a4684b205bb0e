"""A volume's voxels lie where the instances say, and padding does not bleed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from core.errors import GeometryError
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header, read_header
from imaging.pixels.reader import read_pixels
from imaging.series.volume import Volume, read_images, read_volume


@pytest.mark.parametrize("name", ["ct_volume", "cine_volume"])
def test_every_slices_pixels_lie_where_its_instance_says(
    name: str, request: pytest.FixtureRequest
) -> None:
    volume = request.getfixturevalue(name)
    for index, header in enumerate(volume.headers):
        corners = np.array([[0, 0], [header.columns - 1, 0], [17, header.rows - 1]])
        by_affine = [volume.affine_mm @ (index, row, column, 1.0) for column, row in corners]
        placed = plane_of(header).to_patient(corners)
        assert np.array(by_affine)[:, :3] == pytest.approx(placed, abs=0.01)
        assert np.array_equal(volume.voxels[index], read_pixels(header.path)[0])


def test_spacing_is_of_slices_then_rows_then_columns(
    ct_volume: Volume, cine_volume: Volume
) -> None:
    assert ct_volume.spacing_mm == pytest.approx((3.27, 0.976562, 0.976562))
    assert cine_volume.spacing_mm == pytest.approx((8.0, 1.3672, 1.3672), abs=1e-4)


def test_non_square_pixels_keep_row_and_column_spacing_apart(ct_volume: Volume) -> None:
    odd = [replace(header, pixel_spacing_mm=(2.0, 0.5)) for header in ct_volume.headers[:3]]
    volume = read_volume(odd)
    assert volume.spacing_mm == pytest.approx((3.27, 2.0, 0.5))
    step = volume.affine_mm @ (0, 1, 0, 0)
    assert step[:3] == pytest.approx([0.0, 2.0, 0.0])


def test_progress_ends_at_one(ct_volume: Volume) -> None:
    seen: list[float] = []
    read_images(ct_volume.headers[:4], lambda fraction, words: seen.append(fraction))
    assert seen == [0.25, 0.5, 0.75, 1.0]


def test_a_lone_slice_is_a_volume(ct_volume: Volume) -> None:
    volume = read_volume(ct_volume.headers[:1])
    assert volume.voxels.shape == (1, 158, 154)
    assert np.isfinite(volume.affine_mm).all()


def test_a_file_whose_shape_is_not_its_headers_is_refused(ct_volume: Volume) -> None:
    first = replace(ct_volume.headers[0], rows=200)
    with pytest.raises(GeometryError, match="expected"):
        read_images([first, *ct_volume.headers[1:3]])


def test_nothing_is_no_volume() -> None:
    with pytest.raises(GeometryError):
        read_volume([])


@pytest.fixture
def padded(ct_volume: Volume, tmp_path: Path) -> list[Header]:
    """Three slices of the CT; the outermost columns of the second are padding of -2000."""
    headers = []
    for index, header in enumerate(ct_volume.headers[:3]):
        data_set = pydicom.dcmread(header.path)
        if index == 1:
            stored = data_set.pixel_array.copy()
            stored[:, :30] = -2000
            data_set.PixelData = stored.tobytes()
        data_set.add_new("PixelPaddingValue", "SS", -2000)
        data_set.save_as(tmp_path / f"{index}.dcm")
        headers.append(read_header(tmp_path / f"{index}.dcm"))
    return headers


def test_padding_takes_the_lowest_value_of_the_image_proper(
    padded: list[Header], ct_volume: Volume
) -> None:
    voxels = read_images(padded)
    expected = ct_volume.voxels[:3].copy()
    expected[1, :, :30] = np.min([expected[0].min(), expected[1, :, 30:].min(), expected[2].min()])
    assert np.array_equal(voxels, expected)
    assert read_pixels(padded[1].path).min() == -2000.0
