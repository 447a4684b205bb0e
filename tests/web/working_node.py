"""A site whose node works in the process of the test: completion, jobs, commands; no network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.job import JobResult, OutputInstance
from imaging.geometry.placement import RULES_2D, RULES_3D
from node.commands import carry_out
from node.completion.routing import Router
from node.completion.series_completion import SeriesCompletion
from node.completion.sources.importer import Importer
from node.ledger.requests.jobs import fail_job, finish_job, start_job
from node.ledger.requests.waiting_jobs import next_queued
from node.scp.instance_store import InstanceStore
from tests.support.web.serving import Site, serving, web_configuration

RESULT = b"DICM " * 1000


@dataclass
class WorkingNode:
    """The site, and the node's steps, taken when the test says so."""

    site: Site
    root: Path
    importer: Importer
    series_completion: SeriesCompletion

    def work(self) -> None:
        """Everything but jobs, as far as it goes."""
        while self.importer.read_next():
            pass
        for _ in range(3):
            self.series_completion.examine_due()
        carry_out(self.site.ledger)
        self.series_completion.examine_due()

    def start_job(self) -> str:
        """The next one is running."""
        with self.site.ledger.writing() as connection:
            job = next_queued(connection, self.site.ledger.clock())
            assert job is not None
            start_job(connection, job.job_id, self.site.ledger.clock())
        return job.job_id

    def finish(self, job_id: str) -> Path:
        """It left one instance, a report and a volume."""
        folder = self.site.settings.storage_path / "results" / job_id
        (folder / "dicom").mkdir(parents=True)
        (folder / "dicom" / "1.dcm").write_bytes(RESULT)
        (folder / "report.json").write_text("{}")
        (folder / "volume.h5").write_bytes(b"voxels")
        output = OutputInstance("dicom/1.dcm", "1.2", "1.2.3", "1.2.4", "")
        result = JobResult((output,), False, "1 image made", {"read": 0.5, "compute": 2.0})
        with self.site.ledger.writing() as connection:
            finish_job(connection, job_id, result, self.site.ledger.clock())
        return folder

    def fail(self, job_id: str, reason: str) -> None:
        with self.site.ledger.writing() as connection:
            assert fail_job(connection, job_id, reason, self.site.ledger.clock())


@contextmanager
def working(tmp_path: Path, **keys: Any) -> Iterator[WorkingNode]:
    storage_path, root = tmp_path / "storage", tmp_path / "root"
    root.mkdir()
    web = {"in_dir_root": root} | keys.pop("web", {})
    configuration = web_configuration(storage_path, web=web, **keys)
    (storage_path / "incoming").mkdir()
    with serving(configuration) as site:
        instance_store = InstanceStore(
            storage_path, site.ledger, root_uid=configuration.root_uid, minimum_free_mb=0
        )
        router = Router(configuration, ("127.0.0.1", 11112))
        rules = {"unet": RULES_2D, "blur": RULES_3D}
        series_completion = SeriesCompletion(
            configuration, site.ledger, router, geometry_rules=rules
        )
        importer = Importer(
            configuration, site.ledger, instance_store, series_completion=series_completion
        )
        yield WorkingNode(site, root, importer, series_completion)
