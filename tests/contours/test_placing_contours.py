"""Contours find their instance, and whatever is unusual about one is named with its distance."""

from dataclasses import replace

import numpy as np
import pytest

from imaging.contours.findings import FindingKind, summarise
from imaging.geometry.plane import plane_of
from imaging.rtstruct.placement import Reference
from imaging.rtstruct.to_masks import iterate_masks, to_masks
from tests.support.dicom.drawn_contours import SQUARE, Phantom, counts, drawn, holding, on


def test_reference_decides_and_the_distance_to_its_plane_is_said(write_phantom: Phantom) -> None:
    headers = write_phantom()
    uid = headers[1].sop_instance_uid
    assert counts(holding(on(headers[1], 0.05, uid)), headers) == ([0, 24, 0, 0], [])
    placed, (finding,) = counts(holding(on(headers[1], 1.0, uid)), headers)
    assert placed == [0, 24, 0, 0]
    assert (finding.kind, finding.contour) == (FindingKind.OFF_PLANE, 1)
    assert finding.referenced_sop_instance_uid == uid
    assert finding.distance_mm == pytest.approx(1.0)
    assert not finding.is_dropped


def test_reference_decides_where_a_writer_averages_the_spacing(write_phantom: Phantom) -> None:
    headers = write_phantom((0.0, 2.5, 5.0, 14.0))  # 4.67 mm on average
    uids = [header.sop_instance_uid for header in headers]
    averaged = [on(headers[0], at * 14 / 3, uid) for at, uid in enumerate(uids)]
    placed, findings = counts(holding(*averaged), headers)
    assert placed == [24, 24, 24, 24]
    assert [finding.distance_mm for finding in findings] == pytest.approx([2.167, 4.333], abs=1e-3)


def test_dangling_reference_falls_to_the_nearest_plane_and_says_so(write_phantom: Phantom) -> None:
    headers = write_phantom()
    placed, (finding,) = counts(holding(on(headers[3], -1.2, "9.9.9")), headers)
    assert placed == [0, 0, 0, 24]
    assert finding.kind is FindingKind.DANGLING
    assert finding.referenced_sop_instance_uid == "9.9.9"
    assert finding.distance_mm == pytest.approx(1.2)
    assert str(finding) == (
        "ROI 1 'GTV', contour 1 refers to an instance that is not in the series: "
        "instance 9.9.9 is not in the series; placed on instance 1.2.3.9.4, 1.20 mm away"
    )


def test_contour_without_a_reference_falls_to_the_nearest_plane(write_phantom: Phantom) -> None:
    headers = write_phantom()
    placed, (finding,) = counts(holding(on(headers[3], -1.2)), headers)
    assert placed == [0, 0, 0, 24]
    assert (finding.kind, finding.referenced_sop_instance_uid) == (FindingKind.UNREFERENCED, "")


def test_reference_to_an_instance_far_away_does_not_hold(write_phantom: Phantom) -> None:
    headers = write_phantom()
    contour = on(headers[0], 0.0, headers[2].sop_instance_uid)
    placed, (finding,) = counts(holding(contour), headers)
    assert placed == [24, 0, 0, 0]
    assert finding.kind is FindingKind.CONTRADICTED
    assert "1.2.3.9.3 is 5.00 mm away; placed on instance 1.2.3.9.1, 0.00 mm away" in str(finding)


def test_contour_between_slices_that_are_missing_is_named_with_its_distance(
    write_phantom: Phantom,
) -> None:
    headers = write_phantom()  # 4 mm lie between the last two, 2.5 mm between the others
    placed, (finding,) = counts(holding(on(headers[2], 2.0, "9.9.9")), headers)
    assert placed == [0, 0, 0, 0]
    assert (finding.kind, finding.is_dropped) == (FindingKind.BETWEEN_SLICES, True)
    assert finding.distance_mm == pytest.approx(2.0)
    assert "2.00 mm away, expected at most 1.35 mm" in str(finding)


