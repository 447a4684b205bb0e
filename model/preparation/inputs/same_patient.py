"""Comparison of two instances' patients that tolerates different spellings of a name."""

import unicodedata
import warnings
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import FileDataset

from imaging.instances.header import read_with


@dataclass(frozen=True, slots=True)
class _Patient:
    """Patient attributes; never written or logged."""

    number: str
    name: str
    birth_date: str


def differing_keywords(path: Path, other: Path) -> tuple[str, ...]:
    """Keywords of the attributes that show that two files are of different patients.

    PatientID must be equal except for padding; if one lacks it, both names must be given and agree.
    Names agree regardless of carets, blanks, commas, case, and of components and groups (PS3.5
    6.2.1) that only one of them has. A missing birth date is no difference.

    Returns:
        The keywords; empty if both are of one patient.

    Raises:
        NotADataSetError: a file cannot be read.
    """
    first, second = _read(path), _read(other)
    differing = []
    if first.number and second.number and first.number != second.number:
        differing.append("PatientID")
    if not _names_agree(first.name, second.name):
        differing.append("PatientName")
    if first.birth_date and second.birth_date and first.birth_date != second.birth_date:
        differing.append("PatientBirthDate")
    has_both = all((first.number, second.number)) or all((first.name, second.name))
    return tuple(differing) if differing or has_both else ("PatientID",)


def _read(path: Path) -> _Patient:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return read_with(path, _patient)


def _patient(data_set: FileDataset, _path: Path) -> _Patient:
    keywords = ("PatientID", "PatientName", "PatientBirthDate")
    number, name, birth_date = (str(data_set.get(one) or "").strip(" \0") for one in keywords)
    digits = "".join(one for one in birth_date if one.isdecimal())
    return _Patient(number, name, digits)


def _names_agree(name: str, other: str) -> bool:
    """True if the alphabetic, ideographic and phonetic groups agree, each with its like."""
    groups = zip(_folded(name).split("="), _folded(other).split("="), strict=False)
    return all(_groups_agree(one, another) for one, another in groups)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().replace(",", " ")


def _groups_agree(group: str, other: str) -> bool:
    """True if the component groups agree; an empty one agrees with any."""
    words, others = (one.replace("^", " ").split() for one in (group, other))
    if not words or not others or words == others:
        return True
    components = zip(group.split("^"), other.split("^"), strict=False)
    pairs = [(one.split(), another.split()) for one, another in components]
    return all(one == another for one, another in pairs if one and another) and all(pairs[0])
