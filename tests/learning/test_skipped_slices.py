"""Slices that somebody skipped between drawn ones neither train nor count, unless it is said."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from imaging.instances.header import read_header
from model.data.data_set_file import DataSetFile, open_data_set
from tests.learning.drawn_cases import case
from tests.learning.reports import findings, prepared


def _every_second_slice(data_set: Dataset) -> None:
    contours = data_set.ROIContourSequence[0].ContourSequence
    heights = sorted({float(one.ContourData[2]) for one in contours})
    data_set.ROIContourSequence[0].ContourSequence = [
        one for one in contours if float(one.ContourData[2]) in heights[::2]
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("skipped") / "in"
    case(folder / "whole", "1")
    case(folder / "second", "2", change=_every_second_slice)
    return folder


def _prepared(folder: Path, name: str, *options: str) -> tuple[DataSetFile, dict[str, Any]]:
    output = folder.parent / f"{name}.h5"
    report = prepared(folder, output, "--no-pictures", *options)
    return open_data_set(output), report


def _numbers(source: DataSetFile, patient: str, *, drawn: bool) -> set[int]:
    return {
        int(one.key.rpartition("-")[2])
        for one in source.samples({patient})
        if bool(source.read(one).masks.any()) == drawn
    }


def test_skipped_slices_are_in_no_data_set_as_empty_ones(folder: Path) -> None:
    source, report = _prepared(folder, "unknown")
    whole = _numbers(source, "whole", drawn=True)
    kept = _numbers(source, "second", drawn=True)
    empty = _numbers(source, "second", drawn=False)
    numbers = {
        read_header(path).instance_number for path in (folder / "second" / "images").iterdir()
    }
    assert len(kept) < len(whole)
    assert not whole & empty
    assert (
        numbers - kept - empty
        == {one for one in range(min(kept) - 1, max(kept) + 2) if one in numbers} - kept
    )
    (words,) = findings(report)["structures that skip slices between drawn ones, unknown there"]
    assert "second/" in words
    assert f"{len(numbers - kept - empty)} of 24 slices, InstanceNumber" in words


def test_skipped_slices_are_empty_where_a_person_says_so(folder: Path) -> None:
    source, report = _prepared(folder, "empty", "--skipped", "empty")
    kept = _numbers(source, "second", drawn=True)
    assert len(kept | _numbers(source, "second", drawn=False)) == 24
    assert "structures that skip" not in json.dumps(report)


def test_contours_on_thinner_slices_than_the_images_keep_their_voxels(
    folder: Path, tmp_path: Path
) -> None:
    thick = tmp_path / "in" / "thick"
    shutil.copytree(folder / "whole", thick)
    for path in sorted((thick / "images").glob("*.dcm"))[1::2]:
        path.unlink()
    whole, _ = _prepared(folder, "unknown")
    source, report = _prepared(tmp_path / "in", "thick")
    masks = {one.key.rpartition("-")[2]: whole.read(one).masks for one in whole.samples({"whole"})}
    entries = source.samples()
    assert len(entries) == 12
    for entry in entries:
        assert np.array_equal(source.read(entry).masks, masks[entry.key.rpartition("-")[2]])
    kind = "contours on slices for which another plane of theirs is nearer"
    assert any("passed over; " in one for one in findings(report)[kind])
