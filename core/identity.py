"""Provenance of results: values written into every object that the project makes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.hold_reasons import released_words
from core.uids import derive_uid

MANUFACTURER = "Slicewire"
VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Identity of the job that makes an object; UIDs and dates of the object derive from it."""

    job_id: str
    root_uid: str
    created: datetime
    pipeline: str
    """What was done, in words, for descriptions: pipeline, model, parameters."""
    revision: int = 1
    """2 or more: these results replace earlier results of the same series."""
    predecessor_uids: Mapping[str, str] = field(default_factory=dict)
    """SOP Instance UID to SOP Class UID of the replaced results."""
    predecessor_series_uids: tuple[str, ...] = ()
    """SeriesInstanceUIDs of the replaced results."""
    predecessor_job_id: str = ""
    """Id of the job that made the replaced results."""
    released: Mapping[str, str] = field(default_factory=dict)
    """Reasons to hold (core/hold_reasons.py) that a release passed over, to their words."""

    @property
    def revision_words(self) -> str:
        """The revision, for descriptions, such as `revision 2`; empty for the first."""
        return f"revision {self.revision}" if self.revision > 1 else ""

    @property
    def released_words(self) -> str:
        """What a person's release passed over, in short; empty without a release."""
        return released_words(self.released)

    @property
    def details(self) -> str:
        """What a person's release passed over, in full, and the pipeline, for long descriptions."""
        passed = [f"Released by a person: {words}" for words in self.released.values()]
        return "\n".join([*passed, self.pipeline])

    def uid(self, *parts: str) -> str:
        """Derive the UID of the part of this job's output that `parts` name."""
        return derive_uid(self.root_uid, self.job_id, *parts)

    @property
    def date(self) -> str:
        """Date of the job, as a DA value (PS3.5 6.2)."""
        return self.created.strftime("%Y%m%d")

    @property
    def time(self) -> str:
        """Time of the job, as a TM value (PS3.5 6.2)."""
        return self.created.strftime("%H%M%S")
