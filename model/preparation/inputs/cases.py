"""What every kind of input is turned into: patients, each a stream of cases."""

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
    """One image with what was drawn on it, or what is wrong with it."""

    key: str
    annotated: AnnotatedImage | None = None
    """None: nothing of it goes into the data set."""
    series: SeriesKey | None = None
    contours: int = 0
    """How many were drawn on it."""
    matched: int = 0
    """How many of them are in `annotated`."""
    remarks: tuple[Remark, ...] = ()
    left_out: tuple[Mask, ...] = ()
    """Masks [row, column] that are shown and not learnt."""
    contour_digests: tuple[str, ...] = ()


def series_key(header: Header, source: str) -> SeriesKey:
    """The data set's key of a series: its modality and a hash of its UID."""
    digest = hashlib.sha256(header.series_instance_uid.encode()).hexdigest()[:8]
    return SeriesKey(f"{header.modality or 'series'}-{digest}", header.modality, source)


class PatientTask(Protocol):
    """One patient to prepare; travels to another process."""

    @property
    def patient(self) -> str:
        """The key."""

    @property
    def source(self) -> str:
        """As `SeriesKey.source`."""

    @property
    def images(self) -> int:
        """How many images there are, drawn on or not."""

    @property
    def files(self) -> tuple[Path, ...]:
        """All that is read."""

    @property
    def options(self) -> str:
        """All else that decides what comes out, as text."""

    def cases(self) -> Iterator[Case]:
        """The images one by one; what is wrong with one is a remark, no exception."""


@dataclass(slots=True)
class Plan:
    """What is to be done, and what was noticed while finding that out."""

    structures: tuple[Structure, ...]
    tasks: list[PatientTask] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    identities: dict[str, "tuple[str, str]"] = field(default_factory=dict)
    """By patient key: hashes of the PatientID and of the person. Never written anywhere."""
