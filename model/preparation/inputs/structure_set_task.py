"""Preparation of a patient from DICOM series with RT Structure Sets."""

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.errors import ContourError, PixelError, SeriesError
from imaging.contours.findings import Finding, FindingKind, summarise
from imaging.contours.polygon_fill import Mask
from imaging.instances.header import Header
from imaging.rtstruct.reader import RoiContours, StructureSet, read_structure_set
from imaging.rtstruct.to_masks import RoiMask, iterate_masks
from imaging.series.series import check_one_series
from imaging.series.set_aside import planes_of, set_aside
from imaging.series.volume import read_images
from model.data.annotated_images import AnnotatedImage, SeriesKey
from model.data.samples import Image
from model.inference.structure import Structure
from model.preparation.inputs.cases import Case, series_key
from model.preparation.inputs.structure_table import StructureTable
from model.preparation.report.remarks import Kind, Remark

Slices = Literal["all", "drawn"]
Skipped = Literal["unknown", "empty"]
"""Meaning of slices without a contour between slices with one."""
SOURCE = "structure set"
_KINDS = {
    FindingKind.NOT_CLOSED: Kind.OPEN,
    FindingKind.TOO_FEW_POINTS: Kind.OPEN,
    FindingKind.OUTSIDE_IMAGE: Kind.OUTSIDE,
    FindingKind.NO_PIXEL: Kind.OUTSIDE,
    FindingKind.EMPTY: Kind.EMPTY,
    FindingKind.SKIPPED: Kind.SKIPPED,
    FindingKind.PASSED_OVER: Kind.PASSED_OVER,
    FindingKind.ENDS: Kind.PASSED_OVER,
    FindingKind.BETWEEN_SLICES: Kind.NO_IMAGE,
    FindingKind.OUTSIDE_VOLUME: Kind.NO_IMAGE,
    FindingKind.TILTED: Kind.NO_IMAGE,
    FindingKind.AMBIGUOUS: Kind.NO_IMAGE,
    FindingKind.OTHER_FRAME: Kind.NO_IMAGE,
    FindingKind.UNREFERENCED: Kind.DANGLING,
    FindingKind.DANGLING: Kind.DANGLING,
}


@dataclass(frozen=True, slots=True)
class DrawnSeries:
    """Series with its structure sets, the latest first."""

    headers: tuple[Header, ...]
    sets: tuple[Path, ...]

    @property
    def key(self) -> SeriesKey:
        """Key of the series in the data set."""
        return series_key(self.headers[0], SOURCE)


@dataclass(frozen=True, slots=True)
class StructureSetTask:
    """Task to prepare one patient."""

    patient: str
    series: tuple[DrawnSeries, ...]
    table: StructureTable
    structures: tuple[Structure, ...]
    slices: Slices = "all"
    skipped: Skipped = "unknown"
    source: str = field(default=SOURCE)

    @property
    def images(self) -> int:
        """Number of images of all series that have structure sets."""
        return sum(len(one.headers) for one in self.series)

    @property
    def files(self) -> tuple[Path, ...]:
        """Paths of images and structure sets."""
        images = (header.path for one in self.series for header in one.headers)
        return (*dict.fromkeys(images), *(path for one in self.series for path in one.sets))

    @property
    def options(self) -> str:
        """Options that affect the result, as text."""
        return f"{self.table.rules} {self.slices} {self.skipped}"

    def cases(self) -> Iterator[Case]:
        """For each series, a case about its structure sets, then a case for each image."""
        for one in self.series:
            names = tuple(structure.name for structure in self.structures)
            work = _SeriesWork(self.patient, one, self.table, names, self.skipped)
            yield from work.cases(self.slices)


