"""What came back is held against the truth structure by structure, in numbers and in a picture."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import ContourError
from imaging.instances.header import Header
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import to_masks
from simulator.agreement import compare
from simulator.checks import judge
from simulator.picture import write_contour_picture
from simulator.truth import read_truth
from tests.support.returned import headers_of


def test_a_volume_is_compared_in_three_dimensions(
    ct_folder: Path, ct_structure_set: Path, write_structure_set: Any, tmp_path: Path
) -> None:
    sent = headers_of(ct_folder)
    headers = list(sent.values())
    masks, _ = to_masks(read_structure_set(ct_structure_set), headers)
    moved = {name: np.roll(mask, 2, axis=0) for name, mask in masks.items()}
    contours = judge(sent, [write_structure_set(headers, moved, tmp_path)]).contours
    agreement = compare(read_truth(ct_structure_set, headers), contours, sent, {})[0]
    assert agreement.instances == 51
    assert 0.5 < agreement.dice < 1.0
    assert 3.2 < agreement.hausdorff_95_mm < 6.6  # two slices of 3.27 mm, less where it is wide


def test_only_instances_with_truth_are_compared(
    cine: dict[str, Header], contour_folder: Path
) -> None:
    truth = read_truth(contour_folder, list(cine.values()))
    elsewhere = {
        uid: [np.array([[0, 0], [header.columns, 0], [0, header.rows]], dtype=float)]
        for uid, header in cine.items()
        if uid not in truth.masks["o"]
    }
    assert elsewhere
    contours = {"LV_Epicardium": {**truth.contours["o"], **elsewhere}}
    agreement = compare(truth, contours, cine, {"o": "LV_Epicardium"})[0]
    assert (agreement.dice, agreement.instances) == (1.0, 9)


def test_the_ring_is_the_outer_contour_without_the_inner_one(
    cine: dict[str, Header], contour_folder: Path
) -> None:
    truth = read_truth(contour_folder, list(cine.values()))
    uid = next(iter(truth.masks["o-i"]))
    ring = truth.masks["o-i"][uid]
    assert np.array_equal(ring, truth.masks["o"][uid] & ~truth.masks["i"][uid])
    assert 0 < len(truth.masks["o-i"]) < len(truth.masks["i"])


def test_a_structure_that_did_not_come_back_has_no_overlap(
    cine: dict[str, Header], contour_folder: Path
) -> None:
    truth = read_truth(contour_folder, list(cine.values()))
    agreement = compare(truth, {"Pool": {}, "Other": {}}, cine, {"i": "Missing"})[0]
    assert (agreement.dice, agreement.hausdorff_95_mm) == (0.0, float("inf"))


def test_structures_that_nothing_stands_for_are_named(
    cine: dict[str, Header], contour_folder: Path
) -> None:
    truth = read_truth(contour_folder, list(cine.values()))
    with pytest.raises(ContourError, match=r"\(Pool\) can be paired with one of the truth \(i"):
        compare(truth, {"Pool": {}}, cine, {})


def test_the_picture_shows_returned_contours_beside_hand_drawn_ones(
    cine: dict[str, Header], structure_set: Path, contour_folder: Path, tmp_path: Path
) -> None:
    contours = judge(cine, [structure_set]).contours
    truth = read_truth(contour_folder, list(cine.values()))
    path = tmp_path / "both.png"
    assert write_contour_picture(path, cine, contours, truth=truth, pairs={"i": "LV_Endocardium"})
    picture = Image.open(path)
    assert picture.width > 1.5 * picture.height
    left, right = (
        np.asarray(picture.crop((start, 50, start + picture.width // 2 - 10, picture.height)))
        for start in (0, picture.width // 2 + 2)
    )
    orange = [np.abs(half.astype(int) - (230, 159, 0)).sum(axis=-1) < 60 for half in (left, right)]
    assert orange[0].sum() > 1000
    assert orange[1].sum() > 1000
    assert not write_contour_picture(tmp_path / "none.png", cine, {})
    assert not (tmp_path / "none.png").exists()
