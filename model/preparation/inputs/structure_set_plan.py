"""Folders of DICOM series with RT Structure Sets: what belongs together, by UIDs."""

from collections.abc import Mapping, Sequence
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
from model.preparation.inputs.structure_table import StructureTable, read_table, table_of
from model.preparation.patient_keys import Naming, Patients, patients_in
from model.preparation.report.remarks import Kind, Remark


@dataclass(frozen=True, slots=True)
class SetChoices:
    """How structure sets are used."""

    table: Path | None = None
    """File of `structure_table`; None: every structure under its own name."""
    naming: Naming = "person"
    slices: Slices = "all"
    skipped: Skipped = "unknown"
    workers: int = 1
    structures: tuple[Structure, ...] = ()
    """Of the data set that is extended."""
    there: Mapping[str, str] = field(default_factory=dict)
    """Its patients by the keys of their series."""


def plan_structure_sets(folder: Path, choices: SetChoices, done: FilesDone) -> Plan:
    """A task for each patient who has a series with a structure set.

    Raises:
        ConfigurationError: no structure set, or structures whose names cannot be used.
    """
    index = index_folder(folder, choices.workers, done)
    if not index.sets:
        raise ConfigurationError(
            f"{folder}: {sum(map(len, index.series.values()))} images and no RT Structure Set, "
            "expected DICOM series with structure sets"
        )
    table = _table(index, choices)
    plan = Plan(choices.structures or _structures(table, index), remarks=index.remarks)
    matches = match_sets(index)
    plan.remarks += matches.remarks
    patients = patients_in(folder, index.series, choices.naming, choices.there)
    for path in matches.refused:
        patients.name_parts |= read_identity(path).name_parts
    plan.remarks = [patients.without_names(one) for one in (*plan.remarks, *patients.remarks)]
    plan.identities = patients.identities
    _add_tasks(plan, patients, index.series, matches.sets, table=table, choices=choices)
    return plan


def _add_tasks(
    plan: Plan,
    patients: Patients,
    all_series: Mapping[str, Sequence[Header]],
    matched: Mapping[str, Sequence[SetRecord]],
    *,
    table: StructureTable,
    choices: SetChoices,
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
                    key, tuple(annotated), table, plan.structures, choices.slices, choices.skipped
                )
            )


def _table(index: FolderIndex, choices: SetChoices) -> StructureTable:
    if choices.table is not None:
        return read_table(choices.table)
    if choices.structures:
        return table_of([one.name for one in choices.structures], "the data set")
    names = sorted({roi.name.strip() for one in index.sets for roi in one.rois})
    return table_of([name for name in names if name], "structure sets")


def _structures(table: StructureTable, index: FolderIndex) -> tuple[Structure, ...]:
    """Colour and type as the first structure set has them that draws the structure."""
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
