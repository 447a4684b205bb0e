"""Storage commitment as SCP: a modality may delete its only copy, so the promise must hold."""

from pathlib import Path
from typing import Any

import pydicom
import pytest
import structlog
from pynetdicom import AE, build_context

from core.errors import SendError
from network.optional_items import OptionalItem
from network.scu import storage_commitment as messages
from node.ledger.schema import instances
from tests.proof.conftest import Office
from tests.support.gate import Gate
from tests.support.node_process import wait_until
from tests.support.peers import CT, EXPLICIT, IMPLICIT, associate, store_file

TRANSACTION = "1.2.826.0.1.3680043.8.498.77"

ROLES = 0x54
"""Type of the sub-item of role selection (PS3.7 D.3.3.4)."""


def store_three(office: Office, ct_folder: Path) -> dict[str, str]:
    """Three instances, each in a file of its own."""
    paths = sorted(ct_folder.glob("*.dcm"))[:3]
    with associate(
        office.address, classes=(CT,), syntaxes=(EXPLICIT, IMPLICIT), calling="HOLDER"
    ) as association:
        assert [store_file(association, path) for path in paths] == [0, 0, 0]
    wait_until(lambda: not any(office.storage_path.glob("incoming/*.log")))
    return {str(pydicom.dcmread(path).SOPInstanceUID): CT for path in paths}


def ask(
    office: Office,
    references: dict[str, str],
    calling: str = "HOLDER",
    transaction_uid: str = TRANSACTION,
    comes_from: str = "127.0.0.1",
) -> int:
    entity = AE(ae_title=calling)
    contexts = [build_context(messages.PUSH_MODEL)]
    association = entity.associate(*office.address, contexts=contexts, bind_address=(comes_from, 0))
    assert association.is_established
    status, _ = association.send_n_action(
        messages.request(transaction_uid, references),
        messages.REQUEST_COMMITMENT,
        messages.PUSH_MODEL,
        messages.PUSH_MODEL_INSTANCE,
    )
    association.release()
    return int(status.Status)


def promised(office: Office) -> int:
    with office.ledger.reading() as connection:
        rows = connection.execute(instances.select()).all()
    return sum(row.committed_at is not None for row in rows)


@pytest.mark.parametrize("restart", [False, True])
def test_what_is_stored_is_confirmed_also_after_a_restart(
    start_holder: Any, start_office: Any, ct_folder: Path, restart: bool
) -> None:
    holder = start_holder(commitment=True)
    office = start_office(holder, storage_commitment=True)
    references = store_three(office, ct_folder)
    assert ask(office, references) == 0x0000
    if restart:
        office.close()
        office = start_office(holder, storage_commitment=True)
    assert office.commitment_scp.answer_due() == 1
    [report] = holder.reports
    assert report.transaction_uid == TRANSACTION
    assert set(report.committed) == set(references)
    assert report.failed == {}
    assert promised(office) == 3
    assert office.commitment_scp.answer_due() == 0


