"""Character sets of texts (PS3.3 C.12.1.1.2), and own texts encoded in them (PS3.5 6.1.2).

Terms are understood in any spelling that occurs: `ISO IR 192`, `ISO_IR192`, `UTF-8`. A term that
is not known, or stands where the standard has none, allows ASCII only, which every reader takes
alike.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from anyascii import anyascii
from pydicom.dataset import Dataset

_SINGLE_BYTE = MappingProxyType(
    {
        100: ("latin_1", b"\x1b-A"),
        101: ("iso8859_2", b"\x1b-B"),
        109: ("iso8859_3", b"\x1b-C"),
        110: ("iso8859_4", b"\x1b-D"),
        144: ("iso8859_5", b"\x1b-L"),
        127: ("iso8859_6", b"\x1b-G"),
        126: ("iso8859_7", b"\x1b-F"),
        138: ("iso8859_8", b"\x1b-H"),
        148: ("iso8859_9", b"\x1b-M"),
        203: ("iso8859_15", b"\x1b-b"),
        166: ("tis_620", b"\x1b-T"),
        13: ("shift_jis", b"\x1b)I"),
    }
)
"""Python's codec and the escape sequence to G1 (PS3.3 Table C.12-3), by ISO registration number."""
_MULTI_BYTE = MappingProxyType(
    {
        149: ("euc_kr", b"\x1b$)C"),
        58: ("gb2312", b"\x1b$)A"),
        87: ("iso2022_jp", b""),
        159: ("iso2022_jp_1", b""),
    }
)
"""As above (Table C.12-4); Python's codecs of 87 and 159 write their escape sequences to G0."""
_JAPANESE_ESCAPES = MappingProxyType({87: b"\x1b$B", 159: b"\x1b$(D"})
_TO_ASCII, _TO_ROMAJI = b"\x1b(B", b"\x1b(J"
_ASCII, _KATAKANA = 6, 13
_ALONE = MappingProxyType({"GB18030": "gb18030", "GBK": "gbk", "UTF8": "utf_8"})
"""Codecs of sets without code extensions, by letters and digits of the term."""
_REGISTERED = re.compile(r"ISO(?:2022)?(?:IR)?(\d+)")
_UTF_8 = 192
_ESCAPE_SEQUENCE = re.compile(rb"\x1b[\x20-\x2f]*[\x30-\x7e]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_NO_SPELLING = "?"


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """Character set of a data set: the codec of texts alone, or registered sets with extensions."""

    codec: str = ""
    """Python's codec of a set without code extensions; empty: `numbers` count."""
    numbers: tuple[int, ...] = (_ASCII,)
    """ISO registration numbers, the first of which needs no escape sequence."""

    @property
    def is_ascii(self) -> bool:
        """True for the default repertoire alone."""
        return not self.codec and self.numbers == (_ASCII,)

    def encoded(self, text: str) -> bytes | None:
        """Bytes of `text`, with escape sequences where needed; None if the set lacks a letter."""
        if text.isascii():
            return text.encode("ascii")
        if self.codec:
            return _encoded(text, self.codec)
        found = (self._extended(text, index) for index in range(len(self.numbers)))
        return next((one for one in found if one is not None), None)

    def _extended(self, text: str, index: int) -> bytes | None:
        number = self.numbers[index]
        if number in _JAPANESE_ESCAPES:
            return self._japanese(text, _MULTI_BYTE[number][0])
        codec, escape = (_SINGLE_BYTE | _MULTI_BYTE).get(number, ("ascii", b""))
        encoded = _encoded(text, codec)
        if encoded is None or (number == _KATAKANA and len(encoded) != len(text)):
            return None
        is_first = index == 0 and number in _SINGLE_BYTE
        return encoded if is_first else escape + encoded

    def _japanese(self, text: str, codec: str) -> bytes | None:
        encoded = _encoded(text, codec)
        allowed = {_TO_ASCII, *(_JAPANESE_ESCAPES.get(one, b"") for one in self.numbers)}
        if encoded is None or not set(_ESCAPE_SEQUENCE.findall(encoded)) <= allowed:
            return None
        return encoded.replace(_TO_ASCII, _TO_ROMAJI) if self.numbers[0] == _KATAKANA else encoded


UNKNOWN = CharacterSet(numbers=())
"""A set that is not understood: only ASCII is certain."""
ASCII = CharacterSet()
"""The default repertoire (ISO-IR 6)."""
UTF_8 = CharacterSet("utf_8")
"""ISO_IR 192."""


def character_set_of(data_set: Dataset) -> CharacterSet:
    """Character set that SpecificCharacterSet of `data_set` states, in whatever spelling."""
    value = data_set.get("SpecificCharacterSet") or ""
    return parse_terms([value] if isinstance(value, str) else [str(term) for term in value])


def parse_terms(terms: Sequence[str]) -> CharacterSet:
    """Character set for the terms of SpecificCharacterSet, which may be spelled wrongly."""
    found = [_parse_term(term) for term in terms] or [_ASCII]
    first = found[0]
    if isinstance(first, str):
        return CharacterSet(first)  # what stands beside a set without extensions does not count
    numbers = [one for one in found if isinstance(one, int)]
    if len(numbers) < len(found):
        return UNKNOWN
    if first in _MULTI_BYTE:
        numbers.insert(0, _ASCII)
    return CharacterSet(numbers=tuple(dict.fromkeys(numbers)))


def ascii_spelling(text: str) -> str:
    """`text` in ASCII letters: Größe is Grosse, and a letter without a spelling is `?`."""
    spelled = _CONTROL.sub(" ", anyascii(text)).replace("\\", "/").strip()
    return spelled or _NO_SPELLING


def _parse_term(term: str) -> int | str | None:
    """Registration number, codec of a set without extensions, or None if it is not known."""
    letters = re.sub(r"[\s_-]+", "", term.strip("\0 ")).upper()
    if not letters:
        return _ASCII
    alone = _ALONE.get(letters.removeprefix("ISO2022").removeprefix("ISOIR"))
    if alone is not None:
        return alone
    match = _REGISTERED.fullmatch(letters)
    number = int(match[1]) if match else 0
    if number == _UTF_8:
        return "utf_8"
    return number if number in {_ASCII, *_SINGLE_BYTE, *_MULTI_BYTE} else None


def _encoded(text: str, codec: str) -> bytes | None:
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        return None
