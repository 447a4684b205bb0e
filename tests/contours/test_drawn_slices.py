"""Slices without a contour lack the structure, or are reported as unknown."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from imaging.contours.findings import FindingKind, summarise
from imaging.instances.header import Header
from imaging.rtstruct.drawn_slices import describe_slices
from imaging.rtstruct.reader import Contour, StructureSet
from imaging.rtstruct.to_masks import RoiMask, iterate_masks
from simulator.truth import read_truth
from tests.support.dicom.drawn_contours import drawn, holding, on

Phantom = Callable[..., list[Header]]
OFFSETS_MM = tuple(2.5 * at for at in range(12))


@pytest.fixture
def headers(write_phantom: Phantom) -> list[Header]:
    """Twelve slices; the normal's order is the files'."""
    return numbered(write_phantom(OFFSETS_MM))


def numbered(headers: Sequence[Header]) -> list[Header]:
    return [replace(one, instance_number=number) for number, one in enumerate(headers, 1)]


def masked(structure_set: StructureSet, headers: Sequence[Header]) -> RoiMask:
    (one,) = iterate_masks(structure_set, headers)
    return one


def on_slices(headers: Sequence[Header], indices: Sequence[int]) -> list[Contour]:
    return [on(headers[at], 0.0, headers[at].sop_instance_uid) for at in indices]


@pytest.mark.parametrize(
    ("indices", "skipped"),
    [
        ([3, 4, 5, 6], set()),
        ([3], set()),
        ([3, 4, 6, 7], {5}),
        ([2, 3, 8, 9], {4, 5, 6, 7}),
        ([3, 5, 7], {2, 4, 6, 8}),  # every second slice: the ends lie between two, too
        ([1, 4, 7, 10], {0, 2, 3, 5, 6, 8, 9, 11}),
        ([0, 11], set(range(1, 11))),
    ],
)
def test_slices_skipped_between_drawn_ones_are_unknown(
    headers: list[Header], indices: list[int], skipped: set[int]
) -> None:
    found = masked(holding(*on_slices(headers, indices)), headers)
    assert found.unknown.skipped == skipped
    assert found.unknown.undecided == set()
    assert (FindingKind.SKIPPED in {one.kind for one in found.findings}) == bool(skipped)


def test_skipped_slices_are_counted_and_named(headers: list[Header]) -> None:
    found = masked(holding(*on_slices(headers, [1, 2, 3, 5, 9])), headers)
    assert summarise(found.findings) == [
        "ROI 1 'GTV' is not drawn on slices between drawn ones, unknown there: "
        "4 of 12 slices, InstanceNumber 5, 7 to 9"
    ]
    assert describe_slices([1, 3], [0, 0, 0, 0], "InstanceNumber") == "2 of 4 slices"


def test_skipped_frames_are_named_by_their_numbers(headers: list[Header]) -> None:
    frames = [
        replace(one, sop_instance_uid="1.2", instance_number=1, frame_number=number)
        for number, one in enumerate(headers, 1)
    ]
    contours = [on(headers[at]) for at in (3, 4, 5, 8)]
    (words,) = [
        one for one in summarise(masked(holding(*contours), frames).findings) if " of " in one
    ]
    assert words.endswith("2 of 12 slices, frame 7 to 8")


def test_order_of_the_files_changes_nothing(headers: list[Header]) -> None:
    order = np.random.default_rng(3).permutation(len(headers)).tolist()
    shuffled = [headers[at] for at in order]
    found = masked(holding(*on_slices(headers, [3, 5, 7])), shuffled)
    assert {order[at] for at in found.unknown.skipped} == {2, 4, 6, 8}


def test_contours_closer_than_slices_skip_none(headers: list[Header]) -> None:
    contours = [on(headers[0], offset_mm) for offset_mm in np.arange(5.0, 15.1, 1.0)]
    assert masked(holding(*contours), headers).unknown.skipped == set()


def test_source_pixel_planes_say_where_the_structure_is_absent(headers: list[Header]) -> None:
    contours = on_slices(headers, [3, 5, 7, 9])
    for spacing_mm, skipped in ((2.5, set()), (5.0, {2, 4, 6, 8, 10})):
        structure_set = holding(*contours)
        roi = replace(structure_set.rois[0], plane_spacing_mm=spacing_mm)
        found = masked(replace(structure_set, rois=(roi,)), headers)
        assert found.unknown.skipped == skipped


def test_phases_that_nobody_drew_on_are_not_known_to_be_empty(write_phantom: Phantom) -> None:
    headers = write_phantom((0.0, 0.0, 2.5, 2.5, 5.0, 5.0))
    found = masked(holding(*on_slices(headers, [0, 2])), headers)
    assert found.unknown.undecided == {1, 3, 4, 5}
    again = write_phantom((0.0, 2.5, 2.5, 5.0))
    found = masked(holding(*on_slices(again, [1])), again)
    assert found.unknown.undecided == {2}
    headers = write_phantom((0.0, 0.0, 2.5, 2.5, 5.0, 5.0))
    every = masked(holding(*on_slices(headers, [0, 1, 2, 3])), headers)
    assert every.unknown.undecided | every.unknown.skipped == set()


def test_images_in_another_direction_are_not_known_to_be_empty(headers: list[Header]) -> None:
    scout = replace(headers[0], sop_instance_uid="1.2.3.99", image_orientation=(1, 0, 0, 0, 0, -1))
    found = masked(holding(*on_slices(headers, [3, 4])), [*headers, scout])
    assert found.unknown.undecided == {12}


def test_slices_near_an_open_contour_or_between_it_and_others_are_unknown(
    headers: list[Header],
) -> None:
    contours = [*on_slices(headers, [3, 4]), on(headers[7], 0.2, kind="OPEN_PLANAR")]
    found = masked(holding(*contours), headers)
    assert found.unknown.undecided == {7}
    assert found.unknown.skipped == {5, 6}


def test_slices_that_a_tilted_contour_crosses_are_unknown(headers: list[Header]) -> None:
    square = on(headers[8]).points_mm
    up = on(headers[10]).points_mm
    tilted = Contour(np.concatenate([square[:2], up[2:]]), "CLOSED_PLANAR")
    found = masked(holding(*on_slices(headers, [2, 3, 4, 8]), tilted), headers)
    assert found.unknown.undecided == {8, 9, 10}
    assert found.unknown.skipped == {5, 6, 7}


def test_slices_beside_a_contour_in_a_gap_of_the_series_are_unknown(
    write_phantom: Phantom,
) -> None:
    headers = write_phantom((0.0, 2.5, 5.0, 7.5, 15.0, 17.5))
    contours = [*on_slices(headers, [0, 1]), on(headers[3], 3.7)]
    found = masked(holding(*contours), headers)
    assert found.unknown.skipped == {2, 3}


def test_slices_before_which_close_planes_end_are_known_to_be_empty(
    headers: list[Header],
) -> None:
    contours = [on(headers[3], offset_mm) for offset_mm in (0.0, 0.5, 1.0, 1.5)]
    found = masked(holding(*contours), headers)
    assert np.flatnonzero(found.mask.any(axis=(1, 2))).tolist() == [3]
    assert found.unknown.skipped | found.unknown.undecided == set()


def test_a_contour_beyond_the_image_is_known_to_leave_it_empty(headers: list[Header]) -> None:
    far = drawn(headers[5], np.array([(90.0, 90.0), (95.0, 90.0), (95.0, 95.0)]))
    found = masked(holding(*on_slices(headers, [3, 4]), far), headers)
    assert found.unknown.undecided | found.unknown.skipped == set()


def test_truth_has_no_skipped_slices(
    ct_headers: list[Header], ct_structure_set: Path, tmp_path: Path
) -> None:
    whole = read_truth(ct_structure_set, ct_headers)
    data_set = pydicom.dcmread(ct_structure_set)
    contours = data_set.ROIContourSequence[0].ContourSequence
    heights = sorted({float(one.ContourData[2]) for one in contours})
    kept = set(heights[::2])
    data_set.ROIContourSequence[0].ContourSequence = [
        one for one in contours if float(one.ContourData[2]) in kept
    ]
    data_set.save_as(tmp_path / "RS.dcm")
    half = read_truth(tmp_path / "RS.dcm", ct_headers)
    (name,) = half.masks
    drawn_on = {uid for uid, mask in half.masks[name].items() if mask.any()}
    skipped = whole.masks[name].keys() - half.masks[name].keys()
    assert len(drawn_on) == len(kept)
    assert len(skipped) >= len(kept) - 1
    assert all(np.array_equal(half.masks[name][uid], whole.masks[name][uid]) for uid in drawn_on)
    assert any("unknown there" in one for one in half.findings)
