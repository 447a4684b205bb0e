"""Slices are served one by one from the file, as it keeps them, value for value."""

from pathlib import Path

import h5py
import numpy as np
import pydicom
import pytest

from core.errors import PixelError
from imaging.hdf5.volume_file import read_volume_hdf5, write_volume_hdf5
from imaging.instances.frames import read_headers
from imaging.instances.header import Header
from imaging.pixels.reader import read_frames
from imaging.series.volume import read_images
from web.cases.received import encoded_image, read_received
from web.cases.slices import decode, encode, encoded_slice, open_volume


@pytest.fixture
def headers(ct_folder: Path) -> list[Header]:
    """Six slices of the CT in their order."""
    return list(read_received(sorted(ct_folder.glob("*.dcm"))[:6]).phases[0])


@pytest.fixture
def volume_path(headers: list[Header], tmp_path: Path) -> Path:
    path = tmp_path / "volume.h5"
    write_volume_hdf5(path, read_images(headers), headers)
    return path


def test_every_slice_has_the_values_of_the_file(volume_path: Path) -> None:
    volume = open_volume(volume_path)
    assert volume.chunks
    for index in range(volume.slices):
        found = decode(encoded_slice(volume, index), (volume.rows, volume.columns))
        assert np.array_equal(found, read_volume_hdf5(volume_path, index))


def test_a_slice_costs_its_own_bytes_and_no_other_slices(
    volume_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = open_volume(volume_path)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("HDF5 was opened for a slice")

    monkeypatch.setattr(h5py, "File", never)
    assert len(encoded_slice(volume, 3)) == volume.chunks[3][1] < volume_path.stat().st_size / 4


@pytest.mark.parametrize("options", [{}, {"compression": "lzf"}, {"chunks": (2, 79, 77)}])
def test_a_file_that_is_stored_otherwise_is_served_all_the_same(
    volume_path: Path, options: dict[str, object]
) -> None:
    with h5py.File(volume_path, "r+") as file:
        voxels = file["voxels"][()].astype(np.float64)
        del file["voxels"]
        file.create_dataset("voxels", data=voxels, **options)
    volume = open_volume(volume_path)
    assert not volume.chunks
    assert np.array_equal(decode(encoded_slice(volume, 5), voxels.shape[1:]), voxels[5])


def test_any_floating_values_come_through_as_they_are() -> None:
    image = np.array([[0.1, -2e30, np.nan], [np.inf, 0.0, 3.25]], np.float32)
    assert np.array_equal(decode(encode(image), (2, 3)), image, equal_nan=True)


@pytest.mark.parametrize("index", [-1, 6])
def test_a_slice_that_there_is_not_is_said(volume_path: Path, index: int) -> None:
    with pytest.raises(PixelError, match=f"no slice {index}, expected 0 to 5"):
        encoded_slice(open_volume(volume_path), index)


def test_a_file_that_retention_removed_is_said(volume_path: Path) -> None:
    volume = open_volume(volume_path)
    volume_path.unlink()
    with pytest.raises(PixelError, match="cannot be read"):
        encoded_slice(volume, 0)
    with pytest.raises(PixelError, match="cannot be read as a volume"):
        open_volume(volume_path)


def test_a_file_that_was_cut_off_is_said(volume_path: Path) -> None:
    volume = open_volume(volume_path)
    volume_path.write_bytes(volume_path.read_bytes()[: volume.chunks[4][0] + 10])
    with pytest.raises(PixelError, match="slice 4 is cut off"):
        encoded_slice(volume, 4)


def test_what_came_is_shown_in_space_and_time(cine_folder: Path) -> None:
    paths = sorted(cine_folder.glob("*.dcm"))
    received = read_received(paths)
    assert [len(phase) for phase in received.phases] == [11, 11]
    header = received.phases[1][4]
    found = decode(encoded_image(header.path, None), (header.rows, header.columns))
    assert np.array_equal(found, read_images([header])[0])


def test_what_has_no_order_in_space_is_shown_by_number(ct_folder: Path, tmp_path: Path) -> None:
    for path in sorted(ct_folder.glob("*.dcm"))[:3]:
        data_set = pydicom.dcmread(path)
        del data_set.ImagePositionPatient
        data_set.save_as(tmp_path / path.name)
    received = read_received(sorted(tmp_path.glob("*.dcm")))
    numbers = [header.instance_number for header in received.phases[0]]
    assert numbers == sorted(numbers)
    assert "In order of their numbers" in received.notes[0]


def test_what_is_no_image_or_unreadable_is_counted(ct_structure_set: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.dcm").write_bytes(b"")
    received = read_received([ct_structure_set, tmp_path / "empty.dcm"])
    assert received.phases == ()
    assert received.notes == ("1 instances cannot be read", "1 instances are no images")


def test_what_is_not_filed_yet_is_counted_apart_from_what_is_damaged(
    ct_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.dcm").write_bytes(b"")
    whole = sorted(ct_folder.glob("*.dcm"))[:2]
    received = read_received([*whole, tmp_path / "empty.dcm", tmp_path / "to come.dcm"])
    assert received.unfiled == 1
    assert received.notes[:2] == (
        "1 instances are still being filed",
        "1 instances cannot be read",
    )
    assert len(received.phases[0]) == 2


def test_one_frame_of_an_enhanced_instance_is_decoded_alone(zoo: Path) -> None:
    path = next((zoo / "philips_enhanced/anatomical/001").iterdir())
    headers = read_headers(path)
    whole = read_frames(path)
    for header, stored in zip(headers, whole, strict=True):
        found = decode(encoded_image(path, header.frame_number), (header.rows, header.columns))
        assert np.array_equal(found, stored.rescaled()[0])
    with pytest.raises(PixelError, match="no frame"):
        encoded_image(path, len(headers) + 1)
