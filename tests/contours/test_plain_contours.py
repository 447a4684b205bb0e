"""Contours read from bytes are those that pydicom's objects give."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.tag import Tag

from core.errors import ContourError
from core.identity import Provenance
from imaging.instances.header import Header
from imaging.rtstruct import reader as structure_set_reader
from imaging.rtstruct.plain_contours import plain_contours
from imaging.rtstruct.reader import StructureSet, read_structure_set
from imaging.rtstruct.writer import Roi, build_structure_set

_SEQUENCE = Tag("ContourSequence")


@pytest.fixture
def built(ct_headers: list[Header], provenance: Provenance) -> FileDataset:
    mask = np.zeros((len(ct_headers), ct_headers[0].rows, ct_headers[0].columns), dtype=bool)
    mask[2:5, 30:60, 40:80] = True
    mask[2:5, 40:45, 50:55] = False
    return build_structure_set(
        ct_headers, {"GTV": mask}, [Roi("GTV", (255, 0, 0))], provenance, label="AUTO"
    )


def _saved(data_set: FileDataset, path: Path) -> Path:
    data_set.save_as(path, enforce_file_format=True)
    return path


def _raw(path: Path) -> RawDataElement:
    element = pydicom.dcmread(path).ROIContourSequence[0].get_item(_SEQUENCE)
    assert isinstance(element, RawDataElement)
    return element


def _told(structure_set: StructureSet) -> list[Any]:
    return [
        (one.geometric_type, one.references, one.announced_points, one.points_mm.tobytes())
        for roi in structure_set.rois
        for one in roi.contours
    ]


def _read_or_words(path: Path) -> Any:
    try:
        return _told(read_structure_set(path))
    except ContourError:
        return "refused"


def test_what_is_written_here_is_plain(built: FileDataset, tmp_path: Path) -> None:
    contours = plain_contours(_raw(_saved(built, tmp_path / "RS.dcm")))
    assert contours is not None
    assert [one.geometric_type for one in contours] == ["CLOSED_PLANAR"] * 3


def test_plain_or_by_pydicom_the_contours_are_the_same(
    built: FileDataset, ct_structure_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [_saved(built, tmp_path / "RS.dcm"), ct_structure_set]
    plain = [_told(read_structure_set(path)) for path in paths]
    monkeypatch.setattr(structure_set_reader, "plain_contours", lambda _: None)
    assert plain == [_told(read_structure_set(path)) for path in paths]


def test_sequences_of_undefined_length_are_left_to_pydicom(
    built: FileDataset, tmp_path: Path
) -> None:
    plain = _told(read_structure_set(_saved(built, tmp_path / "plain.dcm")))
    contours = built.ROIContourSequence[0].ContourSequence
    for contour in contours:
        contour.is_undefined_length_sequence_item = True
    path = _saved(built, tmp_path / "RS.dcm")
    assert plain_contours(_raw(path)) is None
    assert _told(read_structure_set(path)) == plain


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_bytes_give_what_pydicom_gives(
    data: Any, built: FileDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _saved(built, tmp_path / "RS.dcm")
    content = bytearray(path.read_bytes())
    begin = content.index(b"\x06\x30\x40\x00")
    for _ in range(data.draw(st.integers(1, 2))):
        content[data.draw(st.integers(begin, begin + 400))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    ours = _read_or_words(path)
    with monkeypatch.context() as context:
        context.setattr(structure_set_reader, "plain_contours", lambda _: None)
        assert ours == _read_or_words(path)
