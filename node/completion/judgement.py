"""Judgement: which jobs a request gets on a complete series, or why it is held.

A request of a sender gets the pipelines of the rules that match it. A request that names its
pipeline gets that one, without rules. If a series does not satisfy a pipeline's geometry rules, the
request is held, but not the series or the requests of others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.config.routing import Rule
from core.config.settings import Configuration
from core.errors import (
    HeldError,
    SenderError,
    SeriesError,
    SlicewireError,
    StorageUnavailableError,
    hold_of,
)
from core.hold_reasons import Hold, held_words
from core.priority import Priority
from imaging.geometry.placement import GeometryRules
from imaging.series.series import check_one_series
from node.completion.completeness_checks import (
    CompletenessChecks,
    completeness_holds,
    unequal_positions,
)
from node.completion.nearest_rule import nearest_rule
from node.completion.routing import NamedRule, Router, rules_hash
from node.completion.series_images import SeriesImages, is_passed
from node.completion.submission import Route, WantedJob
from node.ledger.requests.jobs import Destination
from node.ledger.requests.requests import STANDING, UNDECIDED, Request, content_hash
from node.ledger.row_states import RequestState
from node.ledger.tables.instances import StoredInstance
from node.ledger.tables.series import SeriesRow

NO_RULE = "no rule of the configuration matches: stored, not processed"
"""Begin of the reason why a request that no rule took is kept."""
_MADE_HERE = "made by this node or another Slicewire node"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Decision on a request: the jobs that it gets, and the reasons why it gets no others."""

    request: Request
    state: RequestState
    """The new state of the request: submitted, held, kept or failed."""
    reason: str = ""
    jobs: tuple[WantedJob, ...] = ()
    holds: tuple[Hold, ...] = ()
    """Reasons against the jobs that it does not get."""
    rules: str = ""
    """Hash of the routing rules if none of them took it."""

    @property
    def may_run(self) -> bool:
        """True if the request runs, is kept, or would run after a release by a person."""
        is_releasable = any(one.is_releasable for one in self.holds)
        return self.state != RequestState.HELD or bool(self.jobs) or is_releasable


@dataclass(frozen=True, slots=True)
class Judged:
    """Decisions on the requests of a series with this content."""

    content: str
    """Hash of the instances that were judged."""
    verdicts: tuple[Verdict, ...] = ()
    superseded: tuple[tuple[Request, Request], ...] = ()
    """Requests decided on older content, each with a later request of the same sender."""


class Judgement:
    """Judges requests by routing and geometry rules; does not write to the ledger."""

    def __init__(
        self,
        configuration: Configuration,
        router: Router,
        *,
        geometry_rules: Mapping[str, GeometryRules],
    ) -> None:
        """Store the configuration; `geometry_rules` are by kind of pipeline."""
        self._configuration = configuration
        self._router = router
        may = configuration.geometry.separate_frames_of_reference == "warn"
        self._geometry_rules = {
            kind: replace(rules, allow_separate_frames=may)
            for kind, rules in geometry_rules.items()
        }

    def judge(
        self,
        row: SeriesRow,
        instances: Sequence[StoredInstance],
        checks: CompletenessChecks,
        requests: Sequence[Request],
        *,
        now: float,
    ) -> Judged:
        """Judge the requests that wait, and those that were decided on older content.

        Raises:
            HeldError: the series is incomplete or contradicts itself: held for every request.
            StorageUnavailableError: files of the series cannot be read at present.
        """
        content = content_hash(instances)
        to_judge, superseded = _to_judge(requests, content)
        if any(instance.made_here for instance in instances):
            words = f"{_MADE_HERE}: stored, not processed"
            return Judged(content, tuple(_kept(one, words) for one in to_judge), superseded)
        holds = list(completeness_holds(instances, checks, self._configuration.storage_path))
        _check_releasable(holds, row)
        images = SeriesImages.read(self._configuration, row, instances)
        holds += _holds_of_images(images, holds, checks)
        standing = _check_releasable(holds, row)
        images.pass_over(one for one in holds if is_passed(one, row))
        images.content_choice = "" if checks.choice is None else str(checks.choice)
        verdicts = self._verdicts(to_judge, images, now)
        if standing:
            found = dict.fromkeys(one for verdict in verdicts for one in verdict.holds)
            may_run = not verdicts or any(one.may_run for one in verdicts)
            raise HeldError([*standing, *found], is_releasable=may_run)
        return Judged(content, verdicts, superseded)

    def _verdicts(
        self, requests: Sequence[Request], images: SeriesImages, now: float
    ) -> tuple[Verdict, ...]:
        if images.headers:
            return tuple(self._verdict(one, images, now) for one in requests)
        words = "no images: stored, not processed"
        return tuple(_kept(one, words) for one in requests)

    def _verdict(self, request: Request, images: SeriesImages, now: float) -> Verdict:
        try:
            routes = list(_by_pipeline(self._routes(request, images)))
        except SenderError as error:
            return _held(request, (hold_of(error),))
        if not routes:
            kept = _kept(request, self._why_no_rule(request, images))
            return replace(kept, rules=rules_hash(self._configuration))
        jobs, faults = self._jobs(routes, images, now)
        if not faults:
            return Verdict(request, RequestState.SUBMITTED, jobs=jobs)
        if request.is_by_name and not isinstance(faults[0][1], SeriesError):
            return Verdict(request, RequestState.FAILED, str(faults[0][1]), jobs)
        holds = [(name, hold_of(fault)) for name, fault in faults]
        if len(routes) > 1:
            holds = [(name, replace(one, words=f"{name}: {one.words}")) for name, one in holds]
        return _held(request, tuple(one for _, one in holds), jobs)

    def _why_no_rule(self, request: Request, images: SeriesImages) -> str:
        paths = [one.path for one in images.headers]
        nearest = nearest_rule(self._configuration.rules, request.sender, paths)
        return NO_RULE if nearest is None else f"{NO_RULE}; {nearest.words}"

    def _jobs(
        self, routes: Sequence[Route], images: SeriesImages, now: float
    ) -> tuple[tuple[WantedJob, ...], list[tuple[str, SlicewireError]]]:
        """Build the jobs of pipelines that accept the images; return the others' errors too."""
        jobs: list[WantedJob] = []
        faults: list[tuple[str, SlicewireError]] = []
        for route in routes:
            try:
                job = images.job(route.pipeline, self._geometry_rules, now)
                jobs.append(WantedJob(job, route, images.decoded_mb))
            except StorageUnavailableError:
                raise
            except SlicewireError as error:
                faults.append((route.pipeline, error))
        return tuple(jobs), faults

    def _routes(self, request: Request, images: SeriesImages) -> Iterator[Route]:
        """Yield a route for each rule that applies."""
        named = [NamedRule("", Rule(pipeline=request.pipeline, destinations=request.destinations))]
        rules = (
            named if request.is_by_name else self._router.find_rules(request.sender, images.tags)
        )
        for one in rules:
            goes_nowhere = request.is_by_name and not request.destinations
            sender = images.row.sender if request.is_by_name else request.sender
            found = () if goes_nowhere else self._router.destinations(one.rule, sender)
            priority = _priority(one.rule, request)
            yield Route(one.rule.pipeline, one.name, found, priority)


