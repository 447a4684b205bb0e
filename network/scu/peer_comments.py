"""A peer's ErrorComment without what it quotes of the instance that it answers (PS3.7 C.5).

Systems repeat names, numbers and dates of a data set in their comments, which go to the log, the
ledger and people.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from imaging.instances.read_errors import READING_ERRORS

LONGEST_COMMENT = 64
"""Most characters of an ErrorComment (LO)."""
HIDDEN = "..."
_BINARY = frozenset(
    ("AT", "FL", "FD", "OB", "OD", "OF", "OL", "OV", "OW", "SL", "SS", "SV", "UL", "US", "UV")
)
_NO_ASCII = re.compile(r"[^\x20-\x7e]+")
_WORD = re.compile(r"[A-Za-z0-9]+")
_PERSON_NAME = re.compile(r"\S*\^\S*")
_NUMBER = re.compile(r"\d[\d./:-]{4,}\d")
_FEWEST_OF_A_PART = 4
_COMMON = """
    an and are as at be by can cannot class data dataset date dicom does element error exists
    failed failure file for from has id image in instance invalid is it length missing modality
    name no not of on or out patient pixel pixels present refused series set size sop storage store
    stored study syntax tag than that the this to transfer type uid unknown unsupported value vr
    was with wrong"""
_OF_COMMENTS = frozenset(_COMMON.split())
"""Words of comments that tell nothing of a patient, although data sets may have them, too."""


def told_comment(comment: str, path: Path) -> str:
    """`comment` on the instance in the file `path`, printable ASCII of at most 64 characters.

    Words that the instance has, in whatever letters and order, are `...`, and so are numbers of six
    digits and more, which may be a date in another form, and what has a `^`, as person names do.
    If the file cannot be read, all is.
    """
    text = " ".join(_PERSON_NAME.sub(HIDDEN, _NO_ASCII.sub(" ", comment)).split())
    text = text[:LONGEST_COMMENT].strip()
    if not text:
        return ""
    try:
        quoted = _words_in(path)
    except READING_ERRORS:
        return HIDDEN
    text = _NUMBER.sub(HIDDEN, text)
    return _WORD.sub(lambda found: HIDDEN if _is_in(found[0], quoted) else found[0], text)


def _is_in(word: str, quoted: Collection[str]) -> bool:
    """True if a word is among those of the instance, is the begin of one, or has one within it."""
    small = word.casefold()
    if len(small) < 2 or small in _OF_COMMENTS:
        return False
    is_part = len(small) >= _FEWEST_OF_A_PART and any(one.startswith(small) for one in quoted)
    return (
        small in quoted
        or is_part
        or any(len(one) >= _FEWEST_OF_A_PART and one in small for one in quoted)
    )


def _words_in(path: Path) -> frozenset[str]:
    """Words of all texts of an instance, private ones too, in small letters."""
    texts = _texts(pydicom.dcmread(path, stop_before_pixels=True))
    words = {word.casefold() for text in texts for word in _WORD.findall(text.decode("latin-1"))}
    return frozenset(words) - _OF_COMMENTS


def _texts(data_set: Dataset) -> Iterator[bytes]:
    """Encoded values of `data_set` and its items that are not binary."""
    for tag in list(data_set.keys()):
        element = data_set.get_item(tag)
        if isinstance(element, RawDataElement) and element.VR not in ("SQ", None):
            if element.VR not in _BINARY:
                yield element.value or b""
            continue
        decoded = data_set[tag]
        if decoded.VR == "SQ":
            for item in decoded.value or ():
                yield from _texts(item)
        elif decoded.VR not in _BINARY:
            yield str(decoded.value).encode("latin-1", "replace")
