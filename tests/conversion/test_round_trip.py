"""DICOM to HDF5 to DICOM: every pixel, rescale and place as before, under new UIDs."""

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset

from core.errors import GeometryError, SeriesError
from core.uids import PYDICOM_ROOT_UID, is_derived_uid
from imaging.pixels.reader import read_pixels
from pipeline.conversion import dicom_to_hdf5, hdf5_to_dicom
from tests.support.dicom.synthetic import cells_by_source, make_series, ramp

KEPT = (
    "PatientName", "PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "Modality", "Rows",
    "Columns", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
    "SliceThickness", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PhotometricInterpretation", "RescaleSlope", "RescaleIntercept", "InstanceNumber",
)  # fmt: skip


def _pairs(
    sources: list[FileDataset], restored: list[FileDataset]
) -> list[tuple[FileDataset, FileDataset]]:
    by_uid = {str(one.SOPInstanceUID): one for one in sources}
    named = [str(one.SourceImageSequence[0].ReferencedSOPInstanceUID) for one in restored]
    assert sorted(named) == sorted(by_uid)
    return [(by_uid[uid], one) for uid, one in zip(named, restored, strict=True)]


@pytest.mark.parametrize("name", ["ct", "cine"])
@pytest.mark.parametrize("whole_template", [True, False])
def test_a_series_comes_back_bit_for_bit_in_its_place(
    name: str, whole_template: bool, request: pytest.FixtureRequest
) -> None:
    sources = request.getfixturevalue(name)
    templates = sources if whole_template else sources[7:8]
    restored = list(hdf5_to_dicom(dicom_to_hdf5(sources).hdf5, templates))
    for source, one in _pairs(sources, restored):
        assert one.PixelData == source.PixelData
        for keyword in KEPT:
            assert one.get(keyword) == source.get(keyword), keyword


def test_the_own_template_keeps_what_belongs_to_one_instance(cine: list[FileDataset]) -> None:
    cine[3].add_new(0x00431001, "LO", "private")
    restored = list(hdf5_to_dicom(dicom_to_hdf5(cine).hdf5, cine))
    for source, one in _pairs(cine, restored):
        assert (one.TriggerTime, one.SliceLocation) == (source.TriggerTime, source.SliceLocation)
        assert (0x00431001 in one) == (0x00431001 in source)


def test_a_single_template_lends_nothing_that_belongs_to_it_alone(cine: list[FileDataset]) -> None:
    restored = list(hdf5_to_dicom(dicom_to_hdf5(cine).hdf5, cine[:1]))
    others = [one for source, one in _pairs(cine, restored) if source is not cine[0]]
    assert all("TriggerTime" not in one and "SliceLocation" not in one for one in others)
    assert all(one.EchoTime == cine[0].EchoTime for one in others)


def test_uids_are_new_recognised_and_the_same_again(ct: list[FileDataset]) -> None:
    content = dicom_to_hdf5(ct).hdf5
    first, second = (list(hdf5_to_dicom(content, ct)) for _ in range(2))
    uids = {str(one.SOPInstanceUID) for one in first} | {str(first[0].SeriesInstanceUID)}
    assert len(uids) == 52
    assert all(is_derived_uid(PYDICOM_ROOT_UID, uid) for uid in uids)
    assert first == second
    assert len({str(one.SeriesInstanceUID) for one in first}) == 1


def test_another_template_gives_other_uids(ct: list[FileDataset]) -> None:
    content = dicom_to_hdf5(ct).hdf5
    first = next(hdf5_to_dicom(content, ct))
    ct[0].PatientWeight = 81
    assert next(hdf5_to_dicom(content, ct)).SOPInstanceUID != first.SOPInstanceUID


def test_the_order_of_instances_does_not_matter(ct: list[FileDataset]) -> None:
    first = dicom_to_hdf5(ct)
    assert dicom_to_hdf5(ct[::-1]) == first


def test_slices_lie_along_the_normal_phase_after_phase(cine: list[FileDataset]) -> None:
    with h5py.File(_memory(dicom_to_hdf5(cine).hdf5)) as file:
        positions, orientation = file["positions_mm"][()], file.attrs["orientation"]
    along = positions @ np.cross(orientation[:3], orientation[3:])
    assert np.all(np.diff(along[:11]) > 7)
    assert np.allclose(along[:11], along[11:], atol=0.01)


def _memory(content: bytes) -> Any:
    return io.BytesIO(content)


def test_every_slice_keeps_its_own_rescale() -> None:
    sources = make_series(ramp("<u2", 16), bits_stored=16)
    for number, one in enumerate(sources):
        one.RescaleSlope, one.RescaleIntercept = f"0.{number + 1}234567890123", "0"
    content = dicom_to_hdf5(sources).hdf5
    for templates in (sources, sources[:1]):
        for source, one in _pairs(sources, list(hdf5_to_dicom(content, templates))):
            assert float(one.RescaleSlope) == float(source.RescaleSlope)
            assert len(str(one["RescaleSlope"].value)) <= 16