def _check_releasable(holds: Sequence[Hold], row: SeriesRow) -> list[Hold]:
    """Return the holds not released yet; raise HeldError if one of them cannot be released."""
    standing = [one for one in holds if not is_passed(one, row)]
    if not all(one.is_releasable for one in standing):
        raise HeldError(standing, is_releasable=False)
    return standing


def _holds_of_images(
    images: SeriesImages, holds: Sequence[Hold], checks: CompletenessChecks
) -> list[Hold]:
    """Return further holds on the images, for every pipeline; `holds` were found before."""
    if not images.headers:
        return []
    try:
        check_one_series(images.headers)
    except SeriesError as error:
        standing = [one for one in holds if not is_passed(one, images.row)]
        raise HeldError([*standing, error.hold], is_releasable=False) from error
    found = unequal_positions(images.headers, checks)
    return [] if found is None else [found]


def _to_judge(
    requests: Sequence[Request], content: str
) -> tuple[list[Request], tuple[tuple[Request, Request], ...]]:
    """Return the requests to judge, and those replaced by a later request of the same sender."""
    standing = [one for one in requests if one.state in STANDING]
    to_judge, superseded = [], []
    for one in standing:
        latest = [other for other in standing if other.has_same_asker(one)][-1]
        if latest.key != one.key and one.content != content:
            superseded.append((one, latest))
        elif one.state in UNDECIDED or one.content != content:
            to_judge.append(one)
    return to_judge, tuple(superseded)


def _held(request: Request, holds: tuple[Hold, ...], jobs: tuple[WantedJob, ...] = ()) -> Verdict:
    may_release = any(one.is_releasable for one in holds)
    return Verdict(
        request, RequestState.HELD, held_words(holds, is_releasable=may_release), jobs, holds
    )


def _kept(request: Request, words: str) -> Verdict:
    """Keep a request; one that names its pipeline fails instead, as it asks for results."""
    if request.is_by_name:
        return Verdict(request, RequestState.FAILED, words.replace("stored, ", ""))
    return Verdict(request, RequestState.KEPT, words)


def _priority(rule: Rule, request: Request) -> Priority:
    """The rule's priority, or the one that the sender gave."""
    return request.priority if rule.priority == "sender" else Priority.named(rule.priority)


def _by_pipeline(routes: Iterator[Route]) -> Iterator[Route]:
    """Join routes with the same pipeline into one, with the destinations of all of them."""
    found: dict[str, list[Route]] = {}
    for route in routes:
        found.setdefault(route.pipeline, []).append(route)
    for pipeline, of_pipeline in found.items():
        peers: dict[str, Destination] = {}
        for destination in (one for route in of_pipeline for one in route.destinations):
            peers.setdefault(destination.peer, destination)
        names = ", ".join(dict.fromkeys(route.rule for route in of_pipeline))
        priority = max(route.priority for route in of_pipeline)
        yield Route(pipeline, names, tuple(peers.values()), priority)
