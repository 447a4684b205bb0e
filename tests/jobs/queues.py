"""A queue of jobs, and an engine that runs them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from core.config.file import read_configuration
from core.job import JobRequest
from node.jobs.engine import Engine
from node.jobs.runner import Runner
from node.ledger.database import Ledger
from node.ledger.requests.jobs import (
    JobRow,
    create_job,
    find_job,
)
from tests.support.databases import open_test_ledger

SERIES = "1.2.3"
ENTRY = "tests.jobs.entries:run"


@dataclass
class Queue:
    """A ledger, a runner and an engine with one worker."""

    ledger: Ledger
    runner: Runner
    engine: Engine
    progress: list[tuple[str, float]]
    folder: Path
    names: list[str] = field(default_factory=list)

    def add(self, mode: str) -> str:
        """Queue a job; answers its id."""
        job_id = f"{len(self.names)}{mode}".ljust(64, "0")
        self.names.append(job_id)
        with self.ledger.writing() as connection:
            create_job(connection, request(job_id, mode, self.folder), (), self.ledger.clock())
        return job_id

    def job(self, job_id: str) -> JobRow:
        """A job's row."""
        with self.ledger.reading() as connection:
            found = find_job(connection, job_id)
        assert found is not None
        return found

    def run(self, mode: str) -> JobRow:
        """Queue a job and run it."""
        job_id = self.add(mode)
        assert self.runner.run_next()
        return self.job(job_id)


def request(job_id: str, mode: str, folder: Path) -> JobRequest:
    return JobRequest(
        job_id=job_id,
        series_instance_uid=SERIES,
        instance_paths=(),
        pipeline=f"pipeline {job_id[0]}",
        kind="blur",
        parameters={"mode": mode},
        root_uid="1.2.",
        created=datetime.now(UTC),
        output_dir=str(folder / "results" / job_id),
    )


def make_queue(engine: Engine, folder: Path, **keys: object) -> Queue:
    configuration = read_configuration(None, {"storage_path": folder, "engine": keys})
    ledger = open_test_ledger(folder)
    return Queue(ledger, Runner(configuration, ledger, engine), engine, [], folder)
