"""A node's storage with real cases: received, decided on and run for real, without the wire."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.config.settings import Configuration
from imaging.geometry.placement import RULES_2D, RULES_3D
from node.completion.routing import Router
from node.completion.series_completion import SeriesCompletion
from node.delivery.queue_results import queue_results
from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import fail_job, finish_job, start_job
from node.ledger.requests.waiting_jobs import next_queued
from node.ledger.tables.case_numbers import case_numbers
from node.ledger.tables.events import record_event
from node.scp.instance_store import InstanceStore
from pipeline.entry import run_job
from tests.support.checkpoints import one_view_checkpoint
from tests.support.completion import Asking, Clock, Completion, series_uid
from tests.support.databases import open_test_ledger
from tests.support.web.serving import web_configuration
from web.cases.about import about_reader
from web.cases.cases import Case, Cases

SCRIPT = "<script>alert(1)</script>^O'Hara"


@dataclass
class Clinic:
    """Storage and ledger of a node that does not run, and the numbers of its cases."""

    configuration: Configuration
    completion: Completion

    def receive(self, paths: Sequence[Path], **how: Any) -> int:
        """A whole association, decided on; answers the case's number."""
        self.completion.send(paths, **how)
        self.completion.settle()
        return self.number(paths)

    def number(self, paths: Sequence[Path]) -> int:
        uid = series_uid(paths)
        with self.completion.ledger.reading() as connection:
            return case_numbers(connection, [uid])[uid]

    def instances_folder(self, paths: Sequence[Path]) -> Path:
        """Where the files of a series are."""
        [folder] = self.configuration.storage_path.glob(f"instances/*/{series_uid(paths)}")
        return folder

    def case(self, number: int) -> Case:
        found = Cases(self.completion.ledger, about_reader()).find(number)
        assert found is not None
        return found

    def run(self) -> None:
        """Every queued job, as a worker runs it."""
        ledger, now = self.completion.ledger, self.completion.clock.now
        while True:
            with ledger.reading() as connection:
                job = next_queued(connection, now)
            if job is None:
                return
            request = job.request.located(ledger.storage_path)
            with ledger.writing() as connection:
                start_job(connection, job.job_id, now)
            result = run_job(request, lambda *_: None, {})
            with ledger.writing() as connection:
                finish_job(connection, job.job_id, result, now)
                queue_results(
                    connection,
                    replace(job, result=result),
                    self.configuration,
                    now=now,
                )
                words = f"job {job.job_id[:12]}: {result.summary}"
                record_event(
                    connection,
                    EventKind.DONE,
                    words,
                    now=now,
                    series_instance_uid=request.series_instance_uid,
                )

    def fail(self, reason: str) -> None:
        """The queued job failed."""
        ledger, now = self.completion.ledger, self.completion.clock.now
        with ledger.writing() as connection:
            job = next_queued(connection, now)
            assert job is not None
            start_job(connection, job.job_id, now)
            fail_job(connection, job.job_id, reason, now)


def open_clinic(folder: Path, **keys: Any) -> Clinic:
    storage_path = folder / "storage"
    for name in ("incoming", "results"):
        (storage_path / name).mkdir(parents=True, exist_ok=True)
    model = {"pipeline": "unet", "checkpoint_path": one_view_checkpoint()}
    configuration = web_configuration(storage_path, **(model | keys))
    clock = Clock(time.time() - 60)
    ledger = open_test_ledger(storage_path, clock)
    instance_store = InstanceStore(
        storage_path, ledger, root_uid=configuration.root_uid, minimum_free_mb=0
    )
    asking = Asking()
    series_completion = SeriesCompletion(
        configuration,
        ledger,
        Router(configuration, ("127.0.0.1", 11112)),
        geometry_rules={"unet": RULES_2D, "blur": RULES_3D},
        pool=asking,
    )
    completion = Completion(configuration, ledger, instance_store, series_completion, asking, clock)
    return Clinic(configuration, completion)
