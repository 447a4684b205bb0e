"""Programs of other vendors read the same masks from the structure sets that are written."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import rt_utils
from pydicom.dataset import FileDataset

from core.identity import Provenance
from imaging.contours.polygon_fill import polygons_to_mask
from imaging.instances.header import Header
from imaging.rtstruct.writer import Roi, build_structure_set
from tests.contours.dciodvfy import VALUE, dciodvfy_errors, values_of

GTV = Roi("GTV", (255, 0, 0), "GTV")


def structure_set(headers: list[Header], provenance: Provenance) -> FileDataset:
    mask = np.zeros((len(headers), headers[0].rows, headers[0].columns), dtype=bool)
    mask[2:, 30:60, 40:80] = True
    mask[2:, 40:45, 50:55] = False
    masks = {"GTV": mask, "Nothing": np.zeros_like(mask)}
    rois = [GTV, Roi("Nothing", (0, 255, 0))]
    return build_structure_set(headers, masks, rois, provenance, label="AUTO")


@pytest.mark.peer("dciodvfy")
@pytest.mark.parametrize("series", ["ct_headers", "cine_headers"])
def test_dciodvfy_finds_no_error_that_the_source_did_not_bring(
    series: str, request: pytest.FixtureRequest, provenance: Provenance, tmp_path: Path
) -> None:
    headers: list[Header] = request.getfixturevalue(series)
    path = tmp_path / "structure_set.dcm"
    structure_set(headers, provenance).save_as(path, enforce_file_format=True)
    copied = values_of(headers)
    own = {line for line in dciodvfy_errors(path) if not set(VALUE.findall(line)[-1:]) & copied}
    assert own == set()


@pytest.mark.peer("dciodvfy")
def test_dciodvfy_names_what_is_missing(
    ct_headers: list[Header], provenance: Provenance, tmp_path: Path
) -> None:
    path = tmp_path / "structure_set.dcm"
    data_set = structure_set(ct_headers, provenance)
    del data_set.StructureSetLabel
    data_set.save_as(path, enforce_file_format=True)
    assert any("StructureSetLabel" in line for line in dciodvfy_errors(path))


def test_rt_utils_reads_the_same_mask(
    ct_folder: Path, ct_headers: list[Header], provenance: Provenance, tmp_path: Path
) -> None:
    # rt-utils 1.2.7 returns a wrong shape for images that are not square: both are padded
    size = max(ct_headers[0].rows, ct_headers[0].columns)
    for path in ct_folder.glob("*.dcm"):
        data_set = pydicom.dcmread(path)
        pixels = np.zeros((size, size), dtype=np.int16)
        pixels[: data_set.Rows, : data_set.Columns] = data_set.pixel_array
        data_set.Rows = data_set.Columns = size
        data_set.PixelData = pixels.tobytes()
        data_set.save_as(tmp_path / path.name)
    drawn = np.array([(20.3, 31.2), (90.1, 25.4), (110.7, 120.6), (35.5, 99.8)])
    hole = np.array([(50.2, 60.4), (70.3, 60.4), (70.3, 80.9), (50.2, 80.9)])
    plane = polygons_to_mask([drawn, hole], (ct_headers[0].rows, ct_headers[0].columns))
    mask = np.zeros((len(ct_headers), *plane.shape), dtype=bool)
    mask[5:40] = plane
    path = tmp_path / "RS.dcm"
    data_set = build_structure_set(ct_headers, {"GTV": mask}, [GTV], provenance, label="AUTO")
    data_set.save_as(path, enforce_file_format=True)
    reader = rt_utils.RTStructBuilder.create_from(str(tmp_path), str(path))
    assert reader.get_roi_names() == ["GTV"]
    theirs = reader.get_roi_mask_by_name("GTV")  # [row, column, slice] in order of position
    in_order = sorted(range(len(ct_headers)), key=lambda at: ct_headers[at].image_position_mm or ())
    ours = np.moveaxis(mask[in_order], 0, -1)
    assert np.array_equal(theirs[: ours.shape[0], : ours.shape[1]], ours)
    assert theirs.sum() == ours.sum()
