"""Who made a result: values that go into every object the project writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.hold_reasons import released_words
from core.uids import derive_uid

MANUFACTURER = "Slicewire"
VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class Provenance:
    """The identity of the job that makes an object, from which its UIDs and dates derive."""

    job_id: str
    root_uid: str
    created: datetime
    pipeline: str
    """What was done, in words, for descriptions: pipeline, model, parameters."""
    revision: int = 1
    """2 and more: these results replace earlier ones of the same series."""
    predecessor_uids: Mapping[str, str] = field(default_factory=dict)
    """SOP Instance UID to SOP Class UID of the results that are replaced."""
    predecessor_series_uids: tuple[str, ...] = ()
    predecessor_job_id: str = ""
    """Of the job that made them."""
    released: Mapping[str, str] = field(default_factory=dict)
    """What a person passed over: reasons to hold (core/hold_reasons.py) and their words."""

    @property
    def revision_words(self) -> str:
        """Which revision this is, for descriptions; empty for the first."""
        return f"revision {self.revision}" if self.revision > 1 else ""

    @property
    def released_words(self) -> str:
        """What a person passed over, in few words; empty for nothing."""
        return released_words(self.released)

    @property
    def details(self) -> str:
        """What a person passed over, in full, and what was done, for long descriptions."""
        passed = [f"Released by a person: {words}" for words in self.released.values()]
        return "\n".join([*passed, self.pipeline])

    def uid(self, *parts: str) -> str:
        """The UID of the part of this job's output that `parts` name."""
        return derive_uid(self.root_uid, self.job_id, *parts)

    @property
    def date(self) -> str:
        """DA value of the job."""
        return self.created.strftime("%Y%m%d")

    @property
    def time(self) -> str:
        """TM value of the job."""
        return self.created.strftime("%H%M%S")
