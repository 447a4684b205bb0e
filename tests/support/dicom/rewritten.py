"""The same data set in many encodings, for tests: lengths, padding, VRs and byte orders."""

import copy
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite

from imaging.pixels.same_pixels import same_pixels
from imaging.pixels.transcode import swap_byte_order
from network.data_sets.same_content import same_content
from network.file_meta import encode_file_meta
from tests.support.peers import EXPLICIT, IMPLICIT, MR

BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
PREAMBLE = b"\x00" * 128 + b"DICM"
Rewrite = Callable[[Dataset], Dataset]


def with_lengths(data_set: Dataset, *, sequences: bool, items: bool) -> Dataset:
    """Sequences and items with a defined length, or not, at every depth."""
    changed = copy.deepcopy(data_set)
    for element in changed:
        if element.VR != "SQ":
            continue
        changed.add(
            DataElement(
                element.tag,
                "SQ",
                [with_lengths(item, sequences=sequences, items=items) for item in element.value],
                is_undefined_length=not sequences,
            )
        )
        for item in changed[element.tag].value:
            item.is_undefined_length_sequence_item = not items
    return changed


def with_group_lengths(data_set: Dataset) -> Dataset:
    """With what is retired, and says nothing of an instance."""
    changed = copy.deepcopy(data_set)
    for group in {element.tag.group for element in data_set}:
        changed.add_new((group, 0), "UL", 4)
    changed.add_new((0xFFFC, 0xFFFC), "OB", b"\0" * 6)
    for element in data_set:
        if element.VR == "SQ":
            changed[element.tag].value = [with_group_lengths(item) for item in element.value]
    return changed


def with_private_as_un(data_set: Dataset) -> Dataset:
    """As a writer that does not know the private elements, and got them in implicit VR."""
    changed = copy.deepcopy(data_set)
    for element in data_set:
        if element.VR == "SQ":
            changed[element.tag].value = [with_private_as_un(item) for item in element.value]
        if element.tag.is_private and not element.tag.is_private_creator:
            alone = Dataset()
            alone.add(changed[element.tag])
            content = encoded_in(IMPLICIT, alone)
            undefined = element.VR == "SQ" and content[4:8] == b"\xff" * 4
            value = content[8:-8] if undefined else content[8:]
            changed.add_new(element.tag, "UN", value)
    return changed


def encoded_in(syntax: str, data_set: Dataset) -> bytes:
    """The bytes of a data set without file meta, but for deflating."""
    content = BytesIO()
    plain = Dataset(copy.deepcopy(data_set))
    if syntax == BIG_ENDIAN:
        swap_byte_order(plain)
    is_big = syntax == BIG_ENDIAN
    dcmwrite(
        content,
        plain,
        implicit_vr=syntax == IMPLICIT,
        little_endian=not is_big,
        force_encoding=True,
    )
    return content.getvalue()


def write(path: Path, data_set: Dataset, syntax: str = EXPLICIT) -> Path:
    """A DICOM file of it."""
    content = encoded_in(syntax, data_set)
    if syntax == DEFLATED:
        encoder = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        content = encoder.compress(content) + encoder.flush()
    path.write_bytes(encode_file_meta(MR, "1.2.3", syntax) + content)
    return path


def same(one: Path, other: Path) -> bool:
    """Whether two files hold the same instance."""
    return same_content(one, other, same_pixels)


def with_nul_padding(content: bytes) -> bytes:
    """Of texts in explicit VR little endian at the top level that end with a space."""
    data_set = pydicom.dcmread(BytesIO(content), force=True)
    changed = bytearray(content)
    for tag in data_set.keys():  # noqa: SIM118, values stay encoded
        raw = data_set.get_item(tag)
        value, begin = getattr(raw, "value", None), getattr(raw, "value_tell", 0)
        if isinstance(value, bytes) and raw and raw.VR in ("LO", "SH", "CS") and value[-1:] == b" ":
            changed[begin + len(value) - 1] = 0
    return bytes(changed)


def explicit_element(tag: int, vr: bytes, value: bytes, order: str = "<") -> bytes:
    """An element with a length of 16 bits."""
    return struct.pack(f"{order}HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value
