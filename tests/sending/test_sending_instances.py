"""C-ECHO and C-STORE over real associations: what arrives, and what is said when it does not."""

import shutil
import threading
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom.dsutils import split_dataset

from core.errors import SendError
from core.uids import is_standard_uid
from network.scu.c_store import (
    InstanceToSend,
    PeerAddress,
    SendOutcome,
    State,
    Timeouts,
    echo,
    instance_to_send,
    send,
)

CALLING = "SLICEWIRE"


@pytest.fixture
def cine(cine_folder: Path) -> list[InstanceToSend]:
    """Six instances of one series; some of their UIDs have leading zeros."""
    return [instance_to_send(path) for path in sorted(cine_folder.glob("*.dcm"))[:6]]


def _data_set_bytes(path: Path) -> bytes:
    return path.read_bytes()[split_dataset(path)[1] :]


def test_echo_succeeds_with_a_peer_that_answers(start_peer: Any) -> None:
    echo(start_peer().address, CALLING)


def test_echo_names_a_refused_connection(closed_port: PeerAddress) -> None:
    with pytest.raises(SendError, match=r"PEER at 127\.0\.0\.1:\d+ cannot be reached: connection"):
        echo(closed_port, CALLING)


def test_echo_names_the_reason_of_a_rejection(start_peer: Any) -> None:
    peer = start_peer(only_from=("SOMEONE",))
    with pytest.raises(
        SendError, match=r"rejected .* permanently: calling AE title not recognised"
    ):
        echo(peer.address, CALLING)


def test_echo_names_a_wrong_called_ae_title(start_peer: Any) -> None:
    address = start_peer().address
    wrong = PeerAddress(address.ip, address.port, "WRONG")
    with pytest.raises(SendError, match=r"WRONG at .*: called AE title not recognised"):
        echo(wrong, CALLING)


def test_echo_gives_up_on_a_peer_that_never_answers(silent_peer: PeerAddress) -> None:
    with pytest.raises(SendError, match="did not answer the association request within 1 s"):
        echo(silent_peer, CALLING, timeouts=Timeouts(associate_s=1.0))


@pytest.mark.parametrize("ae_title", ["", "   ", "SEVENTEEN LETTERS", "BACK\\SLASH"])
def test_an_impossible_calling_ae_title_is_a_send_error(start_peer: Any, ae_title: str) -> None:
    with pytest.raises(SendError, match="No association with PEER"):
        echo(start_peer().address, ae_title)


def test_bytes_go_out_unchanged_in_the_given_order(
    start_peer: Any, cine: list[InstanceToSend]
) -> None:
    peer = start_peer()
    order = cine[::-1]
    outcomes = send(order, peer.address, CALLING)
    assert [one.state for one in outcomes] == [State.STORED] * 6
    assert [one.words for one in outcomes] == ["Success (0x0000)"] * 6
    assert [one.sop_instance_uid for one in peer.received] == [
        one.sop_instance_uid for one in order
    ]
    assert [one.data_set_bytes for one in peer.received] == [
        _data_set_bytes(one.path) for one in order
    ]


def test_all_instances_travel_on_one_association(
    start_peer: Any, cine: list[InstanceToSend], ct_structure_set: Path
) -> None:
    peer = start_peer()
    send([*cine, instance_to_send(ct_structure_set)], peer.address, CALLING)
    assert len(peer.received) == 7
    assert len({id(one.association) for one in peer.received}) == 1


def test_uids_with_leading_zeros_go_through_unchanged(start_peer: Any, cine_folder: Path) -> None:
    peer = start_peer()
    instances = [instance_to_send(path) for path in cine_folder.glob("*.dcm")]
    odd = [one for one in instances if not is_standard_uid(one.sop_instance_uid)]
    outcomes = send(odd, peer.address, CALLING)
    assert odd
    assert [one.status for one in outcomes] == [0] * len(odd)
    assert [one.sop_instance_uid for one in peer.received] == [one.sop_instance_uid for one in odd]


def test_each_status_becomes_a_state_with_words(
    start_peer: Any, cine: list[InstanceToSend]
) -> None:
    statuses = [0xB000, 0xA700, 0x0111, 0x0124, 0xC123, 0xFFEE]
    peer = start_peer(lambda event, index: statuses[index])
    outcomes = send(cine, peer.address, CALLING)
    assert [one.status for one in outcomes] == statuses
    assert [(str(one.state), one.words) for one in outcomes] == [
        ("warning", "Warning: coercion of data elements (0xB000)"),
        ("out of resources", "Refused: out of resources (0xA700)"),
        ("duplicate", "Error: duplicate SOP instance (0x0111)"),
        ("refused", "Refused: not authorized (0x0124)"),
        ("refused", "Error: cannot understand (0xC123)"),
        ("refused", "Error: status unknown to the standard (0xFFEE)"),
    ]
    assert [one.is_stored for one in outcomes] == [True, False, False, False, False, False]


def test_the_comment_of_the_peer_is_passed_on(start_peer: Any, cine: list[InstanceToSend]) -> None:
    def refuse(event: Any, index: int) -> Dataset:
        status = Dataset()
        status.Status = 0xC000
        status.ErrorComment = "no pixel data"
        return status

    outcome = send(cine[:1], start_peer(refuse).address, CALLING)[0]
    assert outcome.words == "Error: cannot understand (0xC000): no pixel data"


