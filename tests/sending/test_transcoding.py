"""What a peer takes only in another syntax arrives with the same values."""

import io
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from openjpeg.utils import encode_array
from PIL import Image
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from core.errors import NotADataSetError, PixelError
from imaging.pixels.transcode import write_uncompressed
from network.scu.c_store import State, instance_to_send, send

CALLING = "SLICEWIRE"


@pytest.fixture
def ct(ct_folder: Path) -> FileDataset:
    """One slice of the CT, decoded."""
    return pydicom.dcmread(sorted(ct_folder.glob("*.dcm"))[20])


def _write(data_set: FileDataset, path: Path) -> Path:
    pydicom.dcmwrite(path, data_set)
    return path


def _write_big_endian(data_set: FileDataset, path: Path) -> Path:
    """pydicom leaves it to its caller to turn the words of binary values."""
    data_set.PixelData = np.frombuffer(data_set.PixelData, "<u2").astype(">u2").tobytes()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    pydicom.dcmwrite(path, data_set, implicit_vr=False, little_endian=False, force_encoding=True)
    return path


def _assert_same_elements(found: Dataset, expected: Dataset) -> None:
    """Every element by value, but pixels and group lengths, which belong to the encoding."""
    kept = [element for element in expected if element.tag.element != 0]
    assert [element.tag for element in found] == [element.tag for element in kept]
    for element in kept:
        if element.keyword not in ("PixelData", "PlanarConfiguration"):
            assert found[element.tag].value == element.value, element.keyword


def _receive(path: Path, start_peer: Any, syntaxes: tuple[str, ...]) -> FileDataset:
    peer = start_peer(syntaxes=syntaxes)
    outcome = send([instance_to_send(path)], peer.address, CALLING)[0]
    assert outcome.state is State.STORED, outcome.words
    assert outcome.transcoded_to == syntaxes[0]
    got = peer.received[0]
    assert got.transfer_syntax_uid == syntaxes[0]
    data_set = pydicom.dcmread(
        io.BytesIO(_part10(got.transfer_syntax_uid, got.data_set_bytes)), force=True
    )
    assert data_set.SOPInstanceUID == got.sop_instance_uid
    return data_set


def _part10(transfer_syntax_uid: str, data_set_bytes: bytes) -> bytes:
    value = transfer_syntax_uid.encode()
    value += b"\x00" * (len(value) % 2)
    element = b"\x02\x00\x10\x00UI" + len(value).to_bytes(2, "little") + value
    return b"\x00" * 128 + b"DICM" + element + data_set_bytes


def test_explicit_vr_reaches_a_peer_that_takes_only_implicit(
    start_peer: Any, cine_folder: Path
) -> None:
    expected = pydicom.dcmread(cine_folder / "109.dcm")
    assert expected.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    got = _receive(cine_folder / "109.dcm", start_peer, (str(ImplicitVRLittleEndian),))
    assert got.PixelData == expected.PixelData
    _assert_same_elements(got, expected)


def test_implicit_vr_reaches_a_peer_that_takes_only_explicit(
    start_peer: Any, ct: FileDataset
) -> None:
    assert ct.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    got = _receive(Path(str(ct.filename)), start_peer, (str(ExplicitVRLittleEndian),))
    assert got.PixelData == ct.PixelData
    _assert_same_elements(got, ct)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_lossless_compression_is_undone_exactly(
    start_peer: Any, ct: FileDataset, tmp_path: Path, syntax: UID
) -> None:
    expected = ct.pixel_array.copy()
    if syntax == JPEG2000Lossless:  # pydicom's own encoder wants one more package
        ct.PixelData = encapsulate([encode_array(expected)])
        ct.file_meta.TransferSyntaxUID = syntax
    else:
        ct.compress(syntax, generate_instance_uid=False)
    path = _write(ct, tmp_path / "compressed.dcm")
    got = _receive(path, start_peer, (str(ExplicitVRLittleEndian),))
    assert np.array_equal(got.pixel_array, expected)
    _assert_same_elements(got, ct)


def test_an_accepted_compressed_syntax_is_left_alone(
    start_peer: Any, ct: FileDataset, tmp_path: Path
) -> None:
    ct.compress(RLELossless, generate_instance_uid=False)
    path = _write(ct, tmp_path / "compressed.dcm")
    peer = start_peer()
    outcome = send([instance_to_send(path)], peer.address, CALLING)[0]
    assert outcome.transcoded_to == ""
    assert peer.received[0].transfer_syntax_uid == RLELossless
    assert path.read_bytes().endswith(peer.received[0].data_set_bytes)


def test_words_of_a_big_endian_instance_are_turned(
    start_peer: Any, ct: FileDataset, tmp_path: Path
) -> None:
    expected = pydicom.dcmread(str(ct.filename))
    path = _write_big_endian(ct, tmp_path / "big.dcm")
    got = _receive(path, start_peer, (str(ExplicitVRLittleEndian),))
    assert got.PixelData == expected.PixelData
    _assert_same_elements(got, expected)


@pytest.mark.peer("dcmconv")
def test_big_endian_as_dcmtk_writes_it_is_turned(ct: FileDataset, tmp_path: Path) -> None:
    big, little = tmp_path / "big.dcm", tmp_path / "little.dcm"
    subprocess.run(["/usr/bin/dcmconv", "+tb", str(ct.filename), str(big)], check=True)
    write_uncompressed(big, little, str(ImplicitVRLittleEndian))
    assert pydicom.dcmread(little).PixelData == ct.PixelData


