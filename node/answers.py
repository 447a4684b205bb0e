"""Commands of people: who asks for what, and the node's answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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


@dataclass(frozen=True, slots=True)
class Command:
    """A command that the node carries out, on a series, a pipeline or a peer."""

    number: int
    """Its id in the ledger."""
    series_instance_uid: str
    asker: Asker
    now: float
    """When the node begins it, in seconds since 1970."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """`pipeline` and `destinations` of the verb `run`; `what` of `pause` and `resume`."""
    target: str = ""
    """Name of the pipeline or peer of `pause` and `resume`."""
