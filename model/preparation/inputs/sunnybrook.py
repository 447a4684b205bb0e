"""Input from DICOM with text contours and a link table, as in Sunnybrook Cardiac Data.

    dicoms/<patient>/<n>.dcm
    contourfiles/<original id>/{i,o}-contours/IM-0001-<n>-{i,o}contour-manual.txt
    link.csv                      patient_id,original_id

i-contours are the endocardium (blood pool), o-contours the epicardium; the myocardium is the ring
between them, and unknown on an instance that has no o-contour.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigurationError
from imaging.contours.text_contours import TextContour, find_text_contours
from model.data.samples import Defect, Sample, SamplesInMemory
from model.inference.structure import Structure
from model.preparation.inputs.cases import Case, Plan
from model.preparation.inputs.contradictions import Choice
from model.preparation.inputs.identity import first_identity
from model.preparation.inputs.text_contour_cases import SOURCE, InstanceContours
from model.preparation.report.remarks import Kind, Remark

ENDOCARDIUM = Structure("LV_Endocardium", (230, 159, 0), "ORGAN")
MYOCARDIUM = Structure("LV_Myocardium", (0, 114, 178), "ORGAN")
"""Orange and blue of Okabe and Ito, distinguishable by colour-blind readers."""
STRUCTURES = (ENDOCARDIUM, MYOCARDIUM)


@dataclass(frozen=True, slots=True)
class SunnybrookTask:
    """Task to prepare one patient of the link table."""

    dicoms: Path
    contours: tuple[TextContour, ...]
    images: int
    choice: Choice = "exclude"
    source: str = SOURCE

    @property
    def patient(self) -> str:
        """Key of the patient: patient_id of the link table."""
        return self.dicoms.name

    @property
    def files(self) -> tuple[Path, ...]:
        """Paths of the instances with contours, and of the contours."""
        instances = (self._instance(number) for number in self._numbers())
        return (*(path for path in instances if path.is_file()), *(c.path for c in self.contours))

    @property
    def options(self) -> str:
        """Treatment of contradictions, as text."""
        return self.choice

    def cases(self) -> Iterator[Case]:
        """Case for each instance with contours, sorted by number."""
        instances = [
            InstanceContours(f"{self.patient}/{number}", self._instance(number), paths)
            for number, paths in self._numbers().items()
        ]
        headers = [one.header() for one in instances]
        people = {header.patient_key for header in headers if header is not None}
        if len(people) > 1:
            yield self._of_several(len(people))
            return
        for instance, header in zip(instances, headers, strict=True):
            yield instance.without_image() if header is None else instance.case(header, self.choice)

    def _of_several(self, people: int) -> Case:
        words = f"{self.patient}: instances of {people} patients in one folder, expected one"
        remark = Remark(Kind.TWO_PATIENTS, self.patient, words)
        return Case(self.patient, contours=len(self.contours), remarks=(remark,))

    def _numbers(self) -> dict[int, dict[str, Path]]:
        paths: dict[int, dict[str, Path]] = {}
        for contour in self.contours:
            paths.setdefault(contour.number, {})[contour.kind] = contour.path
        return dict(sorted(paths.items()))

    def _instance(self, number: int) -> Path:
        return self.dicoms / f"{number}.dcm"


def plan_sunnybrook(folder: Path, choice: Choice = "exclude") -> Plan:
    """Plan a task for each patient in link.csv; links to missing folders become remarks.

    Raises:
        ConfigurationError: link.csv is missing or cannot be read.
    """
    plan = Plan(STRUCTURES)
    links = _read_links(folder / "link.csv")
    counts = [Counter(link[place] for link in links) for place in (0, 1)]
    for patient, original in dict.fromkeys(links):
        dicoms, contours = folder / "dicoms" / patient, folder / "contourfiles" / original
        twice = counts[0][patient] > 1 or counts[1][original] > 1
        if twice:
            words = f"link.csv: {patient} or {original} is in several rows, expected one: left out"
            plan.remarks.append(Remark(Kind.TWO_PATIENTS, patient, words))
        elif not (_is_plain(patient) and _is_plain(original)):
            words = f"link.csv: {patient!r}, {original!r}: expected names of folders"
            plan.remarks.append(Remark(Kind.LINK, "link.csv", words))
        elif not dicoms.is_dir() or not contours.is_dir():
            missing = dicoms if not dicoms.is_dir() else contours
            words = f"link.csv: {missing.relative_to(folder)} is not there"
            plan.remarks.append(Remark(Kind.LINK, patient, words))
        else:
            instances = sorted(dicoms.glob("*.dcm"))
            found = tuple(find_text_contours(contours))
            plan.tasks.append(SunnybrookTask(dicoms, found, len(instances), choice))
            identity = first_identity(instances)
            if identity is not None:
                plan.identities[patient] = identity.number, identity.person
    return plan


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and Path(name).name == name


def read_sunnybrook(folder: Path) -> SamplesInMemory:
    """Read all instances below `folder` with a usable i-contour; others become defects.

    Raises:
        ConfigurationError: link.csv is missing or cannot be read.
    """
    plan = plan_sunnybrook(folder)
    samples: list[Sample] = []
    remarks = list(plan.remarks)
    for task in plan.tasks:
        for case in task.cases():
            remarks += case.remarks
            if case.annotated is not None and case.series is not None:
                entry = case.annotated.entry(task.patient, case.series)
                samples.append(Sample(entry, case.annotated.image, case.annotated.masks))
    defects = [Defect(one.key, one.words) for one in remarks if one.left_out]
    return SamplesInMemory(STRUCTURES, samples, defects)


def _read_links(path: Path) -> list[tuple[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if not {"patient_id", "original_id"} <= set(rows.fieldnames or ()):
                raise KeyError("patient_id")  # also where there is not one row
            return [(row["patient_id"].strip(), row["original_id"].strip()) for row in rows]
    except (OSError, KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(
            f"{path}: expected a readable table with columns patient_id,original_id"
        ) from error
