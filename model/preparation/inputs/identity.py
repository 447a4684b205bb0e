"""Identity of an instance's patient as hashes, which are kept in memory only."""

import hashlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import FileDataset

from core.errors import NotADataSetError
from imaging.instances.header import patient_key, read_with

_SHORTEST_NAME = 3


@dataclass(frozen=True, slots=True)
class Identity:
    """Hashes that identify a patient without naming one."""

    number: str
    """Hash of the PatientID; empty if there is none."""
    person: str
    """Hash of ID, name and birth date; empty if there is no ID."""
    name_parts: frozenset[str]
    """Parts of the name, casefolded; empty if the name is the ID (a pseudonym). Never written."""

    def is_named_in(self, text: str) -> bool:
        """True if a part of the name occurs in `text`, such as a folder's name."""
        return any(part in text.casefold() for part in self.name_parts)


def read_identity(path: Path) -> Identity:
    """Read the identity from the instance in the file `path`.

    Raises:
        NotADataSetError: the file cannot be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return read_with(path, _identity)


def first_identity(paths: Iterable[Path]) -> Identity | None:
    """Identity from the first of `paths` that can be read; None if none can."""
    for path in paths:
        try:
            return read_identity(path)
        except NotADataSetError:
            continue
    return None


def _identity(data_set: FileDataset, _path: Path) -> Identity:
    number = str(data_set.get("PatientID") or "").strip()
    name = str(data_set.get("PatientName") or "").strip()
    parts = name.casefold().replace("^", " ").replace("=", " ").split()
    if not number:
        return Identity("", "", frozenset())
    return Identity(
        number=hashlib.sha256(number.encode()).hexdigest(),
        person=patient_key(data_set),
        name_parts=frozenset(part for part in parts if len(part) >= _SHORTEST_NAME)
        if name != number
        else frozenset(),
    )
