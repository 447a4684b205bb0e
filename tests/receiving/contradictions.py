"""Data sets that contradict their transfer syntax, and odd ones that do not, for tests."""

import copy
import struct
import zlib
from collections.abc import Callable

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from network.file_meta import encode_file_meta
from tests.support.dicom.rewritten import (
    BIG_ENDIAN,
    DEFLATED,
    encoded_in,
    explicit_element,
    with_lengths,
    with_private_as_un,
)
from tests.support.peers import EXPLICIT, IMPLICIT, MR

UID = "1.2.3"
Content = Callable[[Dataset], bytes]


def small_instance() -> Dataset:
    """Of 4 rows and 4 columns, with a sequence and a private one."""
    data_set = Dataset()
    data_set.SOPClassUID, data_set.SOPInstanceUID = MR, UID
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID = "1.2.3.1", "1.2.3.2"
    data_set.PatientID = "A"
    item, inner = Dataset(), Dataset()
    inner.CodeValue, inner.CodeMeaning = "T-1", "ODD"
    item.ReferencedSOPInstanceUID = "1.2.3.4"
    item.PurposeOfReferenceCodeSequence = [inner]
    data_set.ReferencedImageSequence = [item]
    private = Dataset()
    private.PatientComments = "IN A PRIVATE SEQUENCE"
    block = data_set.private_block(0x0021, "SLICEWIRE TEST", create=True)
    block.add_new(1, "SQ", [private])
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.Rows = data_set.Columns = 4
    data_set.BitsAllocated = data_set.BitsStored = 16
    data_set.HighBit, data_set.PixelRepresentation = 15, 0
    data_set.add_new("PixelData", "OW", bytes(range(32)))
    return data_set


def deflated(content: bytes) -> bytes:
    encoder = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return encoder.compress(content) + encoder.flush()


def of(syntax: str) -> Content:
    return lambda data_set: encoded_in(syntax, data_set)


def tag_bytes(tag: int, order: str = "<") -> bytes:
    return struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)


def sequence(syntax: str, tag: int, content: bytes, *, is_undefined: bool) -> bytes:
    """A sequence of one item, with header and item in `syntax` and any bytes in the item."""
    order = ">" if syntax == BIG_ENDIAN else "<"
    length = 0xFFFFFFFF if is_undefined else len(content)
    item = tag_bytes(0xFFFEE000, order) + struct.pack(f"{order}L", length) + content
    if is_undefined:
        item += tag_bytes(0xFFFEE00D, order) + bytes(4) + tag_bytes(0xFFFEE0DD, order) + bytes(4)
    length = 0xFFFFFFFF if is_undefined else len(item)
    vr = b"" if syntax == IMPLICIT else b"SQ\0\0"
    return tag_bytes(tag, order) + vr + struct.pack(f"{order}L", length) + item


def with_element(syntax: str, element: bytes, after: int) -> Content:
    """The instance in `syntax` with the bytes of one more element, after those up to a tag."""

    def content(data_set: Dataset) -> bytes:
        before = Dataset({one.tag: one for one in data_set if one.tag <= after})
        behind = Dataset({one.tag: one for one in data_set if one.tag > after})
        return encoded_in(syntax, before) + element + encoded_in(syntax, behind)

    return content


def nested(syntax: str, inner: str, *, tag: int = 0x00081200, is_undefined: bool) -> Content:
    item = Dataset()
    item.StudyInstanceUID, item.PatientComments = "1.2.3.9", "NESTED"
    element = sequence(syntax, tag, encoded_in(inner, item), is_undefined=is_undefined)
    return with_element(syntax, element, after=tag - 1)


def with_frames(frame: bytes, syntax: str = EXPLICIT) -> Content:
    def content(data_set: Dataset) -> bytes:
        changed = copy.deepcopy(data_set)
        changed.add_new("PixelData", "OB", encapsulate([frame]))
        changed["PixelData"].is_undefined_length = True
        return encoded_in(syntax, changed)

    return content


J2K_FRAME = b"\xff\x4f\xff\x51" + struct.pack(
    ">HH8LHBBB", 41, 0, 4, 4, 0, 0, 4, 4, 0, 0, 1, 15, 1, 1
)
JPEG_LS_FRAME = b"\xff\xd8\xff\xf7" + struct.pack(">HBHHB", 11, 16, 4, 4, 1) + bytes(20)
META = encode_file_meta(MR, UID, EXPLICIT)
TEXT = b"AN ELEMENT"
IMPLICIT_ELEMENT = tag_bytes(0x00104000) + struct.pack("<L", len(TEXT)) + TEXT

