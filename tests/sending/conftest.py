"""Peers that take what is sent to them, each in its own way, on a port of their own."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from network.scu.c_store import PeerAddress, Timeouts
from tests.sending.desk import desk
from tests.sending.raw_scp import RawScp
from tests.support.ports import free_port

__all__ = ["desk"]

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
EVERY_SYNTAX = (
    EXPLICIT, IMPLICIT, DEFLATED, BIG_ENDIAN, str(RLELossless), str(JPEGLosslessSV1),
    str(JPEGBaseline8Bit), str(JPEGLSLossless), str(JPEG2000Lossless),
)  # fmt: skip
AE_TITLE = "PEER"


@dataclass
class Received:
    """What one C-STORE request brought."""

    sop_instance_uid: str
    transfer_syntax_uid: str
    data_set_bytes: bytes
    association: Any


@dataclass
class Peer:
    """A running SCP and what it has got."""

    address: PeerAddress
    received: list[Received] = field(default_factory=list)


Answer = Callable[[Any, int], Any]
"""From a C-STORE event and how many came before to a status."""
StartPeer = Callable[..., Peer]
StartRaw = Callable[..., RawScp]


def _stored(event: Any, index: int) -> int:
    return 0x0000


@pytest.fixture
def start_peer() -> Iterator[StartPeer]:
    """Start a pynetdicom SCP: `answer` gives statuses, `syntaxes` what it accepts."""
    servers = []

    def start(
        answer: Answer = _stored,
        syntaxes: tuple[str, ...] = EVERY_SYNTAX,
        sop_classes: tuple[str, ...] = (),
        only_from: tuple[str, ...] = (),
    ) -> Peer:
        entity = AE(ae_title=AE_TITLE)
        entity.require_calling_aet = list(only_from)
        entity.require_called_aet = True
        entity.add_supported_context(Verification)
        every = [str(context.abstract_syntax) for context in AllStoragePresentationContexts]
        for uid in sop_classes or every:
            entity.add_supported_context(uid, list(syntaxes))
        peer = Peer(PeerAddress("127.0.0.1", 0, AE_TITLE))

        def on_c_store(event: Any) -> Any:
            index = len(peer.received)
            request = event.request
            peer.received.append(
                Received(
                    str(request.AffectedSOPInstanceUID),
                    str(event.context.transfer_syntax),
                    request.DataSet.getvalue(),
                    event.assoc,
                )
            )
            return answer(event, index)

        server = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, on_c_store)]
        )
        assert server is not None
        servers.append(server)
        peer.address = PeerAddress("127.0.0.1", server.server_address[1], AE_TITLE)
        return peer

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture
def silent_peer() -> Iterator[PeerAddress]:
    """A listener that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield PeerAddress("127.0.0.1", listener.getsockname()[1], AE_TITLE)


@pytest.fixture
def closed_port() -> PeerAddress:
    """Where nobody listens."""
    return PeerAddress("127.0.0.1", free_port(), AE_TITLE)


@pytest.fixture
def impatient() -> Timeouts:
    """They give up soon on a peer that is associated and then does not answer."""
    return Timeouts(connect_s=60.0, associate_s=60.0, response_s=1.0)


@pytest.fixture
def start_raw() -> Iterator[StartRaw]:
    """Start a peer with a script; the script must come to its end without a fault."""
    started: list[RawScp] = []

    def start(*arguments: Any, **keys: Any) -> RawScp:
        started.append(RawScp(*arguments, **keys))
        return started[-1]

    yield start
    for one in started:
        one.close()
