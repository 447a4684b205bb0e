"""A stop of the node does not fail where worker processes are slow to end."""

from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

from core.config.sections import Engine as EngineSettings
from node.jobs.cluster import OwnWorkers
from node.jobs.slots import slots_of


def test_workers_that_end_late_do_not_fail_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers, closed = OwnWorkers(slots_of(EngineSettings()), tmp_path), []
    ends = {kind: kind.close for kind in (Client, LocalCluster)}

    def late(kind: type) -> Any:
        def close(self: Any, *args: object, **options: object) -> None:
            ends[kind](self, *args, **options)
            closed.append(kind)
            raise TimeoutError("timed out after 5 s.")

        return close

    with monkeypatch.context() as patch:
        for kind in ends:
            patch.setattr(kind, "close", late(kind))
        workers.close()
    assert closed == [Client, LocalCluster]
