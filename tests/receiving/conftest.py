"""A listener with its inbox and ledger on a free port, without anything behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receiver import Receiver, start_receiver


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """A listener on a free port."""
    receiver = start_receiver(tmp_path)
    yield receiver
    receiver.listener.stop()
    receiver.ledger.close()
