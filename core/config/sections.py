"""Settings of completion, geometry, delivery, proof, retention, webhook, engine and log."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from core.config.retry import RetryPolicy
from core.config.values import Growth, Positive, Seconds, Section, TimeLimit

GPU = "GPU"
"""Resource of which each worker has devices of its own (CUDA_VISIBLE_DEVICES)."""
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")


class Completion(Section):
    """When a series counts as complete."""

    settle_s: Seconds = 5.0
    """Quiet time after the release of an association before its series are judged."""
    recount_s: Positive = 30.0
    """Interval for asking a sender again while it has more instances than were received."""
    wait_for_rest_s: Seconds = 3600.0
    """How long a series waits for the instances that its sender still has, before it is held."""
    one_by_one_factor: Seconds = 4.0
    """Settle time of a sender that opens an association for each instance, in multiples of its
    longest pause; 0: the settle time of any other sender."""
    one_by_one_settle_s: TimeLimit = 30.0
    """Lower limit of that settle time."""
    longest_settle_s: TimeLimit = 600.0
    """Upper limit of that settle time; longer pauses are not remembered."""
    revision_wait_s: Seconds = 300.0
    """Shortest time from one revision of results to the next."""
    look_again_days: Seconds = 7.0
    """Age in days up to which series that no rule took are looked at again by other rules; 0: none
    are."""

    @model_validator(mode="after")
    def _check_bounds(self) -> "Completion":
        if self.longest_settle_s < self.one_by_one_settle_s:
            raise ValueError(
                f"longest_settle_s: {self.longest_settle_s:g}, expected at least "
                f"one_by_one_settle_s, {self.one_by_one_settle_s:g}"
            )
        return self


class Geometry(Section):
    """Requirements on a series before anything is computed across its slices."""

    separate_frames_of_reference: Literal["warn", "hold"] = "warn"
    """For a volume whose instances each have a frame of reference of their own."""


class Delivery(Section):
    """How results are sent to peers."""

    first_retry_s: Seconds = 30.0
    retry_growth: Growth = 2.0
    """Factor from one pause to the next."""
    longest_retry_s: Seconds = 3600.0
    give_up_after_h: Positive = 72.0
    timeout_s: Positive = 60.0
    duplicate_is_stored: bool = True
    """True if status 0x0111 (duplicate SOP instance) of a peer counts as stored."""

    @property
    def policy(self) -> RetryPolicy:
        """Retry policy of peers without `retry` settings of their own."""
        return RetryPolicy(
            first_s=self.first_retry_s,
            longest_s=self.longest_retry_s,
            give_up_after_h=self.give_up_after_h,
            growth=self.retry_growth,
        )


class Proof(Section):
    """How peers are asked whether they hold the results that they said they stored."""

    answer_on_association_s: Seconds = 5.0
    """How long the association of a storage commitment request stays open for the answer."""
    answer_within_h: Positive = 24.0
    """How long to wait for an answer on a new association."""


class Retention(Section):
    """When results and sources are removed; never before they are delivered."""

    results_days: Positive | None = None
    sources_days: Positive | None = None
    """Days from the end of the job, or from the last instance received; None: kept for good."""


class Webhook(Section):
    """Receiver of events, which are posted signed and without patient data."""

    url: str | None = None
    secret: SecretStr | None = None
    timeout_s: Positive = 10.0
    give_up_after_h: Positive = 72.0

    @property
    def policy(self) -> RetryPolicy:
        """Retry policy of the receiver."""
        return RetryPolicy(
            first_s=10.0, longest_s=3600.0, give_up_after_h=self.give_up_after_h, fewest_attempts=1
        )

    @model_validator(mode="after")
    def _check(self) -> "Webhook":
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise ValueError(f"webhook.url: {self.url!r}, expected http:// or https://")
        if (self.url is None) != (self.secret is None):
            raise ValueError("webhook.url and webhook.secret: both or neither")
        return self


class EngineTls(Section):
    """Certificates for TLS between scheduler, workers and node."""

    ca_path: Path
    certificate_path: Path
    key_path: Path


class Engine(Section):
    """Where pipelines run."""

    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Number of jobs that run at once, each in a process of its own."""
    small_workers: Annotated[int, Field(ge=0, le=64)] = 1
    """Own workers beside those, for small jobs alone; a process starts when one is needed."""
    worker_resources: tuple[dict[str, Positive], ...] = ()
    """Resources of the own workers, an entry for each; one with `GPU: 1` has a GPU for itself."""
    scheduler: str | None = None
    """Address of an existing Dask scheduler, which replaces the node's own workers."""
    tls: EngineTls | None = None
    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """Number of worker deaths after which a job fails."""
    maximum_decoded_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 4096
    """Size of a series' images as float32 voxels, above which it is held."""
    overtake_s: Seconds = 900.0
    """Seconds by which a job goes before jobs of the next lower priority that were queued earlier,
    for each step of priority; 0: the order in which they were queued."""
    small_mb: Seconds = 64.0
    """Size of a job's images as float32 voxels up to which it is small; a small job counts one
    priority higher."""
    time_limit_s: Positive = 3600.0
    stop_grace_s: Seconds = 20.0
    """How long a stop waits for running jobs; unfinished jobs run again after the next start."""

    @property
    def gpus(self) -> int:
        """Number of GPUs that the own workers have together."""
        return sum(int(one.get(GPU, 0)) for one in self.worker_resources)

    @property
    def gives_gpus(self) -> bool:
        """True if each own worker sees its own GPUs alone, or none."""
        return self.gpus > 0

    @model_validator(mode="after")
    def _check_resources(self) -> "Engine":
        count = len(self.worker_resources)
        if count > self.workers:
            raise ValueError(
                f"engine.worker_resources: {count} entries, expected at most one for each of "
                f"engine.workers, {self.workers}"
            )
        if self.worker_resources and self.scheduler is not None:
            raise ValueError(
                "engine.worker_resources: is of own workers, expected without engine.scheduler, "
                "whose workers are started with --resources"
            )
        for number, one in enumerate(self.worker_resources):
            if one.get(GPU, 0.0) % 1:
                raise ValueError(
                    f"engine.worker_resources.{number}.{GPU}: {one[GPU]:g}, expected a whole number"
                )
        return self

    @model_validator(mode="after")
    def _check(self) -> "Engine":
        if self.scheduler is None:
            return self
        scheme, _, place = self.scheduler.partition("://")
        host = place.rpartition(":")[0]
        if scheme not in ("tcp", "tls") or not host:
            raise ValueError(
                f"engine.scheduler: {self.scheduler!r}, expected tcp://ADDRESS:PORT or tls://..."
            )
        if scheme == "tls" and self.tls is None:
            raise ValueError("engine.tls: is missing, expected with a scheduler at tls://")
        if scheme == "tcp" and host not in _LOOPBACK:
            raise ValueError(
                f"engine.scheduler: {self.scheduler!r}, expected tls:// with engine.tls, as "
                "whoever reaches a scheduler from another machine can run code"
            )
        return self


class Log(Section):
    """Level, format and file of the log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool = False
    file: Path | None = None
    """The rotating log file; `debug.log` in the storage path if not given."""
