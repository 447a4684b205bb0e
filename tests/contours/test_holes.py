"""Holes are written as keyholes, or as contours of their own with CLOSEDPLANAR_XOR."""

from collections import Counter
from pathlib import Path
from typing import Literal

import numpy as np
import pydicom
import pytest

from core.identity import Provenance
from imaging.instances.header import Header
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import to_masks
from imaging.rtstruct.writer import Roi, build_structure_set
from simulator.checks import judge
from tests.contours.dciodvfy import VALUE, dciodvfy_errors, values_of

ROI = Roi("Ring", (230, 25, 75), "ORGAN")


def ring(headers: list[Header]) -> np.ndarray:
    """On two slices a ring, an island in its hole, and a single pixel that touches the border."""
    mask = np.zeros((len(headers), headers[0].rows, headers[0].columns), dtype=bool)
    mask[3:5, 30:60, 40:80] = True
    mask[3:5, 35:55, 45:75] = False
    mask[3:5, 40:50, 50:70] = True
    mask[3:5, 0, 0] = True
    return mask


@pytest.mark.parametrize(
    ("holes", "kind", "contours"),
    [("keyhole", "CLOSED_PLANAR", 3), ("xor", "CLOSEDPLANAR_XOR", 4)],
)
def test_either_way_the_mask_comes_back_and_is_judged_right(
    ct_headers: list[Header],
    provenance: Provenance,
    tmp_path: Path,
    holes: Literal["keyhole", "xor"],
    kind: str,
    contours: int,
) -> None:
    mask = ring(ct_headers)
    data_set = build_structure_set(
        ct_headers, {"Ring": mask}, [ROI], provenance, label="AUTO", holes=holes
    )
    path = tmp_path / "structure_set.dcm"
    data_set.save_as(path, enforce_file_format=True)
    [written] = pydicom.dcmread(path).ROIContourSequence
    assert Counter(one.ContourGeometricType for one in written.ContourSequence) == {
        kind: 2 * contours
    }
    masks, findings = to_masks(read_structure_set(path), ct_headers)
    assert np.array_equal(masks["Ring"], mask)
    assert findings == []
    sent = {header.sop_instance_uid: header for header in ct_headers}
    assert judge(sent, [path]).faults == []


@pytest.mark.peer("dciodvfy")
def test_dciodvfy_has_nothing_against_excluding_contours_but_their_type_where_it_is_too_old(
    ct_headers: list[Header], provenance: Provenance, tmp_path: Path
) -> None:
    data_set = build_structure_set(
        ct_headers, {"Ring": ring(ct_headers)}, [ROI], provenance, label="AUTO", holes="xor"
    )
    path = tmp_path / "structure_set.dcm"
    data_set.save_as(path, enforce_file_format=True)
    known = values_of(ct_headers) | {"CLOSEDPLANAR_XOR"}
    assert [one for one in dciodvfy_errors(path) if not set(VALUE.findall(one)) & known] == []
