"""Rows of jobs, read from the reports of committed results."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from core.job import JobRequest, JobResult, OutputInstance
from core.storage_layout import IN_LEDGER, StorageLayout
from node.ledger.tables.instances import StoredInstance

_REPORT = "report.json"

log = structlog.get_logger("ledger")


def finished_jobs(
    storage_path: Path, instances: dict[str, list[StoredInstance]]
) -> Iterator[tuple[JobRequest, JobResult, float]]:
    """Yield every job with committed results of a series in `instances`, and its time; in order.

    Folders without a readable report, or of series that are not there, are left out with a warning.
    """
    found = []
    for path in StorageLayout(storage_path).results.glob(f"*/{_REPORT}"):
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            request = _request(report, instances[report["series_instance_uid"]])
            found.append((request, _result(report["result"]), path.stat().st_mtime))
        except (OSError, KeyError, TypeError, ValueError):
            log.warning("results left out", folder=path.parent.name[:12])
    return iter(sorted(found, key=lambda one: one[0].created))


def _request(report: dict[str, Any], instances: Sequence[StoredInstance]) -> JobRequest:
    job_id = str(report["job_id"])
    return JobRequest(
        job_id=job_id,
        series_instance_uid=report["series_instance_uid"],
        instance_paths=tuple(one.path for one in instances if not one.differs),
        pipeline=report["pipeline"],
        kind=report["kind"],
        parameters=report["parameters"],
        root_uid=report.get("root_uid", ""),
        created=datetime.fromisoformat(report["created"]),
        output_dir=str(IN_LEDGER.results_of(job_id)),
        released=report.get("released", {}),
        content_choice=report.get("content_choice", ""),
    )


def _result(fields: dict[str, Any]) -> JobResult:
    outputs = tuple(OutputInstance(**one) for one in fields["instances"])
    return JobResult(**(fields | {"instances": outputs, "warnings": tuple(fields["warnings"])}))
