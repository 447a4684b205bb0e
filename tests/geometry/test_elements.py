"""Fast reading of a few elements gives the same values as pydicom, for regular or damaged files."""

import warnings
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_files
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from core.errors import NotADataSetError, PixelError
from imaging.instances import header as header_module
from imaging.instances.elements import read_elements, tags_of
from imaging.instances.frames import read_headers
from imaging.instances.header import Header, header_of, read_header
from imaging.instances.plain_values import with_plain_value
from imaging.instances.read_errors import READING_ERRORS
from imaging.pixels import reader as pixels_module
from imaging.pixels.reader import StoredPixels, read_frames, read_pixels, stored_pixels

_TAGS = tags_of("SOPInstanceUID", "PatientName")
_IN_ONE_FOLDER = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _instance(**values: Any) -> FileDataset:
    """A CT with sequences in every form, and a name that is not ASCII."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set = FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
    data_set.SpecificCharacterSet = "ISO_IR 100"
    data_set.SOPClassUID, data_set.SOPInstanceUID = CTImageStorage, "1.2.3.1"
    data_set.SeriesInstanceUID, data_set.StudyInstanceUID = "1.2.3.2", "1.2.3.3"
    data_set.PatientName, data_set.PatientID = "Prüf^Körper", "P1"
    data_set.Modality, data_set.InstanceNumber = "CT", 7
    data_set.ImagePositionPatient, data_set.PixelSpacing = [-1.5, 2, 3e1], [0.7, 0.8]
    inner = Dataset()
    inner.CodeValue, inner.CodeMeaning = "1", "inside"
    inner.is_undefined_length_sequence_item = True
    outer = Dataset()
    outer.PurposeOfReferenceCodeSequence = Sequence([inner])
    outer["PurposeOfReferenceCodeSequence"].is_undefined_length = True
    data_set.ReferencedImageSequence = Sequence([outer, outer])
    data_set["ReferencedImageSequence"].is_undefined_length = True
    data_set.add_new(0x00091001, "UN", b"private")
    data_set.Rows, data_set.Columns, data_set.SamplesPerPixel = 3, 4, 1
    data_set.PhotometricInterpretation = "MONOCHROME2"
    data_set.BitsAllocated = data_set.BitsStored = 16
    data_set.HighBit, data_set.PixelRepresentation = 15, 0
    data_set.PixelData = np.arange(12, dtype=np.uint16).tobytes()
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return data_set


def _bytes(data_set: FileDataset, syntax: Any = ExplicitVRLittleEndian) -> bytes:
    data_set.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    dcmwrite(buffer, data_set, enforce_file_format=True)
    return buffer.getvalue()


def _header_or_words(path: Path, *, by_pydicom: bool) -> Header | str:
    if not by_pydicom:
        try:
            return read_header(path)
        except NotADataSetError:
            return "not readable"
    try:
        return header_of(pydicom.dcmread(path, defer_size=4096), path)
    except (NotADataSetError, *READING_ERRORS):
        return "not readable"


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_regular_file_is_read_without_the_rest(syntax: Any, tmp_path: Path) -> None:
    path = tmp_path / "one.dcm"
    path.write_bytes(_bytes(_instance(), syntax))
    found = read_elements(path, _TAGS, pixels=False)
    assert found is not None
    assert str(found.PatientName) == "Prüf^Körper"
    assert "Modality" not in found
    assert "PixelData" in found


def test_what_is_not_regular_is_left_to_pydicom(tmp_path: Path) -> None:
    whole = _bytes(_instance())
    big_endian = _instance()
    big_endian.PixelData = big_endian.PixelData
    contents = {
        "cut": whole[:-1],
        "longer": whole + b"\0\0",
        "no preamble": whole[132:],
        "empty": b"",
        "big endian": _bytes(big_endian, ExplicitVRBigEndian),
        "VR unknown": whole.replace(b"\x08\x00\x60\x00CS", b"\x08\x00\x60\x00ZZ"),
    }
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert read_elements(path, _TAGS, pixels=False) is None, name


@_IN_ONE_FOLDER
@given(data=st.data(), syntax=st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian]))
def test_a_damaged_file_gives_what_pydicom_gives(data: Any, syntax: Any, tmp_path: Path) -> None:
    content = bytearray(_bytes(_instance(), syntax))
    for _ in range(data.draw(st.integers(0, 2))):
        content[data.draw(st.integers(132, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "one.dcm"
    path.write_bytes(content[: data.draw(st.integers(100, len(content)))])
    ours, pydicoms = (_header_or_words(path, by_pydicom=one) for one in (False, True))
    assert ours == pydicoms


def test_every_file_that_pydicom_brings_reads_the_same() -> None:
    read = 0
    for name in get_testdata_files():
        path = Path(name)
        if path.suffix != ".dcm":
            continue
        ours, pydicoms = (_header_or_words(path, by_pydicom=one) for one in (False, True))
        assert ours == pydicoms, path.name
        read += isinstance(ours, Header)
    assert read > 50


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_frames_of_an_enhanced_instance_are_those_of_pydicom(
    syntax: Any, zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "enhanced.dcm"
    enhanced = next((zoo / "philips_enhanced/anatomical/001").iterdir())
    path.write_bytes(_bytes(pydicom.dcmread(enhanced), syntax))
    assert read_elements(path, _TAGS, pixels=False) is not None
    headers, frames = read_headers(path), read_frames(path)
    for module in (header_module, pixels_module):
        monkeypatch.setattr(module, "read_elements", lambda *_, **__: None)
    assert headers == read_headers(path)
    assert len(headers) == len(frames) == 8
    for ours, pydicoms in zip(frames, read_frames(path), strict=True):
        assert np.array_equal(ours.rescaled(), pydicoms.rescaled())


def test_a_file_of_very_many_elements_is_left_to_pydicom(tmp_path: Path) -> None:
    path = tmp_path / "large.dcm"
    path.write_bytes(_bytes(_instance(TextValue="y" * 2_000_000)))
    assert read_elements(path, _TAGS, pixels=False) is None
    assert read_header(path) == header_of(pydicom.dcmread(path), path)


def test_a_header_beyond_the_first_bytes_is_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "long.dcm"
    path.write_bytes(_bytes(_instance(ImageComments="x" * 10_000, TextValue="y" * 30_000)))
    assert read_elements(path, _TAGS, pixels=False) is not None
    ours, pydicoms = (_header_or_words(path, by_pydicom=one) for one in (False, True))
    assert ours == pydicoms


@_IN_ONE_FOLDER
@given(
    stored=st.integers(1, 16),
    signed=st.booleans(),
    seed=st.integers(0, 99),
    syntax=st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian]),
)
def test_plain_pixels_equal_pydicoms_whatever_the_unused_bits_hold(
    stored: Any, signed: Any, seed: Any, syntax: Any, tmp_path: Path
) -> None:
    bits = np.random.default_rng(seed).integers(0, 1 << 16, 12, dtype=np.uint16)
    data_set = _instance(BitsStored=stored, HighBit=stored - 1, PixelRepresentation=int(signed))
    data_set.PixelData = bits.tobytes()
    path = tmp_path / "one.dcm"
    path.write_bytes(_bytes(data_set, syntax))
    expected = pydicom.dcmread(path).pixel_array.astype(np.float32)
    assert np.array_equal(read_pixels(path)[0], expected)


@pytest.mark.parametrize("length", [0, 23, 22, 26])
def test_pixels_of_a_wrong_length_are_judged_by_pydicom(length: int, tmp_path: Path) -> None:
    path = tmp_path / "one.dcm"
    path.write_bytes(_bytes(_instance(PixelData=bytes(length))))
    try:
        expected: Any = pydicom.dcmread(path).pixel_array.astype(np.float32)
    except (ValueError, AttributeError, RuntimeError, TypeError):
        with pytest.raises(PixelError):
            read_pixels(path)
    else:
        assert np.array_equal(read_pixels(path)[0], expected)


@given(
    slope=st.one_of(st.sampled_from([1.0, -1.0, 2.0, 255.0]), st.floats(-300, 300)),
    intercept=st.one_of(st.sampled_from([0.0, -1024.0, 1e7]), st.floats(-1e5, 1e5)),
    dtype=st.sampled_from([np.int8, np.uint8, np.int16, np.uint16, np.int32]),
)
def test_rescaling_in_single_precision_has_the_bits_of_double(
    slope: float, intercept: float, dtype: Any
) -> None:
    limits = np.iinfo(dtype)
    values = np.linspace(limits.min, limits.max, 999).astype(dtype)[np.newaxis, np.newaxis]
    ours = StoredPixels(values, slope, intercept, None).rescaled()
    exact = (values.astype(np.float64) * slope + intercept).astype(np.float32)
    assert ours.tobytes() == exact.tobytes()


def test_headers_of_a_real_ct_are_those_of_pydicom(ct_folder: Path) -> None:
    for path in sorted(ct_folder.glob("*.dcm"))[:5]:
        data_set = pydicom.dcmread(path)
        assert read_header(path) == replace(header_of(data_set, path), path=path)
        exact = stored_pixels(data_set).rescaled()
        assert np.array_equal(read_pixels(path), exact)


@given(
    vr=st.sampled_from(["US", "UI", "CS", "IS", "DS"]),
    value=st.one_of(
        st.binary(max_size=6),
        st.from_regex(rb"-?[0-9]{1,7}(\.[0-9]{0,3})?(\\\\-?[0-9]{1,3}){0,2} {0,2}", fullmatch=True),
        st.from_regex(rb"[0-9.]{1,9}\x00?", fullmatch=True),
        st.from_regex(rb"[A-Z_0-9]{1,9} ?", fullmatch=True),
    ),
)
def test_a_plain_value_is_the_one_that_pydicom_gives(vr: str, value: bytes) -> None:
    raw = RawDataElement(BaseTag(0x00091001), vr, len(value), value, 0, False, True)
    plain = with_plain_value(raw)
    if isinstance(plain, RawDataElement):
        assert plain is raw
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = convert_raw_data_element(raw)
    assert plain.value == expected.value
    assert plain.VR == expected.VR
