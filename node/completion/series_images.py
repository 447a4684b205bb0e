"""Images of a series for judgement: geometry by kind of pipeline, jobs by name of pipeline."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.config.settings import Configuration
from core.errors import RequestedJobError, SeriesError, SlicewireError
from core.hold_reasons import Hold, HoldReason
from core.job import JobRequest
from imaging.geometry.placement import GeometryRules, place
from imaging.instances.frames import read_headers
from imaging.instances.header import Header
from imaging.series.decoded_size import check_decoded_size, decoded_bytes
from imaging.series.series import is_of_image_class
from imaging.series.set_aside import set_aside
from node.completion.routing import TagMatch
from node.completion.submission import job_request
from node.ledger.tables.instances import StoredInstance
from node.ledger.tables.series import SeriesRow

_MEGABYTE = 1_000_000


@dataclass(slots=True)
class SeriesImages:
    """Images of one series; geometry is checked once for each kind of pipeline."""

    configuration: Configuration
    row: SeriesRow
    headers: Sequence[Header]
    contents: Mapping[str, str]
    """SOP Instance UIDs to the hashes of the contents in use."""
    tags: TagMatch
    content_choice: str = ""
    """Which of several contents a person chose, in words."""
    passed: dict[str, str] = field(default_factory=dict)
    """Reasons that a release passed over for every pipeline (core/hold_reasons.py), to words."""
    _passed_by_kind: dict[str, dict[str, str]] = field(default_factory=dict)
    _faults: dict[str, SlicewireError] = field(default_factory=dict)
    _jobs: dict[str, JobRequest] = field(default_factory=dict)

    @classmethod
    def read(
        cls, configuration: Configuration, row: SeriesRow, instances: Sequence[StoredInstance]
    ) -> "SeriesImages":
        """Read the headers of the images among `instances` whose content is in use."""
        here = [one for one in instances if not one.differs]
        paths = [configuration.storage_path / one.path for one in here]
        headers = [one for path in paths for one in read_headers(path) if is_of_image_class(one)]
        slices = set_aside(headers).headers or headers  # rules match slices that jobs use
        tags = TagMatch([header.path for header in slices])
        contents = {one.sop_instance_uid: one.sha256 for one in here}
        return cls(configuration, row, headers, contents, tags)

    @property
    def decoded_mb(self) -> float:
        """Size of the images as float32 voxels, in megabytes (1,000,000 bytes)."""
        return decoded_bytes(self.headers) / _MEGABYTE

    def pass_over(self, holds: Iterable[Hold]) -> None:
        """Note in the results of every pipeline which holds a release passed over."""
        missing = HoldReason.INSTANCES_MISSING  # after a release the sender is not asked again
        if missing in self.row.released:
            self.passed[missing.value] = self.row.released[missing]
        self.passed |= {one.reason.value: one.words for one in holds}

    def job(self, name: str, geometry_rules: Mapping[str, GeometryRules], now: float) -> JobRequest:
        """Build the job of a pipeline on these images.

        Raises:
            RequestedJobError: the pipeline is not configured any more.
            SeriesError: the images do not satisfy its geometry rules, or are too large.
            ModelError: its checkpoint cannot be read.
        """
        pipeline = self.configuration.pipelines.get(name)
        if pipeline is None:
            raise RequestedJobError(f"there is no pipeline {name} any more")
        check_decoded_size(self.headers, self.configuration.engine.maximum_decoded_mb)
        passed = self._check_geometry(pipeline.kind, geometry_rules[pipeline.kind])
        if name not in self._jobs:
            job = job_request(
                self.configuration,
                name,
                self.row.series_instance_uid,
                headers=self.headers,
                contents=self.contents,
                now=now,
            )
            self._jobs[name] = replace(
                job, released=self.passed | passed, content_choice=self.content_choice
            )
        return self._jobs[name]

    def _check_geometry(self, kind: str, rules: GeometryRules) -> dict[str, str]:
        """Return the geometry holds that a release passed over; raise any other."""
        if kind not in self._faults and kind not in self._passed_by_kind:
            try:
                self._passed_by_kind[kind] = self._place(rules)
            except SlicewireError as error:
                self._faults[kind] = error
        if kind in self._faults:
            raise self._faults[kind]
        return self._passed_by_kind[kind]

    def _place(self, rules: GeometryRules) -> dict[str, str]:
        passed: dict[str, str] = {}
        while True:
            try:
                place(self.headers, rules)
            except SeriesError as error:
                hold = error.hold
                if not is_passed(hold, self.row) or hold.reason in rules.passed:
                    raise
                passed[hold.reason.value] = hold.words
                rules = replace(rules, passed=rules.passed | {hold.reason})
            else:
                return passed


def is_passed(hold: Hold, row: SeriesRow) -> bool:
    """True if a person's release of the series passed over this hold."""
    return hold.is_releasable and hold.reason in row.released
