"""Descriptions of results: what was made, of which series, and when, within 64 characters (LO)."""

import unicodedata

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from core.identity import Provenance

LONGEST_LO = 64
_ASCII_SETS = ("", "ISO_IR 6", "ISO 2022 IR 6")
_FEWEST = 8  # characters of a source's description that still tell it apart
_FEWEST_WITH_TIME = 16
_TIMES = ("%Y-%m-%d %H:%M", "%m-%d %H:%M")


def source_description(source: Dataset) -> str:
    """The SeriesDescription of a source in one line, with letters that its character set has."""
    value = source.get("SeriesDescription") or ""
    text = "/".join(map(str, value)) if isinstance(value, MultiValue) else str(value)
    return spelled(_one_line(text), source)


def describe_result(
    what: str,
    source: str,
    provenance: Provenance,
    *,
    more: str = "",
    longest: int = LONGEST_LO,
) -> str:
    """Describe a result, such as "Blurred 3 mm of CT Thorax, 2026-11-30 18:04, revision 2".

    Where that is too long, first the year is left out, then the source's description is cut in its
    middle, then the time is left out. Released hold reasons come first, as readers cut, too.

    Args:
        what: what was made, such as "Blurred 3 mm".
        source: description of the source (`source_description`), may be empty.
        provenance: identity of the job.
        more: what else tells the result apart, such as "phase 2".
        longest: most characters.
    """
    head = ": ".join(part for part in (provenance.released_words, what) if part)
    tail = "".join(f", {part}" for part in (more, provenance.revision_words) if part)
    head = head[: longest - len(tail)].strip()
    middle = _middle(source, provenance, longest - len(head) - len(tail))
    return f"{head}{middle}{tail}"


def spelled(text: str, source: Dataset) -> str:
    """`text` if the source's character set has all its letters, else in ASCII letters.

    The default character set is ASCII (PS3.3 C.12.1.1.2).
    """
    if text.isascii() or any(_is_encodable(text, one) for one in _encodings(source)):
        return text
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return bare.encode("ascii", "replace").decode()


def _middle(source: str, provenance: Provenance, room: int) -> str:
    """Source and time, as much of them as there is room for."""
    of = f" of {source}" if source else ""
    for form in _TIMES:
        when = f", {provenance.created.strftime(form)}"
        if len(of) + len(when) <= room:
            return of + when
    cut = _cut(source, room - len(when) - len(" of "))
    if len(cut) >= _FEWEST_WITH_TIME:
        return f" of {cut}{when}"
    cut = _cut(source, room - len(" of "))
    return f" of {cut}" if cut else ""


def _cut(text: str, room: int) -> str:
    """Cut a text in its middle, as series often differ at the end; empty if too little is left."""
    if len(text) <= room:
        return text
    if room < _FEWEST:
        return ""
    end = room // 3
    return f"{text[: room - end - 2].strip()}..{text[-end:].strip()}"


def _one_line(text: str) -> str:
    """Without backslashes, line breaks and other control characters."""
    printed = "".join(one if one.isprintable() else " " for one in text.replace("\\", "/"))
    return " ".join(printed.split())


def _encodings(source: Dataset) -> list[str]:
    """Encodings of Python for the source's character sets; none for unknown ones."""
    value = source.get("SpecificCharacterSet") or ""
    names = [value] if isinstance(value, str) else [str(name or "") for name in value]
    wanted = [name for name in names if name not in _ASCII_SETS]
    try:
        found = convert_encodings(wanted) if wanted else []
    except LookupError:
        return []
    return [one for one in found if one != default_encoding]  # which stands for an unknown set


def _is_encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
