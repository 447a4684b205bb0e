"""Interface of all kinds of input: a plan of patients, each with a stream of cases."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from imaging.contours.polygon_fill import Mask
from imaging.instances.header import Header
from model.data.annotated_images import AnnotatedImage, SeriesKey
from model.inference.structure import Structure
from model.preparation.report.remarks import Remark


@dataclass(frozen=True, slots=True)
class Case:
    """Image with its masks, or with remarks on why it cannot be used."""

    key: str
    annotated: AnnotatedImage | None = None
    """Instance for the data set; None if nothing of it can be used."""
    series: SeriesKey | None = None
    contours: int = 0
    """Number of contours drawn on the image."""
    matched: int = 0
    """Number of these contours that are in `annotated`."""
    remarks: tuple[Remark, ...] = ()
    left_out: tuple[Mask, ...] = ()
    """Masks [row, column] that are shown in pictures but not in the data set."""
    contour_digests: tuple[str, ...] = ()


def series_key(header: Header, source: str) -> SeriesKey:
    """Key of a series in the data set: its modality and a hash of its UID."""
    digest = hashlib.sha256(header.series_instance_uid.encode()).hexdigest()[:8]
    return SeriesKey(f"{header.modality or 'series'}-{digest}", header.modality, source)


class PatientTask(Protocol):
    """Task to prepare one patient; pickled to a worker process."""

    @property
    def patient(self) -> str:
        """Key of the patient."""

    @property
    def source(self) -> str:
        """Kind of input, as `SeriesKey.source`."""

    @property
    def images(self) -> int:
        """Number of images, with or without contours."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Paths of all files that are read."""

    @property
    def options(self) -> str:
        """Options that affect the result, as text."""

    def cases(self) -> Iterator[Case]:
        """Images one by one; faults become remarks, not exceptions."""


@dataclass(slots=True)
class Plan:
    """Tasks of a run, and remarks on the input."""

    structures: tuple[Structure, ...]
    tasks: list[PatientTask] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    identities: dict[str, "tuple[str, str]"] = field(default_factory=dict)
    """By patient key: hashes of the PatientID and of the person. Never written anywhere."""
