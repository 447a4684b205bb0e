"""A series in each lossless encoding."""

import io
from collections.abc import Callable
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
