"""Properties of tracing and filling, for any mask on any geometry and for any polygon."""

import tempfile
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from core.identity import Provenance
from imaging.contours.findings import FindingKind
from imaging.contours.polygon_fill import patches_of, polygons_to_mask
from imaging.contours.text_contours import FIRST_CENTRE, read_text_contour
from imaging.contours.tracing import mask_to_polygons
from imaging.instances.header import Header, read_header
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import to_masks
from imaging.rtstruct.writer import Roi, build_structure_set
from tests.support.dicom.phantom import phantom_instance

Mask = npt.NDArray[np.bool_]
Point = tuple[Fraction, Fraction]
SHAPE = (7, 9)
EIGHTHS = st.integers(-12, 84).map(lambda number: number / 8)
POLYGONS = st.lists(st.lists(st.tuples(EIGHTHS, EIGHTHS), min_size=1, max_size=8), max_size=4)
PROVENANCE = Provenance("job 1", "1.2.3.4.", datetime(2026, 3, 9, 14, 5, 6), "property")
ANGLES = st.floats(-180, 180)
SPACINGS = st.floats(0.05, 8)
TINY, TINIER = Fraction(1, 10**6), Fraction(1, 10**12)


def is_inside(polygons: list[list[tuple[float, float]]], column: int, row: int) -> bool:
    """Even-odd in exact numbers, by a ray down the column; the code's own runs along the row.

    The centre is moved a trace to the right and a smaller one downwards, which is what "a left or
    an upper edge belongs" comes to; on a grid of eighths nothing lies between.
    """
    x, y = Fraction(column) + TINY, Fraction(row) + TINIER
    crossings = 0
    for polygon in polygons:
        points = [(Fraction(one), Fraction(other)) for one, other in polygon]
        for start, end in zip(points, points[1:] + points[:1], strict=True):
            crossings += _is_below(start, end, x, y)
    return crossings % 2 == 1


def _is_below(start: Point, end: Point, x: Fraction, y: Fraction) -> bool:
    left, right = sorted([start, end])
    if not left[0] <= x < right[0]:
        return False
    return left[1] + (x - left[0]) * (right[1] - left[1]) / (right[0] - left[0]) > y


@given(POLYGONS)
@settings(max_examples=300, deadline=None)
def test_any_polygons_agree_with_a_rasteriser_in_exact_numbers(
    polygons: list[list[tuple[float, float]]],
) -> None:
    expected = [
        [is_inside(polygons, column, row) for column in range(SHAPE[1])] for row in range(SHAPE[0])
    ]
    found = polygons_to_mask([np.array(polygon) for polygon in polygons], SHAPE)
    assert np.array_equal(found, np.array(expected))


@given(
    arrays(np.float64, st.tuples(st.integers(3, 12), st.just(2)), elements=st.floats(-3, 12)),
    st.integers(0, 8),
    st.integers(0, 6),
)
@settings(max_examples=300, deadline=None)
def test_any_polygon_of_real_numbers_winds_around_the_centres_that_it_contains(
    polygon: npt.NDArray[np.float64], column: int, row: int
) -> None:
    """By the sum of angles, for centres that are not almost on an edge."""
    offsets = polygon - [column, row]
    following = np.roll(offsets, -1, axis=0)
    assume(_distance(offsets, following) > 1e-6)
    cross = offsets[:, 0] * following[:, 1] - offsets[:, 1] * following[:, 0]
    angles = np.arctan2(cross, (offsets * following).sum(axis=1))
    turns = round(float(angles.sum()) / (2 * np.pi))
    assert polygons_to_mask([polygon], SHAPE)[row, column] == (turns % 2 == 1)


def _distance(start: npt.NDArray[np.float64], end: npt.NDArray[np.float64]) -> float:
    """From the origin to the nearest edge."""
    along = end - start
    squares = np.maximum((along**2).sum(axis=1), 1e-300)
    share = np.clip(-(start * along).sum(axis=1) / squares, 0, 1)
    return float(np.linalg.norm(start + share[:, np.newaxis] * along, axis=1).min())


