"""Whether the node kept its promises, counted from journals, ledger and disk."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from node.ledger.database import Ledger
from node.ledger.requests.jobs import JobRow, jobs_of
from node.ledger.row_states import JobState
from node.ledger.tables.instances import find_instances
from node.ledger.views.series_history import history_of
from node.wal.recycled_segments import SPARE_SUFFIX
from tests.chaos.sender import data_set_hash
from tests.support.ledger_rows import all_series


@dataclass
class Counts:
    """What happened, and what should not have: `broken` is empty when every promise was kept."""

    happened: dict[str, int] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    histories: list[str] = field(default_factory=list)
    """Of series that have no result: what the ledger says of them."""

    @property
    def is_clean(self) -> bool:
        """Whether every promise was kept."""
        return not any(self.broken.values())

    def table(self) -> str:
        """In Markdown."""
        rows = [*self.happened.items(), *self.broken.items()]
        return "\n".join(["| what | count |", "|---|---:|", *(f"| {k} | {v} |" for k, v in rows)])


def read_journals(paths: list[Path]) -> list[dict[str, str | bool]]:
    """The lines of journals; a last one that was cut off by a kill counts as not written."""
    lines = []
    for path in paths:
        for text in path.read_text().splitlines() if path.exists() else ():
            try:
                lines.append(json.loads(text))
            except ValueError:
                continue
    return lines


def judge(
    ledger: Ledger, sent: list[dict[str, str | bool]], came: list[dict[str, str | bool]]
) -> Counts:
    """Hold what was acknowledged and what arrived against ledger and disk."""
    counts = Counts()
    _judge_instances(ledger, sent, counts)
    done = _judge_jobs(ledger, counts)
    _judge_deliveries(done, came, counts)
    storage = ledger.storage_path
    incoming = (path for path in storage.glob("incoming/*") if path.suffix != SPARE_SUFFIX)
    leftovers = [*storage.glob("results/attempt-*"), *incoming]
    counts.broken["half-written folders and files left"] = len(leftovers)
    return counts


def _judge_instances(ledger: Ledger, sent: list[dict[str, str | bool]], counts: Counts) -> None:
    acknowledged = {str(one["uid"]): str(one["sha256"]) for one in sent if one["accepted"]}
    lost = differing = 0
    with ledger.reading() as connection:
        for uid, sha256 in acknowledged.items():
            paths = [ledger.storage_path / path for _, _, path in find_instances(connection, uid)]
            there = [path for path in paths if path.exists()]
            lost += not there
            differing += bool(there) and sha256 not in map(data_set_hash, there)
    counts.happened["instances sent, with those sent again"] = len(sent)
    counts.happened["instances acknowledged"] = len(acknowledged)
    counts.broken["acknowledged instances that are not there"] = lost
    counts.broken["acknowledged instances with other content"] = differing


def _judge_jobs(ledger: Ledger, counts: Counts) -> list[JobRow]:
    with ledger.reading() as connection:
        known = all_series(connection)
        jobs = {
            one.series_instance_uid: jobs_of(connection, one.series_instance_uid) for one in known
        }
    done = [job for found in jobs.values() for job in found if job.state == JobState.DONE]
    folders = list((ledger.storage_path / "results").glob("[0-9a-f]*"))
    counts.happened["series"] = len(known)
    counts.happened["results committed"] = len(folders)
    per_set = defaultdict(list)
    for job in done:
        per_set[job.request.series_instance_uid, job.request.instance_paths].append(job)
    without = sum(not any(job.state == JobState.DONE for job in found) for found in jobs.values())
    counts.broken["series without a result"] = without
    counts.histories = [
        _story(ledger, uid)
        for uid, found in jobs.items()
        if not any(job.state == JobState.DONE for job in found)
    ]
    counts.broken["series and instance sets with two results"] = sum(
        len(found) > 1 for found in per_set.values()
    )
    counts.broken["results that the ledger does not know"] = len(
        {folder.name for folder in folders} - {job.job_id for job in done}
    )
    return done


def _story(ledger: Ledger, series_instance_uid: str) -> str:
    history = history_of(ledger, series_instance_uid)
    if history is None:
        return series_instance_uid
    events = [f"{at:.1f} {kind}: {words}" for at, kind, words in history.events]
    return "\n".join([*events, f"{series_instance_uid}: {history.state}, {history.reason}"])


def _judge_deliveries(
    done: list[JobRow], came: list[dict[str, str | bool]], counts: Counts
) -> None:
    contents: dict[str, set[str]] = defaultdict(set)
    for one in came:
        contents[str(one["uid"])].add(str(one["sha256"]))
    made = {one.sop_instance_uid for job in done if job.result for one in job.result.instances}
    counts.happened["result instances"] = len(made)
    counts.happened["result instances that arrived twice, the same bytes"] = len(came) - len(
        contents
    )
    counts.broken["result instances that did not arrive"] = len(made - contents.keys())
    counts.broken["instances that arrived and were never committed"] = len(contents.keys() - made)
    counts.broken["UIDs under which different bytes arrived"] = sum(
        len(hashes) > 1 for hashes in contents.values()
    )
