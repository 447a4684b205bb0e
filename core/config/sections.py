"""How completion, delivery, proof, retention, events, engine and log behave."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from core.config.retry import RetryPolicy
from core.config.values import Growth, Positive, Seconds, Section, TimeLimit

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")


class Completion(Section):
    """When a series counts as whole."""

    settle_s: Seconds = 5.0
    """Quiet time after an association was released before its series are looked at."""
    recount_s: Positive = 30.0
    """How often a sender is asked again while fewer instances are here than it has."""
    wait_for_rest_s: Seconds = 3600.0
    """How long a series waits for the rest that its sender has, before it is held."""
    one_by_one_factor: Seconds = 4.0
    """So many of its longest pauses is a sender waited for that opens an association for each
    instance; 0: it is waited for like any other."""
    one_by_one_settle_s: TimeLimit = 30.0
    """At least so long."""
    longest_settle_s: TimeLimit = 600.0
    """At most so long; a longer pause is none that is remembered."""
    revision_wait_s: Seconds = 300.0
    """A revision that would follow another sooner waits so long after that one."""

    @model_validator(mode="after")
    def _check_bounds(self) -> "Completion":
        if self.longest_settle_s < self.one_by_one_settle_s:
            raise ValueError(
                f"longest_settle_s: {self.longest_settle_s:g}, expected at least "
                f"one_by_one_settle_s, {self.one_by_one_settle_s:g}"
            )
        return self


class Geometry(Section):
    """What is asked of a series before anything is computed across its slices."""

    separate_frames_of_reference: Literal["warn", "hold"] = "warn"
    """Of a volume whose instances each have a frame of reference of their own."""


class Delivery(Section):
    """How results are pushed."""

    first_retry_s: Seconds = 30.0
    retry_growth: Growth = 2.0
    """Factor from one pause to the next."""
    longest_retry_s: Seconds = 3600.0
    give_up_after_h: Positive = 72.0
    timeout_s: Positive = 60.0
    duplicate_is_stored: bool = True
    """Whether a peer's answer 0x0111, duplicate SOP instance, counts as stored."""

    @property
    def retry(self) -> RetryPolicy:
        """How a peer is tried again that has no `retry` of its own."""
        return RetryPolicy(
            first_s=self.first_retry_s,
            longest_s=self.longest_retry_s,
            give_up_after_h=self.give_up_after_h,
            growth=self.retry_growth,
        )


class Proof(Section):
    """How peers are asked whether they hold what they said they stored."""

    answer_on_association_s: Seconds = 5.0
    """How long the association stays open for the answer to a storage commitment request."""
    answer_within_h: Positive = 24.0
    """How long an answer on a new association is waited for."""


class Retention(Section):
    """When results and sources are removed; never before they are delivered."""

    results_days: Positive | None = None
    sources_days: Positive | None = None
    """None: kept for good."""


class Webhook(Section):
    """Where events are posted to, signed, without patient data."""

    url: str | None = None
    secret: SecretStr | None = None
    timeout_s: Positive = 10.0
    give_up_after_h: Positive = 72.0

    @property
    def retry(self) -> RetryPolicy:
        """How the receiver is tried again."""
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
    """Certificates that scheduler, workers and node show each other."""

    ca_path: Path
    certificate_path: Path
    key_path: Path


class Engine(Section):
    """Where pipelines run."""

    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """How many jobs run at once, each in a process of its own."""
    scheduler: str | None = None
    """Address of an existing Dask scheduler, instead of workers of our own."""
    tls: EngineTls | None = None
    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """A job at which so many workers died is failed."""
    time_limit_s: Positive = 3600.0
    stop_grace_s: Seconds = 20.0
    """How long a stop waits for the running job before leaving it to the next start."""

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
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool = False
    file: Path | None = None
    """The rotating log file; `debug.log` in the storage path when not given."""