def test_a_deflated_instance_is_inflated(start_peer: Any, ct: FileDataset, tmp_path: Path) -> None:
    expected = pydicom.dcmread(str(ct.filename))
    ct.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = _write(ct, tmp_path / "deflated.dcm")
    got = _receive(path, start_peer, (str(ImplicitVRLittleEndian),))
    assert got.PixelData == expected.PixelData


def test_a_deflated_instance_goes_out_deflated_where_it_may(
    start_peer: Any, ct: FileDataset, tmp_path: Path
) -> None:
    ct.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = _write(ct, tmp_path / "deflated.dcm")
    peer = start_peer()
    send([instance_to_send(path)], peer.address, CALLING)
    assert path.read_bytes().endswith(peer.received[0].data_set_bytes)


@pytest.fixture
def lossy_colour(ct: FileDataset, tmp_path: Path) -> Path:
    """A baseline JPEG of 24 x 40 smooth colours, chrominance halved along rows (YBR_FULL_422)."""
    jpeg = io.BytesIO()
    Image.fromarray(_colours()).save(jpeg, "JPEG", quality=95, subsampling="4:2:2")
    ct.Rows, ct.Columns, ct.SamplesPerPixel, ct.PlanarConfiguration = 24, 40, 3, 0
    ct.BitsAllocated, ct.BitsStored, ct.HighBit, ct.PixelRepresentation = 8, 8, 7, 0
    ct.PhotometricInterpretation = "YBR_FULL_422"
    ct.LossyImageCompression = "01"
    ct.PixelData = encapsulate([jpeg.getvalue()])
    ct.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return _write(ct, tmp_path / "colour.dcm")


def _colours() -> npt.NDArray[np.uint8]:
    row, column = np.mgrid[0:24, 0:40]
    channels = [40 + 3 * row, 200 - 2 * column, 60 + 2 * row + column]
    return np.stack(channels, axis=-1).astype(np.uint8)


def test_lossy_colours_keep_their_decoded_values_and_say_so(
    start_peer: Any, lossy_colour: Path
) -> None:
    sent = pydicom.dcmread(lossy_colour)
    image = Image.open(io.BytesIO(pydicom.encaps.get_frame(sent.PixelData, 0)))
    image.draft("YCbCr", image.size)
    got = _receive(lossy_colour, start_peer, (str(ExplicitVRLittleEndian),))
    assert got.PhotometricInterpretation == "YBR_FULL"
    decoded = pixel_array(got, raw=True).astype(int)
    assert np.abs(decoded - np.asarray(image).astype(int)).max() <= 2
    assert got.LossyImageCompression == "01"
    assert got.SOPInstanceUID == sent.SOPInstanceUID


def test_lossy_colours_look_as_they_were_drawn(tmp_path: Path, lossy_colour: Path) -> None:
    copy = tmp_path / "copy.dcm"
    write_uncompressed(lossy_colour, copy, str(ExplicitVRLittleEndian))
    shown = pixel_array(copy).astype(int)
    assert np.abs(shown - _colours()).max() <= 6


def test_pixels_that_cannot_be_decoded_are_named(
    start_peer: Any, ct: FileDataset, tmp_path: Path
) -> None:
    ct.PixelData = encapsulate([b"not a code stream "])
    ct.file_meta.TransferSyntaxUID = JPEGLSLossless
    path = _write(ct, tmp_path / "broken.dcm")
    with pytest.raises(PixelError, match=str(ct.SOPInstanceUID)):
        write_uncompressed(path, tmp_path / "copy.dcm", str(ExplicitVRLittleEndian))
    peer = start_peer(syntaxes=(str(ExplicitVRLittleEndian),))
    outcome = send([instance_to_send(path)], peer.address, CALLING)[0]
    assert outcome.state is State.NOT_SENT
    assert "pixels cannot be decoded from JPEG-LS Lossless Image Compression" in outcome.words


def test_a_file_cut_off_within_its_pixels_is_refused(ct: FileDataset, tmp_path: Path) -> None:
    whole = Path(str(ct.filename)).read_bytes()
    path = tmp_path / "cut.dcm"
    path.write_bytes(whole[:-1000])
    with pytest.raises(NotADataSetError, match=r"truncated, element \(7FE0,0010\)"):
        instance_to_send(path)


@pytest.mark.parametrize("kept_bytes", [100, 140, 200])
def test_a_file_cut_off_within_its_header_is_refused(
    ct: FileDataset, tmp_path: Path, kept_bytes: int
) -> None:
    path = tmp_path / "cut.dcm"
    path.write_bytes(Path(str(ct.filename)).read_bytes()[:kept_bytes])
    with pytest.raises(NotADataSetError, match=r"cut\.dcm"):
        instance_to_send(path)


def test_cut_off_compressed_pixels_are_refused(ct: FileDataset, tmp_path: Path) -> None:
    ct.compress(RLELossless, generate_instance_uid=False)
    path = _write(ct, tmp_path / "cut.dcm")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(NotADataSetError):
        instance_to_send(path)
