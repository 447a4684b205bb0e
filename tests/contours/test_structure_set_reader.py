"""Contours find their instance, and one that finds none is named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import ContourError
from imaging.header import Header
from imaging.plane import plane_of
from imaging.structure_set_reader import (
    Contour,
    RoiContours,
    StructureSet,
    read_structure_set,
    to_masks,
)

Phantom = Callable[..., list[Header]]
SQUARE = np.array([(2.5, 1.5), (8.5, 1.5), (8.5, 5.5), (2.5, 5.5)])


def on(
    header: Header, offset_mm: float = 0.0, uid: str = "", kind: str = "CLOSED_PLANAR"
) -> Contour:
    """A square of 6 x 4 pixels, moved along the normal of an instance."""
    plane = plane_of(header)
    return Contour(plane.to_patient(SQUARE) + offset_mm * plane.normal, kind, uid)


def holding(*contours: Contour, frame_uid: str = "1.2.3.6") -> StructureSet:
    roi = RoiContours(1, "GTV", None, "", "MANUAL", frame_uid, contours)
    return StructureSet("1", "2", "3", "", (frame_uid,), (), "", "", (roi,))


def counts(structure_set: StructureSet, headers: list[Header]) -> tuple[list[int], list[str]]:
    masks, warnings = to_masks(structure_set, headers)
    return masks["GTV"].sum(axis=(1, 2)).tolist(), warnings


def test_reference_decides(write_phantom: Phantom) -> None:
    headers = write_phantom()
    contour = on(headers[1], 1.0, headers[1].sop_instance_uid)
    assert counts(holding(contour), headers) == ([0, 24, 0, 0], [])


def test_dangling_reference_falls_to_the_nearest_plane_and_says_so(write_phantom: Phantom) -> None:
    headers = write_phantom()
    for uid in ("", "9.9.9"):
        placed, warnings = counts(holding(on(headers[3], -1.2, uid)), headers)
        assert placed == [0, 0, 0, 24]
        assert warnings == [
            "ROI 'GTV': 1 of 1 contours refer to no instance of the series near them, "
            "placed by position"
        ]


def test_reference_to_an_instance_far_away_does_not_hold(write_phantom: Phantom) -> None:
    headers = write_phantom()
    placed, warnings = counts(holding(on(headers[0], 0.0, headers[2].sop_instance_uid)), headers)
    assert placed == [24, 0, 0, 0]
    assert len(warnings) == 1


def test_contour_between_slices_that_are_missing_is_named_with_its_distance(
    write_phantom: Phantom,
) -> None:
    headers = write_phantom()  # 4 mm lie between the last two, 2.5 mm between the others
    placed, warnings = counts(holding(on(headers[2], 2.0)), headers)
    assert placed == [0, 0, 0, 0]
    assert "contour 1: not placed" in warnings[0]
    assert "2.00 mm away, expected at most 1.25 mm" in warnings[0]


def test_tilted_contour_is_not_placed(write_phantom: Phantom) -> None:
    headers = write_phantom()
    tilt = np.array([0.0, 4.0, 4.0, 0.0])[:, np.newaxis] * plane_of(headers[1]).normal
    contour = replace(on(headers[1]), points_mm=on(headers[1]).points_mm + tilt)
    assert counts(holding(contour), headers)[0] == [0, 0, 0, 0]


def test_dangling_reference_among_several_instances_at_one_position_is_not_guessed(
    write_phantom: Phantom,
) -> None:
    headers = write_phantom((0.0, 0.0, 8.0, 8.0))
    placed, warnings = counts(holding(on(headers[0])), headers)
    assert placed == [0, 0, 0, 0]
    assert "2 instances such as 1.2.3.9.1 lie 0.00 mm away" in warnings[0]


def test_other_frame_of_reference_is_never_placed_by_position(write_phantom: Phantom) -> None:
    headers = write_phantom()
    placed, warnings = counts(holding(on(headers[0]), frame_uid="1.9.9"), headers)
    assert placed == [0, 0, 0, 0]
    assert "its frame of reference 1.9.9 is not the series'" in warnings[0]


def test_points_and_open_lines_are_named_not_filled(write_phantom: Phantom) -> None:
    headers = write_phantom()
    uid = headers[0].sop_instance_uid
    contours = on(headers[0], 0, uid, "POINT"), on(headers[0], 0, uid, "OPEN_PLANAR")
    placed, warnings = counts(holding(*contours), headers)
    assert placed == [0, 0, 0, 0]
    assert ["POINT" in warnings[0], "OPEN_PLANAR" in warnings[1]] == [True, True]


def test_contour_inside_another_is_a_hole(write_phantom: Phantom) -> None:
    headers = write_phantom()
    outer = on(headers[0], 0, headers[0].sop_instance_uid)
    inner = replace(
        outer, points_mm=plane_of(headers[0]).to_patient((SQUARE + np.array([6.5, 3.5])) / 2)
    )
    assert counts(holding(outer, inner), headers)[0] == [24 - 6, 0, 0, 0]


def test_contour_that_reaches_outside_the_image_is_cut_and_said(write_phantom: Phantom) -> None:
    headers = write_phantom()
    points = plane_of(headers[0]).to_patient(SQUARE - np.array([6.0, 0.0]))
    contour = Contour(points, "CLOSED_PLANAR", headers[0].sop_instance_uid)
    placed, warnings = counts(holding(contour), headers)
    assert placed == [12, 0, 0, 0]
    assert warnings == ["ROI 'GTV': 1 of 1 contours reach outside the image, cut off there"]


def test_second_structure_of_the_same_name_gets_its_number(write_phantom: Phantom) -> None:
    headers = write_phantom()
    structure_set = holding(on(headers[0], 0, headers[0].sop_instance_uid))
    (roi,) = structure_set.rois
    both = replace(structure_set, rois=(roi, replace(roi, number=7)))
    masks, warnings = to_masks(both, headers)
    assert list(masks) == ["GTV", "GTV (7)"]
    assert len(warnings) == 1


def test_what_is_not_a_structure_set_is_refused(ct_headers: list[Header], tmp_path: Path) -> None:
    with pytest.raises(ContourError, match="not an RT Structure Set"):
        read_structure_set(ct_headers[0].path)
    (tmp_path / "text.dcm").write_text("text")
    with pytest.raises(ContourError, match="not a readable"):
        read_structure_set(tmp_path / "text.dcm")


def test_structure_set_cut_short_is_refused(ct_structure_set: Path, tmp_path: Path) -> None:
    path = tmp_path / "RS.dcm"
    path.write_bytes(ct_structure_set.read_bytes()[:-4001])
    with pytest.raises(ContourError):
        read_structure_set(path)
