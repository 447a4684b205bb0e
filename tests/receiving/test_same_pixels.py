"""Pixels of equal values are equal, however they are encoded."""

import copy
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from network.data_sets.same_content import same_content
from tests.support.dicom.rewritten import BIG_ENDIAN, same, write
from tests.support.missing import unavailable
from tests.support.peers import IMPLICIT


def image(*, frames: int = 3, samples: int = 1, bits_stored: int = 16) -> Dataset:
    shape = (frames, 64, 96, samples)[: 3 if samples == 1 else 4]
    generator = np.random.default_rng(7)
    deep = samples == 1
    values = generator.integers(0, 1 << (bits_stored if deep else 8), shape)
    data_set = Dataset()
    data_set.SOPClassUID, data_set.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", "1.2.3"
    data_set.Rows, data_set.Columns, data_set.NumberOfFrames = 64, 96, frames
    data_set.SamplesPerPixel = samples
    data_set.PhotometricInterpretation = "MONOCHROME2" if deep else "RGB"
    if not deep:
        data_set.PlanarConfiguration = 0
    data_set.BitsAllocated = 16 if deep else 8
    data_set.BitsStored = bits_stored if deep else 8
    data_set.HighBit, data_set.PixelRepresentation = data_set.BitsStored - 1, 0
    data_set.add_new(
        "PixelData", "OW" if deep else "OB", values.astype("<u2" if deep else "u1").tobytes()
    )
    return data_set


def compressed(path: Path, native: Path, syntax: str) -> Path:
    data_set = pydicom.dcmread(native)
    data_set.compress(syntax, generate_instance_uid=False)
    data_set.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize("kind", [{}, {"bits_stored": 12}, {"samples": 3}])
def test_pixels_are_the_same_in_every_lossless_encoding(
    tmp_path: Path, syntax: str, kind: dict[str, int]
) -> None:
    native = write(tmp_path / "native.dcm", image(**kind))
    encapsulated = compressed(tmp_path / "compressed.dcm", native, syntax)
    assert same(native, encapsulated)
    assert same(encapsulated, write(tmp_path / "big.dcm", image(**kind), BIG_ENDIAN))
    assert same(encapsulated, compressed(tmp_path / "rle.dcm", native, RLELossless))
    changed = image(**kind)
    changed.PixelData = changed.PixelData[:-2] + bytes(
        [changed.PixelData[-2] ^ 1, changed.PixelData[-1]]
    )
    assert not same(encapsulated, write(tmp_path / "changed.dcm", changed))
    fewer = image(**kind)
    fewer.NumberOfFrames = 2
    fewer.PixelData = fewer.PixelData[: len(fewer.PixelData) // 3 * 2]
    assert not same(encapsulated, write(tmp_path / "fewer.dcm", fewer))


def test_colours_by_plane_are_the_same_as_colours_by_pixel(tmp_path: Path) -> None:
    by_pixel = image(samples=3, frames=1)
    by_plane = copy.deepcopy(by_pixel)
    values = np.frombuffer(by_pixel.PixelData, "u1").reshape(64, 96, 3)
    by_plane.PixelData, by_plane.PlanarConfiguration = values.transpose(2, 0, 1).tobytes(), 1
    one, two = write(tmp_path / "one.dcm", by_pixel), write(tmp_path / "two.dcm", by_plane)
    assert same(one, two)
    by_plane.PlanarConfiguration = 0
    assert not same(one, write(two, by_plane))


def test_an_overlay_within_the_pixels_is_content(tmp_path: Path) -> None:
    with_overlay = image(bits_stored=12)
    with_overlay.add_new(0x60000102, "US", 12)
    native = write(tmp_path / "one.dcm", with_overlay)
    encapsulated = compressed(tmp_path / "two.dcm", native, RLELossless)
    assert same(native, encapsulated)
    values = np.frombuffer(with_overlay.PixelData, "<u2").copy()
    values[0] |= 1 << 12
    with_overlay.PixelData = values.tobytes()
    assert not same(encapsulated, write(native, with_overlay))


def test_native_pixels_are_compared_without_decoding(tmp_path: Path) -> None:
    def never(_: Path, __: Path) -> bool:
        raise AssertionError("decoded")

    one, two = write(tmp_path / "one.dcm", image()), write(tmp_path / "two.dcm", image(), IMPLICIT)
    assert same_content(one, two, never)
    changed = image()
    changed.PixelData = bytes(2) + changed.PixelData[2:]
    assert not same_content(one, write(two, changed), never)
    encapsulated = compressed(tmp_path / "three.dcm", one, RLELossless)
    again = pydicom.dcmread(encapsulated)
    again.file_meta.SourceApplicationEntityTitle = "ROUTER"
    again.save_as(two)
    assert same_content(encapsulated, two, never)


def test_large_values_are_read_piece_by_piece(tmp_path: Path) -> None:
    large = image(frames=1)
    large.Rows, large.Columns = 4000, 4000
    large.PixelData = bytes(range(256)) * 125_000
    one, two = write(tmp_path / "one.dcm", large), write(tmp_path / "two.dcm", large, BIG_ENDIAN)
    tracemalloc.start()
    try:
        assert same(one, two)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10e6


def test_pixels_that_cannot_be_decoded_are_other_content(tmp_path: Path) -> None:
    one = write(tmp_path / "one.dcm", image())
    encapsulated = compressed(tmp_path / "two.dcm", one, JPEG2000Lossless)
    broken = bytearray(encapsulated.read_bytes())
    broken[-200:-60] = bytes(140)
    encapsulated.write_bytes(broken)
    assert not same(one, encapsulated)


@pytest.mark.parametrize("tool", [["dcmcjpeg"], ["dcmcjpls"], ["dcmcrle"], ["dcmconv", "+te", "-e"],
                                  ["dcmconv", "+td"], ["dcmconv", "+tb", "+e", "+g"],
                                  ["dcmconv", "+ti", "+p", "128", "128"]])  # fmt: skip
def test_what_dcmtk_writes_without_loss_is_the_same(
    tmp_path: Path, cine_folder: Path, tool: list[str]
) -> None:
    command = shutil.which(tool[0])
    if command is None:
        unavailable(f"{tool[0]} of DCMTK is not installed")
    source, written = cine_folder / "9.dcm", tmp_path / "dcmtk.dcm"
    subprocess.run([command, *tool[1:], source, written], check=True, capture_output=True)
    assert same(source, written)
    changed = pydicom.dcmread(written)
    changed.InstanceNumber = 4711
    changed.save_as(written)
    assert not same(source, written)
