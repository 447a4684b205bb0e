"""Where results go: `python -m tests.chaos.destination PORT JOURNAL`.

Every instance is a line in the journal, synced before it is answered, so that its own end loses
nothing either.
"""

import hashlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from pynetdicom import AE, AllStoragePresentationContexts, evt


def main() -> None:
    """Listens until it is killed."""
    port, journal = int(sys.argv[1]), Path(sys.argv[2])
    lock = threading.Lock()
    file = journal.open("a")

    def on_c_store(event: Any) -> int:
        line = {
            "uid": str(event.request.AffectedSOPInstanceUID),
            "sha256": hashlib.sha256(event.request.DataSet.getvalue()).hexdigest(),
        }
        with lock:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return 0x0000

    entity = AE(ae_title="SINK")
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(str(context.abstract_syntax))
    sys.stdout.write("listens\n")
    sys.stdout.flush()
    entity.start_server(("127.0.0.1", port), evt_handlers=[(evt.EVT_C_STORE, on_c_store)])


if __name__ == "__main__":
    main()
