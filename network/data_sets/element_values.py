"""Normalize values of elements to compare them whatever their encoding is (PS3.5)."""

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from pydicom.charset import decode_bytes, python_encoding
from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS

_WORD_BYTES = {
    **dict.fromkeys(["US", "SS", "OW", "AT"], 2),
    **dict.fromkeys(["UL", "SL", "FL", "OF", "OL"], 4),
    **dict.fromkeys(["FD", "OD", "OV", "SV", "UV"], 8),
}
_SEVERAL = frozenset(["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UC", "UI"])
_ONE = frozenset(["LT", "ST", "UR", "UT"])
_NOT_BEFORE = frozenset(["AE", "CS", "DS", "IS", "LO", "SH"])
_OF_A_CHARACTER_SET = frozenset(["LO", "LT", "PN", "SH", "ST", "UC", "UT"])
TEXT_VRS = _SEVERAL | _ONE
BINARY_VRS = frozenset(_WORD_BYTES) | {"OB", "UN"}
_PADDING = " \0"
_PIECE_BYTES = 1 << 20
_ESCAPE = 0x1B
_NOT_DECODED = "\ufffd"
_CHARACTER_SET = re.compile(r"ISO[ _-](IR|2022[ _-]IR)[ _-](\d+)")
CharacterSet = tuple[str, ...]
"""Python's names of encodings; the first is used until an escape sequence (PS3.5 6.1.2.5)."""
DEFAULT_CHARACTER_SET: CharacterSet = ("ascii",)
_UNKNOWN = ""


def character_set_of(terms: Sequence[str]) -> CharacterSet:
    """Encodings for the terms of SpecificCharacterSet, whatever their spelling.

    An unknown term gives a character set that equals only itself.
    """
    terms = [_spelling(term.strip(_PADDING)) for term in terms] or [""]
    if any(term not in python_encoding for term in terms):
        return (_UNKNOWN, *terms)
    first = "ascii" if terms[0] in ("", "ISO_IR 6", "ISO 2022 IR 6") else python_encoding[terms[0]]
    return (first, *(python_encoding[term] for term in terms[1:]))


def _spelling(term: str) -> str:
    found = _CHARACTER_SET.fullmatch(term)
    if found is None:
        return term
    return f"ISO_IR {found[2]}" if found[1] == "IR" else f"ISO 2022 IR {found[2]}"


def same_text(vr: str, one: tuple[bytes, CharacterSet], other: tuple[bytes, CharacterSet]) -> bool:
    """True if two texts are the same but for padding (PS3.5 Table 6.2-1) and character set."""
    if one[1] == other[1] or vr not in _OF_A_CHARACTER_SET:
        return _unpadded(vr, one[0].decode("latin-1")) == _unpadded(vr, other[0].decode("latin-1"))
    first, second = _decoded(vr, *one), _decoded(vr, *other)
    if first is None or second is None:
        return False
    return _unpadded(vr, first) == _unpadded(vr, second)


def _unpadded(vr: str, text: str) -> list[str]:
    texts = text.split("\\") if vr in _SEVERAL else [text]
    texts = [one.rstrip(_PADDING) for one in texts]
    return [one.lstrip(" ") for one in texts] if vr in _NOT_BEFORE else texts


def _decoded(vr: str, value: bytes, character_set: CharacterSet) -> str | None:
    """The decoded text; None if it cannot be decoded with certainty."""
    if character_set[0] == _UNKNOWN:
        return None
    try:
        if _ESCAPE not in value:
            return value.decode(character_set[0])
        delimiters = PN_DELIMS if vr == "PN" else TEXT_VR_DELIMS
        text = decode_bytes(value, character_set, delimiters)
    except (UnicodeError, LookupError):
        return None
    return None if _NOT_DECODED in text else text


def little_endian(value: bytes, vr: str | None, *, is_little_endian: bool) -> bytes:
    """Convert a binary value to little endian and even length; `vr` is that of its encoding."""
    size = 1 if is_little_endian else _WORD_BYTES.get(vr or "", 1)
    if size > 1 and len(value) % size == 0:
        turned = bytearray(len(value))
        for offset in range(size):
            turned[offset::size] = value[size - 1 - offset :: size]
        value = bytes(turned)
    return value + b"\0" * (len(value) % 2)


def pieces(source: BinaryIO, begin: int, size: int) -> Iterator[bytes]:
    """Read `size` bytes of a file from `begin` on, or as many as there are, piece by piece."""
    source.seek(begin)
    while size > 0 and (piece := source.read(min(size, _PIECE_BYTES))):
        yield piece
        size -= len(piece)


def fragments(source: BinaryIO, begin: int) -> Iterator[bytes]:
    """Fragments of compressed pixels, without item headers and offset table (PS3.5 A.4)."""
    position, is_first = begin, True
    while True:
        source.seek(position)
        head = source.read(8)
        if head[:4] != b"\xfe\xff\x00\xe0":
            return
        size = int.from_bytes(head[4:8], "little")
        if not is_first:
            yield from pieces(source, position + 8, size)
        position, is_first = position + 8 + size, False
