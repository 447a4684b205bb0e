"""Keys of patients in a data set, which never contain a name."""

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
"""How patients are identified and named: `person`: by ID, name and birth date, named after the
folder with all their images; `folder`: by the top folders; `hash`: as `person`, but named by a
hash."""
AllSeries = Mapping[str, Sequence[Header]]


@dataclass(slots=True)
class Patients:
    """Patients found in a folder."""

    series: dict[str, list[str]] = field(default_factory=dict)
    """UIDs of the series by patient key."""
    identities: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By patient key: hashes of the PatientID and of the person. Never written."""
    remarks: list[Remark] = field(default_factory=list)
    name_parts: set[str] = field(default_factory=set)
    """Parts of the names of all patients, casefolded. Never written."""

    def without_names(self, remark: Remark) -> Remark:
        """Mask parts of patients' names in `remark`, which file names may contain."""
        key, words = (self._masked(text) for text in (remark.key, remark.words))
        return replace(remark, key=key, words=words)

    def _masked(self, text: str) -> str:
        for part in self.name_parts:
            text = re.sub(re.escape(part), "*" * len(part), text, flags=re.IGNORECASE)
        return text


@dataclass(frozen=True, slots=True)
class _PatientSeries:
    uid: str
    series: str
    """Key of the series in the data set."""
    identity: Identity
    hash: str
    paths: tuple[Path, ...]


def patients_in(
    folder: Path, all_series: AllSeries, naming: Naming, existing: Mapping[str, str]
) -> Patients:
    """Group the series by patient; folders with several patients are left out with a remark.

    `existing` has the patient keys of the existing data set by series key: a known patient keeps
    the key, even if the folders have changed.
    """
    patients = Patients()
    groups: dict[str, list[_PatientSeries]] = {}
    for series in _with_identity(all_series):
        patients.name_parts |= series.identity.name_parts
        # a patient without PatientID is identified by the folder
        by_folder = naming == "folder" or not series.identity.person
        group_key = _top(folder, series.paths[0]) if by_folder else series.hash
        groups.setdefault(group_key, []).append(series)
    owners = _owners(folder, groups.values())
    keys: dict[str, list[_PatientSeries]] = {}
    for group in groups.values():
        known = [existing[one.series] for one in group if one.series in existing]
        key = known[0] if known else _key(folder, group, naming, owners)
        keys.setdefault(key, []).extend(group)
    for key, of_key in sorted(keys.items()):
        _add(patients, key, of_key)
    return patients


def _add(patients: Patients, key: str, series: Sequence[_PatientSeries]) -> None:
    people = {one.hash for one in series}
    if len(people) > 1:
        words = (
            f"{key}: images of {len(people)} patients in one folder, expected one; left out "
            "(--patient_keys hash tells patients apart by ID, name and birth date)"
        )
        patients.remarks.append(Remark(Kind.TWO_PATIENTS, key, words))
        return
    identity = series[0].identity
    if identity.is_named_in(key):
        key = _hashed(series[0])
        words = f"a folder's name holds a part of the patient's name: called {key}"
        patients.remarks.append(Remark(Kind.KEY, key, words, left_out=False))
    patients.series[key] = [one.uid for one in series]
    patients.identities[key] = identity.number, identity.person


def _with_identity(all_series: AllSeries) -> list[_PatientSeries]:
    found = []
    for uid, headers in sorted(all_series.items()):
        identity = first_identity(header.path for header in headers)
        if identity is not None:
            paths = tuple(header.path for header in headers)
            name = series_key(headers[0], "").name
            key = headers[0].patient_key
            found.append(_PatientSeries(uid, name, identity, key, paths))
    return found


def _owners(folder: Path, groups: Iterable[Sequence[_PatientSeries]]) -> dict[Path, set[str]]:
    """Hashes of the patients with images in each folder or below, `folder` included."""
    owners: dict[Path, set[str]] = {}
    for series in (series for group in groups for series in group):
        for parent in {parent for path in series.paths for parent in path.parents}:
            if parent == folder or folder in parent.parents:
                owners.setdefault(parent, set()).add(series.hash)
    return owners


def _key(
    folder: Path, group: Sequence[_PatientSeries], naming: Naming, owners: Mapping[Path, set[str]]
) -> str:
    """Key after the highest folder with all images of this patient and of no other."""
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
    candidates = [common, *(parent for parent in common.parents if folder in parent.parents)]
    own = [one for one in candidates if len(owners[one]) == 1]
    return "-".join((own[-1] if own else common).relative_to(folder).parts)


def _hashed(series: _PatientSeries) -> str:
    return f"patient-{series.hash}"


def _top(folder: Path, path: Path) -> str:
    """Name of the folder directly below `folder` that contains `path`, or ""."""
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else ""
