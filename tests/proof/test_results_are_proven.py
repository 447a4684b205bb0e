"""A peer's "stored" is not the end: it is asked whether it holds what it was sent."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.config.file import read_configuration
from core.job import JobRequest, JobResult, OutputInstance
from network.scu.outgoing import instance_to_send
from network.upper_layer import dimse
from network.upper_layer.dimse import CommandSet
from node.delivery.queue_results import queue_results
from node.ledger.requests.jobs import Destination, create_job, find_job, finish_job
from node.ledger.row_states import ProofState
from node.ledger.schema import deliveries
from node.ledger.tables.deliveries import delivery_states
from node.ledger.tables.proofs import proofs_of
from tests.proof.conftest import Holder, Office
from tests.support.node_process import wait_until

JOB = "a" * 64
HOUR_S = 3600.0


def finish_a_job(office: Office, holder: Holder, ct_folder: Path) -> list[str]:
    """Three result images for the holder; answers their UIDs."""
    outputs = []
    folder = office.storage_path / "results" / JOB
    folder.mkdir(parents=True)
    for path in sorted(ct_folder.glob("*.dcm"))[:3]:
        shutil.copy(path, folder / path.name)
        one = instance_to_send(path)
        outputs.append(
            OutputInstance(path.name, one.sop_class_uid, one.sop_instance_uid, "1.2.4", "")
        )
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
        to = Destination("tps", "127.0.0.1", holder.port, "HOLDER")
        create_job(connection, request, [to], office.now[0])
        finish_job(connection, JOB, JobResult(tuple(outputs), False, "made"), office.now[0])
        job = find_job(connection, JOB)
        assert job is not None
        queue_results(
            connection,
            job,
            read_configuration(None, {"storage_path": office.storage_path}),
            now=office.now[0],
        )
    return [one.sop_instance_uid for one in outputs]


def proof_of(office: Office) -> Any:
    with office.ledger.reading() as connection:
        [proof] = proofs_of(connection, JOB)
    return proof


@pytest.mark.parametrize(
    ("offers", "words"),
    [
        ({"commitment": True}, "tps holds 3 of 3 instances by storage commitment"),
        ({"find": True}, "tps holds 3 of 3 instances as C-FIND shows"),
        ({"commitment": True, "find": True}, "tps holds 3 of 3 instances by storage commitment"),
    ],
)
def test_results_are_confirmed_by_what_the_peer_offers(
    start_holder: Any, start_office: Any, ct_folder: Path, offers: dict[str, bool], words: str
) -> None:
    holder = start_holder(**offers)
    office = start_office(holder)
    finish_a_job(office, holder, ct_folder)
    office.deliver()
    assert office.commitment_scu.ask_due() == 1
    assert (proof_of(office).state, proof_of(office).words) == (ProofState.CONFIRMED, words)
    assert office.commitment_scu.ask_due() == 0


def test_a_report_is_replied_to_before_a_release_is_asked_for(
    start_holder: Any, start_office: Any, ct_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = dimse.write_response

    def slowly(request: CommandSet, status: int) -> bytes:
        time.sleep(0.5)
        return write(request, status)

    monkeypatch.setattr("network.scu.dialogue.write_response", slowly)
    holder = start_holder(commitment=True)
    office = start_office(holder)
    finish_a_job(office, holder, ct_folder)
    office.deliver()
    assert office.commitment_scu.ask_due() == 1
    wait_until(lambda: bool(holder.replies))
    assert holder.replies == [0x0000]


def test_a_peer_that_offers_nothing_is_asked_once(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder()
    office = start_office(holder)
    finish_a_job(office, holder, ct_folder)
    office.deliver()
    office.commitment_scu.ask_due()
    assert (proof_of(office).state, proof_of(office).words) == (
        ProofState.NOT_OFFERED,
        "tps offers no proof",
    )


def test_a_peer_that_is_set_to_no_proof_is_not_asked(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder(commitment=True)
    office = start_office(holder, proof="none")
    finish_a_job(office, holder, ct_folder)
    office.deliver()
    assert office.commitment_scu.ask_due() == 0
    assert holder.requests == []


@pytest.mark.parametrize("with_role", [True, False])
def test_an_answer_on_a_new_association_counts_also_after_a_restart(
    start_holder: Any, start_office: Any, ct_folder: Path, with_role: bool
) -> None:
    holder = start_holder(commitment=True, answers=False)
    office = start_office(holder)
    finish_a_job(office, holder, ct_folder)
    office.deliver()
    office.commitment_scu.ask_due()
    assert proof_of(office).state == ProofState.ASKED
    office.close()
    again = start_office(holder)
    assert holder.report_to(again.address, with_role=with_role) == 0x0000
    assert proof_of(again).state == ProofState.CONFIRMED


def test_a_report_of_an_unknown_transaction_is_refused(
    start_holder: Any, start_office: Any
) -> None:
    holder = start_holder()
    office = start_office(holder)
    holder.requests.append(("1.2.3.4", {"1.2.3": "1.2.4"}))
    assert holder.report_to(office.address) == 0x0115


def test_a_peer_that_gave_no_answer_is_asked_again_in_the_other_way(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder(commitment=True, find=True, answers=False)
    office = start_office(holder)
    finish_a_job(office, holder, ct_folder)
    office.deliver()
    office.commitment_scu.ask_due()
    for pause_s in (24 * HOUR_S + 1, 60):
        office.now[0] += pause_s
        office.commitment_scu.ask_due()
    assert proof_of(office).words == "tps holds 3 of 3 instances as C-FIND shows"


def test_no_answer_in_time_is_given_up_with_words(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder(commitment=True, answers=False)
    office = start_office(holder)
    finish_a_job(office, holder, ct_folder)
    office.deliver()
    begun = office.now[0]
    while proof_of(office).state != ProofState.GIVEN_UP and office.now[0] < begun + 200 * HOUR_S:
        office.commitment_scu.ask_due()
        office.now[0] += 6 * HOUR_S
    assert office.now[0] >= begun + 72 * HOUR_S
    assert len(holder.requests) == 3
    assert (proof_of(office).state, proof_of(office).words) == (
        ProofState.GIVEN_UP,
        "tps gave no answer in time",
    )


@pytest.mark.parametrize("offers", [{"commitment": True}, {"find": True}])
def test_what_the_peer_lost_is_sent_again_once_and_confirmed(
    start_holder: Any, start_office: Any, ct_folder: Path, offers: dict[str, bool]
) -> None:
    holder = start_holder(**offers)
    office = start_office(holder)
    uids = finish_a_job(office, holder, ct_folder)
    holder.loses.add(uids[1])
    office.deliver()
    office.commitment_scu.ask_due()
    assert proof_of(office).state == ProofState.SENT_AGAIN
    holder.loses.clear()
    office.deliver()
    office.commitment_scu.ask_due()
    assert proof_of(office).state == ProofState.CONFIRMED


def test_what_the_peer_loses_again_is_for_a_person(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder(commitment=True)
    office = start_office(holder)
    uids = finish_a_job(office, holder, ct_folder)
    holder.loses.add(uids[1])
    for _ in range(2):
        office.deliver()
        office.commitment_scu.ask_due()
    assert proof_of(office).state == ProofState.MISSING
    assert uids[1] in proof_of(office).words


def test_a_peer_that_is_away_is_asked_again(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder(commitment=True)
    office = start_office(holder)
    finish_a_job(office, holder, ct_folder)
    office.deliver()
    holder.close()
    office.commitment_scu.ask_due()
    assert proof_of(office).state == ProofState.WAITING
    assert "cannot be reached" in proof_of(office).words
    assert office.commitment_scu.ask_due() == 0


def test_a_result_that_is_not_what_was_committed_is_not_sent(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder()
    office = start_office(holder)
    finish_a_job(office, holder, ct_folder)
    with office.ledger.writing() as connection:
        connection.execute(deliveries.update().values(sha256="0" * 64))
    office.deliver()
    assert holder.kept == {}
    with office.ledger.reading() as connection:
        [state] = delivery_states(connection, JOB)
    assert (state.state, state.words) == (
        "given up",
        "file is not the one that was committed: not sent",
    )
