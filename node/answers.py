"""Commands of people: who asks, and the node's answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to a command: what was done, or why not."""

    words: str
    is_refused: bool = False
    is_awaited: bool = False
    """True if the series is judged first; `outcome_of` then gives the final answer."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Person who asks, and from which address; empty for the command line of this machine."""

    person: str = ""
    address: str = ""

    @property
    def words(self) -> str:
        """Words for the event; empty for the command line."""
        return f", by {self.person} from {self.address}" if self.person else ""
