"""What a job is told and what it answers, as plain values that travel to a worker process."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Report = Callable[[float, str], None]
"""Progress: fraction done (0 to 1) and what is being done, in words."""

Cache = MutableMapping[str, Any]
"""What a worker keeps between jobs, such as loaded models."""

ATTEMPT_PREFIX = "attempt-"
"""Begins the name of a results folder that is not complete yet."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One complete series and what to do with it.

    Everything that a job writes derives from these values alone, so that a second attempt has the
    same UIDs and dates.
    """

    job_id: str
    """Hash of the series, the content of its instances, the configuration and the variant."""
    series_instance_uid: str
    instance_paths: tuple[str, ...]
    pipeline: str
    """The name under `pipelines` in the configuration."""
    kind: str
    """Which program: `blur` or `unet`."""
    parameters: dict[str, Any]
    root_uid: str
    created: datetime
    """When the job was made; the date of everything it writes."""
    output_dir: str
    """Folder that holds the committed results; it does not exist before they are complete."""


@dataclass(frozen=True, slots=True)
class OutputInstance:
    """One committed result; `path` is relative to the results folder."""

    path: str
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    sha256: str


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a finished job left in its results folder, in the order in which it is sent."""

    instances: tuple[OutputInstance, ...]
    has_structure_set: bool
    summary: str
    """One line in plain words for the case."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time spent in read, compute, write and pictures."""
    warnings: tuple[str, ...] = ()
