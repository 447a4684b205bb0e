"""Retention over a real ledger and real files, with a clock that the test turns."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from core.job import JobResult, OutputInstance
from node.delivery.queue_results import queue_results
from node.ledger.requests.jobs import Destination, JobRow, finish_job, start_job
from node.ledger.row_states import DeliveryState
from node.ledger.schema import deliveries, instances, jobs
from node.ledger.tables.retention import Expired
from node.retention import Retention
from tests.support.completion import Completion, Start, completion, ct_paths, start

__all__ = ["completion", "ct_paths", "start"]

DAY_S = 86_400.0
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
PEER = Destination("tps", "127.0.0.1", 104, "TPS")


@dataclass
class Store:
    """A node's storage with one series whose job is done, and the retention that cleans it."""

    completion: Completion
    paths: list[Path]
    retention: Retention

    @property
    def job(self) -> JobRow:
        return self.completion.jobs(self.paths)[-1]

    @property
    def results(self) -> Path:
        return Path(self.job.request.located(self.completion.configuration.storage_path).output_dir)

    def sources(self) -> list[Path]:
        return sorted((self.completion.configuration.storage_path / "instances").rglob("*.dcm"))

    def finish(self, structure_set: Path, *destinations: Destination) -> None:
        """The job has run, and its results are queued."""
        job, now = self.job, self.completion.clock.now
        (self.results / "dicom").mkdir(parents=True)
        shutil.copy(structure_set, self.results / "dicom" / "rs.dcm")
        output = OutputInstance("dicom/rs.dcm", RTSTRUCT, "1.2.840.9", "1.2.840.8", "")
        with self.completion.ledger.writing() as connection:
            connection.execute(
                update(jobs).values(
                    destinations=[
                        {name: getattr(one, name) for name in one.__slots__} for one in destinations
                    ]
                )
            )
            start_job(connection, job.job_id, now)
            finish_job(connection, job.job_id, JobResult((output,), True, "drawn"), now)
        with self.completion.ledger.writing() as connection:
            queue_results(
                connection,
                self.job,
                self.completion.configuration,
                now=now,
            )

    def arrive(self) -> None:
        """Everything that was sent is stored."""
        with self.completion.ledger.writing() as connection:
            connection.execute(update(deliveries).values(state=DeliveryState.STORED))

    def after(self, days: float) -> list[Expired]:
        """What is too old after so many days more; a round has removed what may go of it."""
        self.completion.clock.now += days * DAY_S
        found = self.retention.preview()
        self.retention.remove_due()
        return found

    def removed_rows(self) -> int:
        with self.completion.ledger.reading() as connection:
            gone = select(instances.c.id).where(instances.c.removed_at.is_not(None))
            return len(connection.execute(gone).all())


@pytest.fixture
def store(start: Start, ct_paths: Sequence[Path], ct_structure_set: Path) -> Store:
    """Sources stay for 10 days, results for 20."""
    settings: dict[str, Any] = {"results_days": 20, "sources_days": 10}
    completion = start(retention=settings)
    completion.send(ct_paths)
    completion.settle()
    made = Store(
        completion,
        list(ct_paths),
        Retention(completion.configuration, completion.ledger, completion.clock),
    )
    made.finish(ct_structure_set, PEER)
    return made
