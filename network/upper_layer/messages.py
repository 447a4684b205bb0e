"""Assemble DIMSE messages from their fragments (PS3.7 6.3, PS3.8 Annex E), within bounds.

A command set is kept in memory until it is complete. Each fragment of a data set is passed on to a
sink at once, so that an instance of any size takes no more memory than a PDU.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from core.config.wire import Wire
from core.errors import BoundError
from network.upper_layer.dimse import CommandSet, read_command
from network.upper_layer.negotiation import Context
from network.upper_layer.pdus import COMMAND, FRAGMENT_BYTES, LAST, Fragment

_MEGABYTE = 1_000_000
_LONGEST_IN_MEMORY_MB = 64


class DataSetSink(Protocol):
    """Receives the data set of one message."""

    size: int
    """Bytes received so far."""

    def write(self, fragment: memoryview, /) -> None:
        """Append a fragment, whose bytes are valid only during the call."""

    def close(self) -> None:
        """Discard the data set: the message was answered, or will never be complete."""


class DataSetInMemory:
    """Keeps a data set that is not stored, such as a query or a storage commitment request."""

    def __init__(self) -> None:
        self.size = 0
        self.content = bytearray()

    def write(self, fragment: memoryview, /) -> None:
        """Append a fragment.

        Raises:
            BoundError: the data set is longer than 64 MB.
        """
        self.size += len(fragment)
        if self.size > _LONGEST_IN_MEMORY_MB * _MEGABYTE:
            raise BoundError(f"a data set is longer than {_LONGEST_IN_MEMORY_MB} MB")
        self.content += fragment

    def close(self) -> None:
        """Do nothing: the memory is freed with the object."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its presentation context, its command set, and its data set if it has one."""

    context: Context
    command: CommandSet
    data_set: DataSetSink | None = None

    @property
    def content(self) -> bytes:
        """The encoded data set if it is in memory, else empty."""
        return bytes(self.data_set.content) if isinstance(self.data_set, DataSetInMemory) else b""


@dataclass(frozen=True, slots=True)
class MessageBounds:
    """Longest command set and data set of a message, in bytes."""

    command: int = 65_536
    data_set: int = _LONGEST_IN_MEMORY_MB * _MEGABYTE
    passes_stray_data: bool = False
    """True if a data set without a command set is skipped; otherwise it is an error."""

    @classmethod
    def of(cls, wire: Wire) -> "MessageBounds":
        """The bounds that a listener is configured with."""
        return cls(wire.maximum_command_bytes, wire.maximum_instance_mb * _MEGABYTE)


OpenSink = Callable[[Context, CommandSet], DataSetSink]
"""Makes the sink of a data set when its command set is complete."""


class MessageAssembly:
    """Assembles the messages of one association, one after the other."""

    def __init__(
        self, contexts: Mapping[int, Context], open_sink: OpenSink, bounds: MessageBounds
    ) -> None:
        self._contexts = contexts
        self._open_sink = open_sink
        self._bounds = bounds
        self._pieces: list[bytes] = []
        self._command_bytes = 0
        self._context_id = 0
        self._message: Message | None = None

    @property
    def partial(self) -> str:
        """The message that was received in part, in words; empty if there is none."""
        if self._message is not None and self._message.data_set is not None:
            size = self._message.data_set.size
            return (
                f"half a data set ({size} bytes)" if size else "a command set without its data set"
            )
        return "half a command set" if self._pieces else ""

    def take(self, fragment: Fragment) -> Message | None:
        """Add a fragment; returns the message if it is complete now, else None.

        Raises:
            BoundError: the message exceeds a bound, or cannot be read.
        """
        if self._message is not None:
            return self._take_data(self._message, fragment)
        if fragment.control & COMMAND:
            return self._take_command(fragment)
        if self._bounds.passes_stray_data:
            return None
        raise BoundError("a message cannot be read (a data set without its command set)")

    def drop(self) -> None:
        """Discard a message that was received in part."""
        message, self._message = self._message, None
        self._pieces, self._command_bytes = [], 0
        if message is not None and message.data_set is not None:
            message.data_set.close()

    def _take_command(self, fragment: Fragment) -> Message | None:
        if not self._pieces:
            self._context_id = fragment.context_id
        self._check_context(fragment)
        self._pieces.append(bytes(fragment.content))  # the PDU's buffer is overwritten
        self._command_bytes += len(fragment.content) + FRAGMENT_BYTES  # counts empty ones, too
        if self._command_bytes > self._bounds.command:
            raise BoundError(f"a command set is longer than {self._bounds.command} bytes")
        if not fragment.control & LAST:
            return None
        command = read_command(b"".join(self._pieces))
        self._pieces, self._command_bytes = [], 0
        return self._begin(command)

    def _begin(self, command: CommandSet) -> Message | None:
        context = self._contexts.get(self._context_id)
        if context is None:
            raise BoundError(
                f"a message in presentation context {self._context_id}, which was not accepted"
            )
        if not command.has_data_set:
            return Message(context, command)
        self._message = Message(context, command, self._open_sink(context, command))
        return None

    def _take_data(self, message: Message, fragment: Fragment) -> Message | None:
        sink = message.data_set
        if sink is None or fragment.control & COMMAND:
            raise BoundError("a message cannot be read (a command set within a data set)")
        self._check_context(fragment)
        if sink.size + len(fragment.content) > self._bounds.data_set:
            megabytes = self._bounds.data_set // _MEGABYTE
            raise BoundError(f"a data set is longer than {megabytes} MB")
        sink.write(fragment.content)
        if not fragment.control & LAST:
            return None
        self._message = None
        return message

    def _check_context(self, fragment: Fragment) -> None:
        if fragment.context_id != self._context_id:
            raise BoundError(
                "a message cannot be read (a fragment of presentation context "
                f"{fragment.context_id} in a message of {self._context_id})"
            )
