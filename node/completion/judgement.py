"""Judgement: what runs for a request on a whole series, or what stands in its way, in words.

A request of a sender gets the pipelines of the rules that match it; one that names its pipeline
gets that one, and no rule is asked. Each pipeline's own geometry rules say whether the series
suits it: that holds the request, not the series and not the requests of others.
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
from imaging.geometry.placement import GeometryRules
from imaging.series.series import check_one_series
from node.completion.completeness_checks import CompletenessChecks, holds_about, uneven
from node.completion.routing import NamedRule, Router
from node.completion.series_images import SeriesImages, is_passed
from node.completion.submission import Route, Wanted
from node.ledger.requests.jobs import Destination
from node.ledger.requests.requests import STANDING, UNDECIDED, Request, content_hash
from node.ledger.row_states import RequestState
from node.ledger.tables.instances import StoredInstance
from node.ledger.tables.series import SeriesRow

_MADE_HERE = "made by this node or one like it"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request: the jobs that it gets, and why it gets no others."""

    request: Request
    state: RequestState
    """One of node/ledger/requests/requests.py: submitted, held, kept, failed."""
    reason: str = ""
    jobs: tuple[Wanted, ...] = ()
    holds: tuple[Hold, ...] = ()
    """What stands in the way of the others."""

    @property
    def may_run(self) -> bool:
        """Whether it runs, is kept, or would run once a person released it."""
        is_releasable = any(one.is_releasable for one in self.holds)
        return self.state != RequestState.HELD or bool(self.jobs) or is_releasable


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of the requests of a series with this content."""

    content: str
    verdicts: tuple[Verdict, ...] = ()
    superseded: tuple[tuple[Request, Request], ...] = ()
    """Requests on older content, each with the later one of the same sender."""


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
        """What becomes of the requests that wait, or that were decided on older content.

        Raises:
            HeldError: the series itself is not whole or contradicts itself, for every request.
            StorageUnavailableError: its files cannot be read now.
        """
        content = content_hash(instances)
        open_ones, superseded = _to_judge(requests, content)
        if any(instance.made_here for instance in instances):
            words = f"{_MADE_HERE}: stored, never processed"
            return Judged(content, tuple(_kept(one, words) for one in open_ones), superseded)
        holds = list(holds_about(instances, checks, self._configuration.storage_path))
        _check_releasable(holds, row)
        images = SeriesImages.read(self._configuration, row, instances)
        holds += _holds_of_images(images, holds, checks)
        standing = _check_releasable(holds, row)
        images.pass_over(one for one in holds if is_passed(one, row))
        images.content_choice = "" if checks.choice is None else str(checks.choice)
        verdicts = self._verdicts(open_ones, images, now)
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
            return _kept(request, "no rule of the configuration matches: stored, not processed")
        jobs, faults = self._jobs(routes, images, now)
        if not faults:
            return Verdict(request, RequestState.SUBMITTED, jobs=jobs)
        if request.is_by_name and not isinstance(faults[0][1], SeriesError):
            return Verdict(request, RequestState.FAILED, str(faults[0][1]), jobs)
        holds = [(name, hold_of(fault)) for name, fault in faults]
        if len(routes) > 1:
            holds = [(name, replace(one, words=f"{name}: {one.words}")) for name, one in holds]
        return _held(request, tuple(one for _, one in holds), jobs)

    def _jobs(
        self, routes: Sequence[Route], images: SeriesImages, now: float
    ) -> tuple[tuple[Wanted, ...], list[tuple[str, SlicewireError]]]:
        """The jobs of all pipelines that the images suit, and why not those of the others."""
        jobs: list[Wanted] = []
        faults: list[tuple[str, SlicewireError]] = []
        for route in routes:
            try:
                jobs.append(Wanted(images.job(route.pipeline, self._geometry_rules, now), route))
            except StorageUnavailableError:
                raise
            except SlicewireError as error:
                faults.append((route.pipeline, error))
        return tuple(jobs), faults

    def _routes(self, request: Request, images: SeriesImages) -> Iterator[Route]:
        """One for each rule that counts."""
        named = [NamedRule("", Rule(pipeline=request.pipeline, destinations=request.destinations))]
        rules = (
            named if request.is_by_name else self._router.find_rules(request.sender, images.tags)
        )
        for one in rules:
            goes_nowhere = request.is_by_name and not request.destinations
            found = () if goes_nowhere else self._router.destinations(one.rule, request.sender)
            yield Route(one.rule.pipeline, one.name, found)


def _check_releasable(holds: Sequence[Hold], row: SeriesRow) -> list[Hold]:
    """What nobody passed over yet; raises HeldError where nobody can."""
    standing = [one for one in holds if not is_passed(one, row)]
    if not all(one.is_releasable for one in standing):
        raise HeldError(standing, is_releasable=False)
    return standing


def _holds_of_images(
    images: SeriesImages, holds: Sequence[Hold], checks: CompletenessChecks
) -> list[Hold]:
    """What stands in the way of the images whatever pipeline they get, besides `holds`."""
    if not images.headers:
        return []
    try:
        check_one_series(images.headers)
    except SeriesError as error:
        standing = [one for one in holds if not is_passed(one, images.row)]
        raise HeldError([*standing, error.hold], is_releasable=False) from error
    found = uneven(images.headers, checks)
    return [] if found is None else [found]


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


def _held(request: Request, holds: tuple[Hold, ...], jobs: tuple[Wanted, ...] = ()) -> Verdict:
    may_release = any(one.is_releasable for one in holds)
    return Verdict(
        request, RequestState.HELD, held_words(holds, is_releasable=may_release), jobs, holds
    )


def _kept(request: Request, words: str) -> Verdict:
    """What names a pipeline asked for more than to be stored."""
    if request.is_by_name:
        return Verdict(request, RequestState.FAILED, words.replace("stored, ", ""))
    return Verdict(request, RequestState.KEPT, words)


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
