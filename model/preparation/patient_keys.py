"""What patients are called in a data set: never by their name."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from imaging.header import Header
from model.preparation.identity import Identity, first_identity
from model.preparation.remarks import Kind, Remark

Naming = Literal["person", "folder", "hash"]
"""By person, called by the folder that has all of the person; by the folders at the top alone; by
person, called by a hash."""
AllSeries = Mapping[str, Sequence[Header]]


@dataclass(slots=True)
class Patients:
    """Who is in a folder."""

    series: dict[str, list[str]] = field(default_factory=dict)
    """UIDs of the series by the patient's key."""
    identities: dict[str, tuple[str, str]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Owned:
    uid: str
    identity: Identity
    hash: str
    paths: tuple[Path, ...]


def patients_in(folder: Path, all_series: AllSeries, naming: Naming) -> Patients:
    """The series by patient; folders that hold two patients are named and left out."""
    patients = Patients()
    groups: dict[str, list[_Owned]] = {}
    for owned in _owned(all_series):
        # a patient without PatientID is told by the folder
        by_folder = naming == "folder" or not owned.identity.person
        together = _top(folder, owned.paths[0]) if by_folder else owned.hash
        groups.setdefault(together, []).append(owned)
    keys: dict[str, list[list[_Owned]]] = {}
    for group in groups.values():
        keys.setdefault(_key(folder, group, naming, patients), []).append(group)
    for key, of_key in sorted(keys.items()):
        people = {owned.hash for group in of_key for owned in group}
        if len(people) > 1:
            words = (
                f"{key}: images of {len(people)} patients in one folder, expected one; left out "
                "(--patient_keys hash tells patients apart by what the images say)"
            )
            patients.remarks.append(Remark(Kind.TWO_PATIENTS, key, words))
            continue
        patients.series[key] = [owned.uid for group in of_key for owned in group]
        identity = of_key[0][0].identity
        patients.identities[key] = identity.number, identity.person
    return patients


def _owned(all_series: AllSeries) -> list[_Owned]:
    owned = []
    for uid, headers in sorted(all_series.items()):
        identity = first_identity(header.path for header in headers)
        if identity is not None:
            paths = tuple(header.path for header in headers)
            owned.append(_Owned(uid, identity, headers[0].patient_key, paths))
    return owned


def _key(folder: Path, group: Sequence[_Owned], naming: Naming, patients: Patients) -> str:
    hashed = f"patient-{group[0].hash}"
    if naming == "hash":
        return hashed
    paths = [path.parent for owned in group for path in owned.paths]
    common = Path(os.path.commonpath(paths)).relative_to(folder)
    if naming == "folder" or not group[0].identity.person:
        common = Path(_top(folder, group[0].paths[0]))
    name = "-".join(common.parts) or hashed
    if group[0].identity.is_named_in(name):
        words = f"a folder's name holds a part of the patient's name: called {hashed}"
        patients.remarks.append(Remark(Kind.KEY, hashed, words, left_out=False))
        return hashed
    return name


def _top(folder: Path, path: Path) -> str:
    """The first folder below `folder` on the way to `path`, or nothing."""
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else ""
