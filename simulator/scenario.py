"""Scenario of a simulated planning system, and its outcome."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.config.wire import ServerTls
from imaging.instances.header import Header
from network.scu.association import PeerAddress, Timeouts
from simulator.agreement import Agreement
from simulator.checks import Check
from simulator.returned_contours import Contours
from simulator.truth import Truth

PASSED, WRONG, NOTHING_CAME = 0, 1, 3
"""Exit codes; 2 stands for a wrong command line."""

EXPECTATIONS = ("any", "structure_set", "series")


@dataclass(frozen=True, slots=True)
class Scenario:
    """What to send where, and which results to expect."""

    folder: Path
    """Folder of the instances to send."""
    node: PeerAddress
    output: Path
    """Folder for results, in `received/`; must be empty or new."""
    ae_title: str = "TPS"
    listen_ip: str = "127.0.0.1"
    listen_port: int = 0
    """Port for results; 0 takes any free one."""
    listen_tls: ServerTls | None = None
    truth: Path | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """Structures of the truth to returned ones; empty for the default pairs."""
    expect: str = "any"
    timeout_s: float = 300.0
    """Longest time from the end of sending until all expected results are there."""
    settle_s: float = 2.0
    """Time without association before the results are checked."""
    lowest_dice: float = 0.7
    """A Dice with the truth below this is a fault."""
    send_timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(slots=True)
class Outcome:
    """Results of all steps; `exit_code` and `reason` sum them up."""

    sent: list[Header] = field(default_factory=list)
    stored: int = 0
    associations: int = 0
    received: list[Path] = field(default_factory=list)
    received_kinds: dict[str, int] = field(default_factory=dict)
    """Number of returned instances by kind."""
    checks: tuple[Check, ...] = ()
    agreements: list[Agreement] = field(default_factory=list)
    contours: Contours = field(default_factory=dict)
    truth: Truth | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    """Duration of sending and of waiting."""
    exit_code: int = WRONG
    reason: str = ""

    @property
    def came_back(self) -> str:
        """Returned instances by kind, as text."""
        kinds = self.received_kinds.items()
        return ", ".join(counted(count, kind) for kind, count in kinds) or "nothing"

    def report(self) -> dict[str, Any]:
        """Content of report.json: UIDs and figures, without patient data."""
        return {
            "verdict": "PASS" if self.exit_code == PASSED else "FAIL",
            "exit_code": self.exit_code,
            "reason": self.reason,
            "instances_sent": len(self.sent),
            "instances_stored": self.stored,
            "associations_received": self.associations,
            "instances_received": self.received_kinds,
            "seconds": {step: round(took_s, 3) for step, took_s in self.seconds.items()},
            "checks": [asdict(check) for check in self.checks],
            "truth": [] if self.truth is None else self.truth.findings,
            "structures": [_finite(asdict(agreement)) for agreement in self.agreements],
        }


def counted(count: int, plural: str) -> str:
    """Text such as "1 instance" or "2 instances"."""
    return f"{count} {plural.removesuffix('s') if count == 1 else plural}"


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """Values with None for infinity (no distance to an empty mask), which JSON lacks."""
    return {key: None if value == float("inf") else value for key, value in values.items()}
