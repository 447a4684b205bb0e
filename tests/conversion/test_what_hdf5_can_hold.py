"""What goes into HDF5 is what its own reader takes, and the reader refuses the rest in words."""

import io
from typing import Any

import h5py
import numpy as np
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.tag import Tag

from core.errors import GeometryError, PixelError
from pipeline.conversion import dicom_to_hdf5, hdf5_to_dicom
from tests.support.dicom.synthetic import SERIES, cells_by_source, make_series, ramp

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"


def _with_raw(
    series: list[FileDataset], keyword: str, vr: str, content: bytes
) -> list[FileDataset]:
    tag = Tag(keyword)
    for one in series:
        one[tag] = RawDataElement(tag, vr, len(content), content, 0, False, True)
    return series


@pytest.fixture
def series() -> list[FileDataset]:
    return make_series(ramp("<u2", 12), bits_stored=12)


def _edited(content: bytes, key: str, value: Any, at: Any = 0) -> bytes:
    memory = io.BytesIO(content)
    with h5py.File(memory, "r+") as file:
        file[key][at] = value
    return memory.getvalue()


def _replaced(content: bytes, key: str, value: Any) -> bytes:
    memory = io.BytesIO(content)
    with h5py.File(memory, "r+") as file:
        if key in file:
            del file[key]
        file[key] = value
    return memory.getvalue()


@pytest.mark.parametrize(
    ("keyword", "content"),
    [
        ("PixelSpacing", b"nan\\1 "),
        ("PixelSpacing", b"1\\1e999"),
        ("RescaleSlope", b"nan "),
        ("RescaleSlope", b"1e999 "),
        ("RescaleIntercept", b"inf "),
    ],
)
def test_numbers_that_are_none_do_not_go_in(
    series: list[FileDataset], keyword: str, content: bytes
) -> None:
    with pytest.raises((GeometryError, PixelError), match=f"Instance {SERIES}.1: .*{keyword}"):
        dicom_to_hdf5(_with_raw(series, keyword, "DS", content))


def test_an_instance_of_no_image_class_does_not_go_in(series: list[FileDataset]) -> None:
    for one in series:
        one.SOPClassUID = RT_STRUCTURE_SET
    with pytest.raises(GeometryError, match="RT Structure Set Storage, expected an image"):
        dicom_to_hdf5(series)


def test_a_private_class_goes_there_and_back(series: list[FileDataset]) -> None:
    for one in series:
        one.SOPClassUID = "1.2.826.99.77"
    restored = hdf5_to_dicom(dicom_to_hdf5(series).hdf5, series)
    assert {str(one.SOPClassUID) for one in restored} == {"1.2.826.99.77"}


def test_a_thickness_that_is_no_number_counts_as_not_stated(series: list[FileDataset]) -> None:
    content = dicom_to_hdf5(_with_raw(series, "SliceThickness", "DS", b"1e999 ")).hdf5
    assert len(list(hdf5_to_dicom(content, series[:1]))) == 3


@pytest.mark.parametrize(
    ("dtype", "vr", "padding"), [("<i4", "SL", -(1 << 31)), ("<u4", "UL", (1 << 32) - 1)]
)
def test_padding_of_32_bits_comes_back(dtype: str, vr: str, padding: int) -> None:
    cells = ramp(dtype, 32)
    series = make_series(cells, bits_stored=32)
    for one in series:
        one.add_new("PixelPaddingValue", vr, padding)
    content = dicom_to_hdf5(series).hdf5
    others = make_series(cells, bits_stored=32)
    for templates in (series, others):
        restored = list(hdf5_to_dicom(content, templates))
        assert [one.PixelPaddingValue for one in restored] == [padding] * 3
        assert {one["PixelPaddingValue"].VR for one in restored} == {vr}
        for number, found in enumerate(cells_by_source(restored).values()):
            assert np.array_equal(found, cells[number])


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("slice_thicknesses_mm", np.inf, "slice 0 has thickness inf mm, expected a finite"),
        ("stored/padding_values", 1.5, "padding_values has 1.5, expected whole numbers"),
        ("stored/padding_values", np.inf, "padding_values has inf, expected whole numbers"),
        ("stored/padding_range_limits", 0.25, "padding_range_limits has 0.25, expected whole"),
        (
            "stored/rescale_slopes",
            0,
            "slice 0 has a rescale slope of 0, expected a number",
        ),
        ("instance_numbers", 1 << 40, "instance number 1099511627776, expected whole numbers"),
    ],
)
def test_a_table_with_impossible_numbers_is_refused(
    series: list[FileDataset], key: str, value: float, words: str
) -> None:
    with pytest.raises(PixelError, match=words):
        hdf5_to_dicom(_edited(dicom_to_hdf5(series).hdf5, key, value), series)


@pytest.mark.parametrize("bits", [1 << 16, 1 << 31, 1])
def test_unused_bits_outside_their_place_are_refused(series: list[FileDataset], bits: int) -> None:
    for one in series:
        one.PixelData = (np.frombuffer(one.PixelData, "<u2") | 0xF000).tobytes()
    content = dicom_to_hdf5(series).hdf5
    assert len(list(hdf5_to_dicom(content, series))) == 3
    with pytest.raises(PixelError, match=r"slice 1 has unused bits .* from 12 to 15 alone"):
        hdf5_to_dicom(_edited(content, "stored/unused_bits", bits, at=(1, 0, 0)), series)


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_unused_bits_where_there_is_no_room_are_refused(bits: int) -> None:
    series = make_series(ramp(f"<u{bits // 8}", bits), bits_stored=bits)
    content = dicom_to_hdf5(series).hdf5
    shape = (3, 40, 36)
    none = _replaced(content, "stored/unused_bits", np.zeros(shape, np.uint32))
    assert len(list(hdf5_to_dicom(none, series))) == 3
    some = _replaced(content, "stored/unused_bits", np.full(shape, 1 << 31, np.uint32))
    with pytest.raises(PixelError, match="slice 0 has unused bits up to 0x80000000"):
        hdf5_to_dicom(some, series)


@pytest.mark.parametrize("shape", [(2, 70_000, 1), (2, 1, 70_000)])
def test_more_rows_or_columns_than_dicom_counts_are_refused(
    series: list[FileDataset], shape: tuple[int, ...]
) -> None:
    content = _replaced(dicom_to_hdf5(series).hdf5, "voxels", np.zeros(shape, np.int8))
    with pytest.raises(PixelError, match=f"{shape[1]} rows and {shape[2]} columns, expected at mo"):
        hdf5_to_dicom(content, series)


@pytest.mark.parametrize(
    ("uid", "told"),
    [
        (RT_STRUCTURE_SET, RT_STRUCTURE_SET),
        ("1.2.840.10008.5.1.4.1.1.481.2", "1.2.840.10008.5.1.4.1.1.481.2"),
        ("../x", r"\(no UID, 4 characters\)"),
        ("CT", r"\(no UID, 2 characters\)"),
    ],
)
def test_a_class_of_no_images_is_refused(series: list[FileDataset], uid: str, told: str) -> None:
    memory = io.BytesIO(dicom_to_hdf5(series).hdf5)
    with h5py.File(memory, "r+") as file:
        file.attrs["sop_class_uid"] = uid
    with pytest.raises(PixelError, match=f"sop_class_uid {told}, expected an image storage class"):
        hdf5_to_dicom(memory.getvalue(), series)