def test_an_abort_half_way_leaves_an_outcome_for_every_instance(
    start_peer: Any, cine: list[InstanceToSend]
) -> None:
    def abort_third(event: Any, index: int) -> int:
        if index == 2:
            event.assoc.abort()
        return 0x0000

    seen: list[SendOutcome] = []
    peer = start_peer(abort_third)
    outcomes = send(cine, peer.address, CALLING, on_outcome=seen.append)
    assert [str(one.state) for one in outcomes] == ["stored"] * 2 + ["not sent"] * 4
    assert "aborted the association" in outcomes[2].words
    assert "whether this instance was stored is unknown" in outcomes[2].words
    assert "unknown" not in outcomes[3].words
    assert seen == outcomes
    assert len(peer.received) == 3


def test_a_peer_that_never_answers_a_c_store_ends_in_time(
    start_peer: Any, cine: list[InstanceToSend], impatient: Timeouts
) -> None:
    is_over = threading.Event()

    def never(event: Any, index: int) -> int:
        is_over.wait(60)
        return 0x0000

    outcomes = send(cine, start_peer(never).address, CALLING, timeouts=impatient)
    is_over.set()
    assert [one.state for one in outcomes] == [State.NOT_SENT] * 6
    assert "did not answer within 1 s" in outcomes[0].words


def test_a_rejected_association_is_an_outcome_for_every_instance(
    start_peer: Any, cine: list[InstanceToSend]
) -> None:
    peer = start_peer(only_from=("SOMEONE",))
    outcomes = send(cine, peer.address, CALLING)
    assert [one.instance for one in outcomes] == cine
    assert all("calling AE title not recognised" in one.words for one in outcomes)


def test_an_unreachable_peer_is_an_outcome_for_every_instance(
    closed_port: PeerAddress, cine: list[InstanceToSend]
) -> None:
    outcomes = send(cine, closed_port, CALLING)
    assert [one.state for one in outcomes] == [State.NOT_SENT] * 6
    assert all("connection refused" in one.words for one in outcomes)


def test_a_host_name_that_does_not_exist_is_named(cine: list[InstanceToSend]) -> None:
    outcomes = send(cine[:1], PeerAddress("no-such-host.invalid", 104, "PEER"), CALLING)
    assert "PEER at no-such-host.invalid:104" in outcomes[0].words


def test_a_class_that_the_peer_does_not_take_does_not_stop_the_others(
    start_peer: Any, cine: list[InstanceToSend], ct_structure_set: Path
) -> None:
    structure_set = instance_to_send(ct_structure_set)
    peer = start_peer(sop_classes=(cine[0].sop_class_uid,))
    outcomes = send([structure_set, cine[0]], peer.address, CALLING)
    assert [str(one.state) for one in outcomes] == ["not accepted", "stored"]
    assert "accepts no RT Structure Set Storage" in outcomes[0].words


def test_a_peer_that_takes_none_of_the_classes_is_named(
    start_peer: Any, cine: list[InstanceToSend], ct_structure_set: Path
) -> None:
    peer = start_peer(sop_classes=(cine[0].sop_class_uid,))
    outcomes = send([instance_to_send(ct_structure_set)], peer.address, CALLING)
    assert outcomes[0].state is State.NOT_ACCEPTED
    assert "accepted none of the presentation contexts" in outcomes[0].words
    assert "RT Structure Set Storage" in outcomes[0].words


def test_a_file_that_vanished_does_not_stop_the_others(
    start_peer: Any, cine: list[InstanceToSend], tmp_path: Path
) -> None:
    gone = tmp_path / "gone.dcm"
    shutil.copy(cine[0].path, gone)
    instance = instance_to_send(gone)
    gone.unlink()
    outcomes = send([instance, cine[1]], start_peer().address, CALLING)
    assert [str(one.state) for one in outcomes] == ["not sent", "stored"]
    assert "gone.dcm" in outcomes[0].words


def test_the_data_set_names_the_instance_when_the_file_meta_disagrees(
    start_peer: Any, ct_folder: Path, tmp_path: Path
) -> None:
    data_set = pydicom.dcmread(sorted(ct_folder.glob("*.dcm"))[0])
    data_set.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID("1.2.3")
    path = tmp_path / "disagrees.dcm"
    pydicom.dcmwrite(path, data_set)
    with path.open("rb") as file:
        assert pydicom.filereader.read_partial(file).file_meta.MediaStorageSOPInstanceUID == "1.2.3"
    peer = start_peer()
    send([instance_to_send(path)], peer.address, CALLING)
    assert peer.received[0].sop_instance_uid == data_set.SOPInstanceUID
    assert peer.received[0].data_set_bytes == _data_set_bytes(path)


def test_nothing_to_send_asks_for_no_association(closed_port: PeerAddress) -> None:
    assert send([], closed_port, CALLING) == []


def test_an_exception_of_the_listener_reaches_the_caller(
    start_peer: Any, cine: list[InstanceToSend]
) -> None:
    def stop(outcome: SendOutcome) -> None:
        raise KeyboardInterrupt

    peer = start_peer()
    with pytest.raises(KeyboardInterrupt):
        send(cine, peer.address, CALLING, on_outcome=stop)
    assert len(peer.received) == 1


def test_files_are_sent_without_decoding_them(
    start_peer: Any, ct_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "odd.dcm"
    data_set = pydicom.dcmread(sorted(ct_folder.glob("*.dcm"))[0])
    data_set.WindowCenter = 31415
    pydicom.dcmwrite(path, data_set)
    path.write_bytes(path.read_bytes().replace(b"31415", b"3141x"))  # who decodes it fails
    peer = start_peer()
    assert send([instance_to_send(path)], peer.address, CALLING)[0].is_stored
    assert peer.received[0].data_set_bytes == _data_set_bytes(path)