@pytest.mark.parametrize(("at", "offset_mm"), [(0, -3.0), (3, 30.0)])
def test_contour_beyond_the_volume_is_named_with_its_distance(
    at: int, offset_mm: float, write_phantom: Phantom
) -> None:
    headers = write_phantom()
    placed, (finding,) = counts(holding(on(headers[at], offset_mm)), headers)
    assert placed == [0, 0, 0, 0]
    assert finding.kind is FindingKind.OUTSIDE_VOLUME
    assert finding.distance_mm == pytest.approx(abs(offset_mm))


def test_tolerance_can_be_given(write_phantom: Phantom) -> None:
    headers = write_phantom()
    structure_set = holding(on(headers[2], 1.8))
    wide, narrow = (
        to_masks(structure_set, headers, tolerance_mm=tolerance_mm)[0]["GTV"]
        for tolerance_mm in (2.5, 0.5)
    )
    assert (wide.sum(), narrow.sum()) == (24, 0)


def test_tilted_contour_is_not_placed(write_phantom: Phantom) -> None:
    headers = write_phantom()
    tilt = np.array([0.0, 4.0, 4.0, 0.0])[:, np.newaxis] * plane_of(headers[1]).normal
    for uid in ("", headers[1].sop_instance_uid):
        contour = on(headers[1], uid=uid)
        tilted = replace(contour, points_mm=contour.points_mm + tilt)
        placed, (finding,) = counts(holding(tilted), headers)
        assert placed == [0, 0, 0, 0]
        assert finding.kind is FindingKind.TILTED


def test_among_several_instances_at_one_position_a_reference_decides_and_nothing_is_guessed(
    write_phantom: Phantom,
) -> None:
    headers = write_phantom((0.0, 0.0, 8.0, 8.0))
    referenced = on(headers[1], 0.0, headers[1].sop_instance_uid)
    assert counts(holding(referenced), headers) == ([0, 24, 0, 0], [])
    for uid in ("", "9.9.9", headers[3].sop_instance_uid):
        placed, (finding,) = counts(holding(on(headers[0], uid=uid)), headers)
        assert placed == [0, 0, 0, 0]
        assert finding.kind is FindingKind.AMBIGUOUS
        assert "1.2.3.9.1, 0.00 mm away, and 1 more" in str(finding)


def test_contour_of_several_phases_is_on_each_of_them(write_phantom: Phantom) -> None:
    headers = write_phantom((0.0, 0.0, 0.0, 8.0))
    uids = (headers[0].sop_instance_uid, headers[2].sop_instance_uid, "9.9.9")
    contour = replace(on(headers[0]), references=tuple(Reference(uid) for uid in uids))
    placed, (finding,) = counts(holding(contour), headers)
    assert placed == [24, 0, 24, 0]
    assert finding.kind is FindingKind.DANGLING
    assert "9.9.9 is not in the series" in str(finding)


def test_reference_to_a_frame_that_an_image_does_not_have_does_not_hold(
    write_phantom: Phantom,
) -> None:
    headers = write_phantom()
    uid = headers[1].sop_instance_uid
    first = replace(on(headers[1]), references=(Reference(uid, 1),))
    assert counts(holding(first), headers) == ([0, 24, 0, 0], [])
    third = replace(on(headers[1]), references=(Reference(uid, 3),))
    placed, (finding,) = counts(holding(third), headers)
    assert placed == [0, 24, 0, 0]
    assert "has no frame 3" in str(finding)


def test_other_frame_of_reference_is_never_placed_by_position(write_phantom: Phantom) -> None:
    headers = write_phantom()
    placed, (finding,) = counts(holding(on(headers[0]), frame_uid="1.9.9"), headers)
    assert placed == [0, 0, 0, 0]
    assert finding.kind is FindingKind.OTHER_FRAME
    assert "its frame of reference 1.9.9 is not the series'" in str(finding)


