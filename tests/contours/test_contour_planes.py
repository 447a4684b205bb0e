"""Contours of several planes on one slice: even-odd within a plane, the nearest plane counts."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imaging.contours.findings import Finding, FindingKind, summarise
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header
from imaging.rtstruct.placement import Reference
from imaging.rtstruct.planes import PlacedContour, choose_planes
from imaging.rtstruct.reader import Contour, read_structure_set
from imaging.rtstruct.to_masks import to_masks
from tests.support.dicom.drawn_contours import counts, drawn, holding, on

Phantom = Callable[..., list[Header]]
BALL_MM = 12.0
BALL = [137, 277, 373, 437, 441, 437, 373, 277, 137]
"""Pixel centres in the ball on slices 2.5 mm apart, 1 mm pixels."""
CENTRE = np.array([20.0, 18.0])
STEP_MM = 2.5


@pytest.fixture
def ball_headers(write_phantom: Phantom) -> list[Header]:
    """Slices from -15 to 15 mm about the ball's centre."""
    offsets_mm = tuple(at * STEP_MM for at in range(-6, 7))
    return write_phantom(offsets_mm, Rows=36, Columns=44, PixelSpacing=[1.0, 1.0])


def ball(headers: list[Header], heights_mm: np.ndarray, *, refer: bool = False) -> list[Contour]:
    """Its outline at each height over the middle slice."""
    middle = headers[len(headers) // 2]
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    contours = []
    for height_mm in heights_mm[np.abs(heights_mm) < BALL_MM].tolist():
        radius = np.sqrt(BALL_MM**2 - height_mm**2) + 0.02  # centres on the border are inside
        nearest = min(max(round(height_mm / STEP_MM) + 6, 0), 12)
        uid = headers[nearest].sop_instance_uid if refer else ""
        contours.append(drawn(middle, CENTRE + radius * circle, height_mm, uid))
    return contours


def kinds(findings: list[Finding]) -> set[FindingKind]:
    return {one.kind for one in findings}


@pytest.mark.parametrize("refer", [True, False])
@pytest.mark.parametrize("spacing_mm", [0.25, 0.5, 1.0, 1.25, 2.5])
def test_ball_keeps_its_voxels_where_contours_are_closer_than_slices(
    ball_headers: list[Header], spacing_mm: float, refer: bool
) -> None:
    heights_mm = np.arange(-48, 49) * spacing_mm
    placed, findings = counts(holding(*ball(ball_headers, heights_mm, refer=refer)), ball_headers)
    assert placed[2:11] == BALL
    assert sum(placed) == 2889
    assert (FindingKind.PASSED_OVER in kinds(findings)) == (spacing_mm < STEP_MM)
    assert (FindingKind.HALFWAY in kinds(findings)) == (spacing_mm == 1.0)
    ends_before_a_slice = spacing_mm in {0.25, 0.5} or (spacing_mm == 1.25 and not refer)
    assert (FindingKind.ENDS in kinds(findings)) == ends_before_a_slice


def test_structure_of_close_planes_between_two_slices_is_not_lost(
    write_phantom: Phantom,
) -> None:
    headers = write_phantom()
    contours = [on(headers[1], offset_mm) for offset_mm in (0.7, 0.9)]
    placed, findings = counts(holding(*contours), headers)
    assert placed == [0, 24, 0, 0]
    assert [one.contour for one in findings if one.kind is FindingKind.PASSED_OVER] == [2]


def test_planes_that_are_passed_over_are_counted_with_their_distance(
    ball_headers: list[Header],
) -> None:
    heights_mm = np.arange(-11.0, 12.0)
    _, findings = counts(holding(*ball(ball_headers, heights_mm, refer=True)), ball_headers)
    (words,) = [one for one in summarise(findings) if "passed over" in one]
    assert words == (
        "ROI 1 'GTV' lies farther from its slice than another plane, passed over; "
        "10 contours, up to 1.00 mm"
    )
    passed = [one for one in findings if one.kind is FindingKind.PASSED_OVER]
    assert all(one.is_dropped for one in passed)
    assert passed[0].detail == "1.00 mm off instance 1.2.3.9.3, another 0.00 mm"


def test_hole_belongs_to_the_contours_of_its_own_plane_alone(write_phantom: Phantom) -> None:
    headers = write_phantom()
    hole = np.array([(4.5, 2.5), (6.5, 2.5), (6.5, 4.5), (4.5, 4.5)])
    for kind in ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR"):
        contours = [on(headers[1], 0.0, kind=kind), on(headers[1], 0.9, kind=kind)]
        near, far = (drawn(headers[1], hole, at, kind=kind) for at in (0.0, 0.9))
        assert counts(holding(*contours, near), headers)[0] == [0, 20, 0, 0]
        assert counts(holding(*contours, far), headers)[0] == [0, 24, 0, 0]


@pytest.mark.parametrize("noise_mm", [0.01, 0.05])
def test_contours_of_one_plane_are_one_in_spite_of_rounding(
    write_phantom: Phantom, noise_mm: float
) -> None:
    headers = write_phantom()
    hole = np.array([(4.5, 2.5), (6.5, 2.5), (6.5, 4.5), (4.5, 4.5)])
    contours = [on(headers[1], noise_mm), drawn(headers[1], hole, -noise_mm / 2)]
    placed, findings = counts(holding(*contours), headers)
    assert placed == [0, 20, 0, 0]
    assert kinds(findings) == {FindingKind.UNREFERENCED}
    rounded = [
        replace(one, points_mm=np.round(one.points_mm / noise_mm) * noise_mm) for one in contours
    ]
    assert counts(holding(*rounded), headers)[0] == [0, 20, 0, 0]


def test_tilted_contours_are_one_plane_where_their_points_are(write_phantom: Phantom) -> None:
    headers = write_phantom()
    hole = np.array([(6.5, 2.5), (8.4, 2.5), (8.4, 4.5), (6.5, 4.5)])
    tilt = 0.1  # mm a column: 0.6 mm over the square

    def tilted(pixels: np.ndarray, offset_mm: float) -> Contour:
        plane = plane_of(headers[1])
        along = (offset_mm + tilt * (pixels[:, :1] - 5.5)) * plane.normal
        return Contour(plane.to_patient(pixels) + along, "CLOSED_PLANAR")

    square = np.array([(2.5, 1.5), (8.5, 1.5), (8.5, 5.5), (2.5, 5.5)])
    near = [tilted(square, 0.0), tilted(hole, 0.0)]
    assert counts(holding(*near), headers)[0] == [0, 20, 0, 0]
    beside = [tilted(square, 0.8), tilted(hole, -0.8)]
    placed, findings = counts(holding(*near, *beside), headers)
    assert placed == [0, 20, 0, 0]
    passed = [one.contour for one in findings if one.kind is FindingKind.PASSED_OVER]
    assert sorted(filter(None, passed)) == [3, 4]


def test_of_two_planes_equally_near_the_shape_between_them_is_filled(
    write_phantom: Phantom,
) -> None:
    headers = write_phantom()
    small = np.array([(4.5, 3.5), (10.5, 3.5), (10.5, 7.5), (4.5, 7.5)])
    wide = np.array([(2.5, 3.5), (12.5, 3.5), (12.5, 7.5), (2.5, 7.5)])
    contours = [drawn(headers[1], small, 0.5), drawn(headers[1], wide, -0.5)]
    placed, findings = counts(holding(*contours), headers)
    assert placed == [0, 8 * 4, 0, 0]
    halfway = [one for one in findings if one.kind is FindingKind.HALFWAY]
    assert [(one.contour, one.is_dropped) for one in halfway] == [(2, False), (1, False)]
    assert halfway[0].distance_mm == pytest.approx(0.5)


def test_of_two_planes_equally_near_without_a_shape_between_them_the_lower_counts(
    write_phantom: Phantom,
) -> None:
    headers = write_phantom()
    far = on(headers[1], 0.5)
    low = drawn(headers[1], np.array([(15.5, 8.5), (18.5, 8.5), (18.5, 10.5), (15.5, 10.5)]), -0.5)
    assert counts(holding(far, low), headers)[0] == [0, 6, 0, 0]


def test_single_points_do_not_take_the_place_of_an_outline(write_phantom: Phantom) -> None:
    headers = write_phantom()
    point = drawn(headers[1], np.array([(5.3, 3.2)]))
    placed, findings = counts(holding(on(headers[1], 0.9), point), headers)
    assert placed == [0, 24, 0, 0]
    assert FindingKind.TOO_FEW_POINTS in kinds(findings)
    assert FindingKind.PASSED_OVER not in kinds(findings)


@pytest.mark.parametrize("offset_mm", [0.134, 1.2])
def test_contour_beside_a_slice_is_filled_on_the_nearer_one(
    write_phantom: Phantom, offset_mm: float
) -> None:
    headers = write_phantom()
    assert counts(holding(on(headers[1], offset_mm)), headers)[0] == [0, 24, 0, 0]
    assert counts(holding(on(headers[1], -offset_mm)), headers)[0] == [0, 24, 0, 0]


@pytest.mark.parametrize("noise_mm", [0.0, 0.01, 0.1])
def test_contour_midway_between_slices_is_on_the_lower_one(
    write_phantom: Phantom, noise_mm: float
) -> None:
    for offsets_mm in ((0.0, 2.5, 5.0, 7.5), (7.5, 5.0, 2.5, 0.0)):
        headers = write_phantom(offsets_mm)
        lower = offsets_mm.index(2.5)
        contour = on(headers[lower], 1.25)
        if noise_mm:
            rounded = np.round(contour.points_mm / noise_mm) * noise_mm
            contour = replace(contour, points_mm=rounded)
        placed, (finding,) = counts(holding(contour), headers)
        assert sum(placed) == 24
        if noise_mm == 0.0:
            assert placed[lower] == 24
            assert finding.kind is FindingKind.MIDWAY
            assert finding.distance_mm == pytest.approx(1.25)


def test_contour_midway_is_placed_where_directions_are_rounded(write_phantom: Phantom) -> None:
    headers = write_phantom((0.0, 2.5))
    orientation = (*(headers[1].image_orientation or ())[:5], 0.8000001)
    headers[1] = replace(headers[1], image_orientation=orientation)
    placed, (finding,) = counts(holding(on(headers[0], 1.25)), headers)
    assert placed == [24, 0]
    assert finding.kind is FindingKind.MIDWAY


@pytest.mark.parametrize("step", [2, 3])
def test_real_contours_are_exact_on_every_slice_that_is_left_of_a_thinned_series(
    ct_headers: list[Header], ct_structure_set: Path, step: int
) -> None:
    headers = sorted(ct_headers, key=lambda one: (one.image_position_mm or (0, 0, 0))[2])
    structure_set = read_structure_set(ct_structure_set)
    whole, _ = to_masks(structure_set, headers)
    for start in range(step):
        masks, findings = to_masks(structure_set, headers[start::step])
        assert FindingKind.PASSED_OVER in kinds(findings)
        assert FindingKind.SKIPPED not in kinds(findings)
        for name, mask in masks.items():
            assert np.array_equal(mask, whole[name][start::step])


def test_contour_midway_among_phases_is_not_guessed(write_phantom: Phantom) -> None:
    headers = write_phantom((0.0, 0.0, 2.5, 2.5))
    placed, (finding,) = counts(holding(on(headers[0], 1.25)), headers)
    assert placed == [0, 0, 0, 0]
    assert finding.kind is FindingKind.AMBIGUOUS


def test_planes_are_chosen_for_each_phase_that_contours_refer_to(write_phantom: Phantom) -> None:
    headers = write_phantom((0.0, 0.0, 2.5, 2.5))
    first, second = (header.sop_instance_uid for header in headers[:2])
    both = replace(on(headers[0], 1.0), references=(Reference(first), Reference(second)))
    placed, findings = counts(holding(both, on(headers[0], 0.0, second)), headers)
    assert placed == [24, 24, 0, 0]
    (passed,) = [one for one in findings if one.kind is FindingKind.PASSED_OVER]
    assert second in passed.detail


def test_chains_of_pixel_centres_of_several_planes_do_not_add_up(write_phantom: Phantom) -> None:
    headers = write_phantom()
    chain = np.array([(2.0, 2.0), (8.0, 2.0), (8.0, 6.0), (2.0, 6.0)])
    contours = [drawn(headers[1], chain, 0.0), drawn(headers[1], chain + 3.0, 1.0)]
    placed, findings = counts(holding(*contours), headers)
    assert placed == [0, 35, 0, 0]
    assert {FindingKind.ON_CENTRES, FindingKind.PASSED_OVER} <= kinds(findings)


def test_interpolated_planar_is_filled_as_closed_planar_and_said(write_phantom: Phantom) -> None:
    headers = write_phantom()
    hole = np.array([(4.5, 2.5), (6.5, 2.5), (6.5, 4.5), (4.5, 4.5)])
    uid = headers[2].sop_instance_uid
    contours = [
        on(headers[2], 0.0, uid, "INTERPOLATED_PLANAR"),
        drawn(headers[2], hole, 0.0, uid, "INTERPOLATED_PLANAR"),
    ]
    placed, findings = counts(holding(*contours), headers)
    assert placed == [0, 0, 20, 0]
    assert [one.kind for one in findings] == [FindingKind.INTERPOLATED] * 2
    again, findings = counts(holding(contours[0], contours[0]), headers)
    assert again == [0, 0, 24, 0]
    assert FindingKind.REPEATED in kinds(findings)


def test_one_plane_is_told_from_another_by_tenths_of_a_millimetre() -> None:
    def at(offset_mm: float, number: int) -> PlacedContour:
        return PlacedContour.from_points(number, np.eye(3, 2) * 9.0, np.full(3, offset_mm))

    one = choose_planes([at(0.0, 1), at(0.09, 2)])
    assert [[c.number for c in plane] for plane in one.planes] == [[1, 2]]
    two = choose_planes([at(0.3, 1), at(-0.14, 2), at(-0.14, 3)])
    assert [[c.number for c in plane] for plane in two.planes] == [[2, 3]]
    assert [(c.number, mm) for c, mm in two.passed_over] == [(1, 0.3)]
