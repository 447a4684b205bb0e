"""Header values that make pixels unreadable are refused with one sentence."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.tag import Tag

from core.errors import NotADataSetError, PixelError
from imaging.derived.encoding import choose_encoding
from imaging.instances.frames import read_headers
from imaging.pixels.pixel_format import format_of
from imaging.pixels.reader import read_frames, read_pixels, read_stored
from pipeline.conversion import dicom_to_hdf5
from tests.support.dicom.synthetic import SERIES, make_series, ramp

_UID = f"Instance {SERIES}.1"


def _with_raw(keyword: str, vr: str, content: bytes) -> list[FileDataset]:
    """A series of whose first instance `keyword` has these very bytes."""
    series = make_series(ramp("<u2", 16), bits_stored=16)
    tag = Tag(keyword)
    series[0][tag] = RawDataElement(tag, vr, len(content), content, 0, False, True)
    return series


@pytest.mark.parametrize(
    ("keyword", "content", "words"),
    [
        (
            "RescaleSlope",
            b"1\\1 ",
            r"\(0028,1053\) RescaleSlope: expected one finite number.*2 values",
        ),
        (
            "RescaleSlope",
            b"1,0 ",
            r"\(0028,1053\) RescaleSlope: expected one finite number, .*DS of",
        ),
        (
            "RescaleSlope",
            b"abc ",
            r"\(0028,1053\) RescaleSlope: expected one finite number, .*DS of",
        ),
        (
            "RescaleSlope",
            b"nan ",
            r"\(0028,1053\) RescaleSlope: expected one finite number, .*DS of",
        ),
        (
            "RescaleSlope",
            b"1e999 ",
            r"\(0028,1053\) RescaleSlope: expected one finite number, .*DS",
        ),
        ("RescaleSlope", b"0 ", "RescaleSlope is 0, expected a number other than 0"),
        (
            "RescaleIntercept",
            b"-inf",
            r"\(0028,1052\) RescaleIntercept: expected one finite",
        ),
    ],
)
def test_a_rescale_that_gives_no_values_is_refused(
    keyword: str, content: bytes, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "odd.dcm"
    _with_raw(keyword, "DS", content)[0].save_as(path, enforce_file_format=True)
    values = np.zeros((1, 2, 2), np.float32)
    for read in (
        lambda: read_pixels(path),
        lambda: format_of(_with_raw(keyword, "DS", content)[0]),
        lambda: dicom_to_hdf5(_with_raw(keyword, "DS", content)),
        lambda: choose_encoding(_with_raw(keyword, "DS", content), values),
    ):
        with pytest.raises(PixelError, match=f"^{_UID}: {words}"):
            read()


def test_an_absent_or_empty_rescale_is_1_and_0() -> None:
    empty = _with_raw("RescaleSlope", "DS", b"")[0]
    absent = make_series(ramp("<u2", 16), bits_stored=16)[0]
    del absent.RescaleSlope
    del absent.RescaleIntercept
    assert format_of(empty).slope == 1
    assert (format_of(absent).slope, format_of(absent).intercept) == (1, 0)


@pytest.mark.parametrize("keyword", ["HighBit", "BitsStored", "BitsAllocated"])
def test_empty_bits_are_refused(keyword: str) -> None:
    with pytest.raises(PixelError, match=f"{_UID}: .*{keyword}: expected a whole number"):
        dicom_to_hdf5(_with_raw(keyword, "US", b""))


def test_an_empty_padding_limit_is_none(tmp_path: Path) -> None:
    data_set = _with_raw("PixelPaddingRangeLimit", "US", b"")[0]
    data_set.add_new("PixelPaddingValue", "US", 0)
    data_set.save_as(tmp_path / "padded.dcm", enforce_file_format=True)
    padding = read_stored(tmp_path / "padded.dcm").padding
    assert padding is not None
    assert padding.sum() == 1


def _enhanced(items: int, slope: str = "2") -> FileDataset:
    data_set = make_series(ramp("<u2", 16).reshape(1, 120, 36), bits_stored=16)[0]
    data_set.Rows, data_set.NumberOfFrames = 40, 3
    del data_set.ImagePositionPatient
    groups = []
    for number in range(items):
        position, rescale, group = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [0, 0, number]
        rescale.RescaleIntercept, rescale.RescaleSlope = "0", slope
        group.PlanePositionSequence = [position]
        group.PixelValueTransformationSequence = [rescale]
        groups.append(group)
    data_set.PerFrameFunctionalGroupsSequence = groups
    return data_set


@pytest.mark.parametrize("items", [2, 4])
def test_as_many_functional_groups_as_frames_are_needed(items: int, tmp_path: Path) -> None:
    path = tmp_path / "enhanced.dcm"
    _enhanced(items).save_as(path, enforce_file_format=True)
    words = f"{_UID}: NumberOfFrames 3, but {items} items in PerFrameFunctionalGroupsSequence"
    with pytest.raises(NotADataSetError, match=words):
        read_headers(path)
    with pytest.raises(PixelError, match=words):
        read_frames(path)


def test_a_frame_with_a_slope_of_0_is_named(tmp_path: Path) -> None:
    path = tmp_path / "enhanced.dcm"
    _enhanced(3).save_as(path, enforce_file_format=True)
    assert [frame.slope for frame in read_frames(path)] == [2, 2, 2]
    assert len(read_headers(path)) == 3
    _enhanced(3, slope="0").save_as(path, enforce_file_format=True)
    with pytest.raises(PixelError, match=f"{_UID}, frame 1: RescaleSlope is 0, expected a number"):
        read_frames(path)
