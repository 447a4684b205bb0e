"""Pixels are rescaled correctly for every transfer syntax, or refused with a message."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from openjpeg.utils import encode_array
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from core.errors import PixelError
from imaging.geometry.placement import RULES_3D, place
from imaging.instances.header import read_header
from imaging.pixels.reader import read_pixels, read_stored
from imaging.series.volume import read_volume
from tests.support.dicom.encodings import ENCODINGS

Change = Callable[[FileDataset], None]


@pytest.fixture
def changed(ct_folder: Path, tmp_path: Path) -> Callable[[Change], Path]:
    """A real CT instance with something about it changed."""

    def change_and_save(change: Change) -> Path:
        data_set = pydicom.dcmread(ct_folder / "000025.dcm")
        change(data_set)
        path = tmp_path / "changed.dcm"
        data_set.save_as(path)
        return path

    return change_and_save


def test_a_ct_is_in_hounsfield_units(ct_folder: Path) -> None:
    pixels = read_pixels(ct_folder / "000000.dcm")
    assert pixels.shape == (1, 158, 154)
    assert pixels.dtype == np.float32
    assert (pixels.min(), pixels.max()) == (-1000.0, 259.0)


def test_slope_and_intercept_are_applied(ct_folder: Path, changed: Any) -> None:
    def rescale(data_set: FileDataset) -> None:
        data_set.RescaleSlope, data_set.RescaleIntercept = "0.25", "-7.5"

    stored = read_pixels(ct_folder / "000025.dcm")
    assert np.array_equal(read_pixels(changed(rescale)), stored * 0.25 - 7.5)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_lossless_compression_changes_no_value(ct_folder: Path, changed: Any, syntax: str) -> None:
    compressed = changed(lambda data_set: data_set.compress(syntax, generate_instance_uid=False))
    assert pydicom.dcmread(compressed).file_meta.TransferSyntaxUID == syntax
    assert np.array_equal(read_pixels(compressed), read_pixels(ct_folder / "000025.dcm"))


def test_jpeg_2000_changes_no_value(ct_folder: Path, changed: Any) -> None:
    def encode(data_set: FileDataset) -> None:
        data_set.PixelData = encapsulate([encode_array(data_set.pixel_array)])
        data_set.file_meta.TransferSyntaxUID = JPEG2000Lossless

    assert np.array_equal(read_pixels(changed(encode)), read_pixels(ct_folder / "000025.dcm"))


def test_monochrome1_keeps_its_values(ct_folder: Path, changed: Any) -> None:
    def invert(data_set: FileDataset) -> None:
        data_set.PhotometricInterpretation = "MONOCHROME1"

    assert np.array_equal(read_pixels(changed(invert)), read_pixels(ct_folder / "000025.dcm"))


def test_bits_above_those_stored_are_ignored(changed: Any) -> None:
    def dirty(data_set: FileDataset) -> None:
        data_set.BitsStored, data_set.HighBit, data_set.PixelRepresentation = 12, 11, 1
        stored = np.full((data_set.Rows, data_set.Columns), 0x7FF0, dtype="<i2")
        data_set.PixelData = stored.tobytes()

    assert (read_pixels(changed(dirty)) == -16.0).all()


def _truncate(data_set: FileDataset) -> None:
    data_set.PixelData = data_set.PixelData[:-1000]


def _colour(data_set: FileDataset) -> None:
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 3, "RGB"


def _palette(data_set: FileDataset) -> None:
    data_set.PhotometricInterpretation = "PALETTE COLOR"


def _drop(data_set: FileDataset) -> None:
    del data_set.PixelData


def _break(data_set: FileDataset) -> None:
    data_set.compress(JPEGLSLossless, generate_instance_uid=False)
    data_set.PixelData = data_set.PixelData[:40] + b"\x00" * 400 + data_set.PixelData[440:]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_truncate, "cannot be decoded"),
        (_break, "cannot be decoded from JPEG-LS"),
        (_colour, "colour"),
        (_palette, "colour"),
        (_drop, "no pixel data"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_instance(
    changed: Any, change: Any, words: str
) -> None:
    path = changed(change)
    uid = pydicom.dcmread(path).SOPInstanceUID
    with pytest.raises(PixelError, match=f"Instance {uid}: .*{words}"):
        read_pixels(path)


def test_a_file_cut_off_in_its_pixels_is_refused(ct_folder: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.dcm"
    cut.write_bytes((ct_folder / "000025.dcm").read_bytes()[:-2000])
    with pytest.raises(PixelError):
        read_pixels(cut)


def test_padding_written_as_unsigned_is_found_in_signed_pixels(changed: Any) -> None:
    def pad(data_set: FileDataset) -> None:
        stored = data_set.pixel_array.copy()
        stored[:, :20] = -2000
        data_set.PixelData = stored.tobytes()
        data_set.add_new("PixelPaddingValue", "US", 63536)

    padding = read_stored(changed(pad)).padding
    assert padding is not None
    assert padding[0, :, :20].all()
    assert padding.sum() == 20 * padding.shape[1]


@pytest.mark.parametrize(("encode", "syntax"), ENCODINGS)
def test_every_lossless_syntax_gives_the_same_volume(
    ct_folder: Path, tmp_path: Path, encode: Any, syntax: str
) -> None:
    paths = []
    for path in sorted(ct_folder.glob("*.dcm"))[:3]:
        encoded = encode(pydicom.dcmread(path), tmp_path)
        assert re.search(syntax, encoded.file_meta.TransferSyntaxUID.name)
        paths.append(tmp_path / path.name)
        encoded.save_as(paths[-1], enforce_file_format=True)
    volume = read_volume(place([read_header(path) for path in paths], RULES_3D).phases[0])
    plain = [read_header(ct_folder / path.name) for path in paths]
    assert np.array_equal(volume.voxels, read_volume(place(plain, RULES_3D).phases[0]).voxels)
