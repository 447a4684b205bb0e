"""A sender that drops a message half way and goes on: public reports, tried."""

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from tests.support.node_process import wait_until
from tests.support.peers import encoded
from tests.support.raw_peer import (
    ABORTED,
    COMMAND,
    DATA,
    LAST,
    P_DATA,
    RELEASE_RQ,
    RawPeer,
    p_data,
    store_command,
)
from tests.support.receiver import Receiver, start_receiver


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    receiver = start_receiver(tmp_path)
    yield receiver
    receiver.listener.stop()
    receiver.ledger.close()


def test_a_message_that_begins_within_another_ends_the_association(
    receiver: Receiver, cine_folder: Path
) -> None:
    """fo-dicom#1359: after a timeout the rest of a data set never comes, but the next request."""
    first, second = (pydicom.dcmread(cine_folder / f"{number}.dcm") for number in (9, 19))
    with RawPeer(receiver.address).associate() as peer:
        peer.send(p_data(store_command(str(first.SOPInstanceUID)), COMMAND | LAST))
        peer.send(p_data(encoded(first)[:1000], DATA))
        peer.send(p_data(store_command(str(second.SOPInstanceUID)), COMMAND | LAST))
        peer.send(p_data(encoded(second), DATA | LAST) + RELEASE_RQ)
        answers = [peer.answer()]
        while answers[-1] == P_DATA:
            answers.append(peer.answer())
        assert answers[-1] in (ABORTED, -1)

    def is_over() -> bool:
        receiver.listener.reap()
        return bool(receiver.ended)

    wait_until(is_over)
    assert [outcome for _, outcome in receiver.ended] == ["aborted"]
    assert receiver.files() == []
