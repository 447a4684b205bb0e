"""Proof is asked for, and commitments are reported, at the pauses of their peer."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Table, select, update

from core.job import JobRequest
from node.ledger.requests.jobs import create_job
from node.ledger.schema import commitments, proofs
from node.ledger.tables.commitments import request_commitment
from node.ledger.tables.proofs import queue_proof
from tests.proof.conftest import Office

JOB, HOUR_S = "a" * 64, 3600.0
RETRY = {"first_s": 3.0, "growth": 3.0, "longest_s": 600.0, "give_up_after_h": 2.0}


@pytest.fixture
def office(start_holder: Any, start_office: Any) -> Office:
    """One whose only peer has gone, and which has something to ask and to tell it."""
    holder = start_holder()
    office: Office = start_office(holder, proof="commitment", retry=RETRY)
    holder.close()
    request = JobRequest(
        job_id=JOB,
        series_instance_uid="1.2.3",
        instance_paths=(),
        pipeline="blur",
        kind="blur",
        parameters={},
        root_uid="1.2.",
        created=datetime.now(UTC),
        output_dir=f"results/{JOB}",
    )
    with office.ledger.writing() as connection:
        create_job(connection, request, [], office.now[0])
        queue_proof(connection, JOB, "tps", office.now[0])
        request_commitment(connection, "tps", "1.2.3", references={}, now=office.now[0])
    return office


def try_both(office: Office) -> None:
    office.commitment_scu.ask_due()
    office.commitment_scp.answer_due()


def waits(office: Office, table: Table) -> tuple[str, float]:
    with office.ledger.reading() as connection:
        row = connection.execute(select(table.c.state, table.c.next_attempt_at)).one()
    return row.state, row.next_attempt_at - office.now[0]


def test_pauses_are_those_of_the_peer(office: Office) -> None:
    for pause_s in (3, 9, 27):
        try_both(office)
        for table in (proofs, commitments):
            assert waits(office, table)[1] == pytest.approx(pause_s, rel=0.2)
        office.now[0] += 40


def test_both_end_after_the_time_of_the_peer(office: Office) -> None:
    for passed_h, state in ((1.9, "waiting"), (2.1, "given up")):
        with office.ledger.writing() as connection:
            begun = {"next_attempt_at": office.now[0], "created_at": office.now[0]}
            for table in (proofs, commitments):
                connection.execute(update(table).values(**begun, attempts=20))
        office.now[0] += passed_h * HOUR_S
        try_both(office)
        assert waits(office, proofs)[0] == state
        assert waits(office, commitments)[0] == {"waiting": "checked"}.get(state, state)