@dataclass(slots=True)
class _SeriesWork:
    """Preparation of one series."""

    patient: str
    series: DrawnSeries
    table: StructureTable
    names: tuple[str, ...]
    skipped: Skipped
    remarks: list[Remark] = field(default_factory=list)
    contours: int = 0
    dropped: int = 0
    digests: list[str] = field(default_factory=list)
    packed: dict[str, npt.NDArray[np.uint8]] = field(default_factory=dict)
    """Masks [instance, row, column / 8], packed to bits, by structure name."""
    unknown: dict[str, set[int]] = field(default_factory=dict)
    """By structure name, indices of the instances on which the structure is unknown."""
    frames: Image | None = None
    """Pixels [instance, row, column] of a multi-frame file, once read."""

    @property
    def key(self) -> str:
        """Key of the series in reports."""
        return f"{self.patient}/{self.series.key.name}"

    def cases(self, slices: Slices) -> Iterator[Case]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                check_one_series(self.series.headers)
                self._keep_slices()
                self._fill()
        except SeriesError as error:
            self._remark(Kind.UNSUITABLE_SERIES, str(error), len(self.series.headers))
        matched = self.contours - self.dropped if self.packed else 0
        digests = tuple(self.digests)
        yield Case(self.key, None, None, self.contours, matched, tuple(self.remarks), (), digests)
        if self.packed:
            yield from (
                case
                for index in range(len(self.series.headers))
                if (case := self._case(index, slices)) is not None
            )

    def _fill(self) -> None:
        """Fill the masks of the selected structures; the latest set that has one counts."""
        others: set[str] = set()
        for path in self.series.sets:
            try:
                content = read_structure_set(path)
                self._fill_from(content, others)
            except ContourError as error:
                self._remark(Kind.UNREADABLE_SET, str(error))
        if others:
            words = f"{self.key}: not in the table of structures: {', '.join(sorted(others))}"
            count = len(others)
            self.remarks.append(
                Remark(Kind.NOT_CHOSEN, self.key, words, left_out=False, count=count)
            )

    def _fill_from(self, content: StructureSet, others: set[str]) -> None:
        chosen, taken = [], frozenset(self.packed)
        for roi in content.rois:
            name = self.table.name_of(roi.name)
            if not name:
                others.add(roi.name)
            elif name in taken:
                words = (
                    f"{roi.name!r} of structure set {content.sop_instance_uid}: a later one has it"
                )
                self._remark(Kind.SEVERAL_SETS, words)
            else:
                chosen.append(roi)
        findings = [one for one in content.findings if _is_of(one, chosen)]
        for mask in iterate_masks(replace(content, rois=tuple(chosen)), self.series.headers):
            name = self.table.name_of(mask.roi.name)
            self._take(name, mask.mask, mask.roi)
            findings += self._findings(mask)
            self._mark_unknown(name, mask)
        self._add_findings(findings)

    def _take(self, name: str, mask: Mask, roi: RoiContours) -> None:
        self.contours += len(roi.contours)
        digest = hashlib.sha256()
        for contour in roi.contours:
            digest.update(contour.points_mm.tobytes())
        if roi.contours:
            self.digests.append(digest.hexdigest())
        if not mask.any():
            words = f"{roi.name!r} covers no pixel of the series: not known"
            self._remark(Kind.EMPTY, words)
            return
        packed = np.packbits(mask, axis=2)
        self.packed[name] = self.packed[name] | packed if name in self.packed else packed

    def _findings(self, mask: RoiMask) -> list[Finding]:
        is_empty = self.skipped == "empty"
        return [one for one in mask.findings if not (is_empty and one.kind is FindingKind.SKIPPED)]

    def _mark_unknown(self, name: str, mask: RoiMask) -> None:
        """Note the images whose contours leave open whether the structure is on them."""
        unknown = self.unknown.setdefault(name, set())
        if self.skipped == "unknown":
            unknown |= mask.unknown.skipped
        found = mask.unknown.undecided
        if found:
            unknown |= found
            why = "where a contour is not filled, or another phase or direction is drawn on"
            words = f"{mask.roi.name!r} is unknown on {len(found)} image(s), {why}"
            self._remark(Kind.UNUSUAL, words, len(found))

    def _keep_slices(self) -> None:
        """Set images aside that are no slices.

        Raises:
            GeometryError: no image is a plane of the patient.
        """
        kept = set_aside(self.series.headers)
        for words in kept.warnings:
            self._remark(Kind.NO_SLICE, words)
        self.series = replace(self.series, headers=planes_of(kept, self.series.headers))

    def _add_findings(self, findings: Sequence[Finding]) -> None:
        self.dropped += len({(one.roi_number, one.contour) for one in findings if one.is_dropped})
        groups: dict[tuple[int, FindingKind], list[Finding]] = {}
        for one in findings:
            groups.setdefault((one.roi_number, one.kind), []).append(one)
        for (_, kind), group in groups.items():
            for line in summarise(group):
                left_out = group[0].is_dropped
                ours = _KINDS.get(kind, Kind.UNUSUAL)
                words, count = f"{self.key}: {line}", len(group)
                self.remarks.append(Remark(ours, self.key, words, left_out, count=count))

    def _case(self, index: int, slices: Slices) -> Case | None:
        header = self.series.headers[index]
        number = f"{self.series.key.name}-{self._number(index)}"
        key = f"{self.patient}/{number}"
        masks = self._masks(index, header)
        known = tuple(self._is_known(name, index) for name in self.names)
        if not any(known) or (slices == "drawn" and not masks.any()):
            return None
        if header.pixel_spacing_mm is None:
            words = f"instance {header.sop_instance_uid} has no pixel spacing"
            return Case(key, remarks=(Remark(Kind.UNREADABLE_IMAGE, key, words),))
        try:
            image = self._image(index)
        except (PixelError, SeriesError) as error:
            return Case(key, remarks=(Remark(Kind.UNREADABLE_IMAGE, key, str(error)),))
        annotated = AnnotatedImage(number, image, masks, known, header.pixel_spacing_mm)
        return Case(key, annotated, self.series.key)

    def _image(self, index: int) -> Image:
        """Read one image, so that a damaged file costs no other; multi-frame files once."""
        header = self.series.headers[index]
        if header.frame_number is None:
            image: Image = read_images([header])[0]
            return image
        if self.frames is None:
            self.frames = read_images(self.series.headers)
        frame: Image = self.frames[index]
        return frame

    def _number(self, index: int) -> str:
        """InstanceNumber and frame, or the place in the series if they are not unique."""
        headers = self.series.headers
        numbers = [(one.instance_number, one.frame_number) for one in headers]
        if len(set(numbers)) < len(numbers):
            return f"at-{index + 1}"
        number, frame = numbers[index]
        return str(number) if frame is None else f"{number}.{frame}"

    def _masks(self, index: int, header: Header) -> Mask:
        masks = np.zeros((len(self.names), header.rows, header.columns), dtype=bool)
        for place, name in enumerate(self.names):
            if self._is_known(name, index):
                bits = np.unpackbits(self.packed[name][index], axis=1, count=header.columns)
                masks[place] = bits
        return masks

    def _is_known(self, name: str, index: int) -> bool:
        return name in self.packed and index not in self.unknown.get(name, ())

    def _remark(self, kind: Kind, words: str, count: int = 1) -> None:
        self.remarks.append(Remark(kind, self.key, f"{self.key}: {words}", count=count))


def _is_of(finding: Finding, rois: Sequence[RoiContours]) -> bool:
    return any(roi.number == finding.roi_number for roi in rois)
