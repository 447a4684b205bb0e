"""A planning system that does not give up: `python -m tests.chaos.sender PORT JOURNAL FOLDER...`.

Sends every folder as a series in one association, again and again until each instance was answered
0x0000 and the association was released. Every 0x0000 is a line in the journal before the next
instance goes out.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TextIO

from pynetdicom.dsutils import split_dataset

from core.errors import SendError
from core.log import quieten_libraries
from network.scu.association import PeerAddress, Timeouts, associate
from network.scu.outgoing import InstanceToSend, instance_to_send, open_data_set
from network.scu.presentation import Accepted, accepted_by, propose
from network.scu.store_channel import StoreChannel

_TIMEOUTS = Timeouts(connect_s=2.0, associate_s=10.0, response_s=20.0)
_PAUSE_S = 0.3


def main() -> None:
    """Ends when everything is acknowledged."""
    quieten_libraries()
    port, journal, *folders = sys.argv[1:]
    with Path(journal).open("a") as file:
        for folder in folders:
            while not _send(int(port), Path(folder), file):
                time.sleep(_PAUSE_S)


def data_set_hash(path: Path) -> str:
    """Of what went over the wire: the data set without preamble and file meta information."""
    _, offset = split_dataset(path)
    return hashlib.sha256(path.read_bytes()[offset:]).hexdigest()


def _send(port: int, folder: Path, journal: TextIO) -> bool:
    """Whether all of a series was acknowledged and its association released."""
    instances = [instance_to_send(path) for path in sorted(folder.glob("*.dcm"))]
    peer = PeerAddress("127.0.0.1", port, "SLICEWIRE")
    try:
        with associate(peer, "TPS", propose(instances), _TIMEOUTS) as dialogue:
            channel, accepted = StoreChannel(dialogue), accepted_by(dialogue.contexts.values())
            for number, instance in enumerate(instances, start=1):
                is_stored = _is_stored(channel, number, instance, accepted)
                _note(journal, instance.sop_instance_uid, instance.path, is_stored)
                if not is_stored:
                    raise SendError("not accepted")
    except SendError:
        return False
    return dialogue.was_released


def _is_stored(
    channel: StoreChannel, number: int, instance: InstanceToSend, accepted: Accepted
) -> bool:
    context_id = accepted[instance.sop_class_uid, instance.transfer_syntax_uid]
    with open_data_set(instance.path) as extent:
        uids = instance.sop_class_uid, instance.sop_instance_uid
        channel.request(number, uids, extent, context_id)
    answer = channel.answer(wait=True)
    return answer is not None and answer.status == 0


def _note(journal: TextIO, uid: str, path: Path, accepted: bool) -> None:
    line = {"uid": uid, "sha256": data_set_hash(path), "accepted": accepted}
    journal.write(json.dumps(line) + "\n")
    journal.flush()
    os.fsync(journal.fileno())


if __name__ == "__main__":
    main()
