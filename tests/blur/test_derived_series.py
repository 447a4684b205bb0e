"""Derived instances have the source's patient and geometry, blurred values, and a mark."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import ExplicitVRBigEndian

from core.identity import Provenance
from imaging.derived.blur import gaussian_blur
from imaging.derived.provenance import is_made_here
from imaging.derived.series import build_derived_series
from imaging.instances.header import read_header
from imaging.pixels.reader import Voxels
from imaging.series.series import check_one_series
from imaging.series.volume import Volume, read_volume

KEPT = [
    *("SpecificCharacterSet", "SOPClassUID", "StudyDate", "StudyInstanceUID", "InstanceNumber"),
    *("PatientID", "PatientName", "PatientBirthDate", "AcquisitionDate", "ReferencedImageSequence"),
    *("FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"),
    *("SliceThickness", "Rows", "Columns", "PixelRepresentation", "WindowCenter"),
    *("RescaleSlope", "RescaleIntercept"),
]


def _blurred(volume: Volume) -> Voxels:
    return gaussian_blur(volume.voxels, 3.0, volume.spacing_mm)


@pytest.mark.parametrize("name", ["ct_part", "cine_volume"])
def test_each_slice_is_the_source_instance_in_all_but_its_pixels(
    name: str, request: pytest.FixtureRequest, save: Any, provenance: Provenance
) -> None:
    volume = request.getfixturevalue(name)
    for path, header in zip(save(volume, _blurred(volume)), volume.headers, strict=True):
        derived, source = pydicom.dcmread(path), pydicom.dcmread(header.path)
        assert [derived.get(word) for word in KEPT] == [source.get(word) for word in KEPT]
        reference = derived.SourceImageSequence[0]
        assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert reference.ReferencedSOPClassUID == source.SOPClassUID
        assert derived.SOPInstanceUID == provenance.uid("derived", source.SOPInstanceUID)


def test_it_is_marked_as_derived_and_not_for_dose(
    ct_part: Volume, save: Any, provenance: Provenance
) -> None:
    paths = save(ct_part, _blurred(ct_part))
    derived = pydicom.dcmread(paths[0])
    assert list(derived.ImageType) == ["DERIVED", "SECONDARY", "AXIAL"]
    words = "Blurred 3 mm of IBSI_1_STS_00..T_image, 05-06 07:08 NOT FOR DOSE"
    assert derived.SeriesDescription == words
    assert derived.DerivationDescription == provenance.pipeline
    assert derived.DerivationCodeSequence[0].CodeMeaning == "Gaussian blur"
    assert (derived.SeriesDate, derived.ContentTime) == (provenance.date, provenance.time)
    assert is_made_here(derived)
    assert derived.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


def test_it_is_one_new_series_with_instances_of_its_own(
    ct_part: Volume, save: Any, provenance: Provenance
) -> None:
    headers = [read_header(path) for path in save(ct_part, _blurred(ct_part))]
    assert check_one_series(headers) == []
    assert headers[0].series_instance_uid == provenance.uid("derived series")
    assert headers[0].series_instance_uid != ct_part.headers[0].series_instance_uid
    assert len({header.sop_instance_uid for header in headers}) == len(ct_part.headers)


def test_a_second_attempt_writes_the_same_bytes(
    ct_part: Volume, provenance: Provenance, tmp_path: Path
) -> None:
    written = []
    for name in ("a.dcm", "b.dcm"):
        built = build_derived_series(ct_part, ct_part.voxels, provenance, description="B")
        next(built).save_as(tmp_path / name, enforce_file_format=True)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def test_odd_uids_and_dates_are_passed_on_as_they_are(cine_volume: Volume, save: Any) -> None:
    path = save(cine_volume, _blurred(cine_volume))[0]
    source = pydicom.dcmread(cine_volume.headers[0].path)
    derived = pydicom.dcmread(path)
    assert derived.StudyDate == source.StudyDate == "20120000"
    assert derived.PatientBirthDate == "00000000"
    uids = [item.ReferencedSOPInstanceUID for item in derived.ReferencedImageSequence]
    assert any(".0" in uid for uid in uids)


def test_the_warning_survives_a_long_description(ct_part: Volume, save: Any) -> None:
    derived = pydicom.dcmread(save(ct_part, ct_part.voxels, "é\\" * 60)[0])
    assert len(derived.SeriesDescription) == 64
    assert derived.SeriesDescription.endswith(" NOT FOR DOSE")


def test_names_in_other_scripts_survive(changed: Any, save: Any) -> None:
    def name(data_set: FileDataset, _: int) -> None:
        data_set.SpecificCharacterSet = "ISO_IR 144"
        data_set.PatientName = "Жужа"

    volume = changed(name)
    derived = pydicom.dcmread(save(volume, volume.voxels)[0])
    assert str(derived.PatientName) == "Жужа"


def test_words_of_a_big_endian_source_are_turned(
    ct_volume: Volume, save: Any, tmp_path: Path
) -> None:
    words = np.arange(6, dtype="<u2")
    headers = []
    for index, header in enumerate(ct_volume.headers[:2]):
        data_set = pydicom.dcmread(header.path)
        item = pydicom.Dataset()
        item.add_new("RedPaletteColorLookupTableData", "OW", words.astype(">u2").tobytes())
        data_set.ReferencedImageSequence = [item]
        data_set.PixelData = data_set.pixel_array.astype(">i2").tobytes()
        data_set.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        path = tmp_path / f"source{index}.dcm"
        pydicom.dcmwrite(path, data_set, implicit_vr=False, little_endian=False)
        headers.append(read_header(path))
    volume = read_volume(headers)
    assert np.array_equal(volume.voxels, ct_volume.voxels[:2])
    for path in save(volume, volume.voxels):
        derived = pydicom.dcmread(path)
        (item,) = derived.ReferencedImageSequence
        assert item.RedPaletteColorLookupTableData == words.tobytes()


def test_what_is_no_longer_true_is_gone_and_loss_is_still_told(changed: Any, save: Any) -> None:
    def burden(data_set: FileDataset, _: int) -> None:
        data_set.LossyImageCompression, data_set.LossyImageCompressionRatio = "01", "7"
        data_set.add_new("PixelPaddingValue", "SS", -2000)
        data_set.private_block(0x0029, "VENDOR", create=True).add_new(1, "LO", "scale")
        data_set.add_new(0x60000010, "US", 5)
        data_set.IconImageSequence = [pydicom.Dataset()]
        data_set.ContributingEquipmentSequence = [pydicom.Dataset()]
        data_set.ContributingEquipmentSequence[0].Manufacturer = "Someone"

    volume = changed(burden)
    derived = pydicom.dcmread(save(volume, _blurred(volume))[0])
    assert not [one.tag for one in derived if one.tag.is_private or one.tag.group == 0x6000]
    assert "PixelPaddingValue" not in derived
    assert "IconImageSequence" not in derived
    assert (derived.LossyImageCompression, derived.LossyImageCompressionRatio) == ("01", 7)
    makers = [item.Manufacturer for item in derived.ContributingEquipmentSequence]
    assert makers == ["Someone", "Slicewire"]
    stored = derived.pixel_array
    assert (derived.SmallestImagePixelValue, derived.LargestImagePixelValue) == (
        stored.min(),
        stored.max(),
    )


def _errors(path: Path) -> set[str]:
    run = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    lines = (run.stdout + run.stderr).splitlines()
    assert lines, "dciodvfy said nothing"
    return {line for line in lines if line.startswith("Error")}


@pytest.mark.peer("dciodvfy")
@pytest.mark.parametrize("name", ["ct_part", "cine_volume"])
def test_dciodvfy_finds_no_error_that_the_source_did_not_have(
    name: str, request: pytest.FixtureRequest, save: Any
) -> None:
    volume = request.getfixturevalue(name)
    paths = save(volume, _blurred(volume))
    for index in (0, len(paths) // 2, len(paths) - 1):
        assert _errors(paths[index]) <= _errors(volume.headers[index].path)
