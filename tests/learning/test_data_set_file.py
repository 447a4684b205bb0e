"""The HDF5 data set: what is written is read, and nothing that was finished is lost."""

import errno
import os
import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from core.errors import LearningDataError
from model.data.annotated_images import AnnotatedImage
from model.data.data_set_file import open_data_set
from model.data.data_set_writer import merge, write_patient
from model.data.samples import fingerprint
from model.data.whole_file import GuardedFile
from tests.learning.blobs import SERIES, STRUCTURES, drawn, part


def test_what_is_written_is_read(data_set: Path) -> None:
    source = open_data_set(data_set)
    assert source.structures == STRUCTURES
    assert source.patients == ("a", "b", "c")
    assert [entry.key for entry in source.samples({"b"})] == [f"b/{n}" for n in range(6)]
    for number, entry in enumerate(source.samples({"b"})):
        sample, expected = source.read(entry), drawn(number, seed=1)
        assert np.array_equal(sample.image, expected.image)
        assert np.array_equal(sample.masks, expected.masks)
        assert (sample.known, sample.pixel_spacing_mm) == (expected.known, (1.25, 1.5))
        assert entry.modality == "MR"


def test_it_is_laid_out_as_the_page_says(data_set: Path) -> None:
    with h5py.File(data_set) as file:
        group = file["patients/a/MR-1"]
        assert file.attrs["format"] == "slicewire-dataset-1"
        assert dict(group.attrs) == {"modality": "MR", "source": "text contours"}
        assert (group["images"].dtype, group["images"].chunks) == (np.float32, (1, 40, 48))
        assert (group["masks"].dtype, group["masks"].chunks) == (np.uint8, (1, 2, 40, 48))
        assert group["images"].compression == "lzf"
        assert (group["known"].dtype, group["pixel_spacing_mm"].dtype) == (np.bool_, np.float64)
        assert group["numbers"][2] == b"2"
        assert all(len(digest) == 64 for digest in group["digests"])


def test_patients_are_added_by_another_run(data_set: Path, tmp_path: Path) -> None:
    before = open_data_set(data_set).samples()
    merged = merge(data_set, [part(tmp_path / "d.part", "d", seed=9)])
    assert (merged.added, merged.same, merged.other) == (("d",), (), ())
    source = open_data_set(data_set)
    assert source.patients == ("a", "b", "c", "d")
    assert source.samples({"a", "b", "c"}) == before


def test_the_same_patient_again_is_skipped(data_set: Path, tmp_path: Path) -> None:
    merged = merge(data_set, [part(tmp_path / "again.part", "b", seed=1)])
    assert (merged.added, merged.same, merged.other) == ((), ("b",), ())


def test_other_content_of_a_patient_is_named_and_replaces_only_on_demand(
    data_set: Path, tmp_path: Path
) -> None:
    other = part(tmp_path / "other.part", "b", count=4, seed=7)
    before = fingerprint(open_data_set(data_set).samples())
    merged = merge(data_set, [other])
    assert (merged.added, merged.other) == ((), ("b",))
    assert fingerprint(open_data_set(data_set).samples()) == before
    assert merge(data_set, [other], replace=True).added == ("b",)
    assert len(open_data_set(data_set).samples({"b"})) == 4


def test_the_fingerprint_is_of_the_content_alone(data_set: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.h5"
    with h5py.File(data_set) as old, h5py.File(plain, "w") as new:
        new.attrs.update(old.attrs)
        for key in "cba":
            for name, values in old[f"patients/{key}/MR-1"].items():
                new[f"patients/{key}/MR-1/{name}"] = values[()]
            new[f"patients/{key}/MR-1"].attrs.update(old[f"patients/{key}/MR-1"].attrs)
    assert fingerprint(open_data_set(plain).samples()) == fingerprint(
        open_data_set(data_set).samples()
    )


def test_images_of_another_shape_get_a_series_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "shapes.h5"
    with write_patient(path, "a", STRUCTURES) as writer:
        for number, shape in enumerate([(40, 48), (32, 32), (40, 48), (32, 32)]):
            writer.add(SERIES, drawn(number, shape=shape))
    source = open_data_set(path)
    assert sorted({entry.series for entry in source.samples()}) == ["MR-1", "MR-1-32x32"]
    for entry in source.samples():
        assert source.read(entry).image.shape == entry.shape


def test_a_patient_that_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    def write() -> None:
        with write_patient(tmp_path / "a.part", "a", STRUCTURES) as writer:
            writer.add(SERIES, drawn(0))
            writer.add(SERIES, drawn(0))

    with pytest.raises(LearningDataError, match="each number once"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_data_set_as_it_was(
    data_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, before = part(tmp_path / "d.part", "d"), data_set.read_bytes()
    written = 0

    class FullDisk(GuardedFile):
        def write(self, content: Any) -> int:
            nonlocal written
            written += len(memoryview(content))
            if written > 2_000:
                self.failure = self.failure or OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(content)

    monkeypatch.setattr("model.data.whole_file.GuardedFile", FullDisk)
    with pytest.raises(OSError, match="No space"):
        merge(data_set, [new])
    assert data_set.read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_opened_data_set_travels_to_another_process(data_set: Path) -> None:
    source = open_data_set(data_set)
    entry = source.samples()[3]
    here = source.read(entry)
    there = pickle.loads(pickle.dumps(source)).read(entry)
    assert np.array_equal(here.image, there.image)


def _damaged(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "no HDF5":
        path.write_bytes(b"rubbish" * 100)
    elif how == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        with h5py.File(path, "r+") as file:
            if how == "format":
                file.attrs["format"] = "another"
            elif how == "structures":
                file.attrs["structures"] = "[{]"
            elif how == "counts":
                del file["patients/a/MR-1/known"]
                file["patients/a/MR-1/known"] = np.zeros((2, 2), np.bool_)
            elif how == "texts":
                del file["patients/a/MR-1/numbers"]
                file["patients/a/MR-1/numbers"] = ["1"] * 6
            else:
                del file["patients/a/MR-1/masks"]


@pytest.mark.parametrize(
    "how", ["no HDF5", "cut", "format", "structures", "counts", "texts", "missing"]
)
def test_a_damaged_data_set_is_refused_with_its_name(data_set: Path, how: str) -> None:
    _damaged(data_set, how)
    with pytest.raises(LearningDataError, match=r"data\.h5"):
        open_data_set(data_set)


def test_damaged_pixels_are_named_when_they_are_read(data_set: Path) -> None:
    with h5py.File(data_set) as file:
        chunk = file["patients/a/MR-1/images"].id.get_chunk_info(2)
    with data_set.open("r+b") as raw:
        raw.seek(chunk.byte_offset)
        raw.write(b"\xff" * chunk.size)
    source = open_data_set(data_set)
    with pytest.raises(LearningDataError, match="a/2 cannot be read"):
        source.read(source.samples({"a"})[2])


def test_masks_of_another_shape_are_refused(tmp_path: Path) -> None:
    one = drawn(1)
    wrong = AnnotatedImage(one.number, one.image, one.masks[:1], one.known, one.pixel_spacing_mm)

    def write() -> None:
        with write_patient(tmp_path / "a.part", "a", STRUCTURES) as writer:
            writer.add(SERIES, wrong)

    with pytest.raises(LearningDataError, match="expected"):
        write()
