"""Comparison of patients: one person under two keys, contours of another patient."""

from collections.abc import Mapping, Sequence

from model.preparation.report.remarks import Kind, PatientReport, Remark

Identities = Mapping[str, tuple[str, str]]
"""By patient key: hashes of the PatientID and of the person; empty if there is none."""


def compare_patients(reports: Sequence[PatientReport], identities: Identities) -> list[Remark]:
    """Remarks about patients that are one person, or that share contours."""
    return [*_same_contours(reports), *_one_person(identities), *_one_id(identities)]


def _same_contours(reports: Sequence[PatientReport]) -> list[Remark]:
    owners: dict[str, list[str]] = {}
    for report in reports:
        for digest in report.contour_digests:
            owners.setdefault(digest, []).append(report.patient)
    shared: dict[tuple[str, ...], int] = {}
    for patients in owners.values():
        different = tuple(sorted(set(patients)))
        if len(different) > 1:
            shared[different] = shared.get(different, 0) + 1
    return [
        Remark(
            Kind.SAME_CONTOURS,
            patients[0],
            f"{count} contours are the same, point by point, at {' and '.join(patients)}: "
            + _whose(patients, reports),
            left_out=False,
            count=count,
        )
        for patients, count in shared.items()
    ]


def _whose(patients: Sequence[str], reports: Sequence[PatientReport]) -> str:
    """Words on whose contours they are, as far as the other contours show."""
    wrong = [
        report.patient
        for report in reports
        if report.patient in patients
        and any(one.kind is Kind.CONTRADICTION for one in report.findings)
    ]
    if wrong and len(wrong) < len(patients):
        return f"they contradict the other contours of {' and '.join(wrong)}"
    return "at most one of them can be right"


def _one_person(identities: Identities) -> list[Remark]:
    return [
        Remark(
            Kind.ONE_PATIENT,
            keys[0],
            f"{' and '.join(keys)} are the same person by ID, name and birth date: folds by "
            "patient could have this person in training and validation",
            left_out=False,
        )
        for keys in _shared({key: person for key, (_, person) in identities.items()})
    ]


def _one_id(identities: Identities) -> list[Remark]:
    return [
        Remark(
            Kind.TWO_PATIENTS,
            keys[0],
            f"{' and '.join(keys)} have the same PatientID, but different names or birth dates",
            left_out=False,
        )
        for keys in _shared({key: number for key, (number, _) in identities.items()})
        if len({identities[key][1] for key in keys}) > 1
    ]


def _shared(values: Mapping[str, str]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for key in sorted(values):
        if values[key]:
            groups.setdefault(values[key], []).append(key)
    return [keys for keys in groups.values() if len(keys) > 1]
