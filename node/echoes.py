"""C-ECHO on request of the web process, which writes a row; only the node opens associations."""

from sqlalchemy import select, update

from core.config.settings import Configuration
from core.errors import SendError
from network.optional_items import words_of_items
from network.scu.addresses import address_of
from network.scu.association import Timeouts
from network.scu.c_store import echo
from node.answers import Asker
from node.commands import ANSWERS, ECHO
from node.follower import Follower
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.schema import commands
from node.ledger.tables.events import record_event
from node.withholding import as_known

_TIMEOUTS = Timeouts(connect_s=5.0, associate_s=5.0, response_s=5.0)
_TOO_LATE_S = 60.0


class Echoes(Follower):
    """Carries out one C-ECHO after the other; an unreachable peer takes its timeout."""

    def __init__(self, configuration: Configuration, ledger: Ledger) -> None:
        self._configuration = configuration
        self._ledger = ledger

    def answer_next(self) -> bool:
        """Carry out the C-ECHO that waits longest; True if there was one."""
        waiting = commands.c.done_at.is_(None) & (commands.c.verb == ECHO)
        query = select(commands).where(waiting).order_by(commands.c.id).limit(1)
        with self._ledger.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return False
        late = self._ledger.clock() - row.at > _TOO_LATE_S
        answer = "not asked: the node did not run" if late else self._echo(row.target)
        now = self._ledger.clock()
        with self._ledger.writing() as connection:
            done = update(commands).where(commands.c.id == row.id)
            connection.execute(done.values(done_at=now, answer=answer))
            words = f"{row.target} {answer}{Asker(row.person, row.address).words}"
            record_event(connection, EventKind.PERSON_ECHO, words, now=now)
        return True

    def _echo(self, name: str) -> str:
        peers = {peer.name: peer for peer in self._configuration.peers}
        if name not in peers:
            return "is not a configured peer"
        address = as_known(address_of(peers[name]), self._ledger)
        try:
            echo(address, self._configuration.ae_title, timeouts=_TIMEOUTS)
        except SendError as error:
            return f"does not answer: {error}"
        left_out = as_known(address, self._ledger).leaves_out  # with what was just learned
        return f"{ANSWERS}, without {words_of_items(left_out)}" if left_out else ANSWERS
