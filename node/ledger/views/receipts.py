"""Receipt of a case: instances received, made, sent, stored and confirmed."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from node.ledger.database import Ledger
from node.ledger.requests.jobs import JobRow, jobs_of
from node.ledger.row_states import DeliveryState, JobState
from node.ledger.schema import deliveries
from node.ledger.tables.contents import choice_of
from node.ledger.tables.proofs import proofs_of
from node.ledger.tables.series import SeriesRow, find_series
from node.ledger.views.request_words import request_lines
from node.ledger.views.series_status import RequestStatus, status_of

_REPORT_FILE = "report.json"
_ABOUT_THE_MODEL = ("software", "kind", "parameters", "model", "sigma_mm")


@dataclass(frozen=True, slots=True)
class Sent:
    """The delivery of an instance to a peer."""

    sop_instance_uid: str
    state: str
    words: str
    confirmed_at: str


@dataclass(frozen=True, slots=True)
class PeerReceipt:
    """Instances sent to a peer, and the proof that it holds them."""

    peer: str
    ae_title: str
    instances: tuple[Sent, ...]
    proof: str
    """State of the proof, in words; empty if there is none."""

    @property
    def words(self) -> str:
        """Summary in one line."""
        stored = sum(one.state == DeliveryState.STORED for one in self.instances)
        confirmed = sum(bool(one.confirmed_at) for one in self.instances)
        line = f"{self.peer} ({self.ae_title}): {len(self.instances)} to send, {stored} stored"
        return f"{line}, {confirmed} confirmed" + (f"; {self.proof}" if self.proof else "")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Receipt of a finished job, from instances received to proofs of peers; no patient data."""

    series_instance_uid: str
    sender: str
    received: int
    job_id: str
    revision: int
    replaces: str
    pipeline: str
    content_choice: str
    """Which of several contents a person took, and when; empty: nobody had to."""
    released: dict[str, str]
    """Reasons that a release passed over, as codes of core/hold_reasons.py, to words."""
    made_with: dict[str, Any]
    """Software, parameters, model with its hash."""
    finished: str
    is_from_files: bool
    """True if the ledger was made again since: where the results were sent before is not known."""
    results: tuple[str, ...]
    """SOP Instance UIDs."""
    warnings: tuple[str, ...]
    """Warnings of the job, such as names that were cut, or a frame of reference assumed."""
    peers: tuple[PeerReceipt, ...]
    requests: tuple[dict[str, Any], ...]
    """Requests on the series with their states, oldest first."""
    request_lines: tuple[str, ...]
    """The requests in words."""
    others: tuple["Receipt", ...] = ()
    """Receipts of the latest finished jobs of other pipelines."""

    def as_json(self) -> str:
        """Return the receipt as JSON."""
        return json.dumps(self.fields(), indent=2)

    def fields(self) -> dict[str, Any]:
        """Return the receipt as plain values."""
        values = asdict(self)
        for one in (values, *values["others"]):
            one.pop("request_lines")
        for one in values["others"]:
            one.pop("requests")
            one.pop("others")
        return values

    def lines(self) -> list[str]:
        """Return the receipt as lines of text."""
        head = f"Series {self.series_instance_uid}"
        of_jobs = [line for one in (self, *self.others) for line in one.job_lines()]
        return [head, *of_jobs, *self.request_lines]

    def job_lines(self) -> list[str]:
        """Return the lines about instances received, made and sent."""
        revision = f"revision {self.revision}"
        revision += f", replaces job {self.replaces[:12]}" if self.replaces else ""
        made_with = ", ".join(f"{key} {_plain(value)}" for key, value in self.made_with.items())
        return [
            f"received: {self.received} instances from {self.sender}",
            *([f"content: {self.content_choice}"] if self.content_choice else []),
            *(f"released by a person: {words}" for words in self.released.values()),
            f"made: {len(self.results)} instances by {self.pipeline}, {revision}, {self.finished}",
            *(f"warning: {words}" for words in self.warnings),
            f"with: {made_with}",
            f"job: {self.job_id}",
            *(f"sent: {peer.words}" for peer in self.peers),
            *([] if self.peers else [f"sent: {self._nowhere}"]),
        ]

    @property
    def _nowhere(self) -> str:
        before = "not known, as the ledger was made again from files"
        return before if self.is_from_files else "nowhere, no destination"


