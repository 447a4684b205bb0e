"""A listener that tests go at, with bounds of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

from core.config import Configuration
from tests.receiver import Receiver, start_receiver

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
