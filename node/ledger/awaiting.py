"""Wait at a start for a database that is not there yet, as after a machine or a cluster started."""

import sys
from collections.abc import Callable

from core.errors import DatabaseAbsentError
from node.ledger.database import Ledger

_PAUSE_S = 2.0


def open_when_there(open_now: Callable[[], Ledger], wants_stop: Callable[[float], bool]) -> Ledger:
    """Open the ledger, again and again while no server of its database answers.

    Each new reason is printed once, before logs have their file.

    Args:
        open_now: opens the ledger.
        wants_stop: waits for as many seconds; True ends the wait.

    Raises:
        StorageUnavailableError: the ledger cannot be opened for another reason.
        SystemExit: 0, a stop was asked for; nothing has begun yet.
    """
    told = ""
    while True:
        try:
            return open_now()
        except DatabaseAbsentError as error:
            if str(error) != told:
                told = str(error)
                sys.stderr.write(f"{told}: the node waits until the database is there\n")
            if wants_stop(_PAUSE_S):
                raise SystemExit(0) from error
