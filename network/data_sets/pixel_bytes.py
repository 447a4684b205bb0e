"""Compare the pixels of two instances as they are encoded, as far as that decides."""

import hashlib
import re
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

from pydicom.dataset import Dataset
from pydicom.uid import UID, JPEG2000TransferSyntaxes

from network.data_sets.element_values import fragments
from network.data_sets.encoded_elements import EncodedElement

_PIXEL_DATA = 0x7FE00010
_LOSSLESS_WORDS = re.compile(
    r"Lossless JPEG compression, selection value \d+, point transform 0, "
    r"compression ratio [\d.e+-]+(?: \[(.*)\])?",
    re.DOTALL,
)


class PixelFile(NamedTuple):
    """An open DICOM file whose large values pydicom has deferred."""

    data_set: Dataset
    source: BinaryIO
    syntax: UID


def same_pixel_bytes(one: PixelFile, other: PixelFile) -> bool | None:
    """Compare the pixels of two instances whose other attributes are the same.

    Attributes of the pixels' encoding are compared with them: PlanarConfiguration, and what DCMTK's
    lossless compressor writes into DerivationDescription.

    Returns:
        True or False; None if the pixels have to be decoded to decide.
    """
    if _decoded_interpretation(one) != _decoded_interpretation(other):
        return False
    if _derivation(one) != _derivation(other):
        return False
    pixels = [EncodedElement(file.data_set, _PIXEL_DATA, file.source) for file in (one, other)]
    if all(element.is_encapsulated for element in pixels):
        streams = [digest(fragments(*element.opened())) for element in pixels]
        return True if one.syntax == other.syntax and streams[0] == streams[1] else None
    if any(element.is_encapsulated for element in pixels):
        return None
    is_laid_out_alike = _planes(one) == _planes(other)
    if is_laid_out_alike and digest(pixels[0].binary()) == digest(pixels[1].binary()):
        return True
    is_one_order = pixels[0].is_little_endian == pixels[1].is_little_endian
    return False if is_laid_out_alike and is_one_order else None


def _decoded_interpretation(file: PixelFile) -> str:
    """PhotometricInterpretation of the decoded pixels (PS3.5 8.2.4)."""
    found = str(file.data_set.get("PhotometricInterpretation", ""))
    if file.syntax in JPEG2000TransferSyntaxes and found in ("YBR_RCT", "YBR_ICT"):
        return "RGB"
    return "YBR_FULL" if file.syntax.is_encapsulated and found == "YBR_FULL_422" else found


def _planes(file: PixelFile) -> int:
    return int(file.data_set.get("PlanarConfiguration") or 0)


def _derivation(file: PixelFile) -> str:
    words = str(file.data_set.get("DerivationDescription", "") or "").rstrip(" \0")
    while found := _LOSSLESS_WORDS.fullmatch(words):
        words = found[1] or ""
    return words


def digest(parts: Iterable[bytes]) -> bytes:
    """SHA-256 of the concatenated pieces."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.digest()
