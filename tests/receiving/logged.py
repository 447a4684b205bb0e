"""A storage folder whose inbox keeps logs, and instances for it."""

from dataclasses import dataclass, replace
from pathlib import Path

from node.ledger.database import Ledger
from node.scp.instance_store import InstanceStore
from tests.support.node_process import wait_until


@dataclass
class Place:
    """A storage folder with its ledger and an association."""

    folder: Path
    ledger: Ledger
    association: int
    instance_store: InstanceStore

    def logs(self) -> list[Path]:
        return sorted(self.folder.glob("incoming/*.log"))

    def files(self) -> list[Path]:
        return sorted(self.folder.rglob("*.dcm"))

    def started_again(self) -> "Place":
        """As after a crash: nothing is left but what is on disk."""
        return replace(self, instance_store=instance_store_of(self.folder, self.ledger))

    def settled(self) -> None:
        wait_until(lambda: not self.logs())


def instance_store_of(folder: Path, ledger: Ledger) -> InstanceStore:
    return InstanceStore(folder, ledger, root_uid="1.2.3.", minimum_free_mb=0)