def test_a_peer_that_negotiates_no_roles_gets_its_report(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    """dcm4che#463: it accepts the presentation context and leaves the proposed role unanswered."""
    holder = start_holder(commitment=True, knows_roles=False)
    office = start_office(holder, storage_commitment=True)
    assert ask(office, store_three(office, ct_folder)) == 0x0000
    assert office.commitment_scp.answer_due() == 1
    assert holder.reported.wait(60)
    assert promised(office) == 3


def test_a_peer_that_cannot_stand_a_proposed_role_gets_its_report(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder(commitment=True)
    gate = Gate(holder.port, [OptionalItem.ROLES])
    office = start_office(holder, storage_commitment=True, port=gate.port)
    assert ask(office, store_three(office, ct_folder)) == 0x0000
    assert office.commitment_scp.answer_due() == 1
    assert holder.reported.wait(60)
    assert promised(office) == 3
    assert [ROLES in one for one in gate.offered] == [True, False]
    gate.close()


def test_no_role_is_proposed_to_a_peer_whose_key_says_so(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder(commitment=True)
    gate = Gate(holder.port, [])
    keys = {"negotiation": {"role_selection": "never"}, "port": gate.port}
    office = start_office(holder, storage_commitment=True, **keys)
    assert ask(office, store_three(office, ct_folder)) == 0x0000
    assert office.commitment_scp.answer_due() == 1
    assert holder.reported.wait(60)
    assert [ROLES in one for one in gate.offered] == [False]
    gate.close()


def test_what_is_not_there_or_damaged_or_another_class_is_not_confirmed(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder(commitment=True)
    office = start_office(holder, storage_commitment=True)
    first, second, third = store_three(office, ct_folder)
    damaged = next(office.storage_path.rglob(f"{first}.dcm"))
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    other_class = "1.2.840.10008.5.1.4.1.1.4"
    ask(office, {first: CT, second: CT, third: other_class, "1.2.3": CT})
    office.commitment_scp.answer_due()
    [report] = holder.reports
    assert report.committed == [second]
    assert report.failed == {
        first: messages.NO_SUCH_INSTANCE,
        third: messages.CLASS_CONFLICT,
        "1.2.3": messages.NO_SUCH_INSTANCE,
    }
    assert promised(office) == 1


def test_a_peer_it_is_not_switched_on_for_is_refused(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    office = start_office(start_holder(commitment=True))
    assert ask(office, store_three(office, ct_folder)) == 0x0124
    assert office.commitment_scp.answer_due() == 0


@pytest.mark.parametrize(
    ("action", "sop_class_uid", "status"), [(2, messages.PUSH_MODEL, 0x0123), (1, CT, 0x0118)]
)
def test_another_action_or_class_is_named_and_nothing_is_promised(
    start_holder: Any, start_office: Any, action: int, sop_class_uid: str, status: int
) -> None:
    office = start_office(start_holder(commitment=True), storage_commitment=True)
    ip, port = office.address
    contexts = [build_context(messages.PUSH_MODEL)]
    association = AE(ae_title="HOLDER").associate(ip, port, contexts)
    answer, _ = association.send_n_action(
        messages.request(TRANSACTION, {"1.2.3": CT}),
        action,
        sop_class_uid,
        messages.PUSH_MODEL_INSTANCE,
        meta_uid=messages.PUSH_MODEL,
    )
    association.release()
    assert answer.Status == status
    assert office.commitment_scp.answer_due() == 0


@pytest.mark.parametrize("text", ["DOE^JANE", "1.2." + "3" * 10_000, "1.2.3\n4"])
def test_what_is_no_uid_is_refused_and_not_kept(
    start_holder: Any, start_office: Any, text: str
) -> None:
    office = start_office(start_holder(commitment=True), storage_commitment=True)
    with structlog.testing.capture_logs() as logged:
        assert ask(office, {text: CT}) == 0x0115
        assert ask(office, {"1.2.3": CT}, transaction_uid=text) == 0x0115
    assert text not in str(logged)
    assert office.commitment_scp.answer_due() == 0


def test_somebody_else_is_refused(start_holder: Any, start_office: Any, ct_folder: Path) -> None:
    office = start_office(start_holder(commitment=True), storage_commitment=True)
    assert ask(office, store_three(office, ct_folder), calling="OTHER") == 0x0124


def test_of_two_peers_with_one_ae_title_the_one_at_this_address_gets_the_promise(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder, second = start_holder(commitment=True), start_holder(commitment=True, ip="127.0.0.2")
    both = {"name": "second", "ae_title": "HOLDER", "ip": "127.0.0.2", "port": second.port}
    office = start_office(
        holder, storage_commitment=True, others=[both | {"storage_commitment": True}]
    )
    references = store_three(office, ct_folder)
    assert ask(office, references, comes_from="127.0.0.2") == 0x0000
    office.commitment_scp.answer_due()
    assert ([len(one.committed) for one in second.reports], holder.reports) == ([3], [])
    assert ask(office, references, comes_from="127.0.0.3") == 0x0124  # whose it is cannot be told


def test_a_peer_may_not_ask_because_another_of_its_ae_title_may(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder(commitment=True)
    other = {"name": "second", "ae_title": "HOLDER", "ip": "127.0.0.2", "port": holder.port}
    office = start_office(holder, storage_commitment=True, others=[other])
    references = store_three(office, ct_folder)
    assert ask(office, references, comes_from="127.0.0.2") == 0x0124
    assert ask(office, references) == 0x0000


def test_a_file_without_its_beginning_is_not_confirmed_and_stops_nobody(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder(commitment=True)
    office = start_office(holder, storage_commitment=True)
    references = store_three(office, ct_folder)
    damaged = next((office.storage_path / "instances").rglob("*.dcm"))
    damaged.write_bytes(bytes(damaged.stat().st_size))
    assert ask(office, references) == 0x0000
    office.commitment_scp.answer_due()
    [report] = holder.reports
    assert report.failed == {damaged.stem: 0x0112}
    assert promised(office) == 2


def test_the_same_transaction_again_is_answered_again(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder(commitment=True)
    office = start_office(holder, storage_commitment=True)
    references = store_three(office, ct_folder)
    for _ in range(2):
        assert ask(office, references) == 0x0000
        office.commitment_scp.answer_due()
    assert len(holder.reports) == 2


def test_a_peer_that_is_away_gets_its_answer_later(
    start_holder: Any, start_office: Any, ct_folder: Path
) -> None:
    holder = start_holder()  # accepts no storage commitment at first
    office = start_office(holder, storage_commitment=True)
    ask(office, store_three(office, ct_folder))
    assert office.commitment_scp.answer_due() == 1
    assert office.commitment_scp.answer_due() == 0
    office.now[0] += 60
    assert office.commitment_scp.answer_due() == 1
    assert promised(office) == 3


def test_a_peer_that_is_away_costs_one_attempt_however_much_waits_for_it(
    start_holder: Any, start_office: Any, ct_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = start_office(start_holder(), storage_commitment=True)
    references = store_three(office, ct_folder)
    for number in range(3):
        ask(office, references, transaction_uid=f"{TRANSACTION}.{number}")
    attempts: list[object] = []

    def report(*about: object) -> None:
        attempts.append(about)
        raise SendError("nobody there")

    monkeypatch.setattr(office.commitment_scp, "_report", report)
    assert office.commitment_scp.answer_due() == 3
    assert len(attempts) == 1
    assert office.commitment_scp.answer_due() == 0
