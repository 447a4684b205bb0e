"""What a job is told and what it answers, as plain values that travel to a worker process."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

Report = Callable[[float, str], None]
"""Progress: fraction done (0 to 1) and what is being done, in words."""

Cache = MutableMapping[str, Any]
"""What a worker keeps between jobs, such as loaded models."""


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
    """The kind of pipeline, such as `blur`."""
    parameters: dict[str, Any]
    root_uid: str
    created: datetime
    """When the job was made; the date of everything it writes."""
    output_dir: str
    """Folder that holds the committed results; it does not exist before they are complete.

    Paths are relative to the storage folder in the ledger, and absolute in a worker.
    """
    resources: dict[str, float] = field(default_factory=dict)
    """What a worker of an external cluster must offer."""
    revision: int = 1
    """1 for the first results of a series, 2 for those that replace them, and so on."""
    predecessor_job_id: str = ""
    """The job whose results this one replaces."""
    predecessor_uids: dict[str, str] = field(default_factory=dict)
    """SOP Instance UID to SOP Class UID of those results."""
    predecessor_series_uids: tuple[str, ...] = ()
    """Their series."""
    released: dict[str, str] = field(default_factory=dict)
    """What a person passed over: reasons to hold (core/hold_reasons.py) and their words."""
    content_choice: str = ""
    """Which of several contents under the same SOP Instance UIDs a person took, in words."""

    def located(self, storage_path: Path) -> "JobRequest":
        """The same with absolute paths."""
        storage = storage_path.absolute()
        return replace(
            self,
            instance_paths=tuple(str(storage / path) for path in self.instance_paths),
            output_dir=str(storage / self.output_dir),
        )


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
    look_first: str = ""
    """Why a person must look before any of it leaves this machine; empty: nobody needs to."""
