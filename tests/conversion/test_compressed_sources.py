"""Compressed, big-endian and deflated series give the same HDF5 values and come back the same."""

import io
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import gdcm
import numpy as np
import pydicom
import pytest
from openjpeg.utils import encode_array
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from core.errors import PixelError
from pipeline.conversion import dicom_to_hdf5, hdf5_to_dicom
from tests.conversion.synthetic import cells_by_source, make_series, ramp

Encode = Callable[[FileDataset, Path], FileDataset]


def _rle(data_set: FileDataset, _: Path) -> FileDataset:
    data_set.compress(RLELossless, generate_instance_uid=False)
    return data_set


def _jpeg_ls(data_set: FileDataset, _: Path) -> FileDataset:
    data_set.compress(JPEGLSLossless, generate_instance_uid=False)
    return data_set


def _jpeg_2000(data_set: FileDataset, _: Path) -> FileDataset:
    stream = encode_array(data_set.pixel_array, bits_stored=data_set.BitsStored)
    data_set.PixelData = encapsulate([stream])
    data_set["PixelData"].VR = "OB"
    data_set.file_meta.TransferSyntaxUID = JPEG2000Lossless
    return data_set


def _by_gdcm(data_set: FileDataset, folder: Path, syntax: int) -> FileDataset:
    data_set.save_as(folder / "plain.dcm", enforce_file_format=True)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(folder / "plain.dcm"))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(folder / "compressed.dcm"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    compressed = pydicom.dcmread(folder / "compressed.dcm")
    data_set["PixelData"] = compressed["PixelData"]  # gdcm adds a RescaleType to the rest
    data_set.file_meta.TransferSyntaxUID = compressed.file_meta.TransferSyntaxUID
    return data_set


def _jpeg_lossless(data_set: FileDataset, folder: Path) -> FileDataset:
    return _by_gdcm(data_set, folder, gdcm.TransferSyntax.JPEGLosslessProcess14)


def _jpeg_lossless_first_order(data_set: FileDataset, folder: Path) -> FileDataset:
    return _by_gdcm(data_set, folder, gdcm.TransferSyntax.JPEGLosslessProcess14_1)


def _written(data_set: FileDataset, syntax: UID) -> FileDataset:
    data_set.file_meta.TransferSyntaxUID = syntax
    memory = io.BytesIO()
    pydicom.dcmwrite(
        memory, data_set, implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian, force_encoding=True,
    )  # fmt: skip
    memory.seek(0)
    return pydicom.dcmread(memory)


def _big_endian(data_set: FileDataset, _: Path) -> FileDataset:
    size = data_set.BitsAllocated // 8
    words = np.frombuffer(data_set.PixelData, f"<u{size}")
    data_set.PixelData = words.astype(f">u{size}").tobytes()
    return _written(data_set, ExplicitVRBigEndian)


def _deflated(data_set: FileDataset, _: Path) -> FileDataset:
    return _written(data_set, DeflatedExplicitVRLittleEndian)


def _implicit(data_set: FileDataset, _: Path) -> FileDataset:
    return _written(data_set, ImplicitVRLittleEndian)


ENCODINGS = [
    pytest.param(_rle, "RLE Lossless", id="RLE"),
    pytest.param(_jpeg_lossless, "JPEG Lossless, Non-Hier", id="JPEG lossless"),
    pytest.param(_jpeg_lossless_first_order, "JPEG Lossless, .*First-Order", id="JPEG lossless 1"),
    pytest.param(_jpeg_ls, "JPEG-LS Lossless", id="JPEG-LS"),
    pytest.param(_jpeg_2000, "JPEG 2000 Image Compression .Lossless", id="JPEG 2000"),
    pytest.param(_big_endian, "Explicit VR Big Endian", id="big endian"),
    pytest.param(_deflated, "Deflated", id="deflated"),
    pytest.param(_implicit, "Implicit VR", id="implicit"),
]


@pytest.mark.parametrize(("encode", "syntax"), ENCODINGS)
@pytest.mark.parametrize("name", ["ct", "cine"])
def test_a_real_series_comes_back_bit_for_bit(
    encode: Encode, syntax: str, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sources = request.getfixturevalue(name)[:6]
    expected = dicom_to_hdf5(sources)
    encoded = [encode(deepcopy(one), tmp_path) for one in sources]
    converted = dicom_to_hdf5(encoded)
    assert converted.hdf5 == expected.hdf5
    found = converted.summary["instances"][0]["transfer_syntax"]
    assert re.match(syntax, found), found
    got = cells_by_source(list(hdf5_to_dicom(converted.hdf5, encoded)))
    for source in sources:
        assert got[str(source.SOPInstanceUID)].tobytes() == source.PixelData


@pytest.mark.parametrize(("encode", "syntax"), ENCODINGS)
@pytest.mark.parametrize(
    ("dtype", "bits_stored"), [("<u1", 8), ("<u2", 12), ("<i2", 12), ("<u2", 16), ("<i2", 16)]
)
def test_all_values_of_a_type_come_back(
    encode: Encode, syntax: str, dtype: str, bits_stored: int, tmp_path: Path
) -> None:
    cells = ramp(dtype, bits_stored)
    sources = make_series(cells, bits_stored=bits_stored)
    encoded = [encode(deepcopy(one), tmp_path) for one in sources]
    got = cells_by_source(list(hdf5_to_dicom(dicom_to_hdf5(encoded).hdf5, encoded)))
    for source, expected in zip(sources, cells, strict=True):
        assert np.array_equal(got[str(source.SOPInstanceUID)], expected)


def test_damaged_compressed_pixels_are_refused(ct: list[FileDataset]) -> None:
    ct[1].PixelData = encapsulate([b"not a code stream "])
    ct[1].file_meta.TransferSyntaxUID = JPEGLSLossless
    with pytest.raises(PixelError, match=f"{ct[1].SOPInstanceUID}.*cannot be decoded from JPEG-LS"):
        dicom_to_hdf5(ct[:3])


def test_an_image_once_compressed_with_loss_goes_on_saying_so() -> None:
    sources = make_series(ramp("<u2", 12), bits_stored=12, LossyImageCompression="01")
    content = dicom_to_hdf5(sources)
    assert content.summary["pixels"]["is_lossy"] is True
    plain = make_series(ramp("<u2", 12), bits_stored=12)
    assert all(one.LossyImageCompression == "01" for one in hdf5_to_dicom(content.hdf5, plain))


def test_overlays_of_a_big_endian_series_come_back_in_their_bits(tmp_path: Path) -> None:
    drawing = bytes(range(180))
    sources = make_series(ramp("<u2", 12), bits_stored=12)
    for one in sources:  # as it lies in a big-endian file
        turned = np.frombuffer(drawing, "<u2").astype(">u2").tobytes()
        one.add_new(0x60003000, "OW", turned)
    encoded = [_big_endian(one, tmp_path) for one in sources]
    for one in hdf5_to_dicom(dicom_to_hdf5(encoded).hdf5, encoded):
        assert one[0x60003000].value == drawing
