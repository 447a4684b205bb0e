"""A sender at full speed: `python -m tests.receiving.flood PORT FOLDER SECONDS SOURCE`.

Sends copies of SOURCE under new UIDs, in four associations at once, one after another. `journal` in
FOLDER gets a line for each that was answered 0x0000: its UID and the hash of its data set.
"""

import hashlib
import json
import sys
import threading
import time
from pathlib import Path

from pydicom.uid import generate_uid

from core.log import quieten_libraries
from network.scu.c_store import PeerAddress, send
from network.scu.outgoing import InstanceToSend, instance_to_send, open_data_set

SENDERS = 4
_EACH = 40
_UID_LENGTH = 60


def main() -> None:
    """Ends after so many seconds."""
    quieten_libraries()
    port, folder, seconds, source = sys.argv[1:]
    end = time.monotonic() + float(seconds)
    lines: list[list[str]] = [[] for _ in range(SENDERS)]
    threads = [
        threading.Thread(
            target=_send_until,
            args=(end, PeerAddress("127.0.0.1", int(port), "SLICEWIRE"), Path(source), own),
            kwargs={"folder": Path(folder) / str(number)},
        )
        for number, own in enumerate(lines)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (Path(folder) / "journal").write_text("".join(line for own in lines for line in own))


def new_uid() -> str:
    """As long as any other, so that it can stand in another's place."""
    return str(generate_uid()).ljust(_UID_LENGTH, "7")[:_UID_LENGTH]


def _send_until(
    end: float, peer: PeerAddress, source: Path, lines: list[str], *, folder: Path
) -> None:
    folder.mkdir()
    was = instance_to_send(source).sop_instance_uid.encode()
    content = source.read_bytes()
    while time.monotonic() < end:
        instances, hashes = [], {}
        for number in range(_EACH):
            path = folder / f"{number}.dcm"
            path.write_bytes(content.replace(was, new_uid().encode()))
            instances.append(instance_to_send(path))
            hashes[instances[-1].sop_instance_uid] = _hash(instances[-1])
        for outcome in send(instances, peer, f"FLOOD{folder.name}"):
            uid = outcome.instance.sop_instance_uid
            if outcome.status == 0:
                lines.append(json.dumps([uid, hashes[uid]]) + "\n")


def _hash(instance: InstanceToSend) -> str:
    with open_data_set(instance.path) as extent:
        return hashlib.sha256(instance.path.read_bytes()[extent.begin :]).hexdigest()


if __name__ == "__main__":
    main()
