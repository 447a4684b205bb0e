"""A small job does not wait behind a large one, and each GPU has one job at a time."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from core.config.file import read_configuration
from core.config.sections import Engine as EngineSettings
from core.errors import ConfigurationError
from core.job import JobRequest, JobResult
from node.jobs.engine import Engine
from node.jobs.runner import Runner
from node.jobs.slots import Slot, slots_of
from node.ledger.database import Ledger
from node.ledger.requests.jobs import create_job, find_job
from node.ledger.row_states import JobState
from node.preflight import node_findings
from tests.jobs.queues import request
from tests.support.databases import open_test_ledger

SMALL_MB, LARGE_MB = 12.0, 600.0


class Gates:
    """An engine whose jobs end when the test lets them; `begun` has each with its slot."""

    def __init__(self) -> None:
        self.begun: dict[str, str] = {}
        self.ends = threading.Event()
        self.some_began = threading.Semaphore(0)

    def open(self) -> None:
        """Nothing is to be opened."""

    def run(self, job: JobRequest, *, slot: Slot, **_: Any) -> JobResult:
        self.begun[job.job_id.rstrip("0")] = slot.name
        self.some_began.release()
        assert self.ends.wait(120)
        return JobResult((), False, "done")


class Desk:
    """A queue, the runner's slots, and a thread for each that took a job."""

    def __init__(self, folder: Path, **engine: Any) -> None:
        settings = {"storage_path": folder, "engine": engine}
        self.ledger: Ledger = open_test_ledger(folder)
        self.gates = Gates()
        configuration = read_configuration(None, settings)
        self.runner = Runner(configuration, self.ledger, cast(Engine, self.gates))
        self.folder = folder
        self._threads: dict[str, threading.Thread] = {}

    def add(self, name: str, size_mb: float = LARGE_MB, **resources: float) -> None:
        job = replace(request(name.ljust(64, "0"), "fine", self.folder), resources=resources)
        with self.ledger.writing() as connection:
            create_job(connection, job, (), self.ledger.clock(), decoded_mb=size_mb)

    def look(self) -> dict[str, str]:
        """Every slot without a job looks once, those for small jobs first; which jobs run where."""
        for slot in reversed(self.runner.slots):
            if slot.name not in self._threads or not self._threads[slot.name].is_alive():
                self.look_in(slot)
        return self.gates.begun

    def look_in(self, slot: Slot) -> None:
        thread = threading.Thread(target=self.runner.run_next, args=(slot,))
        thread.start()
        while thread.is_alive() and not self.gates.some_began.acquire(timeout=0.02):
            pass
        self._threads[slot.name] = thread

    def job(self, name: str) -> Any:
        with self.ledger.reading() as connection:
            return find_job(connection, name.ljust(64, "0"))

    def close(self) -> None:
        self.gates.ends.set()
        for thread in self._threads.values():
            thread.join()
        self.ledger.close()


