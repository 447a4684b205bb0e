"""Series go through a node that is killed again and again; nothing may be lost or made twice."""

import random
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.series import small_ct
from node.ledger.database import Ledger, open_ledger
from tests.chaos.processes import Destination, KillableNode, start_sender
from tests.chaos.verdict import Counts, judge, read_journals
from tests.support.cluster import ExternalCluster
from tests.support.ledger_rows import count_unsettled
from tests.support.ports import free_port
from tests.support.postgresql import PostgresServer

_SLICES, _SIZE = 5, 32
_DATABASE_AWAY_S = 10.0
_LONGEST_LIFE_S = 5.0
_FINISH_WITHIN_S = 600.0


@dataclass(frozen=True)
class Campaign:
    """How hard the node is tried."""

    kills: int
    series: int
    senders: int = 3
    database: str = "sqlite"
    engine: str = "embedded"
    seed: int = 1

    def run(self) -> Counts:
        """Everything from empty folders to the verdict; bounded, and nothing is left running."""
        with tempfile.TemporaryDirectory(prefix="slicewire-chaos-") as name:
            return _Run(self, Path(name)).run()


class _Run:
    def __init__(self, campaign: Campaign, folder: Path) -> None:
        self._campaign = campaign
        self._folder = folder
        self._chance = random.Random(campaign.seed)
        self._happened = {"kills of the node": 0, "kills of a worker": 0}
        self._happened["kills of the destination"] = 0
        self._postgresql = PostgresServer() if campaign.database == "postgresql" else None
        self._cluster = ExternalCluster(workers=2) if campaign.engine == "external" else None
        self._journals = [folder / f"sent-{number}" for number in range(campaign.senders)]
        self._arrived = folder / "arrived"

    def run(self) -> Counts:
        port, results_port = free_port(), free_port()
        self._node = KillableNode(self._folder / "node", port, **self._keys(results_port))
        self._destination = Destination(results_port, self._arrived)
        cases = [
            small_ct(self._folder / "series" / f"{number:04}", _SLICES, _SIZE)[0].parent
            for number in range(self._campaign.series)
        ]
        self._senders = [
            start_sender(port, journal, cases[number :: self._campaign.senders])
            for number, journal in enumerate(self._journals)
        ]
        try:
            self._node.start()
            self._kill_and_start_again()
            self._wait_for_everything()
            self._node.process.stop()
            self._node.start()  # what is left half-written goes at a start
            self._node.process.stop()
            return self._judge()
        finally:
            self._end()

    def _keys(self, results_port: int) -> dict[str, object]:
        engine: dict[str, object] = {"workers": 2, "attempts": 50, "stop_grace_s": 30.0}
        if self._cluster is not None:
            engine["scheduler"] = self._cluster.address
        keys: dict[str, object] = {
            "pipeline": "blur",
            "scu_ip": "127.0.0.1",
            "scu_port": results_port,
            "completion": {"settle_s": 0.3},
            "delivery": {"first_retry_s": 0.5, "longest_retry_s": 2.0, "timeout_s": 10.0},
            "engine": engine,
        }
        if self._postgresql is not None:
            self._url = self._postgresql.create_database("chaos")
            keys["database_url"] = self._url
        return keys

    def _kill_and_start_again(self) -> None:
        for number in range(1, self._campaign.kills + 1):
            time.sleep(self._chance.uniform(0.1, _LONGEST_LIFE_S))
            self._kill_something_else(number)
            self._node.kill(self._chance)
            self._happened["kills of the node"] += 1
            self._node.start()

    def _kill_something_else(self, number: int) -> None:
        if number % 3 == 0 and self._node.kill_a_worker(self._chance):
            self._happened["kills of a worker"] += 1
            time.sleep(self._chance.uniform(0.0, 1.0))
        if number % 5 == 0:
            self._destination.kill()
            self._destination.start()
            self._happened["kills of the destination"] += 1
        if number % 6 == 0 and self._postgresql is not None:
            self._postgresql.kill()
            time.sleep(_DATABASE_AWAY_S)
            self._postgresql.start()
            self._count("kills of PostgreSQL")
        if number % 6 == 0 and self._cluster is not None:
            self._cluster.kill_scheduler()
            self._cluster.start(2)
            self._count("kills of the Dask scheduler")

    def _count(self, what: str) -> None:
        self._happened[what] = self._happened.get(what, 0) + 1

    def _wait_for_everything(self) -> None:
        """Senders end when all is acknowledged; then the ledger has nothing left to do."""
        end = time.monotonic() + _FINISH_WITHIN_S
        for sender in self._senders:
            sender.wait(max(1.0, end - time.monotonic()))
        with self._ledger() as ledger:
            while time.monotonic() < end:
                with ledger.reading() as connection:
                    if count_unsettled(connection) == 0:
                        return
                time.sleep(0.5)

    def _ledger(self) -> closing[Ledger]:
        url = None if self._postgresql is None else self._url
        return closing(open_ledger(self._node.process.storage_path, database_url=url))

    def _judge(self) -> Counts:
        with self._ledger() as ledger:
            counts = judge(ledger, read_journals(self._journals), read_journals([self._arrived]))
        counts.happened = self._happened | counts.happened
        return counts

    def _end(self) -> None:
        for sender in self._senders:
            sender.kill()
            sender.wait()
        self._node.process.stop()
        self._destination.kill()
        if self._cluster is not None:
            self._cluster.stop()
        if self._postgresql is not None:
            self._postgresql.stop()
