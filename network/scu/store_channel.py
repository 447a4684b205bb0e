"""C-STORE requests and responses on an association, with data sets straight from files."""

from collections.abc import Iterator

from core.errors import SendError
from network.scu.dialogue import Dialogue
from network.upper_layer.dimse import C_STORE_RQ, RESPONSE, CommandSet, store_request
from network.upper_layer.p_data import Extent, PDataBuffer

_STORE_RSP = C_STORE_RQ | RESPONSE


class StoreChannel:
    """Sends C-STORE requests and receives responses; not usable after a SendError."""

    def __init__(self, dialogue: Dialogue) -> None:
        """On an open association.

        Raises:
            SendError: the peer receives only PDUs that are too short.
        """
        self._dialogue = dialogue
        try:
            self._buffer = PDataBuffer(dialogue.longest_sent)
        except SendError as error:
            raise SendError(f"{dialogue.peer} {error}") from None

    def request(
        self, message_id: int, uids: tuple[str, str], extent: Extent, context_id: int
    ) -> None:
        """Send a C-STORE-RQ with the data set in `extent`; `uids` are of SOP class and instance.

        Raises:
            SendError: the connection is lost, or the file was cut off within its transmission.
            ValueError: a UID cannot be sent; nothing was sent.
            OSError: the file cannot be read; nothing was sent.
        """
        pieces = self._buffer.pdus(extent, store_request(message_id, *uids), context_id)
        self._dialogue.write(next(pieces))
        while (piece := _next(pieces)) is not None:
            self._dialogue.write(piece)

    def answer(self, *, wait: bool) -> CommandSet | None:
        """The next C-STORE-RSP; without `wait` None if none was received yet.

        Raises:
            SendError: there will be no response, with the reason in words.
        """
        message = self._dialogue.response(self._dialogue.timeouts.response_s if wait else 0.0)
        if message is None:
            if wait:
                raise self._dialogue.too_late()
            return None
        command = message.command
        if command.field != _STORE_RSP or command.responded_id is None or command.status is None:
            raise SendError(
                f"{self._dialogue.peer} broke the protocol: a C-STORE response was expected, "
                f"found command 0x{command.field:04X}"
            )
        return command


def _next(pieces: Iterator[memoryview]) -> memoryview | None:
    """The next piece; raises SendError if the file fails, as a message cannot be broken off."""
    try:
        return next(pieces, None)
    except OSError as error:
        raise SendError(f"the association was ended: {error}") from error
