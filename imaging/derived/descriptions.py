"""Descriptions of results: what was made, of which series, and when, within 64 characters (LO)."""

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from core.identity import Provenance
from imaging.instances.character_sets import ascii_spelling, character_set_of

LONGEST_LO = 64
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


def phase_words(phase: int | None) -> str:
    """The phase in words, for descriptions; empty if there is only one."""
    return f"phase {phase}" if phase is not None else ""


def spelled(text: str, source: Dataset) -> str:
    """`text` if the source's character set has all its letters, else in ASCII letters.

    The default character set is ASCII (PS3.3 C.12.1.1.2).
    """
    has_all = character_set_of(source).encoded(text) is not None
    return text if has_all else ascii_spelling(text)


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
