"""Who asks the node for something, and what it answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What was done for a person, or why it was not."""

    words: str
    is_refused: bool = False
    is_awaited: bool = False
    """Whether what comes of it is still to be judged; then `outcome_of` has the answer."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and from where; nobody for a command line on this machine."""

    person: str = ""
    address: str = ""

    @property
    def words(self) -> str:
        """For the event; empty for nobody."""
        return f", by {self.person} from {self.address}" if self.person else ""
