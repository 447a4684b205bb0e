"""Frames of enhanced instances come back as the single-frame images that their IOD asks for."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import FileDataset

from pipeline.entry import run_job
from tests.support.dicom.enhanced import code, enhanced, item
from tests.support.jobs import request_for
from tests.support.samples import CASES

CLASSES = {"CT": "CT Image Storage", "MR": "MR Image Storage"} | {
    "PET": "Positron Emission Tomography Image Storage"
}
FILES = {
    "philips_private_ipp/e.dcm": "MR",
    "philips_enhanced_real_d2n/IM-0001-9600-0001.dcm": "MR",
    "legacy_converted/Enhanced_CT/e.dcm": "CT",
    "legacy_converted/Enhanced_PET/e.dcm": "PET",
    "legacy_converted/LCE-CT/e.dcm": "CT",
    "legacy_converted/LCE-MR/e.dcm": "MR",
    "legacy_converted/LCE-PET/e.dcm": "PET",
}
MR = {
    "ImageType": ["DERIVED", "SECONDARY", "PHASE MAP", "PHASE"],
    "ScanningSequence": ["GR", "IR"],
    "SequenceVariant": ["SK", "SP"],
    "ScanOptions": ["PFP", "SP"],
    "MRAcquisitionType": "3D",
    "EchoTime": 4.6,
    "EchoTrainLength": 2,
    "RepetitionTime": 2300,
    "InversionTime": 900,
    "InPlanePhaseEncodingDirection": "COL",
    "PixelBandwidth": 200,
    "ImagingFrequency": 127.7,
    "ImagedNucleus": "1H",
    "SequenceName": "tfl3d",
    "AcquisitionNumber": 3,
    "AcquisitionTime": "120010.5",
    "SliceThickness": 1,
}
CT = {
    "ImageType": ["DERIVED", "SECONDARY", "AXIAL"],
    "KVP": 120,
    "AcquisitionNumber": 3,
    "ExposureTime": 500,
    "XRayTubeCurrent": 200,
    "Exposure": 100,
    "ConvolutionKernel": "B30f",
    "GantryDetectorTilt": 0,
    "RescaleIntercept": 0,
}
PET = {
    "ImageType": ["DERIVED", "PRIMARY"],
    "Units": "BQML",
    "CountsSource": "EMISSION",
    "SeriesType": ["STATIC", "IMAGE"],
    "DecayCorrection": "ADMIN",
    "CorrectedImage": ["DECY", "ATTN", "RAN"],
    "DecayFactor": 1.02,
    "NumberOfSlices": 6,
    "FrameReferenceTime": 30000,
    "ActualFrameDuration": 2000,
    "RescaleIntercept": 0,
    "SeriesTime": "120000",
}
Blur = Callable[[Path], list[Path]]


@pytest.fixture
def blur(tmp_path: Path) -> Blur:
    def derived(path: Path) -> list[Path]:
        request = request_for([path], tmp_path, "blur", {"sigma_mm": 1.0})
        result = run_job(request, lambda *_: None, {})
        return [Path(request.output_dir, one.path) for one in result.instances]

    return derived


def saved(data_set: FileDataset, folder: Path) -> Path:
    data_set.save_as(folder / "enhanced.dcm")
    return folder / "enhanced.dcm"


def errors(path: Path) -> list[str]:
    run = subprocess.run(
        ["/usr/bin/dciodvfy", str(path)], capture_output=True, text=True, check=False
    )
    lines = (run.stdout + run.stderr).splitlines()
    assert lines, "dciodvfy said nothing"
    return [line for line in lines if line.startswith("Error")]


@pytest.mark.peer("dciodvfy")
@pytest.mark.parametrize("name", FILES)
def test_dciodvfy_finds_no_error(name: str, blur: Blur) -> None:
    derived = blur(CASES / name)
    assert {pydicom.dcmread(path).SOPClassUID.name for path in derived} == {CLASSES[FILES[name]]}
    assert [line for path in derived for line in errors(path)] == []


@pytest.mark.peer("dciodvfy")
@pytest.mark.parametrize("name", CLASSES)
def test_dciodvfy_finds_no_error_where_every_macro_speaks(
    name: str, blur: Blur, tmp_path: Path
) -> None:
    derived = blur(saved(enhanced(name), tmp_path))
    assert [line for path in derived for line in errors(path)] == []


def test_a_date_of_acquisition_is_not_joined_with_the_time_of_a_frame(
    blur: Blur, tmp_path: Path
) -> None:
    data_set = enhanced("MR")
    data_set.AcquisitionDate = "20200101"
    derived = pydicom.dcmread(blur(saved(data_set, tmp_path))[0])
    assert derived.AcquisitionDate == "20200101"
    assert not derived.get("AcquisitionTime")


@pytest.mark.parametrize(("name", "expected"), [("MR", MR), ("CT", CT), ("PET", PET)])
def test_macros_become_the_attributes_of_the_single_frame_class(
    name: str, expected: dict[str, Any], blur: Blur, tmp_path: Path
) -> None:
    derived = pydicom.dcmread(blur(saved(enhanced(name), tmp_path))[0])
    found = {keyword: derived[keyword].value for keyword in expected}
    assert found == expected
    left = (
        "PixelPresentation",
        "DecayCorrectionDateTime",
        "FrameType",
        "EchoPulseSequence",
        "DecayCorrected",
        "StackID",
    )
    assert [keyword for keyword in left if keyword in derived] == []


def test_pet_images_are_numbered_along_the_stack(blur: Blur, tmp_path: Path) -> None:
    derived = [pydicom.dcmread(path) for path in blur(saved(enhanced("PET"), tmp_path))]
    assert [one.ImageIndex for one in derived] == [1, 2, 3, 4, 5, 6]
    lying = derived[0].PatientOrientationCodeSequence[0]
    assert lying.PatientOrientationModifierCodeSequence[0].CodeMeaning == "supine"
    assert derived[0].PatientGantryRelationshipCodeSequence[0].CodeMeaning == "headfirst"
    assert "PatientPosition" not in derived[0]


def test_pet_images_of_several_times_are_numbered_time_after_time(
    blur: Blur, tmp_path: Path
) -> None:
    source = enhanced("PET")
    for number, groups in enumerate(source.PerFrameFunctionalGroupsSequence):
        groups.FrameContentSequence[0].TemporalPositionIndex = number % 2 + 1
        groups.PlanePositionSequence[0].ImagePositionPatient = [-50, -60, number // 2 - 90]
    derived = [pydicom.dcmread(path) for path in blur(saved(source, tmp_path))]
    assert [one.ImageIndex for one in derived] == [1, 2, 3, 4, 5, 6]
    assert {(one.SeriesType[0], one.NumberOfSlices, one.NumberOfTimeSlices) for one in derived} == {
        ("DYNAMIC", 3, 2)
    }
    assert [one.ImagePositionPatient[2] for one in derived] == [-90, -89, -88] * 2


def test_contrast_agents_are_named(blur: Blur, tmp_path: Path) -> None:
    source = enhanced("CT")
    source.ContrastBolusAgentSequence = [code(str(n), "SCT", f"agent {n}") for n in (1, 2)]
    assert (
        pydicom.dcmread(blur(saved(source, tmp_path))[0]).ContrastBolusAgent == "agent 1, agent 2"
    )


def test_times_that_are_no_numbers_are_left_empty(blur: Blur, tmp_path: Path) -> None:
    source = enhanced("MR")
    shared = source.SharedFunctionalGroupsSequence[0]
    shared.MREchoSequence[0].EffectiveEchoTime = float("nan")
    shared.MRModifierSequence[0].InversionTimes = None
    derived = pydicom.dcmread(blur(saved(source, tmp_path))[0])
    assert (derived.EchoTime, derived.InversionTime) == (None, None)


def test_cine_frames_keep_their_times(blur: Blur, tmp_path: Path) -> None:
    source = enhanced("MR")
    for number, groups in enumerate(source.PerFrameFunctionalGroupsSequence):
        delay = item(NominalCardiacTriggerDelayTime=40.0 * (number % 2))
        groups.CardiacSynchronizationSequence = [delay]
        groups.FrameContentSequence[0].TemporalPositionIndex = number % 2 + 1
        groups.PlanePositionSequence[0].ImagePositionPatient = [-50, -60, 4 * (number // 2)]
    derived = [pydicom.dcmread(path) for path in blur(saved(source, tmp_path))]
    times = [(one.TemporalPositionIdentifier, one.TriggerTime) for one in derived]
    assert times == [(1, 0), (1, 0), (1, 0), (2, 40), (2, 40), (2, 40)]
    assert {"CG" in one.ScanOptions for one in derived} == {True}


def test_what_an_original_said_before_conversion_is_said_again(blur: Blur, tmp_path: Path) -> None:
    source = pydicom.dcmread(CASES / "legacy_converted/LCE-MR/e.dcm")
    original = pydicom.Dataset()
    original.ScanningSequence, original.SequenceVariant = "SE", "SK"
    original.EchoTime, original.ImagePositionPatient = "80", [9, 9, 9]
    shared = source.SharedFunctionalGroupsSequence[0]
    shared.UnassignedSharedConvertedAttributesSequence = [original]
    derived = [pydicom.dcmread(path) for path in blur(saved(source, tmp_path))]
    assert {(one.ScanningSequence, one.EchoTime) for one in derived} == {("SE", 80)}
    assert {tuple(one.ImagePositionPatient[:2]) for one in derived} == {(-50, -60)}


def test_blurred_frames_lie_where_the_standard_puts_them(blur: Blur) -> None:
    derived = [pydicom.dcmread(one) for one in blur(CASES / "philips_private_ipp/e.dcm")]
    positions = [list(one.ImagePositionPatient) for one in derived]
    assert positions == [[-50, -60, z] for z in (-100, -96, -92, -88, -84, -80)]
    assert not any(one.tag.is_private for data_set in derived for one in data_set.iterall())
