"""Contours in text files become polygons, or one sentence that names file and line."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from scipy import ndimage

from core.errors import ContourError
from imaging.contours.polygon_fill import polygons_to_mask
from imaging.contours.text_contours import FIRST_CENTRE, find_text_contours, read_text_contour


@pytest.fixture(scope="session")
def contour_folder(cine_folder: Path) -> Path:
    """The hand-drawn contours of the demo's patient."""
    return cine_folder.parents[1] / "contourfiles" / "SC-HF-I-6"


def test_every_contour_of_the_sample_is_found_with_its_instance(
    contour_folder: Path, cine_folder: Path
) -> None:
    contours = find_text_contours(contour_folder)
    inner = [contour.number for contour in contours if contour.kind == "i"]
    assert len(inner) == 22
    assert inner == sorted(int(path.stem) for path in cine_folder.glob("*.dcm"))
    assert {contour.kind for contour in contours} == {"i", "o"}


def test_points_are_column_and_row_from_the_first_centre(tmp_path: Path) -> None:
    path = tmp_path / "contour.txt"
    path.write_text("11 3.00\n12.00 3.00\r\n\n 11.50 5.0\n")
    assert read_text_contour(path).tolist() == [[10.0, 2.0], [11.0, 2.0], [10.5, 4.0]]


def test_contours_are_centred_on_the_edge_of_the_blood_pool(
    contour_folder: Path, cine_folder: Path
) -> None:
    """Counting from 1 leaves a small part of the offset that counting from 0 would."""
    counted_from_one, counted_from_zero = [], []
    for contour in find_text_contours(contour_folder):
        if contour.kind == "i":
            image = pydicom.dcmread(cine_folder / f"{contour.number}.dcm").pixel_array.astype(float)
            points = read_text_contour(contour.path)
            counted_from_one.append(edge_shift(image, points))
            counted_from_zero.append(edge_shift(image, points + FIRST_CENTRE))
    offset = np.linalg.norm(np.mean(counted_from_one, axis=0))
    assert offset < 0.5
    assert offset < 0.5 * np.linalg.norm(np.mean(counted_from_zero, axis=0))


def edge_shift(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How far, as (column, row), the contour would move to lie on the steepest fall outwards."""
    along = np.roll(points, -2, axis=0) - np.roll(points, 2, axis=0)
    normals = np.stack([along[:, 1], -along[:, 0]], axis=1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    if not polygons_to_mask([points + 0.5 * normals], image.shape).sum() > (
        polygons_to_mask([points], image.shape).sum()
    ):
        normals = -normals
    depths = np.arange(-4, 4.01, 0.1)
    places = points[:, :, np.newaxis] + normals[:, :, np.newaxis] * depths
    profiles = ndimage.map_coordinates(image, places[:, ::-1].swapaxes(0, 1), order=1)
    falls = -np.gradient(ndimage.gaussian_filter1d(profiles, 5, axis=1), axis=1)
    clear = np.abs(depths[falls.argmax(axis=1)]) < 3.5
    weights = falls.max(axis=1)[clear]
    model = np.column_stack([np.ones(clear.sum()), normals[clear]]) * weights[:, np.newaxis]
    solution = np.linalg.lstsq(model, depths[falls.argmax(axis=1)][clear] * weights, rcond=None)[0]
    return np.asarray(solution[1:])


@pytest.mark.parametrize(
    "line", ["1.0", "1.0 2.0 3.0", "1.0 two", "nan 3.0", "1_0 3.0", "\uff11 3.0"]
)
def test_line_without_two_numbers_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "contour.txt"
    path.write_text(f"1 2\n{line}\n3 4\n5 6\n")
    with pytest.raises(ContourError, match=r"contour\.txt, line 2: expected"):
        read_text_contour(path)


def test_byte_order_mark_is_no_part_of_the_first_number(tmp_path: Path) -> None:
    path = tmp_path / "contour.txt"
    path.write_text("1 2\n3 4\n5 6\n", encoding="utf-8-sig")
    assert read_text_contour(path).tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]


def test_fewer_than_three_points_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "contour.txt"
    path.write_text("1 2\n3 4\n")
    with pytest.raises(ContourError, match="2 points, expected at least 3"):
        read_text_contour(path)


def test_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContourError, match="not a readable"):
        read_text_contour(tmp_path / "nothing.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ContourError, match="not a readable"):
        read_text_contour(tmp_path / "binary.txt")
