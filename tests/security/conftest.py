"""A listener that tests go at, with bounds of their own."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

from core.config.settings import Configuration
from tests.support.left_behind import Before
from tests.support.node_process import wait_until
from tests.support.peers import associate, encoded, store
from tests.support.receiver import Receiver, start_receiver

StartReceiver = Callable[..., Receiver]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartReceiver]:
    """Starts a listener with these keys of `wire`, and other keys of the configuration."""
    started: list[Receiver] = []

    def begin(*, wire: dict[str, Any] | None = None, **keys: Any) -> Receiver:
        configuration = Configuration.model_validate(keys | {"wire": wire or {}})
        folder = tmp_path / f"node-{len(started)}"
        started.append(start_receiver(folder, configuration=configuration))
        return started[-1]

    yield begin
    for one in started:
        one.listener.stop()
        one.ledger.close()


@pytest.fixture
def instance(cine_folder: Path) -> pydicom.FileDataset:
    """One instance of the cine series."""
    return pydicom.dcmread(cine_folder / "9.dcm")


def is_served(receiver: Receiver, instance: pydicom.FileDataset) -> bool:
    """Whether a real sender is served, long before attackers are that are waited for in turn."""
    begun = time.monotonic()
    with associate(receiver.address) as association:
        answer = store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
    return int(answer.Status) == 0 and time.monotonic() - begun < 60


@pytest.fixture
def nothing_is_left() -> Iterator[Callable[[], None]]:
    """Fails where threads or descriptors stay after a test's attack."""
    before = Before()

    def check() -> None:
        # the ledger keeps up to 20 connections, and the listener a thread for each port
        wait_until(lambda: len(before.files()) <= 25 and len(before.threads()) <= 3)

    yield check
