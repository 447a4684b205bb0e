"""Ask a peer with less on offer, if it ends associations right after their acceptance.

Some systems accept an optional item and drop the connection at the first message, or abort at the
request already, or never answer. What they cannot stand is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from core.errors import SendError, SilentError, UnansweredError
from network.optional_items import Items, OptionalItem
from network.scu.peer_address import PeerAddress

_Result = TypeVar("_Result")


def with_less(
    peer: PeerAddress,
    offered: Sequence[OptionalItem],
    run: Callable[[PeerAddress, bool], _Result],
) -> _Result:
    """Call `run` with the address of `peer`, again with one item less for each UnansweredError.

    A silence takes the peer's whole time limit: it is followed by one more call, and only if an
    asynchronous operations window was offered, at which some systems hang.

    Args:
        peer: the peer; its `learn` is called with the items without which it answered.
        offered: what `run` offers, the item that is most often not served first.
        run: asks the peer at an address, whose `leaves_out` it heeds; the other argument is True if
            there will be no further call.

    Raises:
        UnansweredError: the peer answered in no case; the words are those of its first end.
        SendError: the first call failed otherwise, with the reason in words.
    """
    steps, first = _steps(peer, offered), None
    for leaves_out in steps:
        try:
            result = run(replace(peer, leaves_out=leaves_out), leaves_out == steps[-1])
            return _learning(peer, leaves_out, result)
        except UnansweredError as error:
            is_followed = first is None and OptionalItem.WINDOW in steps[-1] - leaves_out
            first = first or error
            if isinstance(error, SilentError) and not is_followed:
                break
        except SendError as error:
            raise first or error from None
    assert first is not None
    raise first


def _steps(peer: PeerAddress, offered: Sequence[OptionalItem]) -> list[Items]:
    """What to leave out in each call: nothing more at first, then one item after the other."""
    steps = [peer.leaves_out]
    for item in offered:
        if item not in peer.leaves_out | peer.keeps:
            steps.append(steps[-1] | {item})
    return steps


def _learning(peer: PeerAddress, leaves_out: Items, result: _Result) -> _Result:
    learned = leaves_out - peer.leaves_out
    if learned and peer.learn is not None:
        peer.learn(learned)
    return result
