"""A frame's attributes come from the macros of PS3.3 C.7.6.16, each from its own sequence."""

from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset

from imaging.enhanced.functional_groups import MACROS, frame_groups
from imaging.instances.frames import read_headers, rescaling
from imaging.instances.header import read_header

PHILIPS = Path(__file__).parent.parent / "cases/images/philips_private_ipp/e.dcm"
ENHANCED_MR, MR = "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4"
ELSEWHERE = {"ImagePositionPatient": [9, 9, 9], "PixelSpacing": [9, 9], "RescaleSlope": "9"}


def item(**attributes: Any) -> Dataset:
    data_set = Dataset()
    for keyword, value in attributes.items():
        setattr(data_set, keyword, value)
    return data_set


def with_groups(own: Dataset, *shared: Dataset) -> Dataset:
    return item(PerFrameFunctionalGroupsSequence=[own], SharedFunctionalGroupsSequence=shared)


@pytest.fixture
def philips() -> FileDataset:
    return pydicom.dcmread(PHILIPS)


def saved(data_set: FileDataset, folder: Path) -> Path:
    data_set.save_as(folder / "changed.dcm")
    return folder / "changed.dcm"


def test_every_macro_and_attribute_is_one_of_the_standard() -> None:
    words = [*MACROS, *" ".join(MACROS.values()).split()]
    assert [word for word in words if pydicom.datadict.tag_for_keyword(word) is None] == []


def test_a_private_sequence_in_a_frames_groups_does_not_move_it() -> None:
    positions = {header.image_position_mm for header in read_headers(PHILIPS)}
    assert positions == {(-50.0, -60.0, z) for z in (-100.0, -96.0, -92.0, -88.0, -84.0, -80.0)}


def test_private_values_stand_in_for_nothing_that_the_macros_lack(
    philips: FileDataset, tmp_path: Path
) -> None:
    del philips.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    for groups in philips.PerFrameFunctionalGroupsSequence:
        del groups.PixelValueTransformationSequence
        groups[0x2005140F].value[0].update(item(RescaleSlope="7", RescaleIntercept="5"))
    assert set(rescaling(philips)) == {(1.0, 0.0)}
    assert {one.pixel_spacing_mm for one in read_headers(saved(philips, tmp_path))} == {None}


def test_private_groups_shared_by_all_frames_say_nothing_either(philips: FileDataset) -> None:
    shared = philips.SharedFunctionalGroupsSequence[0]
    block = shared.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
    block.add_new(0x0E, "SQ", [item(**ELSEWHERE, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])])
    flat = frame_groups(philips, 1)
    assert flat.ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
    assert flat.PixelSpacing == [4, 4]


def test_an_attribute_in_a_macro_of_another_kind_says_nothing() -> None:
    own = item(
        PlanePositionSequence=[item(ImagePositionPatient=[1, 2, 3], PixelSpacing=[8, 8])],
        PixelMeasuresSequence=[item(PixelSpacing=[4, 4], ImagePositionPatient=[9, 9, 9])],
        DerivationImageSequence=[item(**ELSEWHERE)],
        RealWorldValueMappingSequence=[item(RescaleSlope="9")],
    )
    flat = frame_groups(with_groups(own), 1)
    assert (flat.ImagePositionPatient, flat.PixelSpacing) == ([1, 2, 3], [4, 4])
    assert "RescaleSlope" not in flat


def test_a_frames_own_macro_counts_more_than_the_shared_one() -> None:
    own = item(PixelMeasuresSequence=[item(PixelSpacing=[2, 2])])
    shared = item(PixelMeasuresSequence=[item(PixelSpacing=[3, 3])])
    assert frame_groups(with_groups(own, shared), 1).PixelSpacing == [2, 2]


@pytest.mark.parametrize("own", [[], [Dataset()], [item(PixelSpacing=None)]])
def test_an_empty_macro_of_a_frame_leaves_the_shared_one(own: list[Dataset]) -> None:
    shared = item(PixelMeasuresSequence=[item(PixelSpacing=[3, 3])])
    groups = with_groups(item(PixelMeasuresSequence=own), shared)
    assert frame_groups(groups, 1).PixelSpacing == [3, 3]


def test_the_first_item_of_a_macro_and_of_the_shared_groups_counts() -> None:
    own = item(PlanePositionSequence=[item(ImagePositionPatient=[n, 0, 0]) for n in (1, 2)])
    shared = [item(PixelMeasuresSequence=[item(PixelSpacing=[n, n])]) for n in (3, 4)]
    flat = frame_groups(with_groups(own, *shared), 1)
    assert (flat.ImagePositionPatient, flat.PixelSpacing) == ([1, 0, 0], [3, 3])


def test_converted_attributes_stand_in_and_override_no_macro() -> None:
    own = item(
        PlanePositionSequence=[item(ImagePositionPatient=[1, 2, 3])],
        UnassignedPerFrameConvertedAttributesSequence=[item(**ELSEWHERE, EchoTime="30")],
    )
    shared = item(
        PixelMeasuresSequence=[item(PixelSpacing=[3, 3])],
        UnassignedSharedConvertedAttributesSequence=[item(EchoTime="40", KVP="120")],
    )
    flat = frame_groups(with_groups(own, shared), 1)
    assert (flat.ImagePositionPatient, flat.PixelSpacing) == ([1, 2, 3], [3, 3])
    assert (flat.EchoTime, flat.KVP, flat.RescaleSlope) == (30, 120, 9)


def test_the_root_of_an_enhanced_instance_does_not_move_its_only_frame(
    philips: FileDataset, tmp_path: Path
) -> None:
    philips.NumberOfFrames = 1
    philips.PerFrameFunctionalGroupsSequence = philips.PerFrameFunctionalGroupsSequence[:1]
    philips.PixelData = philips.PixelData[: 2 * 32 * 40]
    for keyword, value in ELSEWHERE.items():
        setattr(philips, keyword, value)
    [frame] = read_headers(saved(philips, tmp_path))
    assert (frame.image_position_mm, frame.frame_number) == ((-50.0, -60.0, -100.0), 1)
    philips.SOPClassUID = MR  # where functional groups are no part of the IOD
    [whole] = read_headers(saved(philips, tmp_path))
    assert (whole.image_position_mm, whole.frame_number) == ((9.0, 9.0, 9.0), None)


def test_private_sequences_of_a_single_frame_say_nothing(ct_folder: Path, tmp_path: Path) -> None:
    path = sorted(ct_folder.glob("*.dcm"))[0]
    data_set = pydicom.dcmread(path)
    block = data_set.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
    block.add_new(0x0F, "SQ", [item(**ELSEWHERE)])
    changed, source = read_header(saved(data_set, tmp_path)), read_header(path)
    assert changed.image_position_mm == source.image_position_mm
    assert changed.pixel_spacing_mm == source.pixel_spacing_mm


def test_rescale_values_of_the_instance_count_where_no_frame_has_any(
    philips: FileDataset,
) -> None:
    for groups in philips.PerFrameFunctionalGroupsSequence[1:]:
        del groups.PixelValueTransformationSequence
    philips.RescaleSlope, philips.RescaleIntercept = "2", "-1024"
    assert list(rescaling(philips)) == [(1.0, 0.0), *[(2.0, -1024.0)] * 5]
