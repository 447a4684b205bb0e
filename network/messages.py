"""DIMSE messages out of their fragments (PS3.7 section 6.3, PS3.8 Annex E), within bounds.

A command set is kept until it is whole; the data set goes on, fragment by fragment, to whatever
takes it, so that an instance of any size costs no more memory than a PDU.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from core.config.wire import Wire
from core.errors import BoundError
from network.dimse import CommandSet, read_command
from network.negotiation import Context
from network.pdus import COMMAND, FRAGMENT_BYTES, LAST, Fragment

_MEGABYTE = 1_000_000
_LONGEST_IN_MEMORY_MB = 64


class DataSetSink(Protocol):
    """Takes the data set of one message."""

    size: int
    """Bytes so far."""

    def write(self, fragment: memoryview, /) -> None:
        """Take a fragment, whose bytes are good only until this returns."""

    def close(self) -> None:
        """Let go of what is here; the message was answered, or will never be whole."""


class DataSetInMemory:
    """Keeps a data set that is not to be stored: of a query, or of storage commitment."""

    def __init__(self) -> None:
        self.size = 0
        self.content = bytearray()

    def write(self, fragment: memoryview, /) -> None:
        """Take a fragment.

        Raises:
            BoundError: more than 64 MB.
        """
        self.size += len(fragment)
        if self.size > _LONGEST_IN_MEMORY_MB * _MEGABYTE:
            raise BoundError(f"a data set is longer than {_LONGEST_IN_MEMORY_MB} MB")
        self.content += fragment

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True, slots=True)
class Message:
    """A command set in its presentation context, and what took its data set, where it has one."""

    context: Context
    command: CommandSet
    data_set: DataSetSink | None = None

    @property
    def content(self) -> bytes:
        """Of a data set in memory; empty where there is none."""
        return bytes(self.data_set.content) if isinstance(self.data_set, DataSetInMemory) else b""


@dataclass(frozen=True, slots=True)
class MessageBounds:
    """How long a message may be, in bytes."""

    command: int = 65_536
    data_set: int = _LONGEST_IN_MEMORY_MB * _MEGABYTE
    passes_stray_data: bool = False
    """Whether a data set that no command set announced is passed over; else it is an error."""

    @classmethod
    def of(cls, wire: Wire) -> "MessageBounds":
        """Those of a listener."""
        return cls(wire.maximum_command_bytes, wire.maximum_instance_mb * _MEGABYTE)


OpenSink = Callable[[Context, CommandSet], DataSetSink]
"""Gives the place of a data set once its command set is whole."""


class MessageAssembly:
    """Puts the fragments of one association together, one message after the other."""

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
    def half(self) -> str:
        """What of a message is here without the rest, in words; empty: nothing."""
        if self._message is not None and self._message.data_set is not None:
            size = self._message.data_set.size
            return (
                f"half a data set ({size} bytes)" if size else "a command set without its data set"
            )
        return "half a command set" if self._pieces else ""

    def take(self, fragment: Fragment) -> Message | None:
        """The message that `fragment` completes, if it does.

        Raises:
            BoundError: the message goes beyond a bound, or cannot be read.
        """
        if self._message is not None:
            return self._take_data(self._message, fragment)
        if fragment.control & COMMAND:
            return self._take_command(fragment)
        if self._bounds.passes_stray_data:
            return None
        raise BoundError("a message cannot be read (a data set without its command set)")

    def drop(self) -> None:
        """Let go of what is half here."""
        message, self._message = self._message, None
        self._pieces, self._command_bytes = [], 0
        if message is not None and message.data_set is not None:
            message.data_set.close()

    def _take_command(self, fragment: Fragment) -> Message | None:
        if not self._pieces:
            self._context_id = fragment.context_id
        self._check_context(fragment)
        self._pieces.append(bytes(fragment.content))  # the buffer of the PDU is used again
        self._command_bytes += len(fragment.content) + FRAGMENT_BYTES  # empty ones are long, too
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