CONTRADICTIONS: dict[str, tuple[str, Content, str]] = {
    "implicit in explicit": (EXPLICIT, of(IMPLICIT), "encoded as implicit VR LE"),
    "explicit in implicit": (IMPLICIT, of(EXPLICIT), "encoded as explicit VR LE"),
    "big in explicit": (EXPLICIT, of(BIG_ENDIAN), "encoded as explicit VR BE"),
    "big in implicit": (IMPLICIT, of(BIG_ENDIAN), "encoded as explicit VR BE"),
    "explicit in big": (BIG_ENDIAN, of(EXPLICIT), "encoded as explicit VR LE"),
    "implicit in big": (BIG_ENDIAN, of(IMPLICIT), "encoded as implicit VR LE"),
    "deflated in explicit": (EXPLICIT, lambda one: deflated(of(EXPLICIT)(one)), "deflated"),
    "explicit in deflated": (DEFLATED, of(EXPLICIT), "encoded as explicit VR LE"),
    "implicit in deflated": (DEFLATED, of(IMPLICIT), "encoded as implicit VR LE"),
    "implicit within deflated": (
        DEFLATED, lambda one: deflated(of(IMPLICIT)(one)), "encoded as implicit VR LE",
    ),
    **{
        f"nested {inner} in {outer}, undefined: {is_undefined}": (
            outer, nested(outer, inner, is_undefined=is_undefined), "(",
        )
        for outer, inner in ((EXPLICIT, IMPLICIT), (IMPLICIT, EXPLICIT), (EXPLICIT, BIG_ENDIAN),
                             (IMPLICIT, BIG_ENDIAN), (BIG_ENDIAN, EXPLICIT))
        for is_undefined in (True, False)
    },
    "private nested": (
        IMPLICIT, nested(IMPLICIT, EXPLICIT, tag=0x00211002, is_undefined=False), "(0010,4000) is",
    ),
    "big sequence in explicit": (
        EXPLICIT,
        with_element(
            EXPLICIT,
            tag_bytes(0x00081200) + b"SQ\0\0" + struct.pack("<L", 8) + tag_bytes(0xFFFEE000, ">")
            + bytes(4),
            after=0x00081199,
        ),
        "(FFFE,E000) is explicit VR BE",
    ),
    "one element in explicit": (
        EXPLICIT, with_element(EXPLICIT, IMPLICIT_ELEMENT, after=0x00103FFF),
        "(0010,4000) is implicit",
    ),
    "one element in implicit": (
        IMPLICIT,
        with_element(IMPLICIT, explicit_element(0x00104000, b"LT", TEXT), after=0x00103FFF),
        "(0010,4000) is explicit",
    ),
    "encapsulated in explicit": (EXPLICIT, with_frames(J2K_FRAME), "encapsulated pixel data"),
    "encapsulated in implicit": (
        IMPLICIT, with_frames(J2K_FRAME, IMPLICIT), "encapsulated pixel data",
    ),
    "native in JPEG 2000": (JPEG2000Lossless, of(EXPLICIT), "native pixel data"),
    "native in RLE": (RLELossless, of(EXPLICIT), "native pixel data"),
    "JPEG 2000 in RLE": (RLELossless, with_frames(J2K_FRAME), "JPEG 2000 pixel data"),
    "JPEG-LS in JPEG 2000": (JPEG2000Lossless, with_frames(JPEG_LS_FRAME), "JPEG-LS pixel data"),
    "RLE in JPEG-LS": (
        JPEGLSLossless, with_frames(struct.pack("<16L", 1, 64, *[0] * 14) + bytes(8)),
        "RLE pixel data",
    ),
    "implicit in JPEG 2000": (
        JPEG2000Lossless, with_frames(J2K_FRAME, IMPLICIT), "encoded as implicit VR LE",
    ),
    "file meta": (EXPLICIT, lambda one: META[132:] + of(EXPLICIT)(one), "(0002,0000)"),
    "file meta in implicit": (IMPLICIT, lambda one: META[132:] + of(IMPLICIT)(one), "(0002,0000)"),
    "a whole file": (EXPLICIT, lambda one: META + of(EXPLICIT)(one), "a whole DICOM file"),
    "a command element": (
        EXPLICIT, lambda one: explicit_element(2, b"UI", b"1.2\0") + of(EXPLICIT)(one),
        "(0000,0002)",
    ),
}  # fmt: skip


def implicit_inside_unknown(data_set: Dataset) -> bytes:
    """PS3.5 section 6.2.2: what is UN with an undefined length is in implicit VR within."""
    item = Dataset()
    item.PatientComments = "UNKNOWN"
    element = sequence(IMPLICIT, 0x00291001, of(IMPLICIT)(item), is_undefined=True)
    element = element[:4] + b"UN\0\0" + element[4:]
    return with_element(EXPLICIT, element, after=0x00290000)(data_set)


def looking_like_a_vr(syntax: str, vr: bytes) -> Content:
    """An implicit VR element whose length is spelled like a VR."""
    length = int.from_bytes(vr, "little")
    element = tag_bytes(0x00104000) + struct.pack("<L", length) + b" " * length
    return with_element(syntax, element, after=0x00103FFF)


ODD: dict[str, tuple[str, Content]] = {
    "UN": (EXPLICIT, lambda one: of(EXPLICIT)(with_private_as_un(one))),
    "UN, implicit within": (EXPLICIT, implicit_inside_unknown),
    "a VR that nobody knows": (
        EXPLICIT, with_element(EXPLICIT, explicit_element(0x00291001, b"OX", TEXT), 0x00290000),
    ),
    "a length like LT": (IMPLICIT, looking_like_a_vr(IMPLICIT, b"LT")),
    "a length like PN": (IMPLICIT, looking_like_a_vr(IMPLICIT, b"PN")),
    "undefined lengths": (
        IMPLICIT, lambda one: of(IMPLICIT)(with_lengths(one, sequences=False, items=False)),
    ),
    "defined lengths": (
        EXPLICIT, lambda one: of(EXPLICIT)(with_lengths(one, sequences=True, items=True)),
    ),
    "big endian": (BIG_ENDIAN, of(BIG_ENDIAN)),
    "deflated": (DEFLATED, lambda one: deflated(of(EXPLICIT)(one))),
    "JPEG 2000": (JPEG2000Lossless, with_frames(J2K_FRAME)),
    "a frame of a compression that is not known": (JPEG2000Lossless, with_frames(b"\0" * 40)),
    "empty pixel data": (
        EXPLICIT, lambda one: of(EXPLICIT)(one)[:-44] + b"\xe0\x7f\x10\0OW" + bytes(6),
    ),
    "other character set": (
        EXPLICIT,
        lambda one: explicit_element(0x00080005, b"CS", b"ISO_IR 13 ") + of(EXPLICIT)(one),
    ),
}  # fmt: skip
