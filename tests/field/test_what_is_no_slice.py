"""Scouts, pages and frames without a place are never taken for slices: public reports, tried."""

import pytest
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID

from core.errors import SlicewireError
from tests.field.conftest import STEP_MM, Placed, Volumes, at, ct, enhanced, mr
from tests.support.dicom.enhanced import item

NUCLEAR_MEDICINE = UID("1.2.840.10008.5.1.4.1.1.20")


def test_an_axial_page_among_coronal_slices_is_set_aside_with_a_warning(placed: Placed) -> None:
    """rse-panimg#126."""

    def describe(image: Dataset, number: int) -> None:
        if number == 6:
            at(image, 0)
            image.ImageType = ["DERIVED", "SECONDARY", "REFORMATTED"]
        else:
            image.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
            image.ImagePositionPatient = [0, 3 * number, 0]

    found = placed(ct([1000] * 7, describe))
    assert [len(phase) for phase in found.phases] == [6]
    assert "1 of 7 images set aside, no slice: in another plane" in found.warnings[0]


def test_localizers_among_slices_are_set_aside_with_a_warning(placed: Placed) -> None:
    """picai_prep#39, Slicer#5055, vtk-dicom#98."""

    def describe(image: Dataset, number: int) -> None:
        at(image, number)
        if number >= 7:
            image.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]

    images = mr([1000] * 9, describe)
    for image in images[7:]:
        image.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    found = placed(images)
    assert [len(phase) for phase in found.phases] == [7]
    assert "2 of 9 images are localizers" in found.warnings[0]


def frames_without_a_place(sop_class_uid: UID | None = None) -> FileDataset:
    (image,) = ct([1000], lambda *_: None, SpacingBetweenSlices=-3)
    image.NumberOfFrames, image.PixelData = 6, image.PixelData * 6
    detector = item(
        ImagePositionPatient=image.ImagePositionPatient,
        ImageOrientationPatient=image.ImageOrientationPatient,
    )
    del image.ImagePositionPatient, image.ImageOrientationPatient
    if sop_class_uid is not None:
        image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = sop_class_uid
        image.Modality, image.DetectorInformationSequence = "NM", [detector]
    return image


def test_frames_in_a_single_frame_class_have_no_place(volumes: Volumes) -> None:
    """Slicer#7496: neither SliceThickness nor SpacingBetweenSlices says where a frame lies."""
    with pytest.raises(SlicewireError, match="no place in the patient"):
        volumes([frames_without_a_place()])


def test_frames_of_nuclear_medicine_have_no_place(volumes: Volumes) -> None:
    """ami#293: one position of the detector for all frames, and a negative spacing."""
    with pytest.raises(SlicewireError, match="a nuclear medicine image without a position"):
        volumes([frames_without_a_place(NUCLEAR_MEDICINE)])


def test_frames_of_three_orientations_are_no_volume(volumes: Volumes) -> None:
    """dcm2niix#894."""
    planes = ([1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1])

    def describe(groups: Dataset, number: int) -> None:
        orientation = item(ImageOrientationPatient=planes[number % 3])
        groups.PlaneOrientationSequence = [orientation]

    with pytest.raises(SlicewireError, match="3 orientations"):
        volumes([enhanced([1000] * 6, range(6), describe)])


def test_a_macro_in_both_groups_each_half_filled_is_filled_from_both(placed: Placed) -> None:
    """cornerstone3D#2291: a macro should be in the shared or in the frames' groups alone."""
    whole = enhanced([1000] * 6, range(6), thickness_of_its_own)
    (shared,) = whole.SharedFunctionalGroupsSequence
    shared.PixelMeasuresSequence = [item(PixelSpacing=[0.5, 0.7])]
    (phase,) = placed([whole]).phases
    assert [one.pixel_spacing_mm for one in phase] == [(0.5, 0.7)] * 6
    assert [one.distinction("SliceThickness") for one in phase] == [STEP_MM] * 6


def thickness_of_its_own(groups: Dataset, _: int) -> None:
    groups.PixelMeasuresSequence = [item(SliceThickness=STEP_MM)]
