"""What is known of each peer: also of two that have one AE title."""

from pathlib import Path

from core.config.file import read_configuration
from network.sender import Sender
from node.ledger.tables.habits import learn_pause
from node.ledger.tables.instances import RELEASED, close_association, open_association
from tests.support.databases import open_test_ledger
from web.overview.peer_states import peer_states

A = {"name": "a", "ae_title": "TPS", "ip": "192.0.2.1", "port": 104}
B = {"name": "b", "ae_title": "TPS", "ip": "192.0.2.2", "networks": ["10.1.0.0/16"], "port": 104}
ALONE = {"name": "alone", "ae_title": "CT", "ip": "192.0.2.3", "port": 104}


def test_who_came_last_is_told_by_ae_title_and_address(tmp_path: Path) -> None:
    configuration = read_configuration(
        None, {"storage_path": tmp_path, "peers": [A, B, ALONE], "scu_ip": "x", "scu_port": 1}
    )
    ledger = open_test_ledger(tmp_path, lambda: 0.0)
    came = [("TPS", "10.1.2.3"), ("TPS", "192.0.2.9"), ("CT", "127.0.0.1"), ("OTHER", "192.0.2.1")]
    with ledger.writing() as connection:
        for at, (title, address) in enumerate(came, start=1):
            key = open_association(connection, Sender(title, "SLICEWIRE", address), float(at))
            close_association(connection, key, RELEASED, float(at))
    states = {
        one.known.name: (one.state, one.came_at) for one in peer_states(ledger, configuration)
    }
    ledger.close()
    assert states == {
        "a": ("not known", None),
        "b": ("up", 1.0),
        "alone": ("up", 3.0),
        "scu": ("not known", None),
    }


def test_how_a_peer_sends_one_by_one_is_told_with_the_settle_time(tmp_path: Path) -> None:
    slow = {"name": "slow", "ae_title": "MR", "ip": "192.0.2.4", "port": 104, "settle_s": 20}
    configuration = read_configuration(
        None, {"storage_path": tmp_path, "peers": [A, B, ALONE, slow]}
    )
    ledger = open_test_ledger(tmp_path, lambda: 0.0)
    pauses = [("TPS", "10.1.2.3", 3.0), ("CT", "192.0.2.3", 40.0), ("MR", "192.0.2.4", 40.0)]
    with ledger.writing() as connection:
        for title, address, pause_s in pauses:
            learn_pause(connection, Sender(title, "SLICEWIRE", address), pause_s, 0.0)
    habits = {one.known.name: one.habit for one in peer_states(ledger, configuration)}
    ledger.close()
    assert habits == {
        "a": "",
        "b": "sends one by one, with pauses of up to 3 s: a series waits 30 s",
        "alone": "sends one by one, with pauses of up to 40 s: a series waits 160 s",
        "slow": "sends one by one, with pauses of up to 40 s; its settle_s of 20 s counts",
    }
