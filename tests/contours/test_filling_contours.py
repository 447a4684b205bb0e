"""Several contours on one slice: holes in every form, overlaps and repetitions."""

from collections.abc import Callable

import numpy as np
import pytest

from imaging.contours.filling import fill_outlines
from imaging.contours.findings import Finding, FindingKind
from imaging.contours.polygon_fill import polygons_to_mask, polygons_to_patch
from imaging.instances.header import Header
from imaging.rtstruct.roi_filling import Vertices
from imaging.rtstruct.to_masks import to_masks
from tests.support.dicom.drawn_contours import drawn, holding

Phantom = Callable[..., list[Header]]
Polygon = np.ndarray
Fill = Callable[..., tuple[np.ndarray, list[Finding]]]
OUTER = np.array([(1.5, 1.5), (11.5, 1.5), (11.5, 9.5), (1.5, 9.5)])
HOLE = np.array([(3.5, 3.5), (7.5, 3.5), (7.5, 6.5), (3.5, 6.5)])


@pytest.fixture
def fill(write_phantom: Phantom) -> Fill:
    headers = write_phantom()

    def filled(
        *polygons: Polygon, kind: str = "CLOSED_PLANAR", vertices: Vertices = "auto"
    ) -> tuple[np.ndarray, list[Finding]]:
        uid = headers[2].sop_instance_uid
        contours = [drawn(headers[2], polygon, 0.0, uid, kind) for polygon in polygons]
        masks, findings = to_masks(holding(*contours), headers, vertices=vertices)
        assert not masks["GTV"][[0, 1, 3]].any()
        return masks["GTV"][2], findings

    return filled


def ring() -> np.ndarray:
    mask = np.zeros((17, 29), dtype=bool)
    mask[2:10, 2:12] = True
    mask[4:7, 4:8] = False
    return mask


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_hole_is_a_contour_of_its_own(kind: str, fill: Fill) -> None:
    for polygons in ((OUTER, HOLE), (HOLE, OUTER), (OUTER, HOLE[::-1])):
        mask, findings = fill(*polygons, kind=kind)
        assert np.array_equal(mask, ring())
        assert findings == []


def test_hole_is_joined_by_a_bridge_without_width(fill: Fill) -> None:
    keyhole = np.concatenate([OUTER[:1], HOLE, HOLE[:1], OUTER[:1], OUTER[:0:-1]])
    mask, findings = fill(keyhole)
    assert np.array_equal(mask, ring())
    assert findings == []


def test_hole_is_joined_by_a_bridge_with_some_width(fill: Fill) -> None:
    outside = [(11.5, 1.5), (11.5, 9.5), (1.5, 9.5), (1.5, 1.5)]
    inside = [(3.5, 3.5), (3.5, 6.5), (7.5, 6.5), (7.5, 3.5)]
    keyhole = np.array([(5.2, 1.5), *outside, (5.1, 1.5), (5.1, 3.5), *inside, (5.2, 3.5)])
    mask, findings = fill(keyhole)
    assert np.array_equal(mask, ring())
    assert findings == []


def test_island_in_a_hole_is_filled(fill: Fill) -> None:
    island = (HOLE + np.array([5.5, 5.0])) / 2  # from 4.5 to 6.5, from 4.25 to 5.75
    mask, findings = fill(OUTER, HOLE, island)
    assert mask.sum() == ring().sum() + 2
    assert findings == []


def test_partial_overlap_is_named_with_its_pixels(fill: Fill) -> None:
    mask, (finding,) = fill(OUTER, OUTER + np.array([8.0, 6.0]))
    assert mask.sum() == 2 * 80 - 2 * 4
    assert (finding.kind, finding.contour) == (FindingKind.OVERLAP, 2)
    assert str(finding).endswith("4 pixels")
    assert fill(OUTER, OUTER + np.array([8.0, 6.0]), kind="CLOSEDPLANAR_XOR")[1] == []


