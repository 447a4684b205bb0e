"""Judgement: what runs for a request on a whole series, or what stands in its way, in words.

A request of a sender gets the pipelines of the rules that match it; one that names its pipeline
gets that one, and no rule is asked. Each pipeline's own geometry rules say whether the series
suits it: that holds the request, not the series and not the requests of others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from core.config import Configuration
from core.config_routing import Rule
from core.errors import (
    OrderError,
    SenderError,
    SeriesError,
    SlicewireError,
    StorageUnavailableError,
)
from core.job import JobRequest
from imaging.frames import read_headers
from imaging.geometry import GeometryRules, place
from imaging.header import Header
from imaging.series import check_one_series, promises_image
from imaging.set_aside import set_aside
from node.doubts import Doubts, check_even, check_undisputed
from node.ledger.instances import StoredInstance
from node.ledger.jobs import Destination
from node.ledger.requests import (
    FAILED,
    HELD,
    KEPT,
    STANDING,
    SUBMITTED,
    UNDECIDED,
    Request,
    content_hash,
)
from node.ledger.series import SeriesRow
from node.routing import NamedRule, Router, TagMatch
from node.submission import Route, Wanted, job_request

_MADE_HERE = "made by this node or one like it"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request: the jobs that it gets, and why it gets no others."""

    request: Request
    state: str
    """One of node/ledger/requests.py: submitted, held, kept, failed."""
    reason: str = ""
    jobs: tuple[Wanted, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of the requests of a series with this content."""

    content: str
    verdicts: tuple[Verdict, ...] = ()
    superseded: tuple[tuple[Request, Request], ...] = ()
    """Requests on older content, each with the later one of the same sender."""


@dataclass(slots=True)
class _Images:
    """What a series holds, as far as it is asked: geometry by kind, rules' tags, jobs by name."""

    row: SeriesRow
    headers: Sequence[Header]
    contents: Mapping[str, str]
    tags: TagMatch
    faults: dict[str, SlicewireError | None] = field(default_factory=dict)
    jobs: dict[str, JobRequest] = field(default_factory=dict)


class Judgement:
    """Judges requests by rules and geometry; writes nothing."""

    def __init__(
        self,
        configuration: Configuration,
        router: Router,
        *,
        geometry_rules: Mapping[str, GeometryRules],
    ) -> None:
        """`geometry_rules` by kind of pipeline."""
        self._configuration = configuration
        self._router = router
        self._geometry_rules = geometry_rules

    def judge(
        self,
        row: SeriesRow,
        instances: Sequence[StoredInstance],
        doubts: Doubts,
        requests: Sequence[Request],
        *,
        now: float,
    ) -> Judged:
        """What becomes of the requests that wait, or that were decided on older content.

        Raises:
            SeriesError: the series itself is not whole or contradicts itself, for every request.
            StorageUnavailableError: its files cannot be read now.
        """
        content = content_hash(instances)
        open_ones, superseded = _to_judge(requests, content)
        if any(instance.made_here for instance in instances):
            words = f"{_MADE_HERE}: stored, never processed"
            return Judged(content, tuple(_kept(one, words) for one in open_ones), superseded)
        if not row.released_by_person:
            check_undisputed(instances, doubts)
        images = self._images(row, instances)
        if not images.headers:
            words = "no images: stored, not processed"
            return Judged(content, tuple(_kept(one, words) for one in open_ones), superseded)
        check_one_series(images.headers)
        if not row.released_by_person:
            check_even(images.headers, doubts)
        verdicts = tuple(self._verdict(one, images, now) for one in open_ones)
        return Judged(content, verdicts, superseded)

    def _images(self, row: SeriesRow, instances: Sequence[StoredInstance]) -> _Images:
        here = [one for one in instances if not one.differs]
        paths = [self._configuration.storage_path / one.path for one in here]
        headers = [one for path in paths for one in read_headers(path) if promises_image(one)]
        slices = set_aside(headers).headers or headers  # rules are for what would be run on
        tags = TagMatch([header.path for header in slices])
        contents = {one.sop_instance_uid: one.sha256 for one in here}
        return _Images(row, headers, contents, tags)

    def _verdict(self, request: Request, images: _Images, now: float) -> Verdict:
        try:
            routes = list(_by_pipeline(self._routes(request, images)))
        except SenderError as error:
            return Verdict(request, HELD, str(error))
        if not routes:
            return _kept(request, "no rule of the configuration matches: stored, not processed")
        jobs, faults = self._jobs(routes, images, now)
        if not faults:
            return Verdict(request, SUBMITTED, jobs=jobs)
        is_final = request.is_by_name and not isinstance(faults[0][1], SeriesError)
        several = len(routes) > 1
        told = [f"{name}: {fault}" if several else str(fault) for name, fault in faults]
        return Verdict(request, FAILED if is_final else HELD, "; ".join(told), jobs)

    def _jobs(
        self, routes: Sequence[Route], images: _Images, now: float
    ) -> tuple[tuple[Wanted, ...], list[tuple[str, SlicewireError]]]:
        """The jobs of all pipelines that the images suit, and why not those of the others."""
        jobs: list[Wanted] = []
        faults: list[tuple[str, SlicewireError]] = []
        for route in routes:
            try:
                jobs.append(Wanted(self._job(route, images, now), route))
            except StorageUnavailableError:
                raise
            except SlicewireError as error:
                faults.append((route.pipeline, error))
        return tuple(jobs), faults

    def _routes(self, request: Request, images: _Images) -> Iterator[Route]:
        """One for each rule that counts."""
        named = [NamedRule("", Rule(pipeline=request.pipeline, destinations=request.destinations))]
        rules = (
            named if request.is_by_name else self._router.find_rules(request.sender, images.tags)
        )
        for one in rules:
            goes_nowhere = request.is_by_name and not request.destinations
            found = () if goes_nowhere else self._router.destinations(one.rule, request.sender)
            yield Route(one.rule.pipeline, one.name, found)

    def _job(self, route: Route, images: _Images, now: float) -> JobRequest:
        """The job of a pipeline on these images.

        Raises:
            OrderError: the pipeline is not configured any more.
            SeriesError: the images do not suit it.
            ModelError: its checkpoint cannot be read.
        """
        pipeline = self._configuration.pipelines.get(route.pipeline)
        if pipeline is None:
            raise OrderError(f"there is no pipeline {route.pipeline} any more")
        self._check_geometry(pipeline.kind, images)
        if route.pipeline not in images.jobs:
            images.jobs[route.pipeline] = job_request(
                self._configuration,
                route.pipeline,
                images.row.series_instance_uid,
                headers=images.headers,
                contents=images.contents,
                now=now,
            )
        return images.jobs[route.pipeline]

    def _check_geometry(self, kind: str, images: _Images) -> None:
        """Placed once for each kind, however many requests want it."""
        if kind not in images.faults:
            images.faults[kind] = None
            try:
                place(images.headers, self._geometry_rules[kind])
            except SlicewireError as error:
                images.faults[kind] = error
        fault = images.faults[kind]
        if fault is not None:
            raise fault


def _to_judge(
    requests: Sequence[Request], content: str
) -> tuple[list[Request], tuple[tuple[Request, Request], ...]]:
    """Those that are judged now, and those that a later request of the same sender replaces."""
    standing = [one for one in requests if one.state in STANDING]
    open_ones, superseded = [], []
    for one in standing:
        latest = [other for other in standing if other.is_of_same_asker(one)][-1]
        if latest.key != one.key and one.content != content:
            superseded.append((one, latest))
        elif one.state in UNDECIDED or one.content != content:
            open_ones.append(one)
    return open_ones, tuple(superseded)


def _kept(request: Request, words: str) -> Verdict:
    """What names a pipeline asked for more than to be stored."""
    if request.is_by_name:
        return Verdict(request, FAILED, words.replace("stored, ", ""))
    return Verdict(request, KEPT, words)


def _by_pipeline(routes: Iterator[Route]) -> Iterator[Route]:
    """Rules that name the same pipeline are one job, for the destinations of them all."""
    found: dict[str, list[Route]] = {}
    for route in routes:
        found.setdefault(route.pipeline, []).append(route)
    for pipeline, of_pipeline in found.items():
        peers: dict[str, Destination] = {}
        for destination in (one for route in of_pipeline for one in route.destinations):
            peers.setdefault(destination.peer, destination)
        names = ", ".join(dict.fromkeys(route.rule for route in of_pipeline))
        yield Route(pipeline, names, tuple(peers.values()))
