"""Lossy JPEG comes out as DCMTK decodes it: baseline, extended and near-lossless."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pydicom
import pytest
from openjpeg.utils import encode_array
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEG2000

from core.errors import PixelError
from imaging.pixels.reader import read_pixels
from imaging.pixels.transcode import write_uncompressed
from pipeline.conversion import dicom_to_hdf5
from tests.support.dicom.synthetic import make_series, ramp

Encode = Callable[[str, int, tuple[str, ...]], Path]


@pytest.fixture
def encoded(tmp_path: Path) -> Encode:
    """Write a ramp over all values of so many bits as a program of DCMTK compresses it."""

    def encode(dtype: str, bits_stored: int, command: tuple[str, ...]) -> Path:
        [_, data_set, _] = make_series(ramp(dtype, bits_stored), bits_stored=bits_stored)
        data_set.save_as(tmp_path / "plain.dcm", enforce_file_format=True)
        files = [str(tmp_path / "plain.dcm"), str(tmp_path / "compressed.dcm")]
        subprocess.run([*command, *files], check=True, capture_output=True)
        return tmp_path / "compressed.dcm"

    return encode


def decoded_by(program: str, path: Path) -> FileDataset:
    decoded = path.with_name("decoded.dcm")
    subprocess.run([program, str(path), str(decoded)], check=True, capture_output=True)
    return pydicom.dcmread(decoded)


@pytest.mark.peer("dcmcjpeg", "dcmdjpeg", "dcmcjpls", "dcmdjpls")
@pytest.mark.parametrize(
    ("dtype", "bits_stored", "command", "syntax"),
    [
        ("<u1", 8, ("dcmcjpeg", "+eb"), "JPEG Baseline"),
        ("<u1", 8, ("dcmcjpeg", "+ee"), "JPEG Extended"),
        ("<u2", 12, ("dcmcjpeg", "+ee"), "JPEG Extended"),
        ("<u2", 10, ("dcmcjpeg", "+ee"), "JPEG Extended"),
        ("<u2", 12, ("dcmcjpls", "+en", "+md", "3"), "JPEG-LS Lossy"),
        ("<u2", 16, ("dcmcjpls", "+en", "+md", "3"), "JPEG-LS Lossy"),
    ],
)
def test_values_are_those_that_dcmtk_decodes(
    encoded: Encode, dtype: str, bits_stored: int, command: tuple[str, ...], syntax: str
) -> None:
    path = encoded(dtype, bits_stored, command)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID.name.startswith(syntax)
    theirs = decoded_by(command[0].replace("cj", "dj"), path)
    slope, intercept = float(theirs.RescaleSlope), float(theirs.RescaleIntercept)
    expected = (theirs.pixel_array * slope + intercept).astype(np.float32)
    assert np.array_equal(read_pixels(path)[0], expected)
    assert np.ptp(expected) > 0.3 * 2**bits_stored


def test_jpeg_2000_with_loss_is_near_what_was_compressed(tmp_path: Path) -> None:
    [data_set, *_] = make_series(ramp("<i2", 16), bits_stored=16)
    exact = data_set.pixel_array + float(data_set.RescaleIntercept)
    stream = encode_array(data_set.pixel_array, compression_ratios=[3.0])
    data_set.PixelData = encapsulate([stream])
    data_set["PixelData"].VR = "OB"
    data_set.file_meta.TransferSyntaxUID = JPEG2000
    data_set.save_as(tmp_path / "lossy.dcm", enforce_file_format=True)
    assert np.abs(read_pixels(tmp_path / "lossy.dcm")[0] - exact).max() < 0.01 * np.ptp(exact)


@pytest.mark.peer("dcmcjpeg")
def test_twelve_bits_of_jpeg_extended_go_to_hdf5_and_out_uncompressed(
    encoded: Encode, tmp_path: Path
) -> None:
    path = encoded("<u2", 12, ("dcmcjpeg", "+ee"))
    expected = read_pixels(path)[0]
    (tmp_path / "out.h5").write_bytes(dicom_to_hdf5([pydicom.dcmread(path)]).hdf5)
    with h5py.File(tmp_path / "out.h5") as file:
        assert np.array_equal(file["voxels"][0], expected)
    write_uncompressed(path, tmp_path / "raw.dcm", "1.2.840.10008.1.2.1")
    assert np.array_equal(read_pixels(tmp_path / "raw.dcm")[0], expected)
    assert pydicom.dcmread(tmp_path / "raw.dcm").LossyImageCompression == "01"


@pytest.mark.peer("dcmcjpeg")
def test_damaged_or_signed_jpeg_extended_is_refused(encoded: Encode) -> None:
    path = encoded("<u2", 12, ("dcmcjpeg", "+ee"))
    data_set = pydicom.dcmread(path)
    frame = next(generate_frames(data_set.PixelData, number_of_frames=1))
    data_set.PixelRepresentation = 1
    data_set.save_as(path)
    with pytest.raises(PixelError, match=r"cannot be decoded from JPEG Extended.*signed"):
        read_pixels(path)
    data_set.PixelRepresentation = 0
    data_set.PixelData = encapsulate([frame[:300]])
    data_set.save_as(path)
    with pytest.raises(PixelError, match=r"cannot be decoded from JPEG Extended.*0 bytes"):
        read_pixels(path)
