"""A small SCP that collects what comes back into a folder: the simulator's ear."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.dsutils import encode_file_meta
from pynetdicom.events import Event
from pynetdicom.transport import ThreadedAssociationServer

from core.config.wire import ServerTls
from core.uids import is_safe_uid
from network.presentation import listener_contexts
from network.tls import server_context

_OUT_OF_RESOURCES, _CANNOT_UNDERSTAND = 0xA700, 0xC000
_PDU_BYTES = 262_144
_PREAMBLE = b"\x00" * 128 + b"DICM"
_LOOK_S = 0.5


@dataclass(slots=True)
class Visit:
    """One association and the files that it brought."""

    calling_ae_title: str
    paths: list[Path] = field(default_factory=list)
    was_released: bool = False
    ended_at: float | None = None
    """Monotonic clock; None while it is open."""


class Collector:
    """Listens, takes everything, writes each instance into a folder of its association."""

    def __init__(self, folder: Path, ae_title: str) -> None:
        self._folder = folder
        self._visits: dict[Association, Visit] = {}
        self._changed = threading.Condition()
        self._server: ThreadedAssociationServer | None = None
        self._entity = AE(ae_title=ae_title)
        self._entity.supported_contexts = list(listener_contexts())
        self._entity.maximum_pdu_size = _PDU_BYTES

    def start(self, ip: str, port: int, tls: ServerTls | None = None) -> int:
        """Listen; answers the port, which is a free one for port 0.

        Raises:
            ConfigurationError: a certificate cannot be used.
            OSError: the address cannot be listened on.
        """
        server = self._entity.start_server(
            (ip, port),
            block=False,
            ssl_context=None if tls is None else server_context(tls),
            evt_handlers=[
                (evt.EVT_ACCEPTED, self.on_accepted),
                (evt.EVT_C_STORE, self.on_c_store),
                (evt.EVT_RELEASED, self.on_end, [True]),
                (evt.EVT_ABORTED, self.on_end, [False]),
                (evt.EVT_CONN_CLOSE, self.on_end, [False]),
            ],
        )
        if server is None:
            raise OSError("the listener did not start")
        self._server = server
        address: tuple[Any, ...] = server.server_address
        return int(address[1])

    def stop(self) -> None:
        """Take no more, and abort what is open."""
        if self._server is not None:
            self._server.shutdown()
        self._entity.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def on_accepted(self, event: Event) -> None:
        """Somebody comes to bring something."""
        primitive = event.assoc.requestor.primitive
        calling = "" if primitive is None else (primitive.calling_ae_title or "")
        with self._changed:
            self._visits[event.assoc] = Visit(calling.strip())

    def on_c_store(self, event: Event) -> int:
        """Write the instance as it came; a name is never made of an unsafe UID."""
        request: Any = event.request
        uid = str(request.AffectedSOPInstanceUID)
        if not is_safe_uid(uid):
            return _CANNOT_UNDERSTAND
        with self._changed:
            visit = self._visits[event.assoc]
            number = list(self._visits).index(event.assoc) + 1
        try:
            path = self._write(event, self._folder / f"association_{number}", uid)
        except OSError:
            return _OUT_OF_RESOURCES
        with self._changed:
            visit.paths.append(path)
        return 0x0000

    def _write(self, event: Event, folder: Path, uid: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path, count = folder / f"{uid}.dcm", 1
        while path.exists():
            count += 1
            path = folder / f"{uid}_{count}.dcm"
        request: Any = event.request
        content = _PREAMBLE + encode_file_meta(event.file_meta) + request.DataSet.getvalue()
        path.write_bytes(content)
        return path

    def on_end(self, event: Event, was_released: bool) -> None:
        """The association is over: only a release says that everything was brought."""
        with self._changed:
            visit = self._visits.get(event.assoc)
            if visit is not None:
                visit.was_released |= was_released
                visit.ended_at = visit.ended_at or time.monotonic()
            self._changed.notify_all()

    def visits(self) -> list[Visit]:
        """All associations so far, in their order."""
        with self._changed:
            return list(self._visits.values())

    def wait(
        self, is_enough: Callable[[Sequence[Path]], bool], *, timeout_s: float, settle_s: float
    ) -> bool:
        """Wait until released associations brought enough and it has been quiet for `settle_s`.

        Answers whether they did; after `timeout_s` without enough it does not wait any longer.
        """
        deadline = time.monotonic() + timeout_s
        known, enough = -1, False
        while True:
            visits = self.visits()
            released = [visit for visit in visits if visit.was_released and visit.ended_at]
            if len(released) != known:
                known = len(released)
                enough = is_enough([path for visit in released for path in visit.paths])
            now, quiet_s = time.monotonic(), _quiet_s(visits)
            if enough and quiet_s >= settle_s:
                return True
            if now >= deadline and not (enough and quiet_s > 0.0):
                return enough
            self._rest(min(_LOOK_S, settle_s - quiet_s if enough else _LOOK_S))

    def _rest(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait(max(seconds, 0.01))


def _quiet_s(visits: Sequence[Visit]) -> float:
    """How long ago the last association ended; 0 while one is open."""
    ends = [visit.ended_at for visit in visits]
    if not ends or any(end is None for end in ends):
        return 0.0
    return time.monotonic() - max(end for end in ends if end is not None)
