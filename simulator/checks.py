"""Checks of returned instances against the series that was sent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pydicom

from core.errors import NotADataSetError
from imaging.instances.header import Header, read_header
from simulator.returned_contours import (
    STRUCTURE_SET_CLASS,
    Contours,
    ReturnedContours,
    read_returned_contours,
)
from simulator.returned_images import derived_faults, find_changes
from simulator.returned_segmentations import SEGMENTATION_CLASS, segmentation_faults


@dataclass(frozen=True, slots=True)
class Check:
    """Result of one check."""

    name: str
    words: str
    """Description if passed, else the first fault."""
    passed: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """Results of all checks, and the contours of all returned structure sets."""

    checks: tuple[Check, ...]
    contours: Contours

    @property
    def faults(self) -> list[str]:
        """Line of text for each check that failed."""
        return [f"{one.name}: {one.words}" for one in self.checks if not one.passed]


@dataclass(frozen=True, slots=True)
class ReturnedInstances:
    """Returned instances by kind."""

    structure_sets: list[Header]
    segmentations: list[Header]
    unchanged: list[Header]
    """Instances with the SOP Instance UID of a sent one."""
    derived: dict[str, list[Header]]
    """New images by SeriesInstanceUID."""
    others: list[Header]


def sort_returned(headers: Sequence[Header], sent: Mapping[str, Header]) -> ReturnedInstances:
    """Sort by kind: structure sets, segmentations, sent instances, new images and others."""
    found = ReturnedInstances([], [], [], {}, [])
    for header in headers:
        if header.sop_instance_uid in sent:
            found.unchanged.append(header)
        elif header.sop_class_uid == STRUCTURE_SET_CLASS:
            found.structure_sets.append(header)
        elif header.sop_class_uid == SEGMENTATION_CLASS:
            found.segmentations.append(header)
        elif header.has_pixel_data:
            found.derived.setdefault(header.series_instance_uid, []).append(header)
        else:
            found.others.append(header)
    return found


def is_complete(headers: Sequence[Header], sent: Mapping[str, Header], expect: str) -> bool:
    """True if the expected results have been returned.

    Args:
        headers: of the returned instances.
        sent: headers of the sent instances, by SOP Instance UID.
        expect: `structure_set` of a sent study; `series`, a new one with as many instances as a
            sent one; or `any` of both.
    """
    found = sort_returned(headers, sent)
    studies = {header.study_instance_uid for header in sent.values()}
    has_set = any(header.study_instance_uid in studies for header in found.structure_sets)
    sizes = {len(group) for group in _by_series(sent.values()).values()}
    has_series = any(
        len({header.sop_instance_uid for header in group}) in sizes
        for group in found.derived.values()
    )
    return {"structure_set": has_set, "series": has_series}.get(expect, has_set or has_series)


def judge(sent: Mapping[str, Header], returned: Sequence[Path]) -> Findings:
    """Check the files `returned` against `sent`; unreadable files are faults, not errors."""
    headers, unreadable = read_headers(returned)
    found = sort_returned(headers, sent)
    sets = {header.sop_instance_uid: header for header in found.structure_sets}
    contours = [_contours(header, sent) for header in sets.values()]
    checks = [
        _check("readable", unreadable, f"{len(headers)} instances"),
        _check("patient and study", _owner_faults(headers, sent), "those that were sent"),
        _check("each instance once", _repeat_faults(headers), f"{len(headers)} instances"),
    ]
    if found.structure_sets:
        checks += _contour_checks(contours)
    if found.segmentations:
        faults = _segmentation_faults(found.segmentations, sent)
        words = f"{len(found.segmentations)}, each frame in the place of its source"
        checks.append(_check("segmentations", faults, words))
    if found.unchanged:
        faults = _change_faults(found.unchanged, sent)
        checks.append(_check("unchanged images", faults, f"{len(found.unchanged)} instances"))
    for group in found.derived.values():
        words = f"{len(group)} instances, each in the place of its source"
        checks.append(_check("derived images", derived_faults(group, sent), words))
    return Findings(tuple(checks), _merge(contours))


def read_headers(paths: Sequence[Path]) -> tuple[list[Header], list[str]]:
    """Headers of the readable files, and messages about the others."""
    headers, unreadable = [], []
    for path in paths:
        try:
            headers.append(read_header(path))
        except NotADataSetError as error:
            unreadable.append(str(error))
    return headers, unreadable


def _check(name: str, faults: Iterator[str] | Sequence[str], words: str) -> Check:
    found = list(faults)
    if not found:
        return Check(name, words, passed=True)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Check(name, found[0] + more, passed=False)


def _owner_faults(headers: Sequence[Header], sent: Mapping[str, Header]) -> Iterator[str]:
    patients = {header.study_instance_uid: header.patient_key for header in sent.values()}
    for header in headers:
        uid, study_uid = header.sop_instance_uid, header.study_instance_uid
        if study_uid not in patients:
            yield f"instance {uid} belongs to study {study_uid}, which was not sent"
        elif header.patient_key != patients[study_uid]:
            yield f"instance {uid} names another patient than the one that was sent"


def _repeat_faults(headers: Sequence[Header]) -> Iterator[str]:
    def uid_of(header: Header) -> str:
        return header.sop_instance_uid

    for uid, group in groupby(sorted(headers, key=uid_of), uid_of):
        first, *others = group
        if any(find_changes(other.path, first.path) for other in others):
            yield f"instance {uid} came back {1 + len(others)} times with different content"


def _contours(header: Header, sent: Mapping[str, Header]) -> ReturnedContours:
    return read_returned_contours(pydicom.dcmread(header.path), sent)


def _contour_checks(all_returned: Sequence[ReturnedContours]) -> Iterator[Check]:
    references = [fault for one in all_returned for fault in one.reference_faults]
    places = [fault for one in all_returned for fault in one.place_faults]
    farthest = max(one.farthest_mm for one in all_returned)
    count = sum(
        len(polygons)
        for one in all_returned
        for by_instance in one.contours.values()
        for polygons in by_instance.values()
    )
    if not count and not references:
        places.append("no structure has a contour")
    yield _check("references", references, "all lead to instances that were sent")
    words = f"{count} contours, at most {farthest:.4f} mm off their image"
    yield _check("contours on their images", places, words)


def _segmentation_faults(headers: Sequence[Header], sent: Mapping[str, Header]) -> Iterator[str]:
    return (fault for header in headers for fault in segmentation_faults(header.path, sent))


def _change_faults(headers: Sequence[Header], sent: Mapping[str, Header]) -> Iterator[str]:
    for header in headers:
        changes = find_changes(header.path, sent[header.sop_instance_uid].path)
        if changes:
            yield f"instance {header.sop_instance_uid} came back with other {', '.join(changes)}"


def _merge(all_returned: Sequence[ReturnedContours]) -> Contours:
    """Contours by structure; of several sets with one structure, the last counts."""
    merged: Contours = {}
    for one in all_returned:
        merged |= one.contours
    return merged


def _by_series(headers: Iterable[Header]) -> dict[str, list[Header]]:
    groups: dict[str, list[Header]] = {}
    for header in headers:
        groups.setdefault(header.series_instance_uid, []).append(header)
    return groups