def receipt_of(ledger: Ledger, series_instance_uid: str) -> Receipt | None:
    """Build the receipt of the latest finished job of a series; None if there is none."""
    with ledger.reading() as connection:
        row = find_series(connection, series_instance_uid)
        done = [
            job for job in jobs_of(connection, series_instance_uid) if job.state == JobState.DONE
        ]
        if row is None or not done:
            return None
        requests = status_of(connection, row).requests
        latest = {job.request.pipeline: job for job in done if job is not done[-1]}
        latest.pop(done[-1].request.pipeline, None)
        first, *others = [
            _receipt(connection, job, _askers(requests, job, row), ledger.storage_path)
            for job in (done[-1], *latest.values())
        ]
    return replace(
        first,
        requests=tuple(_plain_fields(one) for one in requests),
        request_lines=tuple(request_lines(requests)),
        others=tuple(others),
    )


def _askers(requests: Sequence[RequestStatus], job: JobRow, row: SeriesRow) -> str:
    """Name the senders whose requests a job serves; else the sender of the series."""
    wanted = [
        one.request
        for one in requests
        if any(own.job_id == job.job_id for own in one.jobs) and not one.request.is_by_name
    ]
    return ", ".join(dict.fromkeys(str(one.sender) for one in wanted)) or str(row.sender)


def _plain_fields(one: RequestStatus) -> dict[str, Any]:
    fields = one.fields()
    return fields | {name: _clock(fields[name]) for name in ("created_at", "last_at")}


def _receipt(connection: Connection, job: JobRow, sender: str, storage_path: Path) -> Receipt:
    request, results = job.request, () if job.result is None else job.result.instances
    choice = choice_of(connection, request.series_instance_uid)
    return Receipt(
        series_instance_uid=request.series_instance_uid,
        sender=sender,
        received=len(request.instance_paths),
        job_id=job.job_id,
        revision=request.revision,
        replaces=request.predecessor_job_id,
        pipeline=request.pipeline,
        content_choice="" if choice is None else str(choice),
        released=request.released,
        made_with=_made_with(Path(request.located(storage_path).output_dir)) or request.parameters,
        finished=_clock(job.finished_at),
        is_from_files=job.started_at is None,
        results=tuple(one.sop_instance_uid for one in results),
        warnings=() if job.result is None else job.result.warnings,
        peers=tuple(_peers(connection, job.job_id)),
        requests=(),
        request_lines=(),
    )


def _peers(connection: Connection, job_id: str) -> list[PeerReceipt]:
    rows = connection.execute(
        select(deliveries)
        .where(deliveries.c.job_id == job_id)
        .order_by(deliveries.c.peer, deliveries.c.position)
    ).all()
    proofs = {one.peer: one for one in proofs_of(connection, job_id)}
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.peer, []).append(row)
    receipts = []
    for peer, of_peer in found.items():
        proof = proofs.get(peer)
        sent = tuple(
            Sent(row.sop_instance_uid, row.state, row.words, _clock(row.confirmed_at))
            for row in of_peer
        )
        words = "" if proof is None else f"proof {proof.state}: {proof.words}".rstrip(": ")
        receipts.append(PeerReceipt(peer, of_peer[0].ae_title, sent, words))
    return receipts


def _made_with(folder: Path) -> dict[str, Any]:
    """Read software and model from the report in the results; empty if it was removed."""
    try:
        report = json.loads((folder / _REPORT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: report[key] for key in _ABOUT_THE_MODEL if key in report}


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={_plain(part)}" for key, part in value.items())
    return str(value)


def _clock(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
