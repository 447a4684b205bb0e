"""What patients are called in a data set: never by their name."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from imaging.instances.header import Header
from model.preparation.inputs.cases import series_key
from model.preparation.inputs.identity import Identity, first_identity
from model.preparation.report.remarks import Kind, Remark

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
    name_parts: set[str] = field(default_factory=set)
    """Of everybody's names."""

    def without_names(self, remark: Remark) -> Remark:
        """`remark` with asterisks for the names that folders and files may hold."""
        key, words = (self._masked(text) for text in (remark.key, remark.words))
        return replace(remark, key=key, words=words)

    def _masked(self, text: str) -> str:
        for part in self.name_parts:
            text = re.sub(re.escape(part), "*" * len(part), text, flags=re.IGNORECASE)
        return text


@dataclass(frozen=True, slots=True)
class _Owned:
    uid: str
    series: str
    """The data set's key."""
    identity: Identity
    hash: str
    paths: tuple[Path, ...]


def patients_in(
    folder: Path, all_series: AllSeries, naming: Naming, there: Mapping[str, str]
) -> Patients:
    """The series by patient; folders that hold two patients are named and left out.

    `there` says which patients of the data set have which series (keys): who is there keeps the
    key, whatever the folders are called or hold by now.
    """
    patients = Patients()
    groups: dict[str, list[_Owned]] = {}
    for owned in _owned(all_series):
        patients.name_parts |= owned.identity.name_parts
        # a patient without PatientID is told by the folder
        by_folder = naming == "folder" or not owned.identity.person
        together = _top(folder, owned.paths[0]) if by_folder else owned.hash
        groups.setdefault(together, []).append(owned)
    owners = _owners(folder, groups.values())
    keys: dict[str, list[_Owned]] = {}
    for group in groups.values():
        known = [there[one.series] for one in group if one.series in there]
        key = known[0] if known else _key(folder, group, naming, owners)
        keys.setdefault(key, []).extend(group)
    for key, of_key in sorted(keys.items()):
        _add(patients, key, of_key)
    return patients


def _add(patients: Patients, key: str, owned: Sequence[_Owned]) -> None:
    people = {one.hash for one in owned}
    if len(people) > 1:
        words = (
            f"{key}: images of {len(people)} patients in one folder, expected one; left out "
            "(--patient_keys hash tells patients apart by what the images say)"
        )
        patients.remarks.append(Remark(Kind.TWO_PATIENTS, key, words))
        return
    identity = owned[0].identity
    if identity.is_named_in(key):
        key = _hashed(owned[0])
        words = f"a folder's name holds a part of the patient's name: called {key}"
        patients.remarks.append(Remark(Kind.KEY, key, words, left_out=False))
    patients.series[key] = [one.uid for one in owned]
    patients.identities[key] = identity.number, identity.person


def _owned(all_series: AllSeries) -> list[_Owned]:
    owned = []
    for uid, headers in sorted(all_series.items()):
        identity = first_identity(header.path for header in headers)
        if identity is not None:
            paths = tuple(header.path for header in headers)
            name = series_key(headers[0], "").name
            owned.append(_Owned(uid, name, identity, headers[0].patient_key, paths))
    return owned


def _owners(folder: Path, groups: Iterable[Sequence[_Owned]]) -> dict[Path, set[str]]:
    """Who has images in each folder or below, `folder` itself included."""
    owners: dict[Path, set[str]] = {}
    for owned in (owned for group in groups for owned in group):
        for parent in {parent for path in owned.paths for parent in path.parents}:
            if parent == folder or folder in parent.parents:
                owners.setdefault(parent, set()).add(owned.hash)
    return owners


def _key(
    folder: Path, group: Sequence[_Owned], naming: Naming, owners: Mapping[Path, set[str]]
) -> str:
    """The highest folder that holds the whole of one person, and nobody else."""
    first = group[0]
    if naming == "folder" or not first.identity.person:
        return _top(folder, first.paths[0]) or _hashed(first)
    if naming == "hash":
        return _hashed(first)
    if len(owners[folder]) == 1:
        return folder.resolve().name or _hashed(first)
    common = Path(os.path.commonpath([path.parent for one in group for path in one.paths]))
    if common == folder:
        return _hashed(first)
    ways = [common, *(parent for parent in common.parents if folder in parent.parents)]
    own = [way for way in ways if len(owners[way]) == 1]
    return "-".join((own[-1] if own else common).relative_to(folder).parts)


def _hashed(owned: _Owned) -> str:
    return f"patient-{owned.hash}"


def _top(folder: Path, path: Path) -> str:
    """The first folder below `folder` on the way to `path`, or nothing."""
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else ""