def test_repeated_contour_does_not_erase_itself(fill: Fill) -> None:
    for times in (2, 3):
        mask, findings = fill(*[OUTER] * times)
        assert mask.sum() == 80
        assert [one.kind for one in findings] == [FindingKind.REPEATED] * (times - 1)
    mask, _ = fill(OUTER, OUTER, kind="CLOSEDPLANAR_XOR")
    assert not mask.any()


def test_chain_of_pixel_centres_is_filled_with_its_border(fill: Fill) -> None:
    chain = np.array([(2, 2), (11, 2), (11, 9), (2, 9)], dtype=float)
    mask, (finding,) = fill(chain)
    assert mask.sum() == 80
    assert (finding.kind, finding.contour) == (FindingKind.ON_CENTRES, None)
    assert fill(chain, vertices="outline")[0].sum() <= 9 * 7  # half-open, but for rounding
    assert fill(OUTER, vertices="centres")[0].sum() != 80


def test_polygon_that_is_no_chain_is_an_outline_even_on_pixel_centres(fill: Fill) -> None:
    mask, findings = fill(np.array([(2, 2), (9, 3), (11, 9), (3, 8)], dtype=float))
    assert findings == []
    assert not mask[3, 9]


def test_single_pixels_and_lines_of_a_chain_are_filled(fill: Fill) -> None:
    point, pair = np.array([(5.0, 6.0)]), np.array([(8.0, 6.0), (9.0, 7.0)])
    mask, (finding,) = fill(point, pair)
    assert np.argwhere(mask).tolist() == [[6, 5], [6, 8], [7, 9]]
    assert finding.kind is FindingKind.ON_CENTRES


def test_outlines_on_pixel_edges_are_no_chain(fill: Fill) -> None:
    assert fill(OUTER)[0].sum() == 80
    assert fill(OUTER)[1] == []


def _circle(centre: np.ndarray, radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    return centre + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_wall_without_a_pixel_centre_is_no_disc(fill: Fill) -> None:
    outer, inner = (
        np.array([(low, low), (high, low), (high, high), (low, high)])
        for low, high in ((2.7, 13.3), (2.9, 13.1))
    )
    mask, findings = fill(outer, inner)
    assert not mask.any()
    assert FindingKind.REPEATED not in {one.kind for one in findings}
    rng = np.random.default_rng(0)
    for _ in range(100):
        centre, radius, wall = rng.uniform(6, 9, 2), rng.uniform(1, 4), rng.uniform(0.03, 0.3)
        outer, inner = _circle(centre, radius), _circle(centre, radius - wall)
        mask, findings = fill(outer, inner)
        assert np.array_equal(mask, fill(outer)[0] ^ fill(inner)[0])
        assert FindingKind.REPEATED not in {one.kind for one in findings}


def test_points_from_another_start_backwards_or_closed_are_repeated(fill: Fill) -> None:
    turned = np.roll(OUTER, 2, axis=0)
    closed = np.concatenate([OUTER, OUTER[:1]])
    for again in (turned, OUTER[::-1], turned[::-1], closed, closed[::-1], OUTER + 2e-4):
        mask, (finding,) = fill(OUTER, again)
        assert mask.sum() == 80
        assert finding.kind is FindingKind.REPEATED


def test_overlaps_among_many_contours_are_those_of_every_pair() -> None:
    numbers = np.random.default_rng(4)
    corners = numbers.uniform(0, 15, (40, 2))
    polygons = [
        np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
        for (x, y), (w, h) in zip(corners, numbers.uniform(0.5, 6, (40, 2)), strict=True)
    ]
    alone = [polygons_to_mask([polygon], (20, 24)) for polygon in polygons]
    expected = [
        (second, f"{int((alone[first] & alone[second]).sum())} pixels")
        for first in range(40)
        for second in range(first + 1, 40)
        if 0 < (alone[first] & alone[second]).sum() < min(alone[first].sum(), alone[second].sum())
    ]
    patches = [polygons_to_patch([polygon], (20, 24)) for polygon in polygons]
    mask = np.zeros((20, 24), dtype=bool)
    remarks = fill_outlines(mask, polygons, patches, [False] * 40)
    assert [one[1:] for one in remarks if one[0] is FindingKind.OVERLAP] == expected
