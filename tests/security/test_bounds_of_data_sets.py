"""Data sets that would become too much are answered 0xC000 while they are still bytes."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import psutil
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import get_encoder
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from core.errors import BeyondBoundsError, NotADataSetError
from imaging.instances.element_walk import Encoding
from imaging.pixels.codestream import DeclaredFrame, declared_frame
from network.data_sets.limits import inflate
from network.data_sets.structure import Structure
from tests.security.conftest import StartReceiver
from tests.support.peers import EXPLICIT, associate, encoded, store
from tests.support.receiver import Receiver

DEFLATED, JPEG_2000, JPEG_LOSSLESS = (
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.70",
)
LITTLE_EXPLICIT, LITTLE_IMPLICIT = Encoding(False, True), Encoding(True, True)
ITEM, ITEM_END, SEQUENCE_END = (struct.pack("<HH", 0xFFFE, one) for one in (0xE000, 0xE00D, 0xE0DD))


def answer(receiver: Receiver, data_set: bytes, uid: str, *, syntax: str = EXPLICIT) -> Any:
    with associate(receiver.address, syntaxes=(syntax,)) as association:
        return store(association, data_set, sop_instance_uid=uid, syntax=syntax)


def nested(depth: int, *, is_defined: bool, is_implicit: bool = False) -> bytes:
    """ContentSequence in ContentSequence in ... as bytes."""
    content = b""
    for _ in range(depth):
        length = len(content) if is_defined else 0xFFFFFFFF
        item = ITEM + struct.pack("<L", length) + content
        item += b"" if is_defined else ITEM_END + bytes(4)
        length = len(item) if is_defined else 0xFFFFFFFF
        header = struct.pack("<HH", 0x0040, 0xA730)
        header += b"" if is_implicit else b"SQ\x00\x00"
        content = header + struct.pack("<L", length) + item
        content += b"" if is_defined else SEQUENCE_END + bytes(4)
    return content


def check(content: bytes, encoding: Encoding = LITTLE_EXPLICIT, **bounds: int) -> None:
    limits = {"most_elements": 1_000_000, "deepest": 32} | bounds
    Structure(content, encoding).check(**limits)


@pytest.mark.parametrize("is_defined", [True, False])
@pytest.mark.parametrize("is_implicit", [True, False])
def test_sequences_may_be_nested_as_deep_as_configured_and_no_deeper(
    is_defined: bool, is_implicit: bool
) -> None:
    encoding = Encoding(is_implicit, True)
    check(nested(32, is_defined=is_defined, is_implicit=is_implicit), encoding)
    with pytest.raises(BeyondBoundsError, match="nested more than 32 deep"):
        check(nested(33, is_defined=is_defined, is_implicit=is_implicit), encoding)


def test_the_encoding_is_what_is_there_and_not_what_was_agreed() -> None:
    for is_implicit in (True, False):
        content = nested(40, is_defined=False, is_implicit=is_implicit)
        with pytest.raises(BeyondBoundsError):
            check(content, Encoding(not is_implicit, True))


def test_sequences_of_unknown_kind_count_too() -> None:
    inner = nested(40, is_defined=True, is_implicit=True)
    item = ITEM + struct.pack("<L", len(inner)) + inner
    unknown = struct.pack("<HH2sHL", 0x0011, 0x1001, b"UN", 0, len(item)) + item
    with pytest.raises(BeyondBoundsError):
        check(unknown)


def test_sequences_beside_each_other_are_not_nested(ct_structure_set: Path) -> None:
    check(encoded(pydicom.dcmread(ct_structure_set)), deepest=4)


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("undefined", [True, False])
def test_elements_are_counted_as_pydicom_finds_them(implicit: bool, undefined: bool) -> None:
    data_set, count = Dataset(), 0
    for number in range(5):
        item = Dataset()
        item.CodeValue, item.CodeMeaning = str(number), "x" * number
        inner = Dataset()
        inner.TextValue = "y"
        item.ContentSequence = Sequence([inner, inner])
        data_set.add_new(0x00400000 + 0x1000 * number + 0x10, "SQ", [item])
        count += 1 + 1 + 3 + 2 + 2  # sequence, item, its elements, their items, their elements
    for element in data_set.iterall():
        if element.VR == "SQ":
            element.is_undefined_length = undefined
            for item in element.value:
                item.is_undefined_length_sequence_item = undefined
    if undefined:
        count += 2 * 5 + 3 * 5  # delimiters of sequences and items
    content = encoded(data_set, implicit=implicit)
    encoding = Encoding(implicit, True)
    check(content, encoding, most_elements=count)
    with pytest.raises(BeyondBoundsError, match=f"more than {count - 1} data elements"):
        check(content, encoding, most_elements=count - 1)


@pytest.mark.parametrize("name", ["sunnybrook", "sts"])
def test_real_instances_keep_far_inside_the_bounds(
    cine_folder: Path, ct_folder: Path, name: str
) -> None:
    folder = {"sunnybrook": cine_folder, "sts": ct_folder}[name]
    for path in sorted(folder.glob("*.dcm"))[:5]:
        check(encoded(pydicom.dcmread(path)), most_elements=500, deepest=4)


def test_compressed_frames_are_no_elements(instance: pydicom.FileDataset) -> None:
    frames = [b"\xfe\xff\x00\xe0" * 100, b"\x08\x00\x05\x00CS\xff\xff" * 100]
    instance.PixelData = encapsulate(frames)
    instance["PixelData"].VR = "OB"
    instance["PixelData"].is_undefined_length = True
    check(encoded(instance), most_elements=200, deepest=4)


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes_end_the_walk(content: bytes) -> None:
    for encoding in (LITTLE_EXPLICIT, LITTLE_IMPLICIT, Encoding(False, False)):
        try:
            check(content, encoding, most_elements=100, deepest=4)
        except BeyondBoundsError:
            continue


def test_a_deeply_nested_instance_is_0xc000(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    receiver = start()
    for is_defined in (True, False):
        content = encoded(instance)[:-131_084] + nested(5000, is_defined=is_defined)
        answered = answer(receiver, content, instance.SOPInstanceUID)
        assert answered.Status == 0xC000
        assert answered.ErrorComment == "sequences are nested more than 32 deep"
    assert receiver.files() == []


@pytest.mark.parametrize(("depth", "status"), [(5, 0), (6, 0xC000)])
def test_the_depth_is_the_configured_one(
    start: StartReceiver, instance: pydicom.FileDataset, depth: int, status: int
) -> None:
    receiver = start(wire={"maximum_nesting": 5})
    del instance.PixelData
    content = encoded(instance) + nested(depth, is_defined=False)
    assert answer(receiver, content, instance.SOPInstanceUID).Status == status


def test_an_instance_of_too_many_elements_is_0xc000(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    receiver = start(wire={"maximum_elements": 1000})
    many = b"".join(struct.pack("<HH2sH", 0x0009, 0x1000 + one, b"LO", 0) for one in range(1001))
    answered = answer(receiver, many + encoded(instance), instance.SOPInstanceUID)
    assert (answered.Status, answered.ErrorComment) == (0xC000, "more than 1000 data elements")


def deflated(content: bytes) -> bytes:
    encoder = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return encoder.compress(content) + encoder.flush()


def bomb(megabytes: int) -> bytes:
    """So many zeros, a thousandth of their size."""
    encoder, zeros = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS), bytes(1_000_000)
    return b"".join(encoder.compress(zeros) for _ in range(megabytes)) + encoder.flush()


def test_a_deflate_bomb_is_0xc000_and_takes_no_memory(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    receiver, attack = start(wire={"maximum_inflated_mb": 20}), bomb(400)
    assert len(attack) < 1e6
    before = psutil.Process().memory_info().rss
    answered = answer(receiver, attack, instance.SOPInstanceUID, syntax=DEFLATED)
    assert answered.Status == 0xC000
    assert answered.ErrorComment == "a deflated data set of more than 20 MB"
    assert psutil.Process().memory_info().rss - before < 150e6
    assert receiver.files() == []


def test_a_deflated_instance_within_the_bound_is_stored(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    receiver = start(wire={"maximum_inflated_mb": 1})
    content = deflated(encoded(instance))
    assert answer(receiver, content, instance.SOPInstanceUID, syntax=DEFLATED).Status == 0
    cut = answer(receiver, content[:-500], instance.SOPInstanceUID, syntax=DEFLATED)
    assert (cut.Status, cut.ErrorComment) == (0xC000, "a deflated data set that is cut short")


def test_inflating_is_exact_and_linear() -> None:
    content = bytes(range(256)) * 40_000
    assert inflate(deflated(content), len(content)) == content
    with pytest.raises(BeyondBoundsError):
        inflate(deflated(content), len(content) - 1)
    with pytest.raises(NotADataSetError):
        inflate(b"\xff" * 100, 1000)


def test_pixels_that_become_too_much_are_0xc000(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    receiver = start(wire={"maximum_decoded_mb": 10})
    instance.NumberOfFrames = 1_000_000
    answered = answer(receiver, encoded(instance), instance.SOPInstanceUID)
    assert answered.Status == 0xC000
    assert answered.ErrorComment == "pixels decode to 131072 MB, at most 10 MB are taken"


@pytest.mark.parametrize("syntax", [JPEG_2000, JPEG_LOSSLESS])
def test_a_frame_that_says_that_it_is_larger_than_its_header_is_0xc000(
    start: StartReceiver, instance: pydicom.FileDataset, syntax: str
) -> None:
    receiver = start()
    large = {
        JPEG_2000: b"\xff\x4f\xff\x51" + struct.pack(">HH8LHBBB", 41, 0, 60_000, 60_000, 0, 0,
                                                    60_000, 60_000, 0, 0, 1, 15, 1, 1),
        JPEG_LOSSLESS: b"\xff\xd8\xff\xc3" + struct.pack(">HBHHB", 11, 16, 60_000, 60_000, 1),
    }[syntax]  # fmt: skip
    instance.PixelData = encapsulate([large + bytes(20)])
    instance["PixelData"].VR = "OB"
    instance["PixelData"].is_undefined_length = True
    answered = answer(receiver, encoded(instance), instance.SOPInstanceUID, syntax=syntax)
    assert answered.Status == 0xC000
    assert answered.ErrorComment == "pixels decode to 7200 MB, at most 4096 MB are taken"


@pytest.mark.parametrize("uid", [JPEGLSLossless, JPEG2000Lossless])
def test_what_frames_declare_is_what_they_decode_to(uid: str) -> None:
    assert declared_frame(encoded_frame(uid)) == DeclaredFrame(96, 64, 1, 12)


@pytest.mark.parametrize(("mode", "components"), [("L", 1), ("RGB", 3)])
def test_a_jpeg_declares_its_size_after_its_tables(mode: str, components: int) -> None:
    file = BytesIO()
    Image.new(mode, (24, 16)).save(file, "JPEG", progressive=True, comment=b"x" * 5000)
    assert declared_frame(file.getvalue()) == DeclaredFrame(24, 16, components, 8)


def encoded_frame(uid: str) -> bytes:
    """A frame of 64 rows and 96 columns with 12 bits."""
    pixels = struct.pack("<6144H", *(index % 4096 for index in range(6144)))
    return get_encoder(uid).encode(
        pixels,
        rows=64,
        columns=96,
        samples_per_pixel=1,
        bits_allocated=16,
        bits_stored=12,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        number_of_frames=1,
    )


def test_rle_and_rubbish_declare_nothing() -> None:
    assert declared_frame(encoded_frame(RLELossless)) is None
    for rubbish in (b"", b"\xff\xd8", b"\xff\x4f\xff\x51", b"\xff\xd8\xff\xff\xff", b"rubbish" * 9):
        assert declared_frame(rubbish) is None
