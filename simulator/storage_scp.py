"""Storage SCP of the simulator, which writes returned instances into a folder."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import structlog

from core.config.wire import ServerTls, Wire
from core.uids import is_safe_uid
from network.access import AssociationRequest, Rejection
from network.association_limits import AssociationLimits
from network.endings import Cause, Ending
from network.file_meta import encode_file_meta
from network.listener import AssociationListener
from network.presentation import listener_contexts
from network.scp import Status
from network.sender import Sender
from network.tls import ServerCertificates
from network.upper_layer.dimse import C_STORE_RQ, CommandSet
from network.upper_layer.messages import DataSetInMemory, DataSetSink, Message
from network.upper_layer.negotiation import Context, Supported

_SUCCESS, _OUT_OF_RESOURCES, _CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
_MOST_ASSOCIATIONS = 64
_LOOK_S = 0.5

log = structlog.get_logger("simulator")


@dataclass(slots=True)
class ReceivedAssociation:
    """Association with the files received over it."""

    calling_ae_title: str
    paths: list[Path] = field(default_factory=list)
    was_released: bool = False
    ended_at: float | None = None
    """Time on the monotonic clock; None while the association is open."""


class StorageScp:
    """Storage SCP that accepts all senders; each association gets its own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._associations: list[ReceivedAssociation] = []
        self._changed = threading.Condition()
        self._limits = AssociationLimits(_MOST_ASSOCIATIONS, _MOST_ASSOCIATIONS)
        self._listener: AssociationListener | None = None

    def start(self, ip: str, port: int, tls: ServerTls | None = None) -> int:
        """Start listening; port 0 takes any free one.

        Returns:
            The port.

        Raises:
            ConfigurationError: a certificate cannot be used.
            OSError: the address or port is not available.
        """
        listener = AssociationListener(
            self,
            Supported.of(listener_contexts()),
            Wire(),
            limits=self._limits,
            certificates=None if tls is None else ServerCertificates(tls),
        )
        _, listening = listener.open((ip, port))
        self._listener = listener
        return listening

    def stop(self) -> None:
        """Stop listening, and abort open associations."""
        if self._listener is not None:
            self._listener.close()
            for _, association in self._limits.associations():
                association.stop()
            self._limits.wait_until_free(_LOOK_S)
            self._listener = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def rejection_of(self, request: AssociationRequest, /) -> Rejection | None:
        """None: every association is accepted."""

    def open(self, sender: Sender, /) -> "_AssociationHandler":
        """Register a new association and return its handler."""
        association = ReceivedAssociation(sender.calling_ae_title)
        with self._changed:
            self._associations.append(association)
            number = len(self._associations)
        return _AssociationHandler(
            association, self._folder / f"association_{number}", self._changed
        )

    def on_rejected(self, sender: Sender, rejection: Rejection, /) -> None:
        """Log an association that was rejected by the rules of the protocol."""
        log.warning("association rejected", reason=rejection.words, address=sender.address)

    def on_bound(self, address: str, words: str, /) -> None:
        """Log a connection that was ended as it exceeded a bound."""
        log.warning("connection ended", reason=words, address=address)

    def associations(self) -> list[ReceivedAssociation]:
        """All associations so far, oldest first."""
        with self._changed:
            return list(self._associations)

    def wait(
        self, is_enough: Callable[[Sequence[Path]], bool], *, timeout_s: float, settle_s: float
    ) -> bool:
        """Wait for enough files from released associations, then for `settle_s` of silence.

        Returns:
            True if there were enough; False if not within `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        known, enough = -1, False
        while True:
            associations = self.associations()
            released = [
                association
                for association in associations
                if association.was_released and association.ended_at
            ]
            if len(released) != known:
                known = len(released)
                enough = is_enough([path for association in released for path in association.paths])
            now, quiet_s = time.monotonic(), _quiet_s(associations)
            if enough and quiet_s >= settle_s:
                return True
            if now >= deadline and not (enough and quiet_s > 0.0):
                return enough
            self._rest(min(_LOOK_S, settle_s - quiet_s if enough else _LOOK_S))

    def _rest(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait(max(seconds, 0.01))


class _AssociationHandler:
    """Handler of one association; called from its thread."""

    def __init__(
        self, association: ReceivedAssociation, folder: Path, changed: threading.Condition
    ) -> None:
        self._association = association
        self._folder = folder
        self._changed = changed

    def open_sink(self, context: Context, command: CommandSet, /) -> DataSetSink:
        """Sink for the data set of a message: a file for C-STORE, else memory."""
        if command.field != C_STORE_RQ:
            return DataSetInMemory()
        uids = command.sop_class_uid, command.sop_instance_uid
        return _File(self._folder, encode_file_meta(*uids, context.transfer_syntax))

    def answer(self, message: Message, /) -> Status | None:
        """Store an instance as received, and return the status; unsafe UIDs are refused."""
        file, uid = message.data_set, message.command.sop_instance_uid
        if message.command.field != C_STORE_RQ:
            return None
        if not isinstance(file, _File) or not is_safe_uid(uid):
            return _CANNOT_UNDERSTAND, ""
        try:
            path = file.keep(uid)
        except OSError as error:
            return _OUT_OF_RESOURCES, (error.strerror or "")[:64]
        with self._changed:
            self._association.paths.append(path)
        return _SUCCESS, ""

    def on_pause(self) -> None:
        """Do nothing: no answer is held back."""

    def record_release(self) -> bool:
        """Note the release, which shows that the sender was done."""
        self._association.was_released = True
        return True

    def record_end(self, ending: Ending, /) -> None:
        """Note the end of the association and wake `StorageScp.wait`."""
        with self._changed:
            self._association.was_released = ending.cause == Cause.RELEASE
            self._association.ended_at = time.monotonic()
            self._changed.notify_all()


class _File:
    """DICOM file being received."""

    def __init__(self, folder: Path, file_meta: bytes) -> None:
        self.size = 0
        self._folder = folder
        self._path = folder / "incoming.part"
        self._file: IO[bytes] | None = None
        self._failure: OSError | None = None
        self._write(file_meta)

    def write(self, fragment: memoryview, /) -> None:
        """Write a fragment; errors of the disk are raised by `keep`."""
        self.size += len(fragment)
        self._write(fragment)

    def keep(self, uid: str) -> Path:
        """Rename the file to `uid`, with a number if that exists; returns its path.

        Raises:
            OSError: the disk could not take all of the file.
        """
        if self._failure is not None or self._file is None:
            raise self._failure or OSError("closed")
        self._file.close()
        path, count = self._folder / f"{uid}.dcm", 1
        while path.exists():
            count += 1
            path = self._folder / f"{uid}_{count}.dcm"
        return self._path.rename(path)

    def close(self) -> None:
        """Remove the file unless `keep` was called."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _write(self, content: bytes | memoryview) -> None:
        try:
            if self._file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("wb")
            self._file.write(content)
        except OSError as error:
            self._failure = self._failure or error


def _quiet_s(associations: Sequence[ReceivedAssociation]) -> float:
    """Seconds since the last association ended; 0 while one is open or before the first."""
    ends = [association.ended_at for association in associations]
    if not ends or any(end is None for end in ends):
        return 0.0
    return time.monotonic() - max(end for end in ends if end is not None)
