"""Echoes, phases and b-values of one series are never mixed: public reports, tried."""

from typing import TypeVar

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset

from core.errors import GeometryError
from tests.field.conftest import Placed, Volumes, as_ct, at, ct, enhanced, mr
from tests.support.dicom.enhanced import item

SLICES = 6


T = TypeVar("T")


def shuffled(several: list[T]) -> list[T]:
    return [several[index] for index in np.random.default_rng(1).permutation(len(several))]


def test_two_echoes_that_share_numbers_are_two_volumes(volumes: Volumes) -> None:
    """MRtrix3#2346."""

    def describe(image: Dataset, number: int) -> None:
        at(image, number // 2)
        image.InstanceNumber, image.AcquisitionNumber = number // 2 + 1, 1
        image.EchoTime, image.EchoNumbers = (5, 20)[number % 2], number % 2 + 1

    assert volumes(shuffled(mr([1000, 100] * SLICES, describe))) == [[1000] * 6, [100] * 6]


def test_magnitude_and_phase_of_two_echoes_are_four_volumes(volumes: Volumes) -> None:
    """heudiconv#549."""

    def describe(image: Dataset, number: int) -> None:
        at(image, number // 4)
        image.EchoTime = (5, 20)[number % 4 // 2]
        image.ImageType = ["ORIGINAL", "PRIMARY", "MP"[number % 2], "ND"]

    found = volumes(shuffled(mr([1000, 100, 500, 50] * SLICES, describe)))
    assert sorted(found) == [[50] * 6, [100] * 6, [500] * 6, [1000] * 6]


def test_echoes_that_only_private_elements_tell_apart_are_refused(volumes: Volumes) -> None:
    """dcm2niix#359: one EchoTime, one EchoNumbers and shared numbers for all echoes."""

    def describe(image: Dataset, number: int) -> None:
        at(image, number // 2)
        image.InstanceNumber, image.EchoTime, image.EchoNumbers = number // 2 + 1, 5, 1
        block = image.private_block(0x0019, "GEMS_ACQU_01", create=True)
        block.add_new(0xA2, "SL", number % 2 + 1)

    with pytest.raises(GeometryError, match="no attribute tells apart") as found:
        volumes(mr([1000, 100] * SLICES, describe))
    assert found.value.hold.helps.endswith("each kind of image as a series of its own")


def test_the_same_slices_twice_under_other_uids_are_refused(volumes: Volumes) -> None:
    """dicom2nifti#21, pydicer#76."""

    def describe(image: Dataset, number: int) -> None:
        at(image, number % SLICES)
        image.InstanceNumber = number % SLICES + 1

    with pytest.raises(GeometryError, match="2 images at one position"):
        volumes(ct([1000] * 2 * SLICES, describe))


def test_b_values_whose_positions_differ_are_no_volume(volumes: Volumes) -> None:
    """dcm2niix#888: those of b = 0 lie 3.5 mm beside those of b = 2000."""

    def describe(image: Dataset, number: int) -> None:
        at(image, number % SLICES)
        image.ImagePositionPatient[2] += 0.51 * (number // SLICES)
        image.DiffusionBValue = (0.0, 2000.0)[number // SLICES]

    with pytest.raises(GeometryError, match="2 values of DiffusionBValue"):
        volumes(mr([1000] * SLICES + [100] * SLICES, describe))


def test_slices_of_two_echoes_that_fill_one_stack_are_no_volume(volumes: Volumes) -> None:
    """dcm2niix#82: files of one echo were written over those of the other."""

    def describe(image: Dataset, number: int) -> None:
        at(image, number)
        image.EchoTime = 7.38 if number in (2, 4, 5) else 4.92

    with pytest.raises(GeometryError, match="2 values of EchoTime"):
        volumes(mr([1000] * 8, describe))


def acquisitions(number_of_second: int) -> list[FileDataset]:
    def describe(image: Dataset, number: int) -> None:
        at(image, number % SLICES)
        image.AcquisitionNumber = number // SLICES + 1

    return ct([1000] * SLICES + [100] * number_of_second, describe)


def test_two_acquisitions_of_the_same_places_are_two_volumes(volumes: Volumes) -> None:
    """monai-deploy-app-sdk#532."""
    assert volumes(acquisitions(SLICES)) == [[1000] * 6, [100] * 6]


def test_two_acquisitions_of_different_lengths_are_refused_with_counts(volumes: Volumes) -> None:
    """monai-deploy-app-sdk#532."""
    with pytest.raises(GeometryError, match="1 at 2 positions, 2 at 4 positions"):
        volumes(acquisitions(4))


def diffusion(*, with_directions: bool, jumbled: bool = False) -> FileDataset:
    order = [(place, volume) for place in range(SLICES) for volume in range(3)]
    if jumbled:
        order = shuffled(order)

    def describe(groups: Dataset, number: int) -> None:
        place, volume = order[number]
        groups.FrameContentSequence = [
            item(DimensionIndexValues=[1, place + 1, 2 if volume else 1], StackID="1")
        ]
        weighting = item(DiffusionBValue=1000.0 if volume else 0.0)
        if volume and with_directions:
            gradient = [[1, 0, 0], [0, 1, 0]][volume - 1]
            nested = item(DiffusionGradientOrientation=gradient)
            weighting.DiffusionGradientDirectionSequence = [nested]
        groups.MRDiffusionSequence = [weighting]

    values = [(50, 1000, 300)[volume] for _, volume in order]
    return enhanced(values, [place for place, _ in order], describe)


@pytest.mark.parametrize("jumbled", [False, True])
def test_directions_with_equal_dimension_indices_are_volumes_of_their_own(
    volumes: Volumes, jumbled: bool
) -> None:
    """dcm2niix#809, #529, #201."""
    found = volumes([diffusion(with_directions=True, jumbled=jumbled)])
    assert sorted(found) == [[50] * 6, [300] * 6, [1000] * 6]


def test_frames_that_nothing_tells_apart_count_in_a_constant_order_with_a_warning(
    placed: Placed, volumes: Volumes
) -> None:
    """dcm2niix#529."""
    whole = diffusion(with_directions=False)
    assert sorted(volumes([whole])) == [[50] * 6, [300] * 6, [1000] * 6]
    assert "by InstanceNumber alone" in " ".join(placed([whole]).warnings)


def test_jumbled_frames_that_nothing_tells_apart_are_refused(volumes: Volumes) -> None:
    """dcm2niix#201."""
    with pytest.raises(GeometryError, match="InstanceNumber"):
        volumes([diffusion(with_directions=False, jumbled=True)])


def test_volumes_that_all_say_temporal_position_1_count_by_frame_with_a_warning(
    placed: Placed, volumes: Volumes
) -> None:
    """dcm2niix#593: the frames of all volumes are alike in every index."""

    def describe(groups: Dataset, number: int) -> None:
        place = number % SLICES + 1
        groups.FrameContentSequence = [
            item(DimensionIndexValues=[1, place, 1], StackID="1", TemporalPositionIndex=1)
        ]

    whole = enhanced([1000] * 6 + [100] * 6, [*range(6), *range(6)], describe)
    assert volumes([whole]) == [[1000] * 6, [100] * 6]
    assert "by InstanceNumber alone" in " ".join(placed([whole]).warnings)


def test_volumes_of_one_enhanced_instance_each_stay_apart(volumes: Volumes) -> None:
    """dicom2nifti#140: StackID and dimension indices count on from instance to instance."""

    def stack(number: int, value: int) -> FileDataset:
        def describe(groups: Dataset, index: int) -> None:
            moment = f"20220223164321.{715 + number}"
            count = [number, number * SLICES + index + 1]
            groups.FrameContentSequence = [
                item(
                    DimensionIndexValues=count,
                    StackID=str(number),
                    FrameAcquisitionDateTime=moment,
                )
            ]

        return as_ct(enhanced([value] * SLICES, range(SLICES), describe, number))

    found = volumes([stack(number + 1, value) for number, value in enumerate((1000, 400, 100))])
    assert sorted(found) == [[100] * 6, [400] * 6, [1000] * 6]