@pytest.mark.parametrize("kind", ["POINT", "OPEN_PLANAR", "OPEN_NONPLANAR", ""])
def test_points_and_open_lines_are_named_not_filled(kind: str, write_phantom: Phantom) -> None:
    headers = write_phantom()
    contour = on(headers[0], 0, headers[0].sop_instance_uid, kind)
    placed, (finding,) = counts(holding(contour), headers)
    assert placed == [0, 0, 0, 0]
    assert (finding.kind, finding.is_dropped) == (FindingKind.NOT_CLOSED, True)
    assert str(finding).endswith(kind or "no type")


@pytest.mark.parametrize("points", [0, 1, 2])
def test_fewer_than_three_points_are_named_not_filled(points: int, write_phantom: Phantom) -> None:
    headers = write_phantom()
    contour = drawn(headers[0], SQUARE[:points], uid=headers[0].sop_instance_uid)
    placed, (finding,) = counts(holding(contour), headers)
    assert placed == [0, 0, 0, 0]
    assert finding.kind is FindingKind.TOO_FEW_POINTS


def test_contour_that_reaches_outside_the_image_is_cut_and_said(write_phantom: Phantom) -> None:
    headers = write_phantom()
    left = drawn(headers[0], SQUARE - np.array([6.0, 0.0]), uid=headers[0].sop_instance_uid)
    placed, (finding,) = counts(holding(left), headers)
    assert placed == [12, 0, 0, 0]
    assert (finding.kind, finding.is_dropped) == (FindingKind.CUT, False)
    # three columns of 0.7 mm beyond the border
    assert finding.distance_mm == pytest.approx(3 * 0.7, abs=0.01)


def test_contour_that_lies_outside_the_image_is_named(write_phantom: Phantom) -> None:
    headers = write_phantom()
    below = drawn(headers[0], SQUARE + np.array([0.0, 25.0]), uid=headers[0].sop_instance_uid)
    placed, (finding,) = counts(holding(below), headers)
    assert placed == [0, 0, 0, 0]
    assert (finding.kind, finding.is_dropped) == (FindingKind.OUTSIDE_IMAGE, True)
    assert finding.distance_mm == pytest.approx((30.5 - 16.5) * 1.3, abs=0.02)


def test_contour_without_a_pixel_centre_inside_is_named(write_phantom: Phantom) -> None:
    headers = write_phantom()
    small = drawn(headers[0], 0.1 * SQUARE + 3.2, uid=headers[0].sop_instance_uid)
    placed, (finding,) = counts(holding(small), headers)
    assert placed == [0, 0, 0, 0]
    assert (finding.kind, finding.is_dropped) == (FindingKind.NO_PIXEL, True)


def test_second_and_third_structure_of_one_name_get_names_of_their_own(
    write_phantom: Phantom,
) -> None:
    headers = write_phantom()
    structure_set = holding(on(headers[0], 0, headers[0].sop_instance_uid))
    (roi,) = structure_set.rois
    three = replace(structure_set, rois=(roi, replace(roi, number=7), replace(roi, number=7)))
    masks, findings = to_masks(three, headers)
    assert list(masks) == ["GTV", "GTV (7)", "GTV (7, 2)"]
    assert all(mask.sum() == 24 for mask in masks.values())
    assert [finding.kind for finding in findings] == [FindingKind.NAME_TAKEN] * 2


def test_structures_come_one_after_the_other(write_phantom: Phantom) -> None:
    headers = write_phantom()
    structure_set = holding(on(headers[0], 0, headers[0].sop_instance_uid))
    (roi,) = structure_set.rois
    many = replace(structure_set, rois=tuple(replace(roi, name=str(at)) for at in range(3)))
    masks = iterate_masks(many, headers)
    first = next(masks)
    assert (first.name, int(first.mask.sum())) == ("0", 24)
    assert [one.name for one in masks] == ["1", "2"]


def test_summary_counts_contours_and_keeps_the_largest_distance(write_phantom: Phantom) -> None:
    headers = write_phantom()
    contours = [on(headers[1], -1.2, "9.9.9"), on(headers[0], 0.3, "9.9.8")]
    _, findings = counts(holding(*contours), headers)
    assert summarise(findings) == [
        "ROI 1 'GTV' refers to an instance that is not in the series; 2 contours, up to 1.20 mm"
    ]
