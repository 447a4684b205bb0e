"""An association's bytes as a target: from its connection up to the instance's description."""

import socket
import threading
from collections import Counter

from core.config.wire import Wire
from core.errors import InstanceError
from network.endings import Ending
from network.file_meta import encode_file_meta
from network.scp import Status, serve
from network.upper_layer.association import Association
from network.upper_layer.dimse import C_STORE_RQ, CommandSet
from network.upper_layer.messages import DataSetInMemory, DataSetSink, Message, MessageBounds
from network.upper_layer.negotiation import Agreement, Context
from network.upper_layer.pdu_reader import PduReader
from network.upper_layer.pdus import longest_pdus
from node.scp.instance_store import InstanceStore, ReceivedInstance
from node.scp.spool import Spool

_IN_MEMORY_BYTES = 2_000  # so that both ways are gone


class Describing:
    """In the place of the services of an association: everything but storing."""

    def __init__(self, instance_store: InstanceStore, outcomes: Counter[str]) -> None:
        self._instance_store = instance_store
        self._outcomes = outcomes
        self.ending: Ending | None = None

    def open_sink(self, context: Context, command: CommandSet, /) -> DataSetSink:
        if command.field != C_STORE_RQ:
            return DataSetInMemory()
        syntax = context.transfer_syntax
        return Spool(
            self._instance_store.folder,
            encode_file_meta(command.sop_class_uid, command.sop_instance_uid, syntax),
            syntax,
            check_disk=self._instance_store.watermark.check,
            in_memory_bytes=_IN_MEMORY_BYTES,
        )

    def answer(self, message: Message, /) -> Status | None:
        spool, command = message.data_set, message.command
        if not isinstance(spool, Spool):
            return None
        received = ReceivedInstance(
            association=1,
            sop_class_uid=command.sop_class_uid,
            sop_instance_uid=command.sop_instance_uid,
            transfer_syntax_uid=message.context.transfer_syntax,
            file_meta=spool.file_meta,
            data_set=spool.data_set(),
            path=spool.path,
        )
        try:
            self._instance_store.describe(received)
        except InstanceError:
            self._outcomes["reception: refused"] += 1
            return 0xC000, "refused"
        self._outcomes["reception: read"] += 1
        return 0, ""

    def on_pause(self) -> None:
        pass

    def record_release(self) -> bool:
        return True

    def record_end(self, ending: Ending, /) -> None:
        self.ending = ending


class Reading:
    """A connection whose other end has sent some bytes and closed it."""

    def __init__(self, instance_store: InstanceStore, context: Context, wire: Wire) -> None:
        self._instance_store = instance_store
        self._agreement = Agreement("TPS", "SLICEWIRE", {context.context_id: context})
        self._wire = wire

    def give(self, content: bytes, outcomes: Counter[str]) -> None:
        """Raises whatever should not happen."""
        ours, theirs = socket.socketpair()
        bounds: list[str] = []
        services = Describing(self._instance_store, outcomes)
        association = Association(
            ours,
            PduReader(ours, longest_pdus(self._wire), timeout_s=self._wire.pdu_timeout_s),
            self._agreement,
            bounds=MessageBounds.of(self._wire),
            open_sink=services.open_sink,
            write_timeout_s=self._wire.pdu_timeout_s,
        )
        theirs.sendall(content[:60_000])
        theirs.shutdown(socket.SHUT_WR)
        draining = threading.Thread(target=_drain, args=(theirs,))
        draining.start()
        serve(association, services, idle_timeout_s=20.0, on_bound=bounds.append)
        draining.join()
        theirs.close()
        assert services.ending is not None
        assert "could not be served" not in services.ending.words, services.ending
        outcomes["reception: beyond a bound" if bounds else "reception: within bounds"] += 1
        assert [path.name for path in self._instance_store.folder.iterdir()] == []


def _drain(connection: socket.socket) -> None:
    """Take what is answered, so that no answer waits."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionError:
        pass
