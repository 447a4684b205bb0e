"""A node that holds many associations still sends: descriptors above 1023 are beyond `select`."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from network.scu.c_store import echo, instance_to_send, send
from tests.sending.conftest import StartRaw
from tests.sending.raw_scp import COMMAND, LAST, P_DATA, RawScp, fragment, response

BEYOND_SELECT = 1100


@pytest.fixture
def many_open_files() -> Iterator[None]:
    """The next descriptor is one that `select` does not know."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, limits[1]), limits[1]))
    opened = [os.open(os.devnull, os.O_RDONLY)]
    while opened[-1] < BEYOND_SELECT:
        opened.append(os.dup(opened[0]))
    yield
    for descriptor in opened:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.usefixtures("many_open_files")
def test_an_instance_is_sent(start_raw: StartRaw, cine_folder: Path) -> None:
    def take(peer: RawScp) -> None:
        peer.answer(peer.read_store()[0])
        peer.take_release()

    instance = instance_to_send(cine_folder / "9.dcm")
    [outcome] = send([instance], start_raw(take).address, "SLICEWIRE")
    assert outcome.is_stored, outcome.words


@pytest.mark.usefixtures("many_open_files")
def test_an_echo_is_answered(start_raw: StartRaw) -> None:
    def take(peer: RawScp) -> None:
        assert peer.read_pdu()[0] == P_DATA
        answer = response(1, 0).replace(b"\x01\x80", b"\x30\x80")
        peer.say(P_DATA, fragment(answer, COMMAND | LAST))
        peer.take_release()

    echo(start_raw(take).address, "SLICEWIRE")
