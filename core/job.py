"""Request and result of a job, as plain values that are sent to worker processes."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

Report = Callable[[float, str], None]
"""Called to report progress: fraction done (0 to 1) and the current step in words."""

Cache = MutableMapping[str, Any]
"""Objects that a worker keeps between jobs, such as loaded models."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A complete series and the pipeline to run on it.

    Everything that a job writes derives from these values alone, so that a second attempt writes
    the same UIDs and dates.
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
    """When the job was created; the date in everything that it writes."""
    output_dir: str
    """Folder of the committed results; it does not exist before they are complete.

    Paths are relative to the storage folder in the ledger, and absolute in a worker.
    """
    resources: dict[str, float] = field(default_factory=dict)
    """Resources that its worker must have, such as `GPU: 1`."""
    revision: int = 1
    """1 for the first results of a series, 2 for the results that replace them, and so on."""
    predecessor_job_id: str = ""
    """The job whose results this one replaces."""
    predecessor_uids: dict[str, str] = field(default_factory=dict)
    """SOP Instance UID to SOP Class UID of the replaced results."""
    predecessor_series_uids: tuple[str, ...] = ()
    """SeriesInstanceUIDs of the replaced results."""
    released: dict[str, str] = field(default_factory=dict)
    """Reasons to hold (core/hold_reasons.py) that a release passed over, to their words."""
    content_choice: str = ""
    """Which of several contents under the same SOP Instance UIDs a person chose, in words."""

    def located(self, storage_path: Path) -> "JobRequest":
        """Return the request with absolute paths."""
        storage = storage_path.absolute()
        return replace(
            self,
            instance_paths=tuple(str(storage / path) for path in self.instance_paths),
            output_dir=str(storage / self.output_dir),
        )


@dataclass(frozen=True, slots=True)
class OutputInstance:
    """A committed result instance; `path` is relative to the results folder."""

    path: str
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    sha256: str


@dataclass(frozen=True, slots=True)
class JobResult:
    """Results that a finished job committed; `instances` are in sending order."""

    instances: tuple[OutputInstance, ...]
    has_structure_set: bool
    summary: str
    """One line in plain words, for the case."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Seconds spent in read, compute, write and pictures."""
    warnings: tuple[str, ...] = ()
    look_first: str = ""
    """Why a person must review the results before they leave this machine; empty: no need."""