def test_an_instance_without_rescale_gets_none() -> None:
    sources = make_series(ramp("<i2", 16), bits_stored=16)
    for one in sources:
        del one.RescaleSlope, one.RescaleIntercept
    for one in hdf5_to_dicom(dicom_to_hdf5(sources).hdf5, sources):
        assert "RescaleSlope" not in one


def test_slices_of_different_types_share_a_file() -> None:
    unsigned = make_series(ramp("<u2", 16), bits_stored=16)
    signed = make_series(ramp("<i2", 12), bits_stored=12)
    sources = [unsigned[0], signed[1], unsigned[2]]
    for source, one in _pairs(sources, list(hdf5_to_dicom(dicom_to_hdf5(sources).hdf5, sources))):
        assert one.PixelData == source.PixelData
        assert one.PixelRepresentation == source.PixelRepresentation


@pytest.mark.parametrize("dtype", ["<u2", "<i2"])
def test_bits_above_the_stored_ones_come_back_and_do_not_count(dtype: str) -> None:
    cells = ramp(dtype, 12)
    plain = cells.copy()
    cells[1, 2, 3] ^= 0x3000
    sources = make_series(cells, bits_stored=12)
    content = dicom_to_hdf5(sources).hdf5
    with h5py.File(_memory(content)) as file:
        assert np.array_equal(file["stored/values"][()], plain)
    for source, one in _pairs(sources, list(hdf5_to_dicom(content, sources))):
        assert one.PixelData == source.PixelData


def test_padding_keeps_its_value_and_its_words() -> None:
    cells = ramp("<i2", 16)
    cells[:, 0] = -2000
    sources = make_series(cells, bits_stored=16)
    for one in sources:
        one.add_new("PixelPaddingValue", "SS", -2000)
    content = dicom_to_hdf5(sources).hdf5
    for templates in (sources, sources[:1]):
        restored = list(hdf5_to_dicom(content, templates))
        assert [one.PixelPaddingValue for one in restored] == [-2000] * 3
        assert all(
            np.array_equal(got[0], [-2000] * 36) for got in cells_by_source(restored).values()
        )


def test_restored_files_are_read_with_the_same_values(ct: list[FileDataset], tmp_path: Any) -> None:
    for one in hdf5_to_dicom(dicom_to_hdf5(ct).hdf5, ct):
        one.save_as(tmp_path / "one.dcm", enforce_file_format=True)
        again = pydicom.dcmread(tmp_path / "one.dcm")
        source = next(s for s in ct if s.ImagePositionPatient == again.ImagePositionPatient)
        assert np.array_equal(
            read_pixels(tmp_path / "one.dcm"), read_pixels(Path(str(source.filename)))
        )


def test_a_gap_between_slices_is_a_warning(ct: list[FileDataset]) -> None:
    part = ct[:5] + ct[8:12]
    converted = dicom_to_hdf5(part)
    assert any("no affine" in line for line in converted.summary["warnings"])
    for source, one in _pairs(part, list(hdf5_to_dicom(converted.hdf5, part))):
        assert one.PixelData == source.PixelData


def test_instances_of_two_series_or_without_place_are_refused(ct: list[FileDataset]) -> None:
    with pytest.raises(SeriesError, match="expected one"):
        dicom_to_hdf5([*ct[:3], *make_series(ramp("<u2", 16), bits_stored=16)])
    del ct[2].ImagePositionPatient
    with pytest.raises(GeometryError, match="no ImagePositionPatient"):
        dicom_to_hdf5(ct[:4])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"StudyInstanceUID": "1.2.3"}, "another patient"),
        ({"Modality": "MR"}, "of modality CT, the template of MR"),
        ({"SamplesPerPixel": 3}, "not a grey image"),
    ],
)
def test_a_template_that_does_not_belong_to_it_is_refused(
    change: dict[str, Any], words: str
) -> None:
    cells = ramp("<u2", 16)
    content = dicom_to_hdf5(make_series(cells, bits_stored=16)).hdf5
    with pytest.raises(SeriesError, match=words):
        list(hdf5_to_dicom(content, make_series(cells, bits_stored=16, **change)))


def test_several_frames_in_an_instance_are_refused_by_their_number(ct: list[FileDataset]) -> None:
    ct[1].NumberOfFrames = 8
    with pytest.raises(GeometryError, match="8 frames, expected single-frame instances"):
        dicom_to_hdf5(ct[:3])


def test_an_only_frame_with_functional_groups_is_refused_wherever_the_root_lies(
    ct: list[FileDataset],
) -> None:
    frame = pydicom.Dataset()
    frame.PlanePositionSequence = [pydicom.Dataset()]
    frame.PlanePositionSequence[0].ImagePositionPatient = [0, 0, 0]
    ct[1].PerFrameFunctionalGroupsSequence = [frame]
    assert dicom_to_hdf5(ct[:3]).hdf5  # no part of a CT Image: its own position counts
    ct[1].SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    with pytest.raises(GeometryError, match="1 frames, expected single-frame instances"):
        dicom_to_hdf5(ct[:3])
