"""A peer that speaks TLS is asked by TLS: on the pages' request, and by `--check`."""

from pathlib import Path
from typing import Any

from core.config.settings import Configuration
from node.answers import Answer
from node.commands import ANSWERS, ECHO, answer_to, ask
from node.echoes import Echoes
from node.preflight import node_findings
from tests.security.certificates import Authority
from tests.security.conftest import StartReceiver
from tests.support.receiver import Receiver


def peer_by_tls(start: StartReceiver, folder: Path) -> tuple[Receiver, Configuration]:
    """A listener whose TLS port asks for certificates, and who has it as peer `tps`."""
    authority = Authority(folder)
    certificate, key = authority.sign("node")
    tls: dict[str, Any] = {"certificate_path": str(certificate), "key_path": str(key)}
    tls |= {"ca_path": str(authority.ca_path), "port": 0}
    receiver = start(wire={"tls": tls})
    address = receiver.listener.tls_address
    assert address is not None
    peer: dict[str, Any] = {"name": "tps", "ae_title": "SLICEWIRE", "tls": True}
    peer |= {"ip": address[0], "port": address[1]}
    values = {"storage_path": folder / "other", "wire": {"tls": tls}, "peers": [peer]}
    return receiver, Configuration.model_validate(values)


def test_an_echo_that_a_page_asks_for_goes_by_tls(start: StartReceiver, tmp_path: Path) -> None:
    receiver, configuration = peer_by_tls(start, tmp_path)
    asked = ask(receiver.ledger, ECHO, "tps")
    assert Echoes(configuration, receiver.ledger).answer_next()
    assert answer_to(receiver.ledger, asked) == Answer(ANSWERS)


def test_check_asks_a_peer_by_tls(start: StartReceiver, tmp_path: Path) -> None:
    _, configuration = peer_by_tls(start, tmp_path)
    found = {name: wrong for name, _, wrong in node_findings(configuration, try_port=False)}
    assert found["peer tps"] == ""
