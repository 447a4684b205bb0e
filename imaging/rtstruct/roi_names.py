"""ROI names in the character set of their series; in ASCII where it lacks their letters."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pydicom

from imaging.instances.character_sets import CharacterSet, ascii_spelling
from imaging.instances.encoded_texts import LONGEST_LO
from imaging.instances.read_errors import READING_ERRORS
from imaging.rtstruct.modules import character_set_for
from imaging.rtstruct.target_systems import unique_name


def written_names(names: Sequence[str], character_set: CharacterSet) -> list[str]:
    """Names as they are written: in ASCII where the set lacks a letter, unique in any case.

    Two names of one ASCII spelling are told apart by a number: `Grosse`, `Grosse^1`.
    """
    kept = [name for name in names if character_set.encoded(name) is not None]
    taken = {name.casefold() for name in kept}
    written = []
    for name in names:
        spelled = name if name in kept else unique_name(ascii_spelling(name), LONGEST_LO, taken)
        taken.add(spelled.casefold())
        written.append(spelled)
    return written


def names_for(path: Path, names: Sequence[str]) -> list[str]:
    """Names as they are written for the series of the instance in the file `path`.

    Raises one of `imaging.instances.read_errors.READING_ERRORS` if it cannot be read.
    """
    if all(name.isascii() for name in names):
        return list(names)
    source = pydicom.dcmread(path, stop_before_pixels=True)
    return written_names(names, character_set_for(source, names))


def spelling_warnings(path: Path, names: Sequence[str]) -> list[str]:
    """Warn of each of `names` that the character set of the instance in `path` cannot write.

    A file that cannot be read gives no warning here: the job that reads it says why.
    """
    try:
        written = names_for(path, names)
    except READING_ERRORS:
        return []
    return [
        f"ROI {name!r} is written as {spelled!r}: SpecificCharacterSet of the series lacks its "
        "letters"
        for name, spelled in zip(names, written, strict=True)
        if name != spelled
    ]


def spelling_remarks(names: Iterable[str]) -> list[str]:
    """Say of each name with letters beyond ASCII how it is written where a series lacks them."""
    return [
        f"ROI {name!r} is written as {ascii_spelling(name)!r} for series whose character set "
        "lacks its letters"
        for name in names
        if not name.isascii()
    ]
