"""Preparation of one patient, in a worker process: read, write, draw and report."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from core.errors import SlicewireError, explain_fault
from imaging.contours.polygon_fill import Mask
from model.data.data_set_writer import write_patient
from model.inference.structure import Structure
from model.preparation.inputs.cases import Case, PatientTask
from model.preparation.report.remarks import Kind, PatientReport, Remark
from model.preparation.report.sheets import Sheets


@dataclass(frozen=True, slots=True)
class RunContext:
    """Folders, structures and known patients of a run; pickled to worker processes."""

    parts: Path
    """Folder of finished patients, one file each."""
    pictures: Path | None
    """Folder of the pictures; None if none are wanted."""
    structures: tuple[Structure, ...]
    known_digests: dict[str, str]
    """Content digests, by patient key, of patients prepared before."""
    workers: int

    def part(self, patient: str) -> Path:
        """Path of a patient's file; hashed, as keys may be longer than file names."""
        return self.parts / f"{hashlib.sha256(patient.encode()).hexdigest()[:24]}.h5"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of the preparation of a patient."""

    patient: str
    is_new: bool
    """True if the patient's file was written."""
    remarks: tuple[Remark, ...] = ()
    """Reasons why there is no report of the patient."""


def prepare_patient(task: PatientTask, context: RunContext) -> Outcome:
    """Write the patient's file and pictures, unless prepared before with the same content.

    Raises:
        OSError: the disk is full, read-only or missing.
    """
    try:
        digest = content_digest(task)
    except OSError as error:
        name = Path(str(error.filename or "a file")).name
        return _failed(task.patient, f"{task.patient}: {name} cannot be read ({error.strerror})")
    if context.known_digests.get(task.patient) == digest:
        return Outcome(task.patient, is_new=False)
    try:
        _write(task, context, digest)
    except SlicewireError as error:
        return _failed(task.patient, str(error))
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - one patient must not end the others
        return _failed(task.patient, f"{task.patient}: {explain_fault(error)}")
    return Outcome(task.patient, is_new=True)


def _write(task: PatientTask, context: RunContext, digest: str) -> None:
    structures = context.structures
    report = PatientReport(task.patient, task.source, task.images, content_digest=digest)
    sheets = None
    if context.pictures is not None:
        sheets = Sheets(context.pictures / task.patient, structures)
        sheets.begin()
    with write_patient(context.part(task.patient), task.patient, structures) as writer:
        for case in task.cases():
            _count(report, case, structures)
            if case.annotated is not None and case.series is not None:
                writer.add(case.series, case.annotated)
            if sheets is not None:
                sheets.add(case)
        if sheets is not None:
            sheets.finish()
        writer.report(report.values())


def content_digest(task: PatientTask) -> str:
    """SHA-256 over the options and over names and contents of the patient's files.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256(f"{task.patient}\x00{task.source}\x00{task.options}".encode())
    for path in task.files:
        digest.update(f"\x00{path.parent.name}/{path.name}\x00".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _count(report: PatientReport, case: Case, structures: tuple[Structure, ...]) -> None:
    report.contours += case.contours
    report.matched += case.matched
    report.findings += case.remarks
    report.contour_digests += case.contour_digests
    if case.annotated is None:
        return
    masks: Mask = case.annotated.masks
    seen = [structure.name for structure, mask in zip(structures, masks, strict=True) if mask.any()]
    report.drawn_images += bool(seen)
    report.empty_images += not seen
    for name in seen:
        report.structures[name] = report.structures.get(name, 0) + 1


def _failed(patient: str, words: str) -> Outcome:
    return Outcome(patient, is_new=False, remarks=(Remark(Kind.FAILED, patient, words),))
