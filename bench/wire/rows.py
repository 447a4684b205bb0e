"""Rows of the benchmark: each is one load, measured on all sides in turn."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from bench.report import OURS
from bench.wire.files import Workload
from bench.wire.receivers import (
    DCMTK,
    DCMTK_FORK,
    ORTHANC,
    OURS_UNSYNCED,
    PYNETDICOM,
    Receiver,
    started,
)
from bench.wire.senders import Sender, Sent, by_dcmtk, by_processes

STALLED, SLOW_LARGE, SLOW_SMALL, SHARED = 20, 100, 300, 160
"""Instances for a sender that waits 44 ms for each, for slow receivers, and for 16 associations."""
_FEWEST, _ROW_S = 3, 45.0
Work = Callable[[], Sent]
Send = Callable[[Receiver, Workload], Sent]


@dataclass(slots=True)
class Row:
    """One load, with the measurements of each side."""

    name: str
    runs: dict[str, list[Sent]] = field(default_factory=dict)
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """Peak memory and its increase, in MB, by side, if measured."""
    afterwards_s: list[float] = field(default_factory=list)
    """Seconds that our receiver worked on after its last answer."""
    goals: Mapping[str, str] = field(default_factory=dict)
    mb_each: float = 0.0

    def rate(self, side: str) -> float:
        """Median of instances per second."""
        return median(one.instances / one.seconds for one in self.runs[side])

    def ratios(self, side: str, ours: str) -> list[float]:
        """Our rate divided by that of `side`, run by run."""
        pairs = zip(self.runs[ours], self.runs[side], strict=True)
        return [(a.instances / a.seconds) / (b.instances / b.seconds) for a, b in pairs]


@dataclass(slots=True)
class Bench:
    """Workloads, folder and repetitions of the measurement."""

    folder: Path
    workloads: Mapping[str, Workload]
    processes: list[Sender]
    runs: int

    def stock(self) -> Iterator[Row]:
        """Senders and receivers in their default configuration, with Nagle's algorithm if on."""
        with started([OURS, DCMTK, ORTHANC], self.folder, nagle=True) as receivers:
            for program in ("storescu", "dcmsend"):
                for name in ("W1", "W2"):
                    goals = {DCMTK: "30", ORTHANC: "30"}
                    row = self._row(f"{self.workloads[name].name}, stock {program}", name, goals)
                    self._receive(
                        row,
                        receivers,
                        {one: self._part(name, one, STALLED) for one in receivers},
                        partial(_by_dcmtk, program, nagle=True),
                    )
                    yield row

    def no_delay(self) -> Iterator[Row]:
        """Senders without Nagle's algorithm: DCMTK's, and ours, which is faster than a receiver."""
        sides = [OURS, OURS_UNSYNCED, DCMTK, PYNETDICOM, ORTHANC]
        goals = {
            "W1": {DCMTK: "1.2, no fsync 1.5", PYNETDICOM: "4, no fsync 4", ORTHANC: "4"},
            "W2": {DCMTK: "2, no fsync 1.5", PYNETDICOM: "6, no fsync 4", ORTHANC: "4"},
        }
        with started(sides, self.folder, nagle=False) as receivers:
            for program in ("storescu", "ours"):
                for name in ("W1", "W2"):
                    words = f"{self.workloads[name].name}, {program} without Nagle"
                    row = self._row(words, name, goals[name])
                    few = SLOW_LARGE if name == "W1" else SLOW_SMALL
                    slow = (PYNETDICOM, ORTHANC)
                    loads = {one: self._part(name, one, few, only=slow) for one in receivers}
                    self._receive(row, receivers, loads, self._without_nagle(program))
                    yield row

    def large(self) -> Iterator[Row]:
        """One large instance, with the memory it takes."""
        sides = [OURS, OURS_UNSYNCED, DCMTK, PYNETDICOM, ORTHANC]
        with started(sides, self.folder, nagle=False) as receivers:
            row = self._row("one of 105 MB", "W3", {DCMTK: "3", ORTHANC: "5", PYNETDICOM: "5"})
            loads = dict.fromkeys(receivers, self.workloads["W3"])
            self._receive(row, receivers, loads, self._without_nagle("ours"), memory=True)
            yield row

    def many(self) -> Iterator[Row]:
        """Several simultaneous associations, with the slowest answers."""
        sides = [OURS, OURS_UNSYNCED, DCMTK, DCMTK_FORK, ORTHANC]
        load = self.workloads["W1"].part(SHARED)
        with started(sides, self.folder, nagle=False) as receivers:
            for count in (4, 16):
                goals = {DCMTK: "1.2", DCMTK_FORK: "1.2", ORTHANC: "2"}
                row = self._row(f"{load.name}, {count} associations", "W1", goals)
                self._receive(
                    row,
                    receivers,
                    dict.fromkeys(receivers, load),
                    partial(self._by_ours, count),
                )
                yield row

    def short(self) -> Iterator[Row]:
        """One association for each instance, one after the other, as some senders do."""
        sides = [OURS, OURS_UNSYNCED, DCMTK, PYNETDICOM, ORTHANC]
        load = self.workloads["W2"].part(SLOW_LARGE)
        with started(sides, self.folder, nagle=False) as receivers:
            row = self._row(f"{load.name}, an association for each", "W2", {})
            self._receive(row, receivers, dict.fromkeys(receivers, load), self._by_short_ones)
            yield row

    def sending(self) -> Iterator[Row]:
        """Our sender and others, sending to DCMTK's receiver."""
        goals = {"dcmsend": "1.0", "storescu": "1.0", "pynetdicom": "6"}
        for nagle in (False, True):
            with started([DCMTK], self.folder, nagle=nagle) as receivers:
                if DCMTK not in receivers:
                    return
                words = "stock" if nagle else "all without Nagle"
                row = self._row(f"sending 300 CT to DCMTK storescp, {words}", "W1", goals)
                self._send(row, receivers[DCMTK], nagle=nagle)
                yield row

    def _send(self, row: Row, receiver: Receiver, *, nagle: bool) -> None:
        whole, port = self.workloads["W1"], receiver.port
        few = whole.part(STALLED) if nagle else whole
        slow = whole.part(STALLED if nagle else SLOW_LARGE)
        sides: dict[str, Work] = {
            OURS: lambda: by_processes(self.processes, "stream", port, whole),
            "dcmsend": lambda: by_dcmtk("dcmsend", port, few, nagle=nagle),
            "storescu": lambda: by_dcmtk("storescu", port, few, nagle=nagle),
            "pynetdicom": lambda: by_processes(self.processes, "pynetdicom", port, slow),
        }
        row.runs = {side: [] for side in sides}
        for _ in self._rounds():
            for side, work in sides.items():
                whole.renew()
                row.runs[side].append(work())
                receiver.clear()

    def _receive(
        self,
        row: Row,
        receivers: Mapping[str, Receiver],
        loads: Mapping[str, Workload],
        send: Send,
        *,
        memory: bool = False,
    ) -> None:
        """Measure all sides in turn, repeatedly."""
        row.runs = {side: [] for side in receivers}
        row.memory = {side: [] for side in receivers if memory}
        for _ in self._rounds():
            for side, receiver in receivers.items():
                loads[side].renew()
                with _watched(row, receiver, memory=memory):
                    row.runs[side].append(send(receiver, loads[side]))
                after_s = receiver.wait_until_quiet()
                if side == OURS:
                    row.afterwards_s.append(after_s)
                receiver.clear()

    def _rounds(self) -> Iterator[int]:
        """Numbers of the runs: as requested, or fewer, but at least three, if they take long."""
        begun = time.monotonic()
        for number in range(self.runs):
            if number >= _FEWEST and time.monotonic() - begun > _ROW_S:
                return
            yield number

    def _without_nagle(self, program: str) -> Send:
        if program == "ours":
            return partial(self._by_ours, 1)
        return partial(_by_dcmtk, program, nagle=False)

    def _by_ours(self, associations: int, receiver: Receiver, load: Workload) -> Sent:
        return by_processes(self.processes, "timed", receiver.port, load, associations=associations)

    def _by_short_ones(self, receiver: Receiver, load: Workload) -> Sent:
        return by_processes(self.processes, "each", receiver.port, load)

    def _part(
        self, name: str, side: str, few: int, *, only: tuple[str, ...] = (DCMTK, ORTHANC)
    ) -> Workload:
        return self.workloads[name].part(few) if side in only else self.workloads[name]

    def _row(self, words: str, name: str, goals: Mapping[str, str]) -> Row:
        load = self.workloads[name]
        return Row(words, goals=goals, mb_each=load.total_bytes / 1e6 / len(load.paths))


@contextmanager
def _watched(row: Row, receiver: Receiver, *, memory: bool) -> Iterator[None]:
    if memory:
        receiver.mark_memory()
    yield
    if memory:
        row.memory[receiver.name].append(receiver.peak_mb())


def _by_dcmtk(program: str, receiver: Receiver, load: Workload, *, nagle: bool) -> Sent:
    return by_dcmtk(program, receiver.port, load, nagle=nagle)
