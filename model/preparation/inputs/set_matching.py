"""Matching of structure sets with their series, including a check of the patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import NotADataSetError
from imaging.instances.header import Header
from model.preparation.inputs.folder_index import FolderIndex, SetRecord
from model.preparation.inputs.same_patient import differing_keywords
from model.preparation.report.remarks import Kind, Remark


@dataclass(slots=True)
class SetMatches:
    """Structure sets matched with their series."""

    sets: dict[str, list[SetRecord]] = field(default_factory=dict)
    """Structure sets by SeriesInstanceUID, the latest first."""
    remarks: list[Remark] = field(default_factory=list)
    refused: list[Path] = field(default_factory=list)
    """Files of structure sets whose patient differs from that of their images."""


def match_sets(index: FolderIndex) -> SetMatches:
    """Match each structure set by its referenced series, else images, else frame of reference."""
    matches = SetMatches()
    images = {
        header.sop_instance_uid: uid for uid, headers in index.series.items() for header in headers
    }
    for record in sorted(index.sets, key=lambda one: (one.drawn_at, one.sop_instance_uid)):
        for uid in _Matching(record, index.series, matches).series_uids(images):
            matches.sets.setdefault(uid, []).insert(0, record)
    return matches


@dataclass(frozen=True, slots=True)
class _Matching:
    """Search for the series of one structure set."""

    record: SetRecord
    series: Mapping[str, Sequence[Header]]
    matches: SetMatches

    def series_uids(self, images: Mapping[str, str]) -> list[str]:
        named = [uid for uid in self.record.series_uids if uid in self.series]
        if not named:
            named = [images[uid] for uid in self.record.image_uids if uid in images]
        if named:
            return [uid for uid in dict.fromkeys(named) if self._is_own(uid)]
        found = [uid for frame in self.record.frame_uids for uid in self._by_frame(frame)]
        if not found and not self._is_reported():
            self._remark(Kind.NO_SERIES, f"its series {self._named()} is not there")
        return list(dict.fromkeys(found))

    def _by_frame(self, frame_uid: str) -> list[str]:
        """The only series in the frame of reference that has image planes, else none."""
        fitting = [
            uid
            for uid, headers in self.series.items()
            if any(one.frame_of_reference_uid == frame_uid for one in headers)
            and any(_is_plane(one) for one in headers)
        ]
        own = [uid for uid in fitting if not self._differing(uid)]
        if len(own) > 1:
            words = (
                f"its series {self._named()} is not there, and its frame of reference fits "
                f"{len(own)} series, expected one: not guessed; leave only the series in the "
                "folder that it was drawn on"
            )
            self._remark(Kind.NO_SERIES, words)
            return []
        if not own:
            return [uid for uid in fitting[:1] if self._is_own(uid)]
        words = (
            f"its series {self._named()} is not there, used on series {own[0]}, the only one in "
            "its frame of reference"
        )
        self._remark(Kind.BY_FRAME, words, left_out=False)
        return [uid for uid in own if self._is_own(uid)]

    def _is_own(self, uid: str) -> bool:
        differing = self._differing(uid)
        if differing:
            verb = "differs from that" if len(differing) == 1 else "differ from those"
            words = (
                f"{' and '.join(differing)} {verb} of series {uid}, expected the same patient: "
                "left out; correct the one that is wrong"
            )
            self._remark(Kind.OTHER_PATIENT, words)
            self.matches.refused.append(self.record.path)
        elif self.series[uid][0].patient_key != self.record.patient_key:
            words = (
                f"PatientName or PatientBirthDate is written otherwise than in series {uid}: used"
            )
            self._remark(Kind.WRITTEN_OTHERWISE, words, left_out=False)
        return not differing

    def _differing(self, uid: str) -> tuple[str, ...]:
        first = self.series[uid][0]
        if first.patient_key == self.record.patient_key:
            return ()
        try:
            return differing_keywords(self.record.path, first.path)
        except NotADataSetError:
            return ("PatientID",)

    def _named(self) -> str:
        return ", ".join(self.record.series_uids) or "(none named)"

    def _is_reported(self) -> bool:
        name = self.record.path.name
        return any(one.key == name and self._prefix in one.words for one in self.matches.remarks)

    def _remark(self, kind: Kind, words: str, *, left_out: bool = True) -> None:
        remark = Remark(kind, self.record.path.name, f"{self._prefix} {words}", left_out=left_out)
        self.matches.remarks.append(remark)

    @property
    def _prefix(self) -> str:
        return f"structure set {self.record.sop_instance_uid}:"


def _is_plane(header: Header) -> bool:
    return header.image_position_mm is not None and not header.is_localizer
