"""A play of the planning system: what it is told, and what became of it."""

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
"""Exit codes; 2 is a wrong command line."""

EXPECTATIONS = ("any", "structure_set", "series")


@dataclass(frozen=True, slots=True)
class Scenario:
    """What to do."""

    folder: Path
    """Whose instances are sent."""
    node: PeerAddress
    output: Path
    """Gets `received/`; must be empty or not there."""
    ae_title: str = "TPS"
    listen_ip: str = "127.0.0.1"
    listen_port: int = 0
    """0: any free one."""
    listen_tls: ServerTls | None = None
    truth: Path | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """Structures of the truth to returned ones, in place of the usual pairs."""
    expect: str = "any"
    timeout_s: float = 300.0
    """From the end of sending until enough has come back."""
    settle_s: float = 2.0
    """Quiet time after the last association before what came is judged."""
    lowest_dice: float = 0.7
    """Agreement with the truth below this is a wrong result."""
    send_timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(slots=True)
class Outcome:
    """What happened, step by step; `exit_code` and `reason` are the verdict."""

    sent: list[Header] = field(default_factory=list)
    stored: int = 0
    associations: int = 0
    received: list[Path] = field(default_factory=list)
    received_kinds: dict[str, int] = field(default_factory=dict)
    """Structure sets, unchanged, derived and other instances that came back."""
    checks: tuple[Check, ...] = ()
    agreements: list[Agreement] = field(default_factory=list)
    contours: Contours = field(default_factory=dict)
    truth: Truth | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    """Time spent sending and waiting."""
    exit_code: int = WRONG
    reason: str = ""

    @property
    def came_back(self) -> str:
        """What came back, counted, in words."""
        kinds = self.received_kinds.items()
        return ", ".join(counted(count, kind) for kind, count in kinds) or "nothing"

    def report(self) -> dict[str, Any]:
        """Plain values for a JSON file: UIDs and figures, nothing of the patient."""
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
    """Such as "1 instance" or "2 instances"."""
    return f"{count} {plural.removesuffix('s') if count == 1 else plural}"


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: where one of two masks is empty, there is no distance."""
    return {key: None if value == float("inf") else value for key, value in values.items()}