@given(
    mask=arrays(np.bool_, st.tuples(*[st.integers(1, high) for high in (4, 9, 11)])),
    angles=st.tuples(ANGLES, ANGLES, ANGLES),
    spacing_mm=st.tuples(SPACINGS, SPACINGS),
    origin_mm=st.tuples(*[st.floats(-2000, 2000)] * 3),
    steps_mm=st.lists(st.floats(0.1, 12), min_size=3, max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_any_mask_on_any_geometry_comes_back_the_same(
    mask: Mask,
    angles: tuple[float, float, float],
    spacing_mm: tuple[float, float],
    origin_mm: tuple[float, float, float],
    steps_mm: list[float],
) -> None:
    axes = Rotation.from_euler("xyz", angles, degrees=True).as_matrix().T
    offsets_mm = np.concatenate([[0.0], np.cumsum(steps_mm)])[: len(mask)]
    with tempfile.TemporaryDirectory() as folder:
        headers = [
            write_slice(Path(folder) / f"{at}.dcm", axes, spacing_mm, origin_mm + step * axes[2])
            for at, step in enumerate(offsets_mm)
        ]
        headers = [_with_shape(header, mask) for header in headers]
        roi = Roi("GTV", (255, 0, 0))
        data_set = build_structure_set(headers, {"GTV": mask}, [roi], PROVENANCE, label="AUTO")
        data_set.save_as(Path(folder) / "RS.dcm", enforce_file_format=True)
        read = read_structure_set(Path(folder) / "RS.dcm")
    masks, findings = to_masks(read, headers)
    assert np.array_equal(masks["GTV"], mask)
    drawn = np.flatnonzero(mask.any(axis=(1, 2)))
    is_skipping = bool((np.diff(drawn) > 1).any())
    kinds = [one.kind for one in findings]
    assert kinds == [FindingKind.EMPTY] * (not len(drawn)) + [FindingKind.SKIPPED] * is_skipping
    # by position alone it is the same
    nowhere = tuple(replace(one, references=()) for one in read.rois[0].contours)
    unreferenced = replace(read, rois=(replace(read.rois[0], contours=nowhere),))
    masks, findings = to_masks(unreferenced, headers)
    assert np.array_equal(masks["GTV"], mask)
    assert not any(finding.is_dropped for finding in findings)


def write_slice(
    path: Path,
    axes: npt.NDArray[np.float64],
    spacing_mm: tuple[float, float],
    position_mm: npt.NDArray[np.float64],
) -> Header:
    data_set = phantom_instance(int(path.stem) + 1, 0.0)
    data_set.PixelSpacing = [f"{value:.6f}" for value in spacing_mm]
    data_set.ImageOrientationPatient = [f"{value:.12f}" for value in axes[:2].ravel()]
    data_set.ImagePositionPatient = [f"{value:.6f}" for value in position_mm]
    data_set.save_as(path, enforce_file_format=True)
    return read_header(path)


def _with_shape(header: Header, mask: Mask) -> Header:
    return replace(header, rows=mask.shape[1], columns=mask.shape[2])


@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
@settings(max_examples=50, deadline=None)
def test_any_mask_as_text_contours_comes_back_the_same(mask: Mask) -> None:
    """The same rasteriser, and the same convention of pixel centres, for both kinds of file."""
    polygons = mask_to_polygons(mask)
    with tempfile.TemporaryDirectory() as folder:
        read = []
        for at, polygon in enumerate(polygons):
            path = Path(folder) / f"{at}.txt"
            lines = [f"{x:.4f} {y:.4f}" for x, y in (polygon + FIRST_CENTRE).tolist()]
            path.write_text("\n".join(lines))
            read.append(read_text_contour(path))
    assert np.array_equal(polygons_to_mask(read, mask.shape), mask)


@given(st.lists(st.lists(st.tuples(st.floats(-6, 20), st.floats(-6, 20)), min_size=1, max_size=9)))
def test_polygons_filled_together_are_filled_as_each_alone(
    lists: list[list[tuple[float, float]]],
) -> None:
    polygons = [np.array(points) for points in lists]
    patches = list(patches_of(polygons, (13, 17)))
    assert len(patches) == len(polygons)
    for polygon, patch in zip(polygons, patches, strict=True):
        filled = np.zeros((13, 17), dtype=bool)
        patch.toggle(filled)
        assert np.array_equal(filled, polygons_to_mask([polygon], (13, 17)))
