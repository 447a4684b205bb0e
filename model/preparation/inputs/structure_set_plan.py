"""Input from folders of DICOM series with RT Structure Sets, matched by UIDs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ConfigurationError
from imaging.instances.header import Header
from model.data.array_folder import COLORS
from model.inference.structure import Structure
from model.preparation.inputs.cases import Plan
from model.preparation.inputs.folder_index import FilesDone, FolderIndex, SetRecord, index_folder
from model.preparation.inputs.identity import read_identity
from model.preparation.inputs.set_matching import match_sets
from model.preparation.inputs.structure_set_task import (
    DrawnSeries,
    Skipped,
    Slices,
    StructureSetTask,
)
from model.preparation.inputs.structure_table import (
    LONGEST_NAME,
    StructureTable,
    read_table,
    table_of,
    table_of_found,
)
from model.preparation.patient_keys import Naming, Patients, patients_in
from model.preparation.report.remarks import Kind, Remark


@dataclass(frozen=True, slots=True)
class StructureSetOptions:
    """Options for input from structure sets."""

    table: Path | None = None
    """File for `read_table`; None takes every structure under its own name."""
    naming: Naming = "person"
    slices: Slices = "all"
    skipped: Skipped = "unknown"
    workers: int = 1
    structures: tuple[Structure, ...] = ()
    """Structures of the existing data set; empty for a new one."""
    existing: Mapping[str, str] = field(default_factory=dict)
    """Patient keys of the existing data set, by series key."""


def plan_structure_sets(folder: Path, options: StructureSetOptions, done: FilesDone) -> Plan:
    """Plan a task for each patient with at least one series that has a structure set.

    Raises:
        ConfigurationError: there is no structure set, or a structure's name cannot be used.
    """
    index = index_folder(folder, options.workers, done)
    if not index.sets:
        raise ConfigurationError(
            f"{folder}: {sum(map(len, index.series.values()))} images and no RT Structure Set, "
            "expected DICOM series with structure sets"
        )
    table = _table(index, options)
    plan = Plan(options.structures or _structures(table, index), remarks=index.remarks)
    matches = match_sets(index)
    plan.remarks += [] if options.table else _cut_names(table, index)
    plan.remarks += matches.remarks
    patients = patients_in(folder, index.series, options.naming, options.existing)
    for path in matches.refused:
        patients.name_parts |= read_identity(path).name_parts
    plan.remarks = [patients.without_names(one) for one in (*plan.remarks, *patients.remarks)]
    plan.identities = patients.identities
    _add_tasks(plan, patients, index.series, matches.sets, table=table, options=options)
    return plan


def _add_tasks(
    plan: Plan,
    patients: Patients,
    all_series: Mapping[str, Sequence[Header]],
    matched: Mapping[str, Sequence[SetRecord]],
    *,
    table: StructureTable,
    options: StructureSetOptions,
) -> None:
    for key, uids in patients.series.items():
        annotated = [
            DrawnSeries(tuple(all_series[uid]), tuple(one.path for one in matched[uid]))
            for uid in uids
            if uid in matched
        ]
        bare = sum(len(all_series[uid]) for uid in uids if uid not in matched)
        if bare:
            words = f"{key}: {bare} images of series without structure set"
            plan.remarks.append(Remark(Kind.NO_SET, key, words, count=bare))
        if annotated:
            plan.tasks.append(
                StructureSetTask(
                    key, tuple(annotated), table, plan.structures, options.slices, options.skipped
                )
            )


def _table(index: FolderIndex, options: StructureSetOptions) -> StructureTable:
    if options.table is not None:
        return read_table(options.table)
    names = sorted({roi.name.strip() for one in index.sets for roi in one.rois} - {""})
    if not options.structures:
        return table_of_found(names, "structure sets")
    known = table_of([one.name for one in options.structures], "the data set")
    found = table_of_found(names, "structure sets").rules if names else ()
    return StructureTable((*known.rules, *(one for one in found if one[1] in known.names)))


def _cut_names(table: StructureTable, index: FolderIndex) -> Iterator[Remark]:
    """Remark on each structure that the data set has under a shorter name."""
    for name in sorted({roi.name.strip() for one in index.sets for roi in one.rois}):
        cut = table.name_of(name)
        if cut and len(name) > LONGEST_NAME:
            words = f"{name!r} is {cut!r} in the data set, of at most {LONGEST_NAME} characters"
            yield Remark(Kind.CUT_NAME, name, words, left_out=False)


def _structures(table: StructureTable, index: FolderIndex) -> tuple[Structure, ...]:
    """Structures with colour and type from the first structure set that has them."""
    first: dict[str, Structure] = {}
    for number, name in enumerate(table.names):
        first[name] = Structure(name, COLORS[number % len(COLORS)], "ORGAN")
    found = set()
    for roi in (roi for one in index.sets for roi in one.rois):
        name = table.name_of(roi.name)
        if name and name not in found:
            found.add(name)
            color, kind = first[name].color_rgb, roi.interpreted_type or "ORGAN"
            first[name] = Structure(name, roi.color_rgb or color, kind)
    return tuple(first.values())
