"""`python -m bench.wire.sender`: sender controlled by standard input, with all imports done.

A line in is a JSON object with `how` (`stream`: `network.scu.c_store.send`; `timed`: the same
requests with the time of each answer; `each`: an association for each instance; `pynetdicom`: its
`send_c_store`), `port`, `folder`, `associations`, and
which of the folder's instances (each `step`-th from the `first`). It says that it is ready; after
another line it sends, and answers the seconds and, for `timed` and `each`, the milliseconds from
each request to its answer, or of each association.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pydicom
from pynetdicom import AE

from bench.wire.short import send_one_each
from core.log import quieten_libraries
from network.scu.association import PeerAddress, Timeouts, associate
from network.scu.c_store import send
from network.scu.gathering import gather
from network.scu.outgoing import InstanceToSend, open_data_set
from network.scu.presentation import accepted_by, choose_context, propose
from network.scu.store_channel import StoreChannel

_CALLING = "BENCH"


def main() -> None:
    """Carry out requests until standard input ends."""
    quieten_libraries()
    for line in sys.stdin:
        request = json.loads(line)
        instances = [] if request["how"] == "pynetdicom" else _instances(request)
        _say({"ready": True})
        sys.stdin.readline()
        _say(_answer(request, instances))


def _say(answer: dict[str, Any]) -> None:
    os.write(1, (json.dumps(answer) + "\n").encode())


def _instances(request: dict[str, Any]) -> list[InstanceToSend]:
    return gather([Path(request["folder"])]).instances[request["first"] :: request["step"]]


def _answer(request: dict[str, Any], instances: list[InstanceToSend]) -> dict[str, Any]:
    peer = PeerAddress("127.0.0.1", request["port"], "ANY-SCP")
    begun = time.perf_counter()
    if request["how"] == "timed":
        return _timed(instances, peer, request["associations"])
    if request["how"] == "each":
        milliseconds = send_one_each(instances, request["port"])
        seconds = sum(milliseconds) / 1000
        return {"stored": len(milliseconds), "seconds": seconds, "milliseconds": milliseconds}
    if request["how"] == "pynetdicom":
        stored = _by_pynetdicom(sorted(Path(request["folder"]).iterdir()), peer)
    else:  # including the time to read the files' headers
        stored = sum(one.is_stored for one in send(_instances(request), peer, _CALLING))
    return {"stored": stored, "seconds": time.perf_counter() - begun}


def _by_pynetdicom(paths: list[Path], peer: PeerAddress) -> int:
    """Send with pynetdicom as in its documentation: read and send each data set."""
    entity = AE(ae_title=_CALLING)
    first = pydicom.dcmread(paths[0], stop_before_pixels=True)
    entity.add_requested_context(str(first.SOPClassUID), first.file_meta.TransferSyntaxUID)
    association = entity.associate(peer.ip, peer.port)
    answers = [association.send_c_store(pydicom.dcmread(path)) for path in paths]
    association.release()
    return sum(answer.get("Status") == 0 for answer in answers)


def _timed(instances: list[InstanceToSend], peer: PeerAddress, count: int) -> dict[str, Any]:
    """Send over `count` associations, including their negotiation in the time."""
    shares: list[list[float]] = [[] for _ in range(count)]
    threads = [
        threading.Thread(target=_send_timed, args=(instances[first::count], peer, shares[first]))
        for first in range(count)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    milliseconds = [one for share in shares for one in share]
    return {"stored": len(milliseconds), "seconds": seconds, "milliseconds": milliseconds}


def _send_timed(
    instances: list[InstanceToSend], peer: PeerAddress, milliseconds: list[float]
) -> None:
    """Send over one association; records the time of each stored instance."""
    contexts = propose(instances)
    with associate(peer, _CALLING, contexts, Timeouts()) as dialogue:
        channel, accepted = StoreChannel(dialogue), accepted_by(dialogue.contexts.values())
        for number, instance in enumerate(instances, start=1):
            chosen = choose_context(accepted, instance)
            uids = instance.sop_class_uid, instance.sop_instance_uid
            begun = time.perf_counter()
            with open_data_set(instance.path) as extent:
                channel.request(number, uids, extent, chosen[1] if chosen else 0)
            answer = channel.answer(wait=True)
            if answer is not None and answer.status == 0:
                milliseconds.append(1000 * (time.perf_counter() - begun))


if __name__ == "__main__":
    main()
