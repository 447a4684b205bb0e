"""Slots: a place for each job that runs at once, with what its worker has."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.config.sections import GPU, Engine
from node.ledger.requests.waiting_jobs import WaitingJob


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one job: a worker process of the node, or one job on a Dask cluster."""

    name: str
    resources: Mapping[str, float] | None
    """Resources of its worker; None: the scheduler knows what its workers have."""
    devices: str | None = None
    """CUDA_VISIBLE_DEVICES of its worker; None: as the node has it."""
    is_for_small: bool = False

    def offers(self, resources: Mapping[str, float]) -> bool:
        """True if a worker of the slot may have these resources."""
        own = self.resources
        return own is None or all(own.get(name, 0.0) >= some for name, some in resources.items())

    def fits(self, job: WaitingJob) -> bool:
        """True if the slot may run a job."""
        return (job.is_small or not self.is_for_small) and self.offers(job.resources)


def slots_of(settings: Engine) -> tuple[Slot, ...]:
    """Return the slots; a job goes to the first free one that it fits.

    So workers with resources are kept for who needs them, and those for small jobs come last.
    """
    if settings.scheduler is not None:
        return tuple(Slot(f"slot {number + 1}", None) for number in range(settings.workers))
    own = list(_own_workers(settings))
    small = (
        Slot(f"small jobs {number + 1}", {}, "", is_for_small=True)  # no GPU: one job for each
        for number in range(settings.small_workers)
    )
    return (*sorted(own, key=lambda slot: sum((slot.resources or {}).values())), *small)


def may_take(slots: Sequence[Slot], slot: Slot, job: WaitingJob, busy: set[str]) -> bool:
    """True if a job runs in `slot`: it fits, and no free slot before it takes the job."""
    before = slots[: slots.index(slot)]
    return slot.fits(job) and not any(one.fits(job) and one.name not in busy for one in before)


def resource_words(resources: Mapping[str, float]) -> str:
    """Resources in words, such as `GPU=1`."""
    return ", ".join(f"{name}={amount:g}" for name, amount in resources.items())


def waits_for_words(slots: Sequence[Slot], resources: Mapping[str, float]) -> str:
    """Say what a job with these resources waits for if no slot offers them; else empty."""
    if any(slot.offers(resources) for slot in slots):
        return ""
    wanted = resource_words(resources)
    return f"{WAITS} {wanted}: no own worker has that, by engine.worker_resources"


WAITS = "waits for a worker with"
"""Begin of the reason of a job whose resources no worker has."""


def _own_workers(settings: Engine) -> Iterator[Slot]:
    gpus = _visible_gpus(settings)
    for number in range(settings.workers):
        given = settings.worker_resources[number : number + 1]
        resources = given[0] if given else {}
        devices = ",".join(next(gpus, "") for _ in range(int(resources.get(GPU, 0))))
        name = f"worker {number + 1}"
        yield Slot(name, resources, devices.strip(",") if settings.gives_gpus else None)


def _visible_gpus(settings: Engine) -> Iterator[str]:
    """Yield GPUs as CUDA names them: those that the node was given, else by number."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return iter([name.strip() for name in given.split(",") if name.strip()])
    return iter([str(number) for number in range(settings.gpus)])
