"""Storage SCP that records when the first data of each association arrives."""

import threading
import time
from typing import Any

from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.events import Event
from pynetdicom.pdu import P_DATA_TF


class Destination:
    """Storage SCP that answers with success and keeps only times and counts."""

    def __init__(self) -> None:
        self.first_byte_at: list[float] = []
        self.instances = 0
        self._changed = threading.Condition()
        self._begun: set[object] = set()
        self._entity = AE(ae_title="BENCH")
        for context in AllStoragePresentationContexts:
            self._entity.add_supported_context(str(context.abstract_syntax))
        handlers: list[Any] = [(evt.EVT_PDU_RECV, self._on_pdu), (evt.EVT_C_STORE, self._on_store)]
        server: Any = self._entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=handlers
        )
        self.port = int(server.socket.getsockname()[1])

    def wait_for(self, instances: int, within_s: float) -> bool:
        """Wait until `instances` have arrived in all; False if not within `within_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self.instances >= instances, within_s)

    def close(self) -> None:
        """Stop listening."""
        self._entity.shutdown()

    def _on_pdu(self, event: Event) -> None:
        if isinstance(event.pdu, P_DATA_TF) and event.assoc not in self._begun:
            self._begun.add(event.assoc)
            self.first_byte_at.append(time.time())

    def _on_store(self, _: Event) -> int:
        with self._changed:
            self.instances += 1
            self._changed.notify_all()
        return 0
