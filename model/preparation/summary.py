"""A run's result as the report says it: figures, sentences and details."""

from dataclasses import dataclass
from typing import Any

from model.data_set_writer import prepared_by
from model.preparation.contradictions import shift_in_words
from model.preparation.remarks import PatientReport, Remark, counts_of
from model.preparation.run import Result

_COLUMNS = ("images", "drawn_images", "undrawn_images", "contours", "matched")


@dataclass(frozen=True, slots=True)
class Summary:
    """What the text, the JSON and the page of a report have in common."""

    result: Result

    @property
    def totals(self) -> dict[str, int]:
        """Over all patients."""
        reports = self.result.patients
        names = (*_COLUMNS, "empty_images")
        return {name: sum(getattr(one, name) for one in reports) for name in names}

    @property
    def remarks(self) -> list[Remark]:
        """Those of all patients, and those about several."""
        of_patients = [remark for one in self.result.patients for remark in one.findings]
        return [*self.result.remarks, *of_patients]

    @property
    def counts(self) -> dict[str, int]:
        """How many contours, images or files of each kind."""
        return counts_of(self.remarks)

    @property
    def headlines(self) -> list[str]:
        """What a person must know first."""
        shifts = [shift_in_words(one.patient, one.findings) for one in self.result.patients]
        return [line for line in shifts if line] + [one.words for one in self.result.remarks]

    @property
    def opening(self) -> str:
        """The result in a sentence."""
        usable = [one for one in self.result.patients if one.drawn_images]
        merged, totals = self.result.merged, self.totals
        return (
            f"{len(usable)} patients with {totals['drawn_images']} drawn images are in the data "
            f"set ({len(merged.added)} patients added by this run, {len(merged.same)} there "
            f"already); {totals['matched']} of {totals['contours']} contours used, "
            f"{totals['undrawn_images']} images without contour"
        )

    def values(self) -> dict[str, Any]:
        """All of it, as plain values."""
        merged = self.result.merged
        return {
            "prepared_by": prepared_by(),
            "structures": [one.name for one in self.result.structures],
            "summary": self.opening,
            "headlines": self.headlines,
            "totals": self.totals,
            "counts": self.counts,
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
