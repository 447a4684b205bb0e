"""Which series a pipeline gets, in which order, and why others are refused."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.errors import GeometryError
from imaging.geometry.placement import RULES_2D, RULES_3D, GeometryRules, place
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header

BOTH = pytest.mark.parametrize("rules", [RULES_2D, RULES_3D], ids=["2d", "3d"])
VARIABLE_3D = GeometryRules(dimensions=3, allow_variable_spacing=True)


@BOTH
def test_a_real_ct_is_one_phase_ordered_along_its_normal(
    ct_headers: tuple[Header, ...], rules: GeometryRules
) -> None:
    shuffled = random.Random(1).sample(ct_headers, len(ct_headers))
    placement = place(shuffled, rules)
    z = [plane_of(header).origin_mm[2] for header in placement.phases[0]]
    assert len(placement.phases) == 1
    assert z == sorted(z)
    assert placement.slice_spacing_mm == pytest.approx(3.27)
    assert placement.warnings == ()


def test_a_real_cine_is_two_phases_with_one_slice_at_each_of_eleven_positions(
    cine_headers: tuple[Header, ...],
) -> None:
    placement = place(cine_headers, RULES_2D)
    assert [len(phase) for phase in placement.phases] == [11, 11]
    assert len(placement.positions_mm) == 11
    for early, late in zip(*placement.phases, strict=True):
        assert early.image_position_mm == late.image_position_mm
        assert early.moment < late.moment


def test_a_volume_may_have_a_frame_of_reference_for_each_slice_unless_forbidden(
    cine_headers: tuple[Header, ...],
) -> None:
    placement = place(cine_headers, RULES_3D)
    assert [len(phase) for phase in placement.phases] == [11, 11]
    with pytest.raises(GeometryError, match="22 frames of reference, expected one"):
        place(cine_headers, replace(RULES_3D, allow_separate_frames=False))


@pytest.mark.parametrize("count", [2, 3, 11])
def test_a_volume_with_a_few_frames_of_reference_is_refused(
    cine_headers: tuple[Header, ...], count: int
) -> None:
    slices = [
        replace(one, frame_of_reference_uid=f"1.2.{n % count}")
        for n, one in enumerate(cine_headers)
    ]
    with pytest.raises(GeometryError, match=f"{count} frames of reference, expected one"):
        place(slices, RULES_3D)


@BOTH
def test_a_missing_slice_is_refused_with_its_place_and_the_distances(
    stack: Any, rules: GeometryRules
) -> None:
    slices = stack([3.0 * n for n in range(60) if n != 41])
    with pytest.raises(
        GeometryError, match=r"Series 1\.2\.3: gap of 6 mm after slice 41, exp.* 3 mm"
    ):
        place(slices, rules)


@BOTH
@pytest.mark.parametrize("lost", [{2}, {1, 2}, {2, 4}, {40, 90}])
def test_every_kind_of_missing_slice_is_a_gap(stack: Any, rules: GeometryRules, lost: Any) -> None:
    with pytest.raises(GeometryError, match="gap of"):
        place(stack([2.5 * n for n in range(100) if n not in lost]), rules)


def test_lost_slices_at_the_ends_cannot_be_known(stack: Any) -> None:
    assert place(stack([2.0, 4.0, 6.0]), RULES_3D).slice_spacing_mm == pytest.approx(2.0)


BLOCKS = [*range(0, 30, 3), *range(30, 61, 5)]


def test_blocks_of_different_spacing_are_fine_by_instance(stack: Any) -> None:
    placement = place(stack(BLOCKS), RULES_2D)
    assert len(placement.phases[0]) == len(BLOCKS)
    assert "5 mm after slice 11, expected 3 mm" in placement.warnings[0]


def test_a_block_with_twice_the_spacing_is_not_a_gap(stack: Any) -> None:
    assert place(stack([0, 2, 4, 6, 8, 12, 16, 20]), RULES_2D).warnings


def test_blocks_of_different_spacing_are_no_grid(stack: Any) -> None:
    with pytest.raises(GeometryError, match="not evenly spaced"):
        place(stack(BLOCKS), RULES_3D)
    assert place(stack(BLOCKS), VARIABLE_3D).warnings


@BOTH
@pytest.mark.parametrize("spacing_mm", [0.5, 0.625, 0.8, 1.25, 2.5, 3.27])
@pytest.mark.parametrize("digits", [1, 2])
def test_positions_rounded_to_a_tenth_are_even(
    ct_headers: tuple[Header, ...], rules: GeometryRules, spacing_mm: float, digits: int
) -> None:
    placement = place(axial(ct_headers[0], spacing_mm, digits), rules)
    assert placement.warnings == ()
    assert placement.slice_spacing_mm == pytest.approx(spacing_mm, abs=0.005)


def test_oblique_positions_rounded_to_a_tenth_are_even(stack: Any) -> None:
    slices = [
        replace(one, image_position_mm=tuple(np.round(one.image_position_mm, 1)))
        for one in stack([0.625 * n for n in range(30)])
    ]
    assert place(slices, RULES_3D).slice_spacing_mm == pytest.approx(0.625, abs=0.005)


@BOTH
@pytest.mark.parametrize("spacing_mm", [0.4, 0.5, 0.625, 0.8])
def test_positions_rounded_so_that_slices_share_one_are_refused_in_words(
    ct_headers: tuple[Header, ...], rules: GeometryRules, spacing_mm: float
) -> None:
    with pytest.raises(GeometryError, match="positions are rounded to 1 mm, so that 30 images"):
        place(axial(ct_headers[0], spacing_mm, 0), rules)


@pytest.mark.parametrize("spacing_mm", [1.25, 2.5])
def test_positions_rounded_coarsely_are_no_volume_and_it_is_said(
    ct_headers: tuple[Header, ...], spacing_mm: float
) -> None:
    with pytest.raises(GeometryError, match="positions are rounded to 1 mm"):
        place(axial(ct_headers[0], spacing_mm, 0), RULES_3D)


@BOTH
@pytest.mark.parametrize("spacing_mm", [0.625, 1.25])
def test_a_missing_slice_between_rounded_positions_is_a_gap(
    ct_headers: tuple[Header, ...], rules: GeometryRules, spacing_mm: float
) -> None:
    slices = axial(ct_headers[0], spacing_mm, 1)
    with pytest.raises(GeometryError, match="gap of"):
        place([*slices[:12], *slices[13:]], rules)


def axial(header: Header, spacing_mm: float, digits: int) -> list[Header]:
    """Thirty slices with their positions rounded."""
    return [
        replace(
            header,
            sop_instance_uid=f"1.2.3.{number}",
            instance_number=number,
            image_position_mm=(-50.0, -60.0, round(-100 + spacing_mm * number, digits)),
        )
        for number in range(30)
    ]


@BOTH
def test_orientations_that_differ_are_refused_with_their_counts(
    stack: Any, rules: GeometryRules
) -> None:
    slices = stack([0.0, 3.0, 6.0])
    slices.append(replace(slices[0], image_orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0)))
    with pytest.raises(GeometryError, match=r"2 orientations \(3, 1 instances\), expected one"):
        place(slices, rules)


@BOTH
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rows": 100}, "several sizes"),
        ({"pixel_spacing_mm": (0.9, 0.9)}, r"pixel spacing of 0\.9000 x 0\.9000 mm in 1 instances"),
        ({"number_of_frames": 8}, r"1\.2\.3\.9: 8 frames without functional groups"),
        ({"samples_per_pixel": 3}, "colour"),
        ({"photometric_interpretation": "PALETTE COLOR"}, r"colour .*\(PALETTE COLOR\), expected"),
        ({"photometric_interpretation": "RGB"}, r"colour .*\(RGB\), expected MONOCHROME1 or"),
        ({"photometric_interpretation": ""}, r"unknown pixels \(no PhotometricInterpretation\)"),
        ({"has_pixel_data": False}, "holds no image"),
        ({"image_position_mm": None}, "no place in the patient"),
    ],
)
def test_one_instance_that_differs_is_refused(
    stack: Any, rules: GeometryRules, change: Any, words: str
) -> None:
    odd = replace(stack([6.0])[0], sop_instance_uid="1.2.3.9", **change)
    with pytest.raises(GeometryError, match=words):
        place([*stack([0.0, 3.0]), odd], rules)


def _tilted(slices: list[Header], shift_mm: float) -> list[Header]:
    step = plane_of(slices[0]).row_step_mm
    down = step / np.linalg.norm(step)
    return [
        replace(header, image_position_mm=tuple(plane_of(header).origin_mm + n * shift_mm * down))
        for n, header in enumerate(slices)
    ]


def test_gantry_tilt_is_refused_for_a_volume_with_its_angle(stack: Any) -> None:
    slices = _tilted(stack([0.0, 5.0, 10.0, 15.0]), 5.0 * np.tan(np.radians(14.0)))
    with pytest.raises(GeometryError, match=r"14\.0 degrees"):
        place(slices, RULES_3D)
    assert "14.0 degrees" in place(slices, RULES_2D).warnings[0]


def test_one_slice_shifted_sideways_is_refused_for_a_volume(stack: Any) -> None:
    slices = stack([0.0, 5.0, 10.0, 15.0])
    slices[2] = _tilted([slices[0], slices[2]], 2.0)[1]
    with pytest.raises(GeometryError, match=r"2\.00 mm beside"):
        place(slices, RULES_3D)


def test_phases_are_split_by_time_then_by_instance_number(stack: Any) -> None:
    late = stack([0.0, 4.0, 8.0], distinctions=(("TriggerTime", 600.0),))
    early = [
        replace(h, distinctions=(("TriggerTime", 20.0),), sop_instance_uid=f"1.2.4.{n}")
        for n, h in enumerate(late)
    ]
    placement = place([*late, *early], RULES_3D)
    assert placement.phases == (tuple(early), tuple(late))
    assert placement.warnings == ()


def test_phases_without_times_are_a_guess_and_say_so(stack: Any) -> None:
    slices = [*stack([0.0, 4.0, 8.0]), *stack([0.0, 4.0, 8.0])]
    slices[3:] = [replace(h, instance_number=9, sop_instance_uid="1.2.9") for h in slices[3:]]
    assert "InstanceNumber alone" in place(slices, RULES_3D).warnings[0]


def test_instances_that_nothing_tells_apart_are_refused(stack: Any) -> None:
    with pytest.raises(GeometryError, match="tells apart"):
        place([*stack([0.0, 4.0]), *stack([0.0, 4.0])], RULES_3D)


def test_a_phase_with_a_lost_instance_is_refused_for_a_volume(
    cine_headers: tuple[Header, ...],
) -> None:
    shared = [replace(header, frame_of_reference_uid="1.2.3") for header in cine_headers]
    assert len(place(shared, RULES_3D).phases) == 2
    with pytest.raises(GeometryError, match="1 at 1 positions, 2 at 10 positions"):
        place(shared[1:], RULES_3D)
    ragged = place(shared[1:], RULES_2D)
    assert [len(phase) for phase in ragged.phases] == [11, 10]
    assert set(ragged.headers) == set(shared[1:])


def test_a_single_slice_is_processed_and_said(stack: Any) -> None:
    placement = place(stack([3.0]), RULES_3D)
    assert placement.slice_spacing_mm is None
    assert "single slice" in placement.warnings[0]


def test_several_instances_at_one_position_are_no_volume(stack: Any) -> None:
    slices = stack([3.0, 3.0, 3.0, 3.0])
    assert [len(phase) for phase in place(slices, RULES_2D).phases] == [1, 1, 1, 1]
    with pytest.raises(GeometryError, match="4 instances at one position"):
        place(slices, RULES_3D)


def test_no_instances_have_no_geometry() -> None:
    with pytest.raises(GeometryError, match="without instances"):
        place([], RULES_2D)


def test_the_order_is_the_same_whatever_order_they_come_in(stack: Any) -> None:
    slices = stack([0.0, 3.0, 6.0])
    again = [replace(header, sop_instance_uid=f"{header.sop_instance_uid}.9") for header in slices]
    frames = [replace(header, frame_number=2) for header in again]
    headers = [replace(one, instance_number=7) for one in (*slices, *again, *frames)]
    placed = place(headers, RULES_2D)
    for seed in range(5):
        shuffled = random.Random(seed).sample(headers, len(headers))
        assert place(shuffled, RULES_2D) == placed
