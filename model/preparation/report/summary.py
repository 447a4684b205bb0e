"""Summary of a run for the report: figures, sentences and details."""

from dataclasses import dataclass
from typing import Any

from model.data.data_set_writer import prepared_by
from model.preparation.inputs.contradictions import shift_in_words
from model.preparation.report.remarks import Kind, PatientReport, Remark, counts_of
from model.preparation.run import Result

_COLUMNS = ("images", "drawn_images", "undrawn_images", "contours", "matched")
_URGENT = (
    Kind.ASSUMED,
    Kind.SAME_CONTOURS,
    Kind.TWO_PATIENTS,
    Kind.ONE_PATIENT,
    Kind.NO_SERIES,
    Kind.BY_FRAME,
    Kind.OTHER_PATIENT,
    Kind.LINK,
    Kind.UNREADABLE_SET,
    Kind.OTHER_CONTENT,
    Kind.FAILED,
)
_MOST_HEADLINES = 20


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures and sentences shared by terminal, JSON and page."""

    result: Result

    @property
    def totals(self) -> dict[str, int]:
        """Sums of the counts over all patients."""
        reports = self.result.patients
        names = (*_COLUMNS, "empty_images")
        return {name: sum(getattr(one, name) for one in reports) for name in names}

    @property
    def remarks(self) -> list[Remark]:
        """Remarks about several patients, then those about single ones."""
        of_patients = [remark for one in self.result.patients for remark in one.findings]
        return [*self.result.remarks, *of_patients]

    @property
    def counts(self) -> dict[str, int]:
        """Number of contours, images or files by kind of remark."""
        return counts_of(self.remarks)

    @property
    def table(self) -> dict[str, int]:
        """Counts by name: the main figures, even if 0, then all other kinds found."""
        totals, counts = self.totals, self.counts
        asked = {
            "contours used": totals["matched"],
            Kind.NO_IMAGE.value: counts.get(Kind.NO_IMAGE, 0),
            "images without contour": totals["undrawn_images"],
            "empty or outside the image": counts.get(Kind.EMPTY, 0) + counts.get(Kind.OUTSIDE, 0),
            Kind.CONTRADICTION.value: counts.get(Kind.CONTRADICTION, 0),
        }
        within = (Kind.EMPTY, Kind.OUTSIDE)
        return asked | {name: n for name, n in counts.items() if name not in (*asked, *within)}

    @property
    def headlines(self) -> list[str]:
        """Most important findings, as sentences."""
        shifts = [shift_in_words(one.patient, one.findings) for one in self.result.patients]
        urgent = [one.words for one in self.remarks if one.kind in _URGENT]
        return [line for line in shifts if line] + urgent[:_MOST_HEADLINES]

    @property
    def opening(self) -> str:
        """Result of the run in a sentence."""
        usable = [one for one in self.result.patients if one.drawn_images]
        merged, totals = self.result.merged, self.totals
        return (
            f"{len(usable)} patients with {totals['drawn_images']} drawn images are in the data "
            f"set ({len(merged.added)} patients added by this run, {len(merged.same)} there "
            f"already), and {totals['empty_images']} images known to hold none of the structures; "
            f"{totals['matched']} of {totals['contours']} contours are used"
        )

    def values(self) -> dict[str, Any]:
        """Content of the JSON report, as plain values."""
        merged = self.result.merged
        return {
            "prepared_by": prepared_by(),
            "structures": [one.name for one in self.result.structures],
            "summary": self.opening,
            "headlines": self.headlines,
            "totals": self.totals,
            "counts": self.table,
            "added": list(merged.added),
            "already_there": list(merged.same),
            "there_with_other_content": list(merged.other),
            "patients": [_patient(one) for one in self.result.patients],
            "remarks": [_remark(one) for one in self.result.remarks],
        }


def _patient(report: PatientReport) -> dict[str, Any]:
    values = report.values()
    del values["contour_digests"]
    values["findings"] = [_remark(one) for one in report.findings]
    return {**values, "undrawn_images": report.undrawn_images}


def _remark(remark: Remark) -> dict[str, Any]:
    values: dict[str, Any] = {
        "kind": remark.kind.value,
        "key": remark.key,
        "words": remark.words,
        "left_out": remark.left_out,
        "count": remark.count,
    }
    return values if remark.shift_px is None else {**values, "shift_px": list(remark.shift_px)}
