"""Run of a preparation: patients to part files, parts to the data set, results to a report."""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import h5py

from core.errors import ConfigurationError, LearningDataError
from imaging.instances.read_errors import BROKEN_HDF5
from model.data.data_set_file import message_of, open_data_set, reports_in
from model.data.data_set_writer import Merged, merge
from model.inference.structure import Structure
from model.preparation.inputs.cases import PatientTask, Plan
from model.preparation.patient import Outcome, RunContext, prepare_patient
from model.preparation.pool import in_processes
from model.preparation.report.comparison import compare_patients
from model.preparation.report.remarks import Kind, PatientReport, Remark, report_of

Progress = Callable[[str], None]
"""Function called with the key of each patient that is finished."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Output and options of a run."""

    output: Path
    workers: int
    pictures: bool = True
    replace: bool = False

    @property
    def parts(self) -> Path:
        """Folder of finished patients that are not in the data set yet."""
        return self.output.with_name(f"{self.output.name}.parts")

    @property
    def pictures_folder(self) -> Path:
        """Folder of the pictures, beside the data set."""
        return self.output.with_name(f"{self.output.stem}_pictures")


@dataclass(frozen=True, slots=True)
class Result:
    """Result of a run: merged patients, their reports and remarks."""

    merged: Merged
    structures: tuple[Structure, ...]
    patients: tuple[PatientReport, ...]
    """Reports of all patients of the data set, also of those of whom nothing could be used."""
    remarks: tuple[Remark, ...]
    """Remarks about several patients, or about none."""


def run(plan: Plan, settings: Settings, progress: Progress) -> Result:
    """Prepare the patients of `plan` and add them to the data set.

    Raises:
        ConfigurationError: another run works on the same data set.
        LearningDataError: the existing data set is damaged or has other structures.
        OSError: the disk is full, read-only or missing; finished patients are kept.
    """
    settings.parts.mkdir(parents=True, exist_ok=True)
    with _alone(settings.parts):
        _check_structures(settings.output, plan)
        _clear(settings.parts, plan)
        outcomes = list(_prepare(plan.tasks, _context(plan, settings), progress))
        parts = sorted(settings.parts.glob("[!.]*.h5"))
        merged = Merged((), (), ())
        if parts:
            merged = merge(settings.output, parts, replace=settings.replace)
        for part in parts:
            part.unlink()
    patients = _reports(settings.output)
    remarks = [*plan.remarks, *(remark for one in outcomes for remark in one.remarks)]
    remarks += [_other_content(key) for key in merged.other]
    remarks += compare_patients(list(patients.values()), plan.identities)
    skipped = {one.patient for one in outcomes if not one.is_new and not one.remarks}
    same = sorted({*merged.same, *(skipped - set(merged.added))})
    merged = replace(merged, same=tuple(same))
    sorted_reports = tuple(patients[key] for key in sorted(patients))
    return Result(merged, plan.structures, sorted_reports, tuple(remarks))


def _prepare(
    tasks: Sequence[PatientTask], context: RunContext, progress: Progress
) -> Iterator[Outcome]:
    work = partial(prepare_patient, context=context)
    for outcome in in_processes(work, tasks, context.workers, died=_died):
        progress(outcome.patient)
        yield outcome


def _context(plan: Plan, settings: Settings) -> RunContext:
    reports = _reports(settings.output)
    digests = {key: report.content_digest for key, report in reports.items()}
    for part in settings.parts.glob("[!.]*.h5"):  # of a run that was killed
        digests |= {key: one.content_digest for key, one in _reports(part).items()}
    pictures = settings.pictures_folder if settings.pictures else None
    return RunContext(settings.parts, pictures, plan.structures, digests, settings.workers)


def _check_structures(output: Path, plan: Plan) -> None:
    if output.exists() and open_data_set(output).structures != plan.structures:
        names = [", ".join(one.name for one in of) for of in
                 (open_data_set(output).structures, plan.structures)]  # fmt: skip
        raise LearningDataError(
            f"{output.name} has the structures {names[0]}, this input gives {names[1]} (names, "
            "colours and types must be the same): choose another --output"
        )


def _clear(parts: Path, plan: Plan) -> None:
    """Remove unfinished files of a killed run, and parts with other structures."""
    for path in parts.glob(".*"):
        path.unlink()
    for path in parts.glob("*.h5"):
        try:
            fits = open_data_set(path).structures == plan.structures
        except LearningDataError:
            fits = False
        if not fits:
            path.unlink()


def _reports(path: Path) -> dict[str, PatientReport]:
    if not path.exists():
        return {}
    try:
        with h5py.File(path, "r") as file:
            return {key: report_of(values) for key, values in reports_in(file).items()}
    except BROKEN_HDF5 as error:
        raise LearningDataError(
            f"{path.name}: its reports cannot be read ({message_of(error)})"
        ) from error


def _died(task: PatientTask) -> Outcome:
    words = f"{task.patient}: its process died (out of memory?)"
    return Outcome(task.patient, is_new=False, remarks=(Remark(Kind.FAILED, task.patient, words),))


def _other_content(patient: str) -> Remark:
    words = (
        f"{patient} was in the data set with other content, which is kept (--replace takes the new)"
    )
    return Remark(Kind.OTHER_CONTENT, patient, words)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`; remove the folder at the end if nothing is left in it."""
    lock = folder / "lock"
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(f"{folder}: another run works on this data set") from error
        try:
            yield
        finally:
            lock.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
