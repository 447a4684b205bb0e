"""The DICOM upper layer over TCP (PS3.8 9) for one association, as requestor or acceptor.

One thread uses an association: it reads whole PDUs, assembles messages from their fragments, and
writes. Any thread may stop it.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom.dsutils import decode, encode

from core.errors import BoundError
from network.upper_layer.messages import (
    DataSetInMemory,
    Message,
    MessageAssembly,
    MessageBounds,
    OpenSink,
)
from network.upper_layer.negotiation import Agreement, Context
from network.upper_layer.pdu_reader import NOTHING_YET, PduReader
from network.upper_layer.pdus import (
    ABORT,
    COMMAND,
    P_DATA,
    RELEASE_RP,
    RELEASE_RQ,
    Fragment,
    abort_pdu,
    fragments_of,
    p_data_pdus,
    release_pdu,
)

_LINGER_S, _LINGER_BYTES, _LINGER_READ_BYTES = 1.0, 1_000_000, 65_536
BY_USER, BY_PROVIDER = 0, 2
"""Sources of an A-ABORT (PS3.8 Table 9-26)."""


class ReleaseRequested(Exception):  # noqa: N818, an event of the protocol and no error
    """The peer sent an A-RELEASE-RQ."""


class PeerAbortedError(Exception):
    """The peer sent an A-ABORT; `source` is its source (PS3.8 9.3.8)."""

    def __init__(self, source: int) -> None:
        super().__init__(f"aborted, source {source}")
        self.source = source


class StoppedError(Exception):
    """`Association.stop` was called."""


class NotTakenError(BoundError):
    """The peer did not receive what was sent in time."""


class Association:
    """An established association: receives and sends messages, releases and aborts."""

    def __init__(
        self,
        connection: socket.socket,
        reader: PduReader,
        agreement: Agreement,
        *,
        bounds: MessageBounds,
        open_sink: OpenSink = lambda _, __: DataSetInMemory(),
        write_timeout_s: float,
    ) -> None:
        """`reader` reads from `connection`; `open_sink` makes the sink of each data set."""
        self.agreement = agreement
        self.active_at = time.monotonic()
        """Monotonic time at which something was received or sent last, in seconds."""
        self._connection = connection
        self._reader = reader
        self._assembly = MessageAssembly(agreement.contexts, open_sink, bounds)
        self._write_timeout_s = write_timeout_s
        self._fragments: Iterator[Fragment] = iter(())
        self._stopping = threading.Event()

    @property
    def quiet_s(self) -> float:
        """Seconds since something was received or sent last."""
        return time.monotonic() - self.active_at

    @property
    def partial_message(self) -> str:
        """The message that was received in part, in words; empty if there is none."""
        return self._assembly.partial

    @property
    def partial_pdu(self) -> str:
        """The PDU that was received in part, in words; empty if there is none."""
        return "part of a PDU" if self._reader.has_partial_pdu else ""

    def receive(self, wait_s: float, *, within_s: float = float("inf")) -> Message | None:
        """The next message, whose data set the caller closes.

        Returns:
            None if nothing was received for `wait_s`, or no message was complete `within_s`.

        Raises:
            ReleaseRequested: the peer requests the release.
            PeerAbortedError: the peer aborted.
            StoppedError: another thread called `stop`.
            BoundError: the peer exceeds a bound, or breaks the protocol.
            OSError: the connection is lost.
        """
        deadline, is_late = time.monotonic() + within_s, False
        while True:
            for fragment in self._fragments:
                message = self._assembly.take(fragment)
                if message is not None:
                    return message
            left = max(0.0, deadline - time.monotonic())
            if is_late or not self._read(min(wait_s, left)):
                return None
            is_late = time.monotonic() > deadline

    def send(self, context: Context, command: bytes, data_set: bytes | None = None) -> None:
        """Send a message with an encoded command set and data set; raises as `write`."""
        longest = self.agreement.longest_sent
        pdus = p_data_pdus(command, context.context_id, COMMAND, longest)
        if data_set is not None:
            pdus += p_data_pdus(data_set, context.context_id, 0, longest)
        self.write(pdus)

    def write(self, pdus: bytes | memoryview) -> None:
        """Write whole PDUs.

        Raises:
            NotTakenError: the peer did not read them in time.
            OSError: the connection is lost.
        """
        try:
            count = self._connection.send(pdus) if self._connection.gettimeout() == 0 else 0
        except NOTHING_YET:
            count = 0
        if count < len(pdus):
            self._write_rest(memoryview(pdus)[count:])
        self.active_at = time.monotonic()

    def answer_release(self) -> None:
        """Send an A-RELEASE-RP; the connection is closed by the peer, or after a second."""
        self._end_with(release_pdu(RELEASE_RP))

    def release(self, within_s: float) -> bool:
        """Send an A-RELEASE-RQ, wait for its answer, and close; False without an A-RELEASE-RP.

        If both sides request the release, the peer's request is answered, too (PS3.8 7.2.2).
        """
        try:
            self.write(release_pdu(RELEASE_RQ))
            return self._is_released(time.monotonic() + within_s)
        except (BoundError, OSError):
            return False
        finally:
            self.close()

    def abort(self, source: int = BY_USER) -> None:
        """Send an A-ABORT, and close."""
        self._end_with(abort_pdu(source), shut=True)

    def close(self) -> None:
        """Close the connection, and discard a message that was received in part."""
        self._assembly.drop()
        end_connection(self._connection)

    def stop(self) -> None:
        """Make `receive` raise StoppedError from now on; safe to call from any thread."""
        self._stopping.set()
        with suppress(OSError):  # not SSLSocket's own, which is for its thread
            socket.socket.shutdown(self._connection, socket.SHUT_RD)

    def _read(self, wait_s: float) -> bool:
        """Read a P-DATA-TF, whose fragments are next; False if none came. Raises as `receive`."""
        if self._stopping.is_set():
            raise StoppedError
        try:
            pdu = self._reader.next(wait_s)
        except (BoundError, OSError):
            if self._stopping.is_set():
                raise StoppedError from None
            raise
        if pdu is None:
            return False
        self.active_at = time.monotonic()
        if pdu[0] == P_DATA:
            self._fragments = fragments_of(pdu)
            return True
        raise _meaning_of(pdu)

    def _write_rest(self, pdus: memoryview) -> None:
        try:
            self._connection.settimeout(self._write_timeout_s)
            self._connection.sendall(pdus)  # the time limit is for all of it, also with TLS
        except TimeoutError as error:
            raise NotTakenError(
                f"an answer was not taken within {self._write_timeout_s:g} s"
            ) from error
        except ValueError as error:  # of a TLS connection that is closed
            raise ConnectionAbortedError("closed") from error

    def _is_released(self, deadline: float) -> bool:
        """Wait for the A-RELEASE-RP; messages that come meanwhile are skipped."""
        while (left := deadline - time.monotonic()) > 0:
            pdu = self._reader.next(left)
            if pdu is None or pdu[0] in (RELEASE_RP, ABORT):
                return pdu is not None and pdu[0] == RELEASE_RP
            if pdu[0] == RELEASE_RQ:
                self.write(release_pdu(RELEASE_RP))
        return False

    def _end_with(self, pdu: bytes, *, shut: bool = False) -> None:
        self._assembly.drop()
        send_last_pdu(self._connection, pdu, shut=shut)
        end_connection(self._connection)


def encode_data_set(data_set: Dataset, context: Context) -> bytes:
    """Encode a data set in the transfer syntax of `context`; raises ValueError if that fails."""
    syntax = UID(context.transfer_syntax)
    content = encode(data_set, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
    if content is None:
        raise ValueError("a data set cannot be encoded")
    return content


def decode_data_set(content: bytes, context: Context) -> Dataset:
    """Decode a data set in the transfer syntax of `context`; a damaged one may raise any error."""
    syntax = UID(context.transfer_syntax)
    stream = BytesIO(content)
    return decode(stream, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)


def send_last_pdu(connection: socket.socket, pdu: bytes, *, shut: bool = True) -> None:
    """Send the last PDU, and wait up to a second for the peer to close (PS3.8 9.2.2, ARTIM).

    With `shut` this side's half of the connection is closed at once.
    """
    with suppress(OSError, ValueError):
        connection.settimeout(_LINGER_S)
        connection.sendall(pdu)
        if shut:
            connection.shutdown(socket.SHUT_WR)
        until, left = time.monotonic() + _LINGER_S, _LINGER_BYTES
        while left > 0 and time.monotonic() < until:
            count = len(connection.recv(_LINGER_READ_BYTES))
            if not count:
                return
            left -= count


def end_connection(connection: socket.socket) -> None:
    """Close a connection, whatever state it is in."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        connection.close()


def _meaning_of(pdu: memoryview) -> Exception:
    """The exception for a PDU other than P-DATA-TF on an established association (PS3.8 9.2)."""
    if pdu[0] == RELEASE_RQ:
        return ReleaseRequested()
    if pdu[0] == ABORT:
        return PeerAbortedError(pdu[8] if len(pdu) > 8 else BY_USER)
    return BoundError(f"unexpected PDU of type 0x{pdu[0]:02X} on an established association")