@pytest.fixture
def desk_with(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    opened: list[Desk] = []

    def make(**engine: Any) -> Desk:
        opened.append(Desk(tmp_path, **engine))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_a_small_job_runs_beside_a_large_one_with_a_single_worker(
    desk_with: Callable[..., Desk],
) -> None:
    desk = desk_with()
    desk.add("large")
    assert desk.look() == {"large": "worker 1"}
    desk.add("small", SMALL_MB)
    assert desk.look() == {"large": "worker 1", "small": "small jobs 1"}


def test_a_large_job_never_takes_the_place_of_small_ones(desk_with: Callable[..., Desk]) -> None:
    desk = desk_with()
    for name in ("first", "second"):
        desk.add(name)
    desk.look()
    assert desk.look() == {"first": "worker 1"}
    assert desk.job("second").state == JobState.QUEUED


def test_a_small_job_uses_a_free_worker_before_another_process_is_started(
    desk_with: Callable[..., Desk],
) -> None:
    desk = desk_with(workers=2)
    desk.add("small", SMALL_MB)
    assert desk.look() in ({"small": "worker 1"}, {"small": "worker 2"})


def test_without_small_workers_a_small_job_waits_for_a_worker(
    desk_with: Callable[..., Desk],
) -> None:
    desk = desk_with(small_workers=0)
    desk.add("large")
    desk.look()
    desk.add("small", SMALL_MB)
    assert desk.look() == {"large": "worker 1"}


def test_a_gpu_has_one_job_at_a_time_and_is_left_to_those_that_need_it(
    desk_with: Callable[..., Desk],
) -> None:
    desk = desk_with(workers=2, worker_resources=[{"GPU": 1}])
    desk.add("blurred")
    assert desk.look() == {"blurred": "worker 2"}
    for name in ("drawn", "drawn later"):
        desk.add(name, GPU=1)
    desk.look()
    assert desk.look() == {"blurred": "worker 2", "drawn": "worker 1"}
    assert desk.job("drawn later").state == JobState.QUEUED


def test_a_job_that_needs_no_gpu_runs_beside_one_if_all_others_are_busy(
    desk_with: Callable[..., Desk],
) -> None:
    desk = desk_with(workers=2, worker_resources=[{"GPU": 1}])
    desk.add("first")
    desk.look()
    desk.add("second")
    assert desk.look() == {"first": "worker 2", "second": "worker 1"}


def test_a_job_says_what_it_waits_for_if_no_worker_has_it_and_delays_nobody(
    desk_with: Callable[..., Desk],
) -> None:
    desk = desk_with()
    desk.add("drawn", GPU=1)
    desk.add("blurred")
    assert desk.look() == {"blurred": "worker 1"}
    words = "waits for a worker with GPU=1: no own worker has that, by engine.worker_resources"
    assert (desk.job("drawn").state, desk.job("drawn").reason) == (JobState.QUEUED, words)


def test_a_job_that_began_says_no_more_what_it_waited_for(
    desk_with: Callable[..., Desk],
) -> None:
    desk = desk_with()
    desk.add("drawn", GPU=1)
    desk.look()
    equipped = desk_with(worker_resources=[{"GPU": 1}])
    equipped.look()
    assert (equipped.job("drawn").state, equipped.job("drawn").reason) == (JobState.RUNNING, "")


def devices(**keys: Any) -> list[str | None]:
    slots = slots_of(EngineSettings.model_validate(keys))
    return [slot.devices for slot in sorted(slots, key=lambda slot: slot.name)]


def test_each_worker_sees_its_own_gpus_alone_and_others_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    given = [{"GPU": 1}, {"memory": 2}, {"GPU": 2}]
    assert devices(workers=4, worker_resources=given) == ["", "0", "", "1,2", ""]


def test_gpus_that_the_node_was_given_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-8932, 3")
    given = [{"GPU": 1}, {"GPU": 1}]
    assert devices(workers=2, worker_resources=given, small_workers=0) == ["GPU-8932", "3"]


def test_without_the_key_workers_see_what_the_node_sees_and_small_jobs_no_gpu() -> None:
    assert devices(workers=2) == ["", None, None]


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ({"worker_resources": [{}, {}]}, "2 entries, expected at most one for each of engine.work"),
        ({"worker_resources": [{"GPU": 0.5}]}, "0.5, expected a whole number"),
        (
            {"worker_resources": [{"GPU": 1}], "scheduler": "tcp://127.0.0.1:8786"},
            "expected without engine.scheduler",
        ),
    ],
)
def test_resources_that_cannot_be_are_a_wrong_configuration(
    engine: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read_configuration(None, {"engine": engine})


@pytest.mark.parametrize(("given", "is_wrong"), [([], True), ([{"GPU": 1}], False)])
def test_the_check_names_a_pipeline_whose_resources_no_worker_has(
    given: list[dict[str, float]], is_wrong: bool, tmp_path: Path
) -> None:
    pipelines = {"hot": {"kind": "blur", "resources": {"GPU": 1}}}
    keys = {"storage_path": tmp_path, "pipelines": pipelines}
    configuration = read_configuration(None, keys | {"engine": {"worker_resources": given}})
    found = node_findings(configuration, try_port=False)
    [(_, words, wrong)] = [one for one in found if one[0] == "engine"]
    assert "1 at once in own processes" in words
    assert "1 more for small jobs" in words
    assert wrong.startswith("pipelines.hot.resources: a job waits for a worker with GPU=1") is (
        is_wrong
    )


@pytest.mark.slow
def test_the_nodes_own_workers_have_their_gpus_and_one_for_small_jobs_starts_when_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    settings = EngineSettings(worker_resources=({"GPU": 1.0},))
    engine = Engine(
        "tests.jobs.entries:run",
        on_progress=lambda *_: None,
        scratch_folder=tmp_path,
        settings=settings,
    )
    told = []
    for slot in slots_of(settings):
        job = request(slot.name.replace(" ", "").ljust(64, "0"), "devices", tmp_path)
        told.append(engine.run(job, time_limit_s=60.0, slot=slot).summary)
    engine.close()
    assert told == ["'7' of 1 workers", "'' of 2 workers"]
