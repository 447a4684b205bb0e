"""Names of all files and folders below the storage folder; no other module spells them.

STORAGE/lock  ledger.sqlite  ledger.id  debug.log  users.json  web.key  web.log
STORAGE/users.seen  sessions.ended        that the pages had users; sessions that were ended
STORAGE/incoming/                       partly received instances, and write-ahead logs
STORAGE/instances/STUDY/SERIES/SOP.dcm  as received; SOP.HASH.dcm where contents differ
STORAGE/results/JOB/                    committed results
STORAGE/results/attempt-*/              results that are not committed, or are being removed
STORAGE/scratch/                        temporary files of workers and transcoders
STORAGE/uploads/UID/                    uploaded files until they are read
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_UNCOMMITTED = "attempt-"
_HASH_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class StorageLayout:
    """Paths below one storage folder; nothing is created or read on disk."""

    storage_path: Path

    @property
    def lock(self) -> Path:
        """File locked by the node that uses the folder; contains its process id."""
        return self.storage_path / "lock"

    @property
    def ledger(self) -> Path:
        """The ledger's SQLite database, used unless PostgreSQL is configured."""
        return self.storage_path / "ledger.sqlite"

    @property
    def ledger_id(self) -> Path:
        """Identity of the folder; the ledger's database repeats it."""
        return self.storage_path / "ledger.id"

    @property
    def node_log(self) -> Path:
        """The node's rotating log, unless `log.file` names another file."""
        return self.storage_path / "debug.log"

    @property
    def web_log(self) -> Path:
        """The web process's rotating log, unless `log.file` names another folder."""
        return self.storage_path / "web.log"

    @property
    def users(self) -> Path:
        """Names, roles and password hashes of users, unless `web.users_path` is set."""
        return self.storage_path / "users.json"

    @property
    def session_key(self) -> Path:
        """The key that signs sessions."""
        return self.storage_path / "web.key"

    @property
    def incoming(self) -> Path:
        """Partly received instances and write-ahead logs; on the file system of `instances`."""
        return self.storage_path / "incoming"

    @property
    def instances(self) -> Path:
        """Received instances."""
        return self.storage_path / "instances"

    @property
    def results(self) -> Path:
        """A folder for each job's results."""
        return self.storage_path / "results"

    @property
    def scratch(self) -> Path:
        """Temporary files; emptied at the start."""
        return self.storage_path / "scratch"

    @property
    def uploads(self) -> Path:
        """A folder for each upload."""
        return self.storage_path / "uploads"

    def instance(self, study_uid: str, series_uid: str, sop_instance_uid: str) -> Path:
        """The file of a received instance."""
        return self.instances / study_uid / series_uid / f"{sop_instance_uid}.dcm"

    def results_of(self, job_id: str) -> Path:
        """The folder of a job's committed results."""
        return self.results / job_id

    def upload(self, uid: str) -> Path:
        """The folder of one upload."""
        return self.uploads / uid

    def users_seen(self) -> Path:
        """File that exists since the pages had users for the first time."""
        return self.storage_path / "users.seen"

    def ended_sessions(self) -> Path:
        """Sessions that were ended before their time."""
        return self.storage_path / "sessions.ended"

    def uncommitted_results(self) -> Iterator[Path]:
        """Folders of results that a stopped or killed node left, in no order."""
        return self.results.glob(f"{_UNCOMMITTED}*")


IN_LEDGER = StorageLayout(Path())
"""Paths as rows of the ledger have them, relative to the storage folder."""


def other_content(instance: Path, sha256: str) -> Path:
    """The file beside `instance` for different content received under its SOP Instance UID."""
    return instance.with_name(f"{instance.stem}.{sha256[:_HASH_CHARACTERS]}.dcm")


def uncommitted(results: Path, name: str) -> Path:
    """A folder beside the folder `results` of a job, which the next start of the node removes."""
    return results.with_name(f"{_UNCOMMITTED}{name}")
