"""`volume.h5` has the same values and their geometry, without patient data."""

import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from core.errors import GeometryError, PixelError
from imaging.hdf5.volume_file import read_volume_hdf5, write_volume_hdf5
from imaging.series.volume import Volume


@pytest.fixture
def written(ct_volume: Volume, tmp_path: Path) -> Any:
    path = tmp_path / "volume.h5"
    write_volume_hdf5(
        path,
        ct_volume.voxels,
        ct_volume.headers,
        affine_mm=ct_volume.affine_mm,
        slice_spacing_mm=ct_volume.spacing_mm[0],
    )
    return path


def test_all_voxels_and_single_slices_come_back_the_same(written: Path, ct_volume: Volume) -> None:
    assert np.array_equal(read_volume_hdf5(written), ct_volume.voxels)
    assert np.array_equal(read_volume_hdf5(written, 17), ct_volume.voxels[17])


def test_one_chunk_is_one_slice_and_smaller_than_its_values(
    written: Path, ct_volume: Volume
) -> None:
    with h5py.File(written) as file:
        assert file["voxels"].chunks == (1, *ct_volume.voxels.shape[1:])
        assert file["voxels"].id.get_storage_size() < ct_volume.voxels.nbytes / 2


def test_it_tells_where_every_slice_lies(written: Path, ct_volume: Volume) -> None:
    with h5py.File(written) as file:
        uids = [uid.decode() for uid in file["sop_instance_uids"][()]]
        assert uids == [header.sop_instance_uid for header in ct_volume.headers]
        assert file["positions_mm"][5] == pytest.approx(ct_volume.headers[5].image_position_mm)
        assert file.attrs["units"] == "HU"
        assert file.attrs["series_instance_uid"] == ct_volume.headers[0].series_instance_uid
        assert file.attrs["affine_mm"] == pytest.approx(ct_volume.affine_mm)
        assert file.attrs["slice_spacing_mm"] == pytest.approx(3.27)


def test_images_that_are_no_grid_have_no_affine(ct_volume: Volume, tmp_path: Path) -> None:
    write_volume_hdf5(tmp_path / "v.h5", ct_volume.voxels[:2], ct_volume.headers[:2])
    with h5py.File(tmp_path / "v.h5") as file:
        assert "affine_mm" not in file.attrs


def test_nobody_is_named(written: Path) -> None:
    assert b"STS_003" not in written.read_bytes()


def test_the_same_values_give_the_same_bytes(ct_volume: Volume, tmp_path: Path) -> None:
    for name in ("a.h5", "b.h5"):
        write_volume_hdf5(tmp_path / name, ct_volume.voxels[:3], ct_volume.headers[:3])
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_slices_without_headers_are_refused(ct_volume: Volume, tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="51 slices with 50 headers"):
        write_volume_hdf5(tmp_path / "v.h5", ct_volume.voxels, ct_volume.headers[1:])


def test_phases_are_written_one_behind_the_other_without_a_copy(
    tmp_path: Path, ct_volume: Volume
) -> None:
    headers = [ct_volume.headers[0]] * 40
    phases = [np.full((20, 256, 256), number, np.float32) for number in (1, 2)]
    write_volume_hdf5(tmp_path / "joined.h5", np.concatenate(phases), headers)
    tracemalloc.start()
    write_volume_hdf5(tmp_path / "phases.h5", phases, headers)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < phases[0].nbytes / 2
    assert (tmp_path / "phases.h5").read_bytes() == (tmp_path / "joined.h5").read_bytes()


def test_a_damaged_file_or_a_slice_beyond_the_last_is_refused(
    written: Path, tmp_path: Path
) -> None:
    (tmp_path / "cut.h5").write_bytes(written.read_bytes()[:5000])
    with pytest.raises(PixelError, match=r"cut\.h5"):
        read_volume_hdf5(tmp_path / "cut.h5")
    with pytest.raises(PixelError, match="slice 51"):
        read_volume_hdf5(written, 51)
