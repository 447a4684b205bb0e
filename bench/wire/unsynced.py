"""`python -m bench.wire.unsynced FOLDER`: the node's receiving parts with durability off.

For measurements only; no configuration key does this. Without fsync in the process and in SQLite,
acknowledged instances are lost when power fails.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from core.config.settings import Configuration
from core.log import quieten_libraries
from node.ledger import dialects
from tests.support.receiver import start_receiver


def main() -> None:
    """Print the port and serve until told to end."""
    quieten_libraries()
    os.fsync = os.fdatasync = _no_sync  # type: ignore[assignment]  # that is the purpose
    never = dict.fromkeys(dialects._SYNCHRONOUS, "PRAGMA synchronous=OFF")
    dialects._SYNCHRONOUS.update(never)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    receiver = start_receiver(Path(sys.argv[1]), configuration=Configuration())
    os.write(1, f"{receiver.address[1]}\n".encode())
    over.wait()
    receiver.listener.stop()
    receiver.ledger.close()


def _no_sync(_: object) -> None:
    """Do nothing; the system writes when it likes."""


if __name__ == "__main__":
    main()
